"""Intervals and tests against SciPy, which computes them by other means."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from tests.mean_of_units import Mean

from snellen import _core
from snellen.metric import Units
from snellen.statistics import clopper_pearson, compare, intervals, mcnemar, wilson
from snellen.statistics.bootstrap import METHODS
from snellen.statistics.proportions import binomial_probability, incomplete_beta

TRIALS = (1, 2, 7, 50, 1000, 50_000, 3_000_000)


@pytest.mark.parametrize(("trials", "level"), [*itertools.product(TRIALS, (0.8, 0.95, 0.999))])
def test_proportions(trials: int, level: float) -> None:
    for share in (0.0, 0.001, 0.3, 0.5, 0.77374, 1.0):
        successes = round(share * trials)
        test = stats.binomtest(successes, trials)
        for ours, method, close in (
            (wilson, "wilson", 1e-12),
            (clopper_pearson, "exact", 1e-11),  # SciPy finds the root to about 1e-12
        ):
            theirs = test.proportion_ci(level, method)
            got = ours(successes, trials, level=level)
            assert got == pytest.approx((theirs.low, theirs.high), rel=close, abs=1e-12)


def test_incomplete_beta() -> None:
    for a, b in itertools.product((1, 3, 15, 16, 40, 1000, 3_000_000), repeat=2):
        for x in (1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9, a / (a + b), (a + 1) / (a + b + 2)):
            wanted = special.betainc(a, b, x)
            if wanted > 1e-200:
                # The fraction loses digits beside x = 1, in proportion to a.
                close = 1e-10 if max(a, b) > 1000 else 1e-12
                assert incomplete_beta(x, a, b) == pytest.approx(wanted, rel=close)
    assert incomplete_beta(0.0, 2, 3) == 0.0
    assert incomplete_beta(1.0, 2, 3) == 1.0


def test_incomplete_beta_in_fractions() -> None:
    """I_x(a, b) is the probability of at least a of a + b − 1 trials, summed without rounding."""
    for a, b, x in itertools.product((1, 2, 17, 60), (1, 3, 16, 200), (0.001, 0.3, 0.77, 0.99)):
        n, p = a + b - 1, Fraction(x)
        terms = (math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(a, n + 1))
        assert incomplete_beta(x, a, b) == pytest.approx(float(sum(terms)), rel=2e-13)


def test_binomial_probability() -> None:
    for n, p in itertools.product((1, 17, 1000, 3_000_000), (0.001, 0.3, 0.5, 0.9)):
        for k in (0, 1, n // 3, round(n * p), n):
            wanted = stats.binom.pmf(k, n, p)
            if wanted > 1e-200:
                assert binomial_probability(k, n - k, p) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("first", "second"), [(10, 2), (0, 1), (3149, 2487), (700, 690), (15_000, 14_800), (9, 40_000)]
)
def test_mcnemar(first: int, second: int) -> None:
    test = mcnemar(first, second)
    n, k = first + second, min(first, second)
    exact = stats.binomtest(k, n).pvalue
    assert test.exact_p == pytest.approx(exact, rel=1e-11)
    assert test.mid_p == pytest.approx(exact - stats.binom.pmf(k, n, 0.5), rel=1e-11)
    assert test.chi2 == pytest.approx((first - second) ** 2 / n, rel=1e-15)


class Share:
    """Kinds of samples and a number of their multiplicities that is no mean: a ratio, squared."""

    def __init__(self, kinds: list[float], counts: list[int]) -> None:
        self.kinds, self.counts = np.array(kinds), np.array(counts)

    def units(self, *, each: bool = False) -> Units:
        assert not each

        def values(times: Any) -> dict[str, Any]:
            return {"number": ((times @ self.kinds) / (times @ (self.kinds + 1))) ** 2}

        return Units("sample", self.counts, None, values, "", None, None)


@pytest.mark.parametrize("method", METHODS)
def test_bootstrap_intervals(method: str) -> None:
    """SciPy reads its intervals off the same replicates."""
    random = np.random.default_rng(2)
    kinds, counts = random.exponential(size=9) ** 2, random.integers(0, 6, 9)
    sample = np.repeat(kinds, counts)
    times = _core.multiplicities(counts, 11, 0, 500)
    drawn = ((times @ kinds) / (times @ (kinds + 1))) ** 2
    for level in (0.8, 0.95):
        theirs = stats.bootstrap(
            (sample,),
            lambda x, axis: (x.sum(axis=axis) / (x + 1).sum(axis=axis)) ** 2,
            n_resamples=0,
            confidence_level=level,
            method={"bca": "BCa"}.get(method, method),
            bootstrap_result=stats._resampling.BootstrapResult(None, drawn, 0.0),
        ).confidence_interval
        found = intervals(
            Share(kinds.tolist(), counts.tolist()),
            level=level,
            replicates=500,
            seed=11,
            method=method,
        )["number"]
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_permutation() -> None:
    """All swaps of eleven units: SciPy's paired permutation test of a mean."""
    random = np.random.default_rng(3)
    first = {i: float(random.integers(0, 5)) for i in range(11)}
    second = {i: value + float(random.integers(-1, 3)) for i, value in first.items()}
    theirs = stats.permutation_test(
        (list(second.values()), list(first.values())),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    (found,) = compare(Mean(first), Mean(second), replicates=10).differences
    assert found.test == "permutation, all"
    # Theirs doubles the smaller tail, ours counts both: the same, as signs can all be turned.
    assert found.p == theirs.pvalue
