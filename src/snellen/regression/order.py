"""Numbers that follow from the order of samples: quantiles, rank correlations.

All take `times` (R, n), how often each of n samples occurs in each of R data sets, so that one
data set and a thousand resampled ones go the same way. Rank correlations are ratios of whole
numbers, exact until they are rounded once.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.regression.exact_fit import rounded_ratio_of_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Ranking", "SortedValues", "quantile_of_sorted"]


class SortedValues:
    """Values in ascending order, for quantiles.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Any order.
    """

    __slots__ = ("order", "values")

    def __init__(self, values: Real) -> None:
        self.order = np.argsort(values, kind="stable")
        self.values = values[self.order]

    def quantiles(self, level: float, times: NDArray[Any]) -> Real:
        """Return the quantile of each data set, NaN for one without samples.

        The smallest value that has at least a share `level` of the samples at or below it; where
        it has that share exactly, the mean of it and the next value (R. J. Hyndman, Y. Fan,
        "Sample quantiles in statistical packages", 1996, definition 2). At 0.5 it is the median.

        Parameters
        ----------
        level : float
            From 0 to 1; read as the decimal number that it is written as.
        times : ndarray, shape (R, n)
            How often each sample occurs, or its weight.
        """
        share = Fraction(repr(float(level)))
        reached = np.cumsum(times[:, self.order], axis=1, dtype=times.dtype)
        found = np.full(len(times), math.nan)
        for r, row in enumerate(reached):
            total = row[-1].item() if len(row) else 0
            if not total:
                continue
            # Rounded once: where it is a whole number, as counts are, it is exactly that.
            wanted = float(Fraction(total) * share)
            # Something must have been reached: samples that do not occur have no say.
            first = int(np.searchsorted(row, wanted, "left" if wanted > 0 else "right"))
            first = min(first, int(np.searchsorted(row, total)))
            value = self.values[first]
            if row[first] == wanted:
                after = int(np.searchsorted(row, row[first], "right"))
                if after < len(row):
                    value = (value + self.values[after]) / 2
            found[r] = value
        return found


def quantile_of_sorted(values: Real, level: float) -> float:
    """Return the quantile (see `SortedValues.quantiles`) of ascending values that count once."""
    wanted = len(values) * Fraction(repr(float(level)))
    first = max(math.ceil(wanted), 1) - 1
    value = values[first]
    if first + 1 == wanted < len(values):
        value = (value + values[first + 1]) / 2
    return float(value)


class Ranking:
    """The ranks of pairs of values: their correlations.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Pairs.
    """

    __slots__ = ("_codes", "_first", "_order", "_pairs", "_sizes")

    def __init__(self, x: Real, y: Real) -> None:
        coded = [np.unique(values, return_inverse=True) for values in (x, y)]
        # Rows in the order of (x, y).
        a, b = (codes.reshape(-1) for _, codes in coded)
        self._sizes = [len(values) for values, _ in coded]
        self._order = np.argsort(a * self._sizes[1] + b)  # equal pairs may come in any order
        self._codes = [codes[self._order].astype(np.int32) for codes in (a, b)]
        # Where each value of x, and each pair, begins.
        step = np.diff(self._codes[0], prepend=-1) != 0
        self._first = np.flatnonzero(step)
        self._pairs = np.flatnonzero(step | (np.diff(self._codes[1], prepend=-1) != 0))

    def spearman(self, times: Whole) -> Real:
        """Return Spearman's correlation: Pearson's of the ranks, ties sharing their mean rank.

        NaN where a side is constant.
        """
        found = np.full(len(times), math.nan)
        if not len(self._order):
            return found
        for r, row in enumerate(times):
            often = row[self._order]
            # Twice the mean rank less its mean: whole numbers.
            x, y = (
                self._centred_ranks(codes, size, often)
                for codes, size in zip(self._codes, self._sizes, strict=True)
            )
            xx, yy, xy = (_exact_sum(often, a, b) for a, b in ((x, x), (y, y), (x, y)))
            if xx and yy:
                found[r] = rounded_ratio_of_root(Fraction(xy), Fraction(xx * yy))
        return found

    def kendall(self, times: Whole) -> Real:
        """Return Kendall's tau-b; NaN where a side is constant."""
        found = np.full(len(times), math.nan)
        if not len(self._order):
            return found
        often = np.ascontiguousarray(times[:, self._order])
        discordant = _core.count_inversions(self._codes[1], self._sizes[1], often)
        tied_x = _pairs_within(np.add.reduceat(often, self._first, axis=1))
        tied_both = _pairs_within(np.add.reduceat(often, self._pairs, axis=1))
        tied_y = [
            _pairs_within(_counted(self._codes[1], self._sizes[1], row)[None])[0] for row in often
        ]
        for r, n in enumerate(often.sum(axis=1).tolist()):
            pairs = n * (n - 1) // 2
            in_x, in_y = pairs - tied_x[r], pairs - tied_y[r]
            if in_x and in_y:
                excess = in_x - tied_y[r] + tied_both[r] - 2 * int(discordant[r])
                found[r] = rounded_ratio_of_root(Fraction(excess), Fraction(in_x * in_y))
        return found

    @staticmethod
    def _centred_ranks(codes: NDArray[np.int32], size: int, often: Whole) -> Whole:
        count = _counted(codes, size, often)
        upto = np.cumsum(count)
        ranks: Whole = (2 * upto - count - upto[-1])[codes]
        return ranks


def _counted(codes: NDArray[np.int32], size: int, often: Whole) -> Whole:
    """Return how often each code occurs."""
    # Weights of bincount are float64; counts below 2^53 stay exact.
    return np.bincount(codes, often, size).astype(np.int64)


def _pairs_within(counts: Whole) -> list[int]:
    """Return for each row how many pairs lie within its groups."""
    return [int(n) for n in (counts * (counts - 1) // 2).sum(axis=1)]


def _exact_sum(often: Whole, a: Whole, b: Whole) -> int:
    """Return Σ often · a · b as a whole number, where |a|, |b| and Σ often are below 2^31."""
    product = a * b
    # Either half is below 2^32, so its sum is below 2^63.
    high, low = product >> 32, product & 0xFFFFFFFF
    return (int((high * often).sum()) << 32) + int((low * often).sum())
