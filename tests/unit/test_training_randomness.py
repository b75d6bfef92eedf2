"""Randomness without a state: the same wherever and whenever it is asked for."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
import torch

from snellen.training.randomness import (
    Draws,
    derived_seed,
    generator,
    permutation,
    unchanged_randomness,
)


def test_seeds_are_apart() -> None:
    paths = [(), (0,), (1,), ("a",), ("a", 0), ("a", 1), ("a0",), ("b", 0), (0, 0), ("a", 0, 1)]
    seeds = {derived_seed(seed, *path) for seed in (0, 1) for path in paths}
    assert len(seeds) == 2 * len(paths)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_seed_is_the_same_on_every_machine() -> None:
    # BLAKE2b of "0", with the person "snellen", by the standard library: little end first, 63 bits.
    import hashlib

    digest = hashlib.blake2b(b"0\x00order\x003", digest_size=8, person=b"snellen").digest()
    assert derived_seed(0, "order", 3) == int.from_bytes(digest, "little") // 2


def test_permutations() -> None:
    orders = [permutation(100, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert order.dtype == torch.int64
        assert torch.equal(order.sort().values, torch.arange(100))
    assert not any(torch.equal(*pair) for pair in combinations(orders, 2))
    torch.manual_seed(99)
    assert torch.equal(permutation(100, 0, 0), orders[0])


def test_generators_do_not_touch_that_of_torch() -> None:
    before = torch.get_rng_state()
    torch.rand(5, generator=generator(0, "a"))
    Draws(0, 0, 0, 8).uniform(3)
    assert torch.equal(torch.get_rng_state(), before)


def drawn(rows: slice) -> list[torch.Tensor]:
    draws = Draws(3, 1, 4, 13, rows)
    return [draws.uniform(2), draws.integers(0, 9, 3), draws.uniform()]


@pytest.mark.parametrize("world", [2, 3, 13])
def test_processes_share_what_one_would_draw(world: int) -> None:
    whole = drawn(slice(None))
    parts = [drawn(slice(rank, None, world)) for rank in range(world)]
    for k, expected in enumerate(whole):
        joined = torch.empty_like(expected)
        for rank, part in enumerate(parts):
            joined[rank::world] = part[k]
        assert torch.equal(joined, expected)


def test_who_is_mixed_is_known_to_all() -> None:
    one, other = (Draws(3, 1, 4, 13, slice(rank, None, 2)) for rank in (0, 1))
    assert torch.equal(one.permutation(), other.permutation())
    assert torch.equal(one.beta(0.4), other.beta(0.4))


def test_draws_are_a_function_of_the_step() -> None:
    firsts = [
        Draws(seed, epoch, step, 50).uniform()
        for seed in (0, 1)
        for epoch in (0, 1)
        for step in (0, 1)
    ]
    assert not any(torch.equal(*pair) for pair in combinations(firsts, 2))
    assert torch.equal(Draws(0, 0, 0, 50).uniform(), firsts[0])


def test_ranges() -> None:
    draws = Draws(0, 0, 0, 2000)
    uniform, integers = draws.uniform(), draws.integers(-1, 2)
    assert float(uniform.min()) >= 0
    assert float(uniform.max()) < 1
    assert set(integers.tolist()) == {-1, 0, 1}


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_beta_has_its_mean_and_variance(alpha: float) -> None:
    found = Draws(0, 0, 0, 8).beta(alpha, 20_000)
    variance = 1 / (4 * (2 * alpha + 1))  # of Beta(a, a)
    assert float(found.mean()) == pytest.approx(0.5, abs=5 * (variance / 20_000) ** 0.5)
    assert float(found.var()) == pytest.approx(variance, rel=0.05)
    assert found.dtype == torch.float64


def test_random_numbers_go_on_as_if_nothing_was() -> None:
    def three() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    def seeded() -> None:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        torch.manual_seed(1)

    seeded()
    expected = three()
    seeded()
    with unchanged_randomness():
        torch.manual_seed(5)
        three()
    assert three() == expected
    seeded()

    def fails() -> None:
        with unchanged_randomness():
            three()
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert three() == expected
