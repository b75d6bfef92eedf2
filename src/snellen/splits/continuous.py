"""Targets that are numbers: bins of about equally many samples, stratified by."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_finite
from snellen.errors import InputError, ShapeError
from snellen.splits.strata import Strata

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bin_edges", "strata_of_targets"]

# How far an edge may be from its quantile, in bins, to be a round number.
_SLACK = Fraction(1, 10)


def strata_of_targets(targets: Any, n: int, n_bins: int) -> Strata:
    """Return the bin of each target as its class.

    Parameters
    ----------
    targets : array-like of numbers, shape (n,)
        Finite.
    n : int
        The number of samples.
    n_bins : int
        How many bins; of many equal targets there are fewer.

    Raises
    ------
    InputError, ShapeError
        For targets that are not finite, not n, or fewer than two bins.
    """
    if n_bins < 2:
        raise InputError(f"expected at least 2 bins, got {n_bins}")
    values = to_finite(targets, "targets")
    if len(values) != n:
        raise ShapeError(f"expected one target for each of {n} keys, got {len(values)}", "targets")
    edges = bin_edges(values, n_bins)
    shown = ["-inf", *(f"{edge:.10g}" for edge in edges), "inf"]
    width = len(str(len(edges)))
    names = [
        f"bin {i + 1:0{width}}: {low} to {high}"
        for i, (low, high) in enumerate(itertools.pairwise(shown))
    ]
    return Strata.of_codes(names, np.searchsorted(edges, values, side="right").astype(np.int32))


def bin_edges(values: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Return the edges between bins of about equally many values, ascending.

    An edge is the decimal number with fewest digits within a tenth of a bin of its quantile: a
    value more or less seldom changes it. A value at an edge is in the bin above.

    Examples
    --------
    >>> bin_edges(np.arange(1001) / 7, 4).tolist()
    [36.0, 70.0, 110.0]
    """
    n = len(values)
    if n == 0:
        return np.zeros(0)
    ordered = np.sort(values)
    edges = []
    for i in range(1, n_bins):
        low, quantile, high = (
            float(ordered[min(n - 1, max(0, math.floor(n * (i + off) / n_bins)))])
            for off in (-_SLACK, Fraction(0), _SLACK)
        )
        if low < high:
            edges.append(_roundest(low, quantile, high))
            continue
        # Many equal values: all of them above the edge, or all of them below.
        first, end = (int(np.searchsorted(ordered, low, side)) for side in ("left", "right"))
        above = abs(first * n_bins - i * n) <= abs(end * n_bins - i * n) or end == n
        edges.append(low if above else float(ordered[end]))
    # No bin is empty.
    distinct = np.unique(edges)
    n_below, kept = np.unique(np.searchsorted(ordered, distinct), return_index=True)
    inner: NDArray[np.float64] = distinct[kept[(n_below > 0) & (n_below < n)]]
    return inner


def _roundest(low: float, quantile: float, high: float) -> float:
    """Return the number above low, up to high, with the fewest digits, nearest to the quantile."""
    least, wanted, most = Fraction(low), Fraction(quantile), Fraction(high)
    # Numbers of both signs may be farther apart than any float: then log10 is 308.25 to 308.56.
    gap = high - low
    exponent = (309 if math.isinf(gap) else math.ceil(math.log10(gap))) + 1
    while True:
        unit = Fraction(10) ** exponent
        first, last = math.floor(least / unit) + 1, math.floor(most / unit)
        if first <= last:
            nearest = math.ceil(wanted / unit - Fraction(1, 2))
            return float(min(max(first, nearest), last) * unit)
        exponent -= 1
