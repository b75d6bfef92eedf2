"""Ratios of true and false positives and negatives, and their averages over classes.

Counts are int64, or float64 where they are sums of weights; any shape. The arithmetic is
scikit-learn's, division by division, so that float64 results agree in every bit. 0/0 is NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "about_one",
    "average",
    "f_beta",
    "filled",
    "jaccard",
    "likelihood_ratios",
    "matthews",
    "negative_predictive_value",
    "precision",
    "ratio",
    "recall",
    "specificity",
]


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """Return numerator / denominator as float64; NaN where the denominator is 0."""
    whole = np.asarray(denominator, np.float64)
    quotient = np.full(np.broadcast_shapes(np.shape(numerator), whole.shape), math.nan)
    np.divide(numerator, whole, out=quotient, where=whole != 0)
    return quotient


def about_one(*sums: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return sums of weights times the power of two that brings the largest to about 1.

    Their ratios stay what they are to the last bit, and products of four of them stay within
    float64 whatever the size of weights. Whole numbers come back as they are.
    """
    if all(each.dtype.kind != "f" for each in sums):
        return sums
    exponent = math.frexp(max(float(each.max(initial=0.0)) for each in sums))[1]
    return tuple(np.ldexp(each, -exponent) for each in sums)


def precision(tp: NDArray[Any], fp: NDArray[Any]) -> NDArray[np.float64]:
    """Return TP / (TP + FP), the share of predictions that are right."""
    return ratio(tp, tp + fp)


def recall(tp: NDArray[Any], fn: NDArray[Any]) -> NDArray[np.float64]:
    """Return TP / (TP + FN), the share of true samples that are found: the sensitivity."""
    return ratio(tp, tp + fn)


def f_beta(
    tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], beta: float
) -> NDArray[np.float64]:
    """Return (1 + β²) TP / ((1 + β²) TP + β² FN + FP); NaN only where all three are 0."""
    squared = beta**2
    true = np.asarray(tp + fn, np.float64)
    predicted = np.asarray(tp + fp, np.float64)
    return ratio((1 + squared) * np.asarray(tp, np.float64), squared * true + predicted)


def jaccard(tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any]) -> NDArray[np.float64]:
    """Return TP / (TP + FP + FN), the intersection over the union."""
    return ratio(tp, tp + fp + fn)


def specificity(tn: NDArray[Any], fp: NDArray[Any]) -> NDArray[np.float64]:
    """Return TN / (TN + FP), the share of negatives that are left alone."""
    return ratio(tn, tn + fp)


def negative_predictive_value(tn: NDArray[Any], fn: NDArray[Any]) -> NDArray[np.float64]:
    """Return TN / (TN + FN), the share of negative predictions that are right."""
    return ratio(tn, tn + fn)


def matthews(
    tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], tn: NDArray[Any]
) -> NDArray[np.float64]:
    """Return Matthews' correlation of two by two cells; NaN where a side is constant."""
    tp, fp, fn, tn = about_one(*(np.asarray(each, np.float64) for each in (tp, fp, fn, tn)))
    spread = ((tp + fn) * (tn + fp)) * ((tp + fp) * (tn + fn))
    return ratio(tp * tn - fp * fn, np.sqrt(spread))


def likelihood_ratios(tp: float, fp: float, fn: float, tn: float) -> tuple[float, float]:
    """Return the positive and the negative likelihood ratio, LR+ and LR−.

    LR+ = sensitivity / (1 − specificity), NaN without false positives; LR− = (1 − sensitivity) /
    specificity, NaN without true negatives; both NaN without positives in truth.
    """
    if isinstance(tp, float):
        exponent = math.frexp(max(tp, fp, fn, tn))[1]  # as in `about_one`
        tp, fp, fn, tn = (math.ldexp(each, -exponent) for each in (tp, fp, fn, tn))
    positives, negatives = tp + fn, tn + fp
    if positives == 0:
        return math.nan, math.nan
    positive = (tp * negatives) / (fp * positives) if fp else math.nan
    negative = (fn * negatives) / (tn * positives) if tn else math.nan
    return positive, negative


def filled(
    values: NDArray[np.float64],
    absent: NDArray[np.bool_],
    absent_classes: str,
    zero_division: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what each number counts as in an average, and whether it counts.

    See `average` for the parameters; shapes (…, K).
    """
    numbers = np.where(np.isnan(values), zero_division, values)
    if absent_classes != "drop":
        numbers = np.where(absent, float(absent_classes == "one"), numbers)
    counts = ~np.isnan(numbers)
    if absent_classes == "drop":
        counts &= ~absent
    return numbers, counts


def average(
    values: NDArray[np.float64],
    support: NDArray[Any],
    absent: NDArray[np.bool_],
    how: str,
    *,
    absent_classes: str = "drop",
    zero_division: float = 0.0,
) -> tuple[float, str]:
    """Return the average of the numbers of K classes, and why it is NaN where it is.

    Parameters
    ----------
    values : ndarray, shape (K,)
        One number for each class, NaN where it is 0/0.
    support : ndarray, shape (K,)
        What each class has in truth: the weights of the weighted average.
    absent : ndarray, shape (K,), bool
        Whether neither truth nor predictions have the class.
    how : {"macro", "weighted"}
        All classes alike, or by support.
    absent_classes : {"drop", "zero", "one"}
        What an absent class counts as; "drop" leaves it out.
    zero_division : {0.0, 1.0, nan}
        What 0/0 of another class counts as; NaN leaves it out of this average.
    """
    numbers, counts = filled(values, absent, absent_classes, zero_division)
    if not counts.any():
        return math.nan, "it is defined for no class"
    if how == "macro":
        # With 0 in place of what is left out, as in NumPy's nanmean: the order of additions shows
        # in the last bit.
        return float(np.sum(np.where(counts, numbers, 0.0)) / np.count_nonzero(counts)), ""
    weights = np.asarray(support[counts])
    if not weights.any():
        return math.nan, "no class that counts has samples with truth"
    return float(np.average(numbers[counts], weights=weights)), ""
