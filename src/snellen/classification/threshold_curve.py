"""One curve of true and false positives over thresholds, and what is read from it."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.errors import InputError
from snellen.state import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["OperatingPoint", "ThresholdCurve", "average_precisions"]

# Twice a U statistic is summed in int64 as long as this holds it.
_INT64_HOLDS = 2**62


class OperatingPoint(NamedTuple):
    """A threshold and what deciding by it gives; all NaN where there is none, with the reason.

    Attributes
    ----------
    threshold : float
        Positive is what scores this much or more.
    precision, recall, specificity : float
        Of the positive class; NaN where 0/0.
    value : float
        What was sought: F-beta, J, precision or recall.
    tp, fp, fn, tn : float
        Counts, or sums of weights.
    reason : str
        Why there is no such threshold; ``""`` where there is one.
    """

    threshold: float
    precision: float
    recall: float
    specificity: float
    value: float
    tp: float
    fp: float
    fn: float
    tn: float
    reason: str = ""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ThresholdCurve:
    """True and false positives at descending thresholds; decided positive is score ≥ threshold.

    Exact curves have a row for each distinct score of a positive: between two of them no true
    positive is gained, so these rows hold every corner of the ROC curve, and every best threshold.

    Attributes
    ----------
    threshold : ndarray, shape (T,), float64
        Descending.
    tp, fp : ndarray, shape (T,), int64 or, of weights, float64
        True and false positives at the threshold.
    fp_above : ndarray, shape (T,), like `fp`
        False positives that score more than the threshold.
    n_positive, n_negative : float
        How many there are.
    """

    threshold: NDArray[np.float64]
    tp: NDArray[Any]
    fp: NDArray[Any]
    fp_above: NDArray[Any]
    n_positive: float
    n_negative: float

    def __len__(self) -> int:
        return len(self.threshold)

    def __repr__(self) -> str:
        return (
            f"ThresholdCurve({len(self)} thresholds, {self.n_positive:g} positive, "
            f"{self.n_negative:g} negative)"
        )

    @property
    def fn(self) -> NDArray[Any]:
        """False negatives, (T,)."""
        missed: NDArray[Any] = self.n_positive - self.tp
        return missed

    @property
    def tn(self) -> NDArray[Any]:
        """True negatives, (T,)."""
        left: NDArray[Any] = self.n_negative - self.fp
        return left

    @property
    def precision(self) -> NDArray[np.float64]:
        """TP / (TP + FP), (T,)."""
        return rates.precision(self.tp, self.fp)

    @property
    def recall(self) -> NDArray[np.float64]:
        """TP / (TP + FN), the true positive rate, (T,); NaN without positives."""
        return rates.recall(self.tp, self.fn)

    @property
    def false_positive_rate(self) -> NDArray[np.float64]:
        """FP / (FP + TN), (T,); NaN without negatives."""
        return rates.ratio(self.fp, np.full(len(self), self.n_negative))

    def f_beta(self, beta: float = 1.0) -> NDArray[np.float64]:
        """Return F-beta at each threshold, (T,)."""
        return rates.f_beta(self.tp, self.fp, self.fn, _checked_beta(beta))

    def area(self) -> float:
        """Return the area under the ROC curve, AUC; NaN without positives or negatives.

        It is U / (P N), where U is the number of pairs (positive, negative) in which the positive
        scores more; equal scores are half a pair. Twice U is an integer, so without weights the
        quotient is rounded once.
        """
        if not (self.n_positive and self.n_negative):
            return math.nan
        gained = np.diff(self.tp, prepend=self.tp.dtype.type(0))
        if self.tp.dtype.kind == "i":
            pairs = int(self.n_positive) * int(self.n_negative)
            kind = np.int64 if 2 * pairs < _INT64_HOLDS else object
            below = 2 * int(self.n_negative) - self.fp.astype(kind) - self.fp_above
            return int((gained * below).sum()) / (2 * pairs)
        below = 2 * self.n_negative - self.fp - self.fp_above
        return math.fsum((gained * below).tolist()) / (2 * self.n_positive * self.n_negative)

    def average_precision(self) -> float:
        """Return Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the thresholds; NaN without positives."""
        return float(average_precisions([self])[0])

    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return between what AUC and average precision lie, however scores of one row are ordered.

        Of a curve over bins: the exact values lie between them. A row gains c positives and d
        negatives and reaches tp, fp: AUC is off by at most Σ c d / (2 P N); the share of average
        precision lies between c (tp − c + 1) / (tp − c + 1 + fp) and c tp / (tp + fp − d), over P.
        """
        if not self.n_positive:
            return (math.nan, math.nan), (math.nan, math.nan)
        tp, fp = self.tp.astype(np.float64), self.fp.astype(np.float64)
        gained = np.diff(tp, prepend=0.0)
        other = fp - self.fp_above
        some = gained > 0
        first = 1.0 if self.tp.dtype.kind == "i" else 0.0  # a weight may be as small as it likes
        worst = np.minimum(tp - gained + first, tp)
        low = np.where(some, gained * rates.ratio(worst, worst + fp), 0.0)
        high = np.where(some, gained * rates.ratio(tp, tp + fp - other), 0.0)
        precision = (
            math.fsum(low.tolist()) / self.n_positive,
            math.fsum(high.tolist()) / self.n_positive,
        )
        area = self.area()
        off = math.fsum((gained * other).tolist()) / (2 * self.n_positive * (self.n_negative or 1))
        return (area - off, area + off), precision

    def roc(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the corners of the ROC curve, from (0, 0) to (1, 1).

        Returns
        -------
        false_positive_rate, true_positive_rate : ndarray, shape (2 T + 2,)
            Straight lines between these points are the curve. NaN where a side is missing.
        """
        size = 2 * len(self) + 2
        fp, tp = np.zeros(size), np.zeros(size)
        fp[1:-1:2], fp[2:-1:2], fp[-1] = self.fp_above, self.fp, self.n_negative
        tp[3:-1:2], tp[2:-1:2], tp[-1] = self.tp[:-1], self.tp, self.n_positive
        return (
            rates.ratio(fp, np.full(size, self.n_negative)),
            rates.ratio(tp, np.full(size, self.n_positive)),
        )

    def best_f(self, beta: float = 1.0) -> OperatingPoint:
        """Return the threshold of the highest F-beta; of several the highest threshold."""
        if not self.n_positive:
            return self._nowhere("there are no positives")
        if not len(self):
            return self._nowhere("there are no thresholds")
        values = self.f_beta(beta)
        at = int(np.argmax(values))
        return self._at(at, float(values[at]))

    def youden(self) -> OperatingPoint:
        """Return the threshold of the highest J = TPR − FPR; of several the highest threshold."""
        if not (self.n_positive and self.n_negative):
            return self._nowhere("there are no positives or no negatives")
        # Over the common denominator P N: without weights these are whole numbers.
        values = self.tp * self.n_negative - self.fp * self.n_positive
        at = int(np.argmax(values))
        return self._at(at, float(self.recall[at] - self.false_positive_rate[at]))

    def precision_at_recall(self, recall: float) -> OperatingPoint:
        """Return the highest precision with at least this recall.

        Of equal precisions that of the higher recall, then of the higher threshold.

        Raises
        ------
        InputError
            For a recall outside [0, 1].
        """
        wanted = _checked_share(recall, "recall")
        found = self.recall
        return self._best(self.precision, found, found >= wanted, f"recall {wanted:g}")

    def recall_at_precision(self, precision: float) -> OperatingPoint:
        """Return the highest recall with at least this precision.

        Of equal recalls that of the higher precision, then of the higher threshold.

        Raises
        ------
        InputError
            For a precision outside [0, 1].
        """
        wanted = _checked_share(precision, "precision")
        found = self.precision
        return self._best(self.recall, found, found >= wanted, f"precision {wanted:g}")

    def table(self, beta: float = 1.0) -> dict[str, NDArray[Any]]:
        """Return all columns by name: threshold, counts, precision, recall, F-beta."""
        return {
            "threshold": self.threshold,
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            "precision": self.precision,
            "recall": self.recall,
            "f": self.f_beta(beta),
        }

    def _best(
        self,
        sought: NDArray[np.float64],
        second: NDArray[np.float64],
        allowed: NDArray[np.bool_],
        what: str,
    ) -> OperatingPoint:
        if not self.n_positive:
            return self._nowhere("there are no positives")
        rows = np.flatnonzero(allowed & ~np.isnan(sought))
        if not len(rows):
            return self._nowhere(f"no threshold reaches {what}")
        # Thresholds descend, so the first of equals is the highest.
        best = rows[np.lexsort((rows, -second[rows], -sought[rows]))[0]]
        return self._at(int(best), float(sought[best]))

    def _at(self, row: int, value: float) -> OperatingPoint:
        tp, fp = self.tp[row].item(), self.fp[row].item()
        fn, tn = self.n_positive - tp, self.n_negative - fp
        return OperatingPoint(
            float(self.threshold[row]),
            _share(tp, tp + fp),
            _share(tp, tp + fn),
            _share(tn, tn + fp),
            value,
            tp,
            fp,
            fn,
            tn,
        )

    def _nowhere(self, reason: str) -> OperatingPoint:
        nan = math.nan
        return OperatingPoint(nan, nan, nan, nan, nan, nan, nan, nan, nan, reason)


def average_precisions(curves: Sequence[ThresholdCurve]) -> NDArray[np.float64]:
    """Return `ThresholdCurve.average_precision` of each: terms summed exactly, rounded once."""
    totals = Moments(x=(len(curves),))
    lengths = [len(curve) for curve in curves]
    if any(lengths):
        gained = _joined([np.diff(c.tp, prepend=c.tp.dtype.type(0)) for c in curves])
        tp = _joined([curve.tp for curve in curves])
        decided = tp + _joined([curve.fp for curve in curves])
        # A row that gains nothing adds nothing, also where nothing is decided positive.
        terms = np.divide(gained * tp, decided, where=decided > 0, out=np.zeros(len(tp)))
        totals.add_at("x", np.repeat(np.arange(len(curves)), lengths), terms)
    n_positive = np.array([curve.n_positive for curve in curves], np.float64)
    return rates.ratio(totals.total("x"), n_positive)


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _share(part: float, whole: float) -> float:
    return float(Fraction(part) / Fraction(whole)) if whole else math.nan


def _checked_share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise InputError(f"expected a number in [0, 1], got {value!r}", name)
    return float(value)


def _checked_beta(beta: float) -> float:
    if not 0 < beta < math.inf:
        raise InputError(f"expected a number above 0, got {beta!r}", "beta")
    return float(beta)
