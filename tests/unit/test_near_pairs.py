"""Near pairs against all pairs compared in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import _core
from snellen.errors import InputError, ShapeError
from snellen.splits.near_pairs import NearPairs, near_pairs

Array = np.ndarray[Any, Any]

BITS_OF_BYTE = np.array([value.bit_count() for value in range(256)], np.int16)


def distances(hashes: Array) -> Array:
    """Return the distance of each row to each."""
    as_bytes = hashes.view(np.uint8)
    rows = [BITS_OF_BYTE[one ^ as_bytes].sum(axis=1) for one in as_bytes]
    return np.array(rows).reshape(len(hashes), len(hashes))


def by_hand(hashes: Array, part: Array, n_parts: int, distance: int) -> NearPairs:
    apart = distances(hashes)
    n = len(hashes)
    np.fill_diagonal(apart, 999)
    nearest = np.full((n, n_parts), -1)
    bits = np.full((n, n_parts), -1)
    n_pairs = np.zeros((n_parts, n_parts), int)
    for p in range(n_parts):
        columns = np.flatnonzero(part == p)
        if not len(columns):
            continue
        least = apart[:, columns].min(axis=1)
        near = least <= distance
        # argmin takes the first of equals.
        nearest[near, p] = columns[apart[:, columns].argmin(axis=1)][near]
        bits[near, p] = least[near]
    a, b = np.nonzero(np.triu(apart <= distance))
    np.add.at(n_pairs, (np.minimum(part[a], part[b]), np.maximum(part[a], part[b])), 1)
    # The smallest row of each connected component: labels spread along pairs until none changes.
    group = np.arange(n)
    while True:
        before = group.copy()
        np.minimum.at(group, a, before[b])
        np.minimum.at(group, b, before[a])
        if np.array_equal(group, before):
            return NearPairs(group, nearest, bits, n_pairs)


def check(hashes: Array, part: Array, n_parts: int, distance: int) -> None:
    found = near_pairs(hashes, part, n_parts, distance)
    for got, want in zip(found, by_hand(hashes, part, n_parts, distance), strict=True):
        assert np.array_equal(got, want)


def flipped(hashes: Array, n_bits: Array, random: np.random.Generator) -> Array:
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for row, n in zip(bits, n_bits, strict=True):
        row[random.choice(256, n, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


@pytest.mark.parametrize("distance", [0, 1, 15, 16, 30, 45, 64, 200, 255])
def test_random_planted_and_clustered(distance: int) -> None:
    random = np.random.default_rng(distance)
    loose = random.integers(0, 2**64, (150, 4), np.uint64)
    planted = flipped(loose[:90], np.minimum(256, random.integers(0, distance + 3, 90)), random)
    centre = np.repeat(loose[100:102], 60, axis=0)
    cluster = flipped(centre, random.integers(0, 20, 120), random)
    hashes = np.concatenate([loose, planted, cluster, cluster[::3], loose[:10]])
    hashes = hashes[random.permutation(len(hashes))]
    check(hashes, random.integers(0, 4, len(hashes)).astype(np.int32), 4, distance)


def test_many_rows_go_by_bands() -> None:
    # More than ten million pairs: the search by bands is weighed, and taken.
    random = np.random.default_rng(7)
    n = 5000
    hashes = random.integers(0, 2**64, (n, 4), np.uint64)
    hashes[:800] = flipped(np.repeat(hashes[:1], 800, axis=0), random.integers(0, 16, 800), random)
    hashes[1000:1500] = flipped(hashes[2000:2500], random.integers(0, 34, 500), random)
    order = random.permutation(n)
    check(hashes[order], random.integers(0, 3, n).astype(np.int32), 3, 30)


def test_nothing() -> None:
    found = near_pairs(np.zeros((0, 4), np.uint64), np.zeros(0, np.int32), 2, 30)
    assert [len(column) for column in found] == [0, 0, 0, 2]
    assert not found.n_pairs.any()


def test_blank_images_are_one_group() -> None:
    n = 100_000
    found = near_pairs(np.zeros((n, 4), np.uint64), np.zeros(n, np.int32), 1, 30)
    assert not found.group.any()
    assert found.n_pairs.tolist() == [[n * (n - 1) // 2]]
    assert found.nearest[:3, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("distance", [-1, 256, 3.5, True, "3"])
def test_distances_that_cannot_be(distance: Any) -> None:
    with pytest.raises(InputError, match=r"from 0 to 255, got .* - at distance"):
        near_pairs(np.zeros((1, 4), np.uint64), np.zeros(1, np.int32), 1, distance)


def test_columns_that_do_not_fit() -> None:
    part = np.zeros(2, np.int32)
    with pytest.raises(ShapeError, match=r"expected shape \(2,\)"):
        near_pairs(np.zeros((2, 4), np.uint64), part[:1], 1, 3)
    with pytest.raises(ShapeError, match=r"expected shape \(n, 4\)"):
        near_pairs(np.zeros((2, 3), np.uint64), part, 1, 3)
    with pytest.raises(InputError, match="uint64, got int64"):
        near_pairs(np.zeros((2, 4), np.int64), part, 1, 3)
    with pytest.raises(InputError, match="at most 64 parts, got 65"):
        near_pairs(np.zeros((2, 4), np.uint64), part, 65, 3)


def test_the_kernel_checks_what_it_reads() -> None:
    hashes, part = np.zeros((2, 4), np.uint64), np.array([0, 2], np.int32)
    for arguments, text in [
        ((hashes, part, 2, 3), "part below 2, got 2 in row 1"),
        ((hashes, part[:1], 2, 3), "2 rows of part, got 1"),
        ((np.zeros((2, 5), np.uint64), part, 3, 3), "4 words"),
        ((hashes, part, 3, 256), "0 to 255"),
    ]:
        with pytest.raises(ValueError, match=text):
            _core.near_duplicates(*arguments)
