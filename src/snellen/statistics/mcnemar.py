"""McNemar's test: whether two classifiers err on different samples just by chance."""

from __future__ import annotations

import math
from typing import NamedTuple

from snellen.errors import InputError
from snellen.statistics.proportions import binomial_probability, incomplete_beta

__all__ = ["McNemar", "mcnemar"]

# Up to so many discordant samples the tail is summed in whole numbers.
_IN_WHOLE_NUMBERS = 20_000


class McNemar(NamedTuple):
    """What McNemar's test says of samples that just one of two classifiers got right.

    Attributes
    ----------
    only_first, only_second : int
        Samples that only the first, only the second classifier got right.
    exact_p : float
        Two-sided p-value of the exact binomial test.
    mid_p : float
        The same, counting half of the observed outcome's own probability: less cautious, and on
        average right.
    chi2 : float
        The statistic (b − c)² / (b + c), without continuity correction; NaN where both are 0.
    chi2_corrected : float
        The same with it: (|b − c| − 1)² / (b + c), as most tools print it.
    """

    only_first: int
    only_second: int
    exact_p: float
    mid_p: float
    chi2: float
    chi2_corrected: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Return McNemar's test of the discordant samples.

    Parameters
    ----------
    only_first, only_second : int
        Samples that only the first, only the second classifier got right.

    Raises
    ------
    InputError
        For negative numbers.

    References
    ----------
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12, 1947. M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar
    test for binary matched-pairs data: mid-p and asymptotic are better than exact conditional",
    BMC Medical Research Methodology 13, 2013.

    Examples
    --------
    >>> test = mcnemar(10, 2)
    >>> round(test.exact_p, 5), round(test.mid_p, 5)  # 2 · 79 / 4096; less 66 / 4096
    (0.03857, 0.02246)
    """
    if only_first < 0 or only_second < 0:
        raise InputError(f"expected counts, got {only_first} and {only_second}")
    n, least = only_first + only_second, min(only_first, only_second)
    if not n:
        return McNemar(0, 0, 1.0, 1.0, math.nan, math.nan)
    tail, own = _lower_tail(n, least)
    return McNemar(
        only_first,
        only_second,
        exact_p=min(1.0, 2 * tail),
        mid_p=min(1.0, 2 * tail - own),
        chi2=(only_first - only_second) ** 2 / n,
        chi2_corrected=max(0, abs(only_first - only_second) - 1) ** 2 / n,
    )


def _lower_tail(n: int, k: int) -> tuple[float, float]:
    """Return P(X ≤ k) and P(X = k) of heads of n fair coins."""
    if n > _IN_WHOLE_NUMBERS:
        return incomplete_beta(0.5, n - k, k + 1), binomial_probability(k, n - k, 0.5)
    term = total = 1
    for i in range(1, k + 1):
        term = term * (n - i + 1) // i
        total += term
    return total / 2**n, term / 2**n
