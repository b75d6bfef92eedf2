"""How well predictions fit, from exact sums: everything is a ratio of whole numbers, rounded once.

Variances are differences of large numbers where the mean is large beside the spread. Between exact
numbers nothing cancels that was not there.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Fit", "rounded", "rounded_ratio_of_root", "rounded_root"]


class Fit(NamedTuple):
    """Means over the samples of an output, not rounded.

    Attributes
    ----------
    truth_variance, pred_variance, covariance : fractions.Fraction
        With 1/n; of weighted samples, with the sum of weights.
    squared_error, mean_error : fractions.Fraction
        Of predictions less truth.
    """

    truth_variance: Fraction
    pred_variance: Fraction
    covariance: Fraction
    squared_error: Fraction
    mean_error: Fraction

    @classmethod
    def of_sums(
        cls,
        weight: Fraction,
        *,
        t: Fraction,
        p: Fraction,
        tt: Fraction,
        pp: Fraction,
        tp: Fraction,
    ) -> Fit:
        """Return the fit of (weighted) sums of truth, predictions and their products."""
        mean_t, mean_p = t / weight, p / weight
        return cls(
            truth_variance=tt / weight - mean_t**2,
            pred_variance=pp / weight - mean_p**2,
            covariance=tp / weight - mean_t * mean_p,
            squared_error=(tt - 2 * tp + pp) / weight,
            mean_error=mean_p - mean_t,
        )

    @property
    def error_variance(self) -> Fraction:
        """The variance of the error."""
        return self.squared_error - self.mean_error**2

    def pearson(self) -> float:
        """Return Pearson's correlation; NaN where a side is constant."""
        product = self.truth_variance * self.pred_variance
        return rounded_ratio_of_root(self.covariance, product) if product else math.nan

    def concordance(self) -> float:
        """Return Lin's concordance correlation; NaN where both sides are one constant."""
        spread = self.truth_variance + self.pred_variance + self.mean_error**2
        return rounded(2 * self.covariance / spread) if spread else math.nan


def rounded(value: Fraction) -> float:
    """Return the nearest float64; infinite beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def rounded_root(value: Fraction) -> float:
    """Return the float64 nearest to the square root."""
    if not value:
        return 0.0
    # Enough places for 64 bits of the root; what is cut off only matters for ties.
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    shift = max(0, 130 - bits)
    shift += shift & 1
    scaled, rest = divmod(value.numerator << shift, value.denominator)
    root = math.isqrt(scaled)
    cut = rest != 0 or root * root != scaled
    return rounded(Fraction(2 * root + cut, 2 << (shift // 2)))


def rounded_ratio_of_root(value: Fraction, square: Fraction) -> float:
    """Return the float64 nearest to value / √square."""
    root = rounded_root(value * value / square)
    return root if value > 0 else -root if value < 0 else 0.0
