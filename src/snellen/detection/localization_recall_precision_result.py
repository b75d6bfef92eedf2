"""What Localisation Recall Precision errors are made of, class by class."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.detection.score_curves import ScoreCurves
from snellen.detection.stored_result import packed_result, result_fields
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.state import PackedState

__all__ = ["LocalizationRecallPrecisionResult", "LrpPoints"]

_NO_TRUTH = "no truth object counts"
_NO_HIT = "no detection is a true positive"
_NAME_WIDTH = 28
_ARRAYS = ("begin", "threshold", "tp", "fp", "lost", "n_truth", "best_threshold")


class LrpPoints(NamedTuple):
    """LRP and its parts at a threshold; arrays of one shape, such as (K,).

    Attributes
    ----------
    lrp : ndarray, float64
        (Σ (1 − IoU) / (1 − τ) + FP + FN) / (TP + FP + FN); NaN without truth.
    localization : ndarray, float64
        1 − the mean IoU of the true positives; NaN without any.
    false_positive : ndarray, float64
        FP / (TP + FP); NaN where nothing is kept.
    false_negative : ndarray, float64
        FN / (TP + FN); NaN without truth.
    """

    lrp: NDArray[np.float64]
    localization: NDArray[np.float64]
    false_positive: NDArray[np.float64]
    false_negative: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        tp: NDArray[np.int64],
        fp: NDArray[np.int64],
        lost: NDArray[np.float64],
        n_truth: NDArray[np.int64],
        iou_threshold: float,
    ) -> LrpPoints:
        """Return them from counts and the sum over the true positives of 1 − IoU."""
        fn = n_truth - tp
        # What is lost of a true positive is 1 at most; rounding of the sum makes no more of it.
        whole = np.minimum(lost / (1 - iou_threshold), tp) + fp + fn
        lrp = np.where(n_truth > 0, rates.ratio(whole, tp + fp + fn), math.nan)
        return cls(lrp, rates.ratio(lost, tp), rates.ratio(fp, tp + fp), rates.ratio(fn, n_truth))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LocalizationRecallPrecisionResult(Result):
    """Localisation Recall Precision errors.

    K classes; P points, one for each distinct score of each class. Headline numbers: ``olrp`` and
    ``olrp_fn`` are means over the classes with truth, ``olrp_loc`` and ``olrp_fp`` over those of
    which anything is found.

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
    lost : ndarray, shape (P,), float64
        The sum over these true positives of 1 − IoU.
    n_truth : ndarray, shape (K,), int64
        Truth objects that count.
    best_threshold : ndarray, shape (K,), float64
        The score threshold of the least LRP of each class; NaN where nothing is found.
    """

    classes: Classes
    begin: NDArray[np.int64]
    threshold: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    lost: NDArray[np.float64]
    n_truth: NDArray[np.int64]
    best_threshold: NDArray[np.float64]

    @classmethod
    def of_curves(
        cls,
        curves: ScoreCurves,
        classes: Classes,
        *,
        score_thresholds: Sequence[float] | None,
        protocol: Mapping[str, Any],
        data: Mapping[str, int],
    ) -> LocalizationRecallPrecisionResult:
        """Return the result whose thresholds are the best of those given, or of all scores."""
        assert curves.lost is not None
        best = _best_thresholds(curves, protocol["iou_threshold"], score_thresholds)
        result = cls(
            metrics={},
            protocol=protocol,
            undefined=(),
            data=data,
            classes=classes,
            begin=curves.begin,
            threshold=curves.threshold,
            tp=curves.tp,
            fp=curves.fp,
            lost=curves.lost,
            n_truth=curves.n_truth,
            best_threshold=best,
        )
        points, with_truth = result.best, curves.n_truth > 0
        metrics, undefined = {}, []
        for name, values in (
            ("olrp", points.lrp),
            ("olrp_loc", points.localization),
            ("olrp_fp", points.false_positive),
            ("olrp_fn", points.false_negative),
        ):
            defined = values[with_truth & ~np.isnan(values)].tolist()
            metrics[name] = math.fsum(defined) / len(defined) if defined else math.nan
            if not defined:
                reason = _NO_HIT if with_truth.any() else _NO_TRUTH
                undefined.append(Undefined(name, f"{reason} in area range {protocol['area']}"))
        return dataclasses.replace(result, metrics=metrics, undefined=tuple(undefined))

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @property
    def best(self) -> LrpPoints:
        """The optimal LRP and its parts: each class at its own best threshold."""
        return self.at(self.best_threshold)

    def at(self, threshold: ArrayLike) -> LrpPoints:
        """Return LRP and its parts at a score threshold, or of each class at its own, (K,)."""
        curves = ScoreCurves(self.begin, self.threshold, self.tp, self.fp, self.lost, self.n_truth)
        return _at(curves, threshold, self.protocol["iou_threshold"])

    def __str__(self) -> str:
        """Return the means, and oLRP, its parts and the best threshold of each class."""
        rules = self.protocol
        lines = [
            f"LRP at IoU {rules['iou_threshold']:.2f}, area {rules['area']}, each class at the "
            "score threshold of its least error",
            "",
        ]
        head = ["class", "truth", "oLRP", "localisation", "false pos.", "false neg.", "threshold"]
        rows = [
            head,
            [
                "mean of classes",
                number(int(self.n_truth.sum())),
                *(number(value) for value in self.metrics.values()),
                "",
            ],
        ]
        keys = ("n_truth", *self.metrics, "threshold")
        rows += [
            [printable(each["class"], _NAME_WIDTH), *(number(each[key]) for key in keys)]
            for each in self.per_class()
        ]
        return "\n".join([*lines, *aligned_lines(rows)])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        grid = rules["score_thresholds"]
        scores = (
            "every score" if grid is None else f"{len(grid):,} from {grid[0]:g} to {grid[-1]:g}"
        )
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,}, {data['n_counted']:,} of them count",
            f"predictions  {data['n_predictions']:,}, {data['n_counted_predictions']:,} of them "
            "count",
            f"classes      {data['n_classes']:,}, {np.count_nonzero(self.n_truth):,} with truth",
            f"matching     {rules['rules']['name']}, IoU {rules['iou_threshold']:.2f}, "
            f"area {rules['area']}",
            f"thresholds   {scores}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its oLRP, the parts of it, and its best threshold."""
        columns = (self.n_truth, *self.best, self.best_threshold)
        names = ("n_truth", *self.metrics, "threshold")
        return [
            {"class": name, "id": class_id, **dict(zip(names, values, strict=True))}
            for name, class_id, *values in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                *(column.tolist() for column in columns),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        return [
            Undefined(key, _NO_HIT if record["n_truth"] else _NO_TRUTH, record["class"])
            for record in self.per_class()
            for key, value in record.items()
            if isinstance(value, float) and math.isnan(value)
        ]

    def _pack(self) -> bytes:
        return packed_result(self, self.classes, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> LocalizationRecallPrecisionResult:
        return cls(**result_fields(packed, _ARRAYS))


def _at(curves: ScoreCurves, threshold: ArrayLike, iou_threshold: float) -> LrpPoints:
    points = curves.at(threshold)
    tp, fp = curves.counts(points)
    lost = np.zeros(points.shape)
    if curves.lost is not None and len(curves.lost):
        lost = np.where(points >= 0, curves.lost[points], 0.0)
    return LrpPoints.of(tp, fp, lost, curves.n_truth, iou_threshold)


def _best_thresholds(
    curves: ScoreCurves, iou_threshold: float, score_thresholds: Sequence[float] | None
) -> NDArray[np.float64]:
    """Return the threshold of the least LRP of each class, (K,); NaN where nothing is found.

    Where nothing is found LRP is 1, and nowhere is it more: of thresholds at which something is
    found, one is always among the best.
    """
    assert curves.lost is not None
    n_truth = curves.n_truth
    if score_thresholds is None:
        error = LrpPoints.of(
            curves.tp, curves.fp, curves.lost, n_truth[curves.label], iou_threshold
        ).lrp
        best = curves.best(np.where(curves.tp > 0, -error, -math.inf))
        hit = curves.counts(best)[0] > 0
        found = np.full(len(n_truth), math.nan)
        found[hit] = curves.threshold[best[hit]]
    else:
        grid = np.array(score_thresholds)[::-1]
        tp, _ = curves.counts(curves.at(grid[:, None]))
        error = np.where(tp > 0, _at(curves, grid[:, None], iou_threshold).lrp, math.inf)
        # Descending, so that the first of equals is the highest.
        best = error.argmin(axis=0)
        hit = np.take_along_axis(tp, best[None], axis=0)[0] > 0
        found = np.where(hit, grid[best], math.nan)
    return np.where(n_truth > 0, found, math.nan)
