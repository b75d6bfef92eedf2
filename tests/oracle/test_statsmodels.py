"""Paired tests, Holm's correction and intervals of proportions against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from snellen.statistics import clopper_pearson, holm, mcnemar, wilson


@pytest.mark.parametrize(("first", "second"), [(10, 2), (0, 3), (7, 7), (3149, 2487)])
def test_mcnemar(first: int, second: int) -> None:
    table = [[11, first], [second, 13]]
    test = mcnemar(first, second)
    assert test.exact_p == pytest.approx(their_mcnemar(table, exact=True).pvalue, rel=1e-11)
    plain = their_mcnemar(table, exact=False, correction=False)
    assert test.chi2 == pytest.approx(plain.statistic, rel=1e-14)
    if first != second:  # theirs takes 1 off a difference of 0, too
        corrected = their_mcnemar(table, exact=False, correction=True)
        assert test.chi2_corrected == pytest.approx(corrected.statistic, rel=1e-14)


def test_holm() -> None:
    random = np.random.default_rng(0)
    for size in (1, 2, 7, 100):
        p = random.random(size) ** 3
        p[: size // 3] = p[-1]  # ties
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-14)


def test_proportions() -> None:
    for successes, trials in ((8, 10), (0, 7), (7, 7), (38687, 50_000)):
        for ours, method in ((wilson, "wilson"), (clopper_pearson, "beta")):
            theirs = proportion_confint(successes, trials, alpha=0.1, method=method)
            assert ours(successes, trials, level=0.9) == pytest.approx(theirs, rel=1e-10, abs=1e-15)
