"""What score thresholds give, class by class: precision, recall and F of the raw points."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.detection.score_curves import ScoreCurves
from snellen.detection.stored_result import packed_result, result_fields
from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["NO_HIT", "NO_TRUTH", "ClassPoints", "OperatingPointsResult"]

NO_TRUTH: Final = "no truth object counts"
NO_HIT: Final = "no detection is a true positive, so no threshold is best"
_NAME_WIDTH = 28


class ClassPoints(NamedTuple):
    """What each of K classes gives at a threshold.

    Attributes
    ----------
    threshold : ndarray, shape (K,), float64
        Detections are kept that score this much or more; NaN: none is.
    tp, fp, fn : ndarray, shape (K,), int64
        Detections that are true and false positives, and truth objects that are missed.
    beta : float
        How many times more recall counts than precision in F.
    """

    threshold: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    beta: float

    @property
    def precision(self) -> NDArray[np.float64]:
        """TP / (TP + FP), (K,); NaN where nothing is kept."""
        return rates.precision(self.tp, self.fp)

    @property
    def recall(self) -> NDArray[np.float64]:
        """TP / (TP + FN), (K,); NaN without truth."""
        return rates.recall(self.tp, self.fn)

    @property
    def f(self) -> NDArray[np.float64]:
        """F-beta, (K,); NaN without truth."""
        values = rates.f_beta(self.tp, self.fp, self.fn, self.beta)
        return np.where(self.tp + self.fn > 0, values, math.nan)

    def micro(self) -> tuple[float, float, float]:
        """Return precision, recall and F of all detections as if of one class."""
        tp, fp, fn = (each.sum(keepdims=True) for each in (self.tp, self.fp, self.fn))
        one = ClassPoints(np.full(1, math.nan), tp, fp, fn, self.beta)
        return float(one.precision[0]), float(one.recall[0]), float(one.f[0])

    def macro(self) -> tuple[float, float, float]:
        """Return the means of precision, recall and F over the classes with truth.

        The precision of a class of which nothing is kept counts as 0.
        """
        with_truth = self.tp + self.fn > 0
        n = int(np.count_nonzero(with_truth))
        if not n:
            return math.nan, math.nan, math.nan
        parts = (np.nan_to_num(self.precision), self.recall, self.f)
        precision, recall, f = (math.fsum(each[with_truth].tolist()) / n for each in parts)
        return precision, recall, f

    @classmethod
    def of(cls, curves: ScoreCurves, threshold: NDArray[np.float64], beta: float) -> ClassPoints:
        """Return what each class of curves gives at its threshold, (K,)."""
        tp, fp = curves.counts(curves.at(threshold))
        return cls(threshold, tp, fp, curves.n_truth - tp, beta)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OperatingPointsResult(Result):
    """Precision, recall and F against the score threshold, at one IoU threshold.

    K classes; P points, one for each distinct score of each class. Headline numbers: at the one
    threshold with the highest F of all detections (``f1_micro``, ``precision_micro``,
    ``recall_micro``, ``threshold_micro``), at the one with the highest mean of F over classes
    (``…_macro``), and the means with each class at its own best threshold (``…_own``). F is called
    ``f_beta`` where beta is not 1.

    Attributes
    ----------
    classes : Classes
        The K classes.
    begin : ndarray, shape (K + 1,), int64
        The points of class k are begin[k] … begin[k + 1] − 1.
    threshold : ndarray, shape (P,), float64
        Descending in each class.
    tp, fp : ndarray, shape (P,), int64
        True and false positives among the detections that score the threshold or more.
    n_truth : ndarray, shape (K,), int64
        Truth objects that count.
    best_threshold : ndarray, shape (K,), float64
        The threshold of the highest F of each class; NaN where none is a true positive.
    """

    classes: Classes
    begin: NDArray[np.int64]
    threshold: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    n_truth: NDArray[np.int64]
    best_threshold: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @property
    def best(self) -> ClassPoints:
        """Each class at its own best threshold."""
        return self.at(self.best_threshold)

    def at(self, threshold: ArrayLike) -> ClassPoints:
        """Return what each class gives at a threshold, or each at one of its own, (K,).

        Examples
        --------
        >>> from snellen import AveragePrecision, Boxes
        >>> from snellen.detection.operating_points import operating_points
        >>> box = {"image_id": 1, "label": 1}
        >>> truth = Boxes.from_xywh([[0, 0, 10, 10]], **box)
        >>> pred = Boxes.from_xywh([[0, 0, 10, 10], [9, 9, 10, 10]], score=[0.9, 0.3], **box)
        >>> points = operating_points(AveragePrecision().update(truth, pred))
        >>> points.at(0.25).precision.tolist(), points.at(0.5).precision.tolist()
        ([0.5], [1.0])
        """
        wanted = np.broadcast_to(np.asarray(threshold, np.float64), self.n_truth.shape)
        return ClassPoints.of(self._curves(), wanted, self.protocol["beta"])

    def curve(self, class_id: Any) -> dict[str, NDArray[Any]]:
        """Return all points of a class as columns: threshold, counts, precision, recall, F.

        Raises
        ------
        InputError
            For a class that is not there.
        """
        code = int(self.classes.keys.codes([class_id])[0])
        if code < 0:
            raise InputError(
                f"expected the id of one of {len(self.classes)} classes, got {class_id!r}",
                "class_id",
            )
        rows = slice(int(self.begin[code]), int(self.begin[code + 1]))
        tp, fp = self.tp[rows], self.fp[rows]
        points = ClassPoints(
            self.threshold[rows], tp, fp, self.n_truth[code] - tp, self.protocol["beta"]
        )
        return {
            "threshold": points.threshold,
            "tp": tp,
            "fp": fp,
            "fn": points.fn,
            "precision": points.precision,
            "recall": points.recall,
            "f": points.f,
        }

    def _curves(self) -> ScoreCurves:
        return ScoreCurves(self.begin, self.threshold, self.tp, self.fp, None, self.n_truth)

    @property
    def f_name(self) -> str:
        """What F is called in tables: ``"f1"``, or ``"f_beta"``."""
        return "f1" if self.protocol["beta"] == 1 else "f_beta"

    def __str__(self) -> str:
        """Return the thresholds for all classes, and the best one of each."""
        name, rules = self.f_name, self.protocol
        title = "F1" if name == "f1" else f"F{rules['beta']:g}"
        lines = [
            f"{title} at IoU {rules['iou_threshold']:.2f}, area {rules['area']}: "
            "detections that score the threshold or more",
            "",
        ]
        rows = [["one threshold for all", "threshold", "precision", "recall", title]]
        for how, what in (
            ("micro", "by all objects"),
            ("macro", "by the mean of classes"),
            ("own", "each class its own"),
        ):
            keys = ("threshold", "precision", "recall", name)
            rows.append(
                [what, *(number(self.metrics.get(f"{key}_{how}", math.nan)) for key in keys)]
            )
        lines += [*aligned_lines(rows), ""]
        rows = [["class", "truth", "threshold", "precision", "recall", title, "TP", "FP", "FN"]]
        columns = ("n_truth", "threshold", "precision", "recall", name, "tp", "fp", "fn")
        rows += [
            [printable(each["class"], _NAME_WIDTH), *(number(each[key]) for key in columns)]
            for each in self.per_class()
        ]
        return "\n".join([*lines, *aligned_lines(rows)])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,} that count",
            f"predictions  {data['n_predictions']:,} that count",
            f"classes      {data['n_classes']:,}, {np.count_nonzero(self.n_truth):,} with truth",
            f"matching     {rules['rules']['name']}, IoU {rules['iou_threshold']:.2f}, "
            f"area {rules['area']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its best threshold and what that gives."""
        best = self.best
        columns = (
            self.n_truth,
            best.threshold,
            best.precision,
            best.recall,
            best.f,
            best.tp,
            best.fp,
            best.fn,
        )
        names = ("n_truth", "threshold", "precision", "recall", self.f_name, "tp", "fp", "fn")
        return [
            {"class": name, "id": class_id, **dict(zip(names, values, strict=True))}
            for name, class_id, *values in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                *(column.tolist() for column in columns),
                strict=True,
            )
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return precision, recall and F over the score."""
        from snellen.detection.curve_displays import score_curves

        return score_curves(self)

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        found = []
        for record in self.per_class():
            without = not record["n_truth"]
            for key, value in record.items():
                if isinstance(value, float) and math.isnan(value):
                    found.append(Undefined(key, NO_TRUTH if without else NO_HIT, record["class"]))
        return found

    def _pack(self) -> bytes:
        return packed_result(self, self.classes, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> OperatingPointsResult:
        return cls(**result_fields(packed, _ARRAYS))


_ARRAYS = ("begin", "threshold", "tp", "fp", "n_truth", "best_threshold")
