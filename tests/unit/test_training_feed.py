"""Batches for the network: in order, from any of them on, in shares of processes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.small_trainings import images
from torch import Tensor

from snellen.training.augmentation.chain import augmentation
from snellen.training.choices import Choice
from snellen.training.data.normalisation import make_normalisation
from snellen.training.data.parts import Order
from snellen.training.data.resident import ResidentPart
from snellen.training.feed import Feed, Ready

PART = ResidentPart(*images(29, 0))
CHANGES = ("flip", {"name": "crop", "padding": 1})
MIXES = ("flip", {"name": "mixup", "alpha": 0.5})


def feed(changes: tuple[Any, ...] = (), **given: Any) -> Feed:
    chain = None
    if changes:
        chain = augmentation(
            [Choice.of(each) for each in changes], n_classes=3, task="classification"
        )
    given = {"seed": 0, "device": torch.device("cpu"), **given}
    return Feed(
        PART,
        Order(29, 8, seed=given["seed"]),
        chain,
        make_normalisation(Choice("unit"), PART),
        **given,
    )


def same(one: Ready, other: Ready) -> bool:
    return one.n == other.n and all(
        torch.equal(a, b) for a, b in zip(one[:3], other[:3], strict=True)
    )


def test_an_epoch_has_every_sample_once() -> None:
    batches = list(feed().epoch(0))
    assert [batch.n for batch in batches] == [8, 8, 8, 5]
    assert sorted(torch.cat([batch.rows for batch in batches]).tolist()) == list(range(29))
    inputs, targets = images(29, 0)
    for batch in batches:
        assert torch.equal(batch.targets, targets[batch.rows])
        assert torch.allclose(batch.inputs, inputs[batch.rows].float() / 255)
        assert batch.inputs.dtype == torch.float32


@pytest.mark.parametrize("changes", [(), CHANGES, MIXES], ids=["plain", "changed", "mixed"])
@pytest.mark.parametrize("start", [0, 1, 3, 4])
def test_from_any_batch_on(start: int, changes: Any) -> None:
    whole = list(feed(changes).epoch(2))
    rest = list(feed(changes).epoch(2, start=start))
    assert len(rest) == 4 - start
    assert all(map(same, rest, whole[start:]))


def test_epochs_and_seeds_differ() -> None:
    first = [next(feed(CHANGES, seed=seed).epoch(epoch)) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(batch.rows.tolist()) for batch in first}) == 4


@pytest.mark.parametrize("changes", [(), CHANGES, MIXES], ids=["plain", "changed", "mixed"])
@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_each_batch(world: int, changes: Any) -> None:
    whole = list(feed(changes).epoch(1))
    shares = [list(feed(changes, rank=rank, world=world).epoch(1)) for rank in range(world)]
    for k, batch in enumerate(whole):
        for rank in range(world):
            share = shares[rank][k]
            assert share.n == batch.n
            for side in range(3):
                expected: Tensor = batch[side][rank::world]  # type: ignore[index]
                found: Tensor = share[side]  # type: ignore[assignment]
                assert torch.equal(found, expected)


def test_layout_and_type() -> None:
    batch = next(feed(by_pixel=True, dtype=torch.float64).epoch(0))
    assert batch.inputs.dtype == torch.float64
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    plain = next(feed(dtype=torch.float64).epoch(0))
    assert torch.equal(batch.inputs, plain.inputs)
