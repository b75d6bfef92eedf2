"""Intervals and tests against SciPy, which computes them by other means."""

from __future__ import annotations

import itertools

import pytest
from scipy import special, stats

from snellen.statistics import clopper_pearson, mcnemar, wilson
from snellen.statistics.proportions import incomplete_beta

TRIALS = (1, 2, 7, 50, 1000, 50_000, 3_000_000)


@pytest.mark.parametrize(("trials", "level"), [*itertools.product(TRIALS, (0.8, 0.95, 0.999))])
def test_proportions(trials: int, level: float) -> None:
    for share in (0.0, 0.001, 0.3, 0.5, 0.77374, 1.0):
        successes = round(share * trials)
        test = stats.binomtest(successes, trials)
        for ours, method, close in (
            (wilson, "wilson", 1e-12),
            # SciPy finds the root to about 1e-12; our logarithms of gamma lose digits with size.
            (clopper_pearson, "exact", 1e-9),
        ):
            theirs = test.proportion_ci(level, method)
            got = ours(successes, trials, level=level)
            assert got == pytest.approx((theirs.low, theirs.high), rel=close, abs=1e-12)


def test_incomplete_beta() -> None:
    for a, b in itertools.product((0.5, 1, 3, 40, 1000), repeat=2):
        for x in (1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9):
            wanted = special.betainc(a, b, x)
            # lgamma of 1,000 is about 6,000: 1e-16 times that, and the sum of three.
            assert incomplete_beta(x, a, b) == pytest.approx(wanted, rel=5e-12, abs=1e-300)
    assert incomplete_beta(0.0, 2, 3) == 0.0
    assert incomplete_beta(1.0, 2, 3) == 1.0


@pytest.mark.parametrize(
    ("first", "second"), [(10, 2), (0, 1), (3149, 2487), (700, 690), (15_000, 14_800), (9, 40_000)]
)
def test_mcnemar(first: int, second: int) -> None:
    test = mcnemar(first, second)
    n, k = first + second, min(first, second)
    exact = stats.binomtest(k, n).pvalue
    close = 1e-9 if n > 20_000 else 1e-12  # above, logarithms of gamma
    assert test.exact_p == pytest.approx(exact, rel=close)
    assert test.mid_p == pytest.approx(exact - stats.binom.pmf(k, n, 0.5), rel=close)
    assert test.chi2 == pytest.approx((first - second) ** 2 / n, rel=1e-15)
