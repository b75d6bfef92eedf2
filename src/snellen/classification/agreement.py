"""Agreement of truth and prediction beyond chance: Cohen's kappa and Matthews' correlation.

From whole counts both are ratios of whole numbers; scikit-learn's arithmetic in float64 is kept
where it shows in the last bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification import rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KAPPA_WEIGHTS", "expected_disagreement", "kappas", "matthews"]

KAPPA_WEIGHTS = ("none", "linear", "quadratic")

# Up to so many classes kappa is computed over the whole matrix, in scikit-learn's order of
# additions; beyond, from the margins alone, which differs from it by rounding only.
_WHOLE_MATRIX = 256


def matthews(correct: float, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return Matthews' correlation of K classes (R_K statistic); NaN where a side is constant.

    Parameters
    ----------
    correct : int or float
        The sum of the diagonal.
    truth, predicted : ndarray, shape (K,)
        Sums over rows and over columns.

    References
    ----------
    J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
    Computational Biology and Chemistry 28, 2004.
    """
    if truth.dtype.kind == "i":  # whole numbers, of any size
        t, p = truth.tolist(), predicted.tolist()
        n = sum(t)
        joint = int(correct) * n - sum(a * b for a, b in zip(t, p, strict=True))
        of_truth = n * n - sum(a * a for a in t)
        of_pred = n * n - sum(a * a for a in p)
    else:
        agreed, truth, predicted = rates.about_one(np.asarray(correct), truth, predicted)
        n = predicted.sum()
        joint = agreed * n - np.dot(truth, predicted)
        of_truth = n**2 - np.dot(truth, truth)
        of_pred = n**2 - np.dot(predicted, predicted)
    # A constant side leaves nothing; rounding of weighted sums may leave a trace of n².
    tiny = 0 if truth.dtype.kind == "i" else 1e-12 * float(n) ** 2
    if of_truth <= tiny or of_pred <= tiny:
        return math.nan
    return float(joint) / math.sqrt(float(of_truth) * float(of_pred))


def kappas(
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    count: NDArray[Any],
    truth: NDArray[Any],
    predicted: NDArray[Any],
) -> dict[str, float]:
    """Return Cohen's kappa by weights; NaN where no disagreement is to be expected by chance.

    A disagreement of classes i and j costs 1 (``"none"``), |i − j| (``"linear"``) or (i − j)²
    (``"quadratic"``).

    Parameters
    ----------
    row, column, count : ndarray, shape (C,)
        The cells of the confusion matrix that are not empty.
    truth, predicted : ndarray, shape (K,)
        Sums over rows and over columns.

    References
    ----------
    J. Cohen, "A coefficient of agreement for nominal scales", 1960; "Weighted kappa", 1968.
    """
    n_classes = len(truth)
    if not n_classes or not truth.sum():
        return dict.fromkeys(KAPPA_WEIGHTS, math.nan)
    count, truth, predicted = rates.about_one(count, truth, predicted)
    # Whole numbers are exact in float64 below 2^53: so are sums of them, in any order.
    at_distance = np.bincount(np.abs(row - column), count.astype(np.float64), n_classes)
    margins = truth.astype(np.float64), predicted.astype(np.float64)
    found = {}
    for weights in KAPPA_WEIGHTS:
        if n_classes <= _WHOLE_MATRIX:
            place = np.arange(n_classes, dtype=np.float64)
            cost = _cost(place[:, None] - place, weights)
            # scikit-learn's order of operations.
            by_chance = float(np.sum(cost * (np.outer(margins[1], margins[0]) / margins[1].sum())))
        else:
            by_chance = float(expected_disagreement(*margins, weights))
        observed = float(np.dot(_cost(np.arange(n_classes), weights), at_distance))
        found[weights] = 1 - observed / by_chance if by_chance else math.nan
    return found


def _cost(distance: NDArray[Any], weights: str) -> Any:
    """Return what a disagreement costs, as float64."""
    if weights == "none":
        return (distance != 0).astype(np.float64)
    cost = np.abs(distance.astype(np.float64))
    return cost if weights == "linear" else cost**2


def expected_disagreement(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], weights: str
) -> NDArray[np.float64]:
    """Return the cost of disagreement by chance, from sums (…, K) over rows and columns.

    NaN without samples.
    """
    n = truth.sum(axis=-1)
    if weights == "none":
        return rates.ratio(n * n - (truth * predicted).sum(axis=-1), n)
    place = np.arange(truth.shape[-1], dtype=np.float64)
    if weights == "quadratic":
        first_truth, first_pred = (truth * place).sum(-1), (predicted * place).sum(-1)
        second = ((truth + predicted) * place**2).sum(-1)
        by_chance: NDArray[np.float64] = second - rates.ratio(2 * first_truth * first_pred, n)
        return by_chance
    # |i − j| counts the borders between i and j; below each border lie so many of either side.
    below_truth = np.cumsum(truth, axis=-1)[..., :-1]
    below_pred = np.cumsum(predicted, axis=-1)[..., :-1]
    total = n[..., None]
    crossing = below_truth * (total - below_pred) + below_pred * (total - below_truth)
    return rates.ratio(crossing.sum(axis=-1), n)
