"""Pairs taken in turn, beside one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.detection.pairs import taken_in_turn


def one_after_the_other(row: Any, truth: Any, n_rows: int) -> list[int]:
    got, taken = [-1] * n_rows, set()
    for at, (r, t) in enumerate(zip(row, truth, strict=True)):
        if got[r] < 0 and t not in taken:
            got[r] = at
            taken.add(t)
    return got


@pytest.mark.parametrize("n_pairs", [0, 1, 40, 499, 500, 5_000])
@pytest.mark.parametrize("n_truth", [1, 60, 2_000])
def test_random_pairs(n_pairs: int, n_truth: int) -> None:
    random = np.random.default_rng(n_pairs + n_truth)
    row, truth = random.integers(900, size=n_pairs), random.integers(n_truth, size=n_pairs)
    got = taken_in_turn(row, truth.astype(np.int32), 900, n_truth)
    assert got.tolist() == one_after_the_other(row.tolist(), truth.tolist(), 900)


def test_each_waits_for_the_one_before() -> None:
    # Pair k is of row k/2 and truth (k+1)/2: a chain in which each pair needs the one before.
    k = np.arange(4_000)
    row, truth = k // 2, (k + 1) // 2
    got = taken_in_turn(row, truth.astype(np.int32), 2_000, 2_001)
    assert got.tolist() == one_after_the_other(row.tolist(), truth.tolist(), 2_000)
