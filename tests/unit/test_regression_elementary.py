from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest

from snellen import _core
from snellen.regression.elementary import SMALL, atanh_tail, log, log_ratio, power

VALUES = np.array(
    [
        *(1.0, 2.0, 0.5, 0.7071067811865475, 0.7071067811865477, 1 + 2**-52, 1 - 2**-53),
        *(1e-300, 5e-324, 1.7e308, 0.999, 1.001, math.e, math.pi, 123456.789, 3.0, 10.0),
    ]
)


@pytest.fixture(autouse=True)
def sixty_places() -> None:
    getcontext().prec = 60


def worst(found: np.ndarray, wanted: list[Decimal]) -> float:
    """Return the largest relative error, in units of 2^-52."""
    errors = [
        abs((Decimal(got) - exact) / exact) if exact else Decimal(abs(got))
        for got, exact in zip(found.tolist(), wanted, strict=True)
    ]
    return float(max(errors)) * 2**52


def test_log() -> None:
    random = np.exp(np.random.default_rng(0).normal(0, 30, 300))
    x = np.concatenate([VALUES, random])
    assert worst(log(x), [Decimal(v).ln() for v in x.tolist()]) < 4


def test_log_ratio() -> None:
    random = np.random.default_rng(1)
    a = np.exp(random.normal(0, 3, 300))
    b = a * np.exp(random.choice([1e-12, 1e-5, 0.1, 5.0], 300) * random.normal(size=300))
    wanted = [(Decimal(x) / Decimal(y)).ln() for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    # Near 1 the ratio decides; far from it the logarithms do, of which one may be 20 times larger.
    assert worst(log_ratio(a - b, a, b), wanted) < 40


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.0, 1.5, -3.0, 0.0, 2.5])
def test_power(exponent: float) -> None:
    x = np.exp(np.random.default_rng(2).normal(0, 5, 200))
    wanted = [Decimal(v) ** Decimal(exponent) for v in x.tolist()]
    # A rounded logarithm of 15, times 3, is off by 45 units.
    assert worst(power(x, exponent), wanted) < 100


def test_power_at_the_ends() -> None:
    x = np.array([0.0, 1e-300, 1e300])
    assert power(x, 2.0).tolist() == [0.0, 0.0, math.inf]
    assert power(x, -2.0).tolist() == [math.inf, math.inf, 0.0]
    assert power(x, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_atanh_tail() -> None:
    s = np.linspace(0.01, SMALL, 50)
    exact = [
        (((1 + Decimal(v)) / (1 - Decimal(v))).ln() / 2 - Decimal(v)) / Decimal(v) ** 3
        for v in s.tolist()
    ]
    assert worst(atanh_tail(s), exact) < 2
    assert atanh_tail(np.zeros(1)).tolist() == [1 / 3]


def test_inversions_as_all_pairs_say() -> None:
    random = np.random.default_rng(3)
    code = random.integers(0, 7, 25).astype(np.int32)
    times = random.integers(0, 3, (6, 25))
    above = np.triu(code[:, None] > code[None, :])
    wanted = [int(row @ above @ row) for row in times]
    assert _core.count_inversions(code, 7, times).tolist() == wanted


@pytest.mark.parametrize(
    ("code", "times", "message"),
    [
        ([0, 7], [[1, 1]], "expected code below 7, got 7 in row 1"),
        ([0, 1], [[1, -1]], "expected times from 0"),
        ([0, 1], [[2**32, 1]], "fewer than 2"),
        ([0, 1], [[1, 1, 1]], "expected 2 rows of times, got 3"),
    ],
)
def test_inversions_refuse(code: list[int], times: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.count_inversions(np.array(code, np.int32), 7, np.array(times))
