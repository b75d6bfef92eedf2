"""The dense assignment makes SciPy's choice, among equal sums too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from snellen import _core

linear_sum_assignment = pytest.importorskip("scipy.optimize").linear_sum_assignment

SHAPES = st.tuples(st.integers(0, 14), st.integers(0, 14))
UNITS = (1.0, 0.1, 1 / 3, 1000.0, 1e-9)


def check(cost: Any) -> None:
    want = np.full(len(cost), -1)
    rows, columns = linear_sum_assignment(cost)
    want[rows] = columns
    got = _core.assign(np.ascontiguousarray(cost))
    assert got.dtype == np.int32
    assert got.tolist() == want.tolist()


@settings(max_examples=400, deadline=None)
@given(
    arrays.arrays(np.int64, SHAPES, elements=st.integers(-3, 3)),
    st.sampled_from(UNITS),
)
def test_ties(steps: Any, unit: float) -> None:
    check(steps * unit)
    check(-np.abs(steps) * unit)


@settings(max_examples=200, deadline=None)
@given(
    arrays.arrays(np.int64, SHAPES, elements=st.sampled_from([0, 0, 0, 0, 1, 2, 3])),
    arrays.arrays(np.int64, SHAPES, elements=st.sampled_from([0, 0, 1])),
)
def test_scores_with_a_bonus(steps: Any, bonus: Any) -> None:
    """Most cells are 0, as where few objects overlap; some count 1000 more, as in CLEAR."""
    n, m = np.minimum(steps.shape, bonus.shape)
    check(-(steps[:n, :m] / 4 + 1000 * bonus[:n, :m]))


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6)))
def test_any_numbers(cost: Any) -> None:
    check(cost)


@pytest.mark.parametrize("seed", range(30))
def test_large(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m = random.integers(1, 150, 2)
    n_steps = random.integers(1, 30)
    check(random.integers(0, n_steps, (n, m)) / n_steps)
    check(-np.where(random.random((n, m)) < 0.1, random.random((n, m)), 0))
    check(random.random((n, m)))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 9), (9, 1), (5, 5), (7, 4)])
def test_all_equal(shape: tuple[int, int]) -> None:
    check(np.zeros(shape))
    check(np.full(shape, -2.5))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_not_finite(value: float) -> None:
    cost = np.zeros((3, 4))
    cost[1, 2] = value
    with pytest.raises(ValueError, match="expected finite costs"):
        _core.assign(cost)


def test_takes_rows_of_float64_only() -> None:
    for cost in (np.zeros(3), np.zeros((2, 2), np.float32), np.zeros((4, 6))[:, ::2]):
        with pytest.raises(TypeError):
            _core.assign(cost)
