"""Calibration of detections: whether scores are the precision that they promise."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.classification.calibration import bin_edges, bin_errors, bins_of
from snellen.detection.outcomes import outcomes_of
from snellen.detection.stored_result import packed_result, result_fields
from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.state import Moments
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    from snellen.detection.outcomes import Outcomes
    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["DetectionCalibrationResult", "detection_calibration"]

_BINNINGS = ("equal-width", "equal-mass")
_MOST_BINS = 100_000
_NO_DETECTION = "no detection counts"
_NAME_WIDTH = 28
_ARRAYS = (
    *("low", "high", "n", "n_true", "total_score"),
    *("class_n", "class_n_true", "class_ece", "class_mce"),
)


def detection_calibration(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
    bins: int = 15,
    binning: str = "equal-width",
    lowest_score: float | None = None,
) -> DetectionCalibrationResult:
    """Return how far scores are from the precision of the detections that have them.

    In each bin of scores, the error is |mean score − precision|. ECE, for detections also called
    D-ECE, is its mean over the detections; RMSCE the root of the mean of its square; MCE the
    largest of a bin that is not empty.

    Parameters
    ----------
    metric : AveragePrecision or LocalizationRecallPrecision
        What has absorbed truth and predictions. Detections beyond its highest cap are not there.
    iou_threshold : float, optional
        One of those of the metric's protocol; the first where not given (COCO: 0.5).
    area : str, optional
        An area range of the protocol; the first where not given (COCO: all).
    bins : int
        How many bins.
    binning : {"equal-width", "equal-mass"}
        Of equal width: (i / bins, (i + 1) / bins]; 0 belongs to the first. Of equal mass: a
        detection with r below it belongs to bin ⌊bins · r / n⌋, so equal scores are never parted;
        bins that stay empty are left out. Each class has bins of equal mass of its own.
    lowest_score : float, optional
        Detections that score less are left out. Most detectors return many of next to no score,
        which make the error look small.

    Returns
    -------
    DetectionCalibrationResult

    Raises
    ------
    InputError
        For parameters that are none of these.

    Notes
    -----
    State
        None of its own: that of the metric.
    Merge
        Merge the metrics.
    Ties
        Detections of equal score share a bin.
    Undefined
        NaN without detections, and where scores lie outside [0, 1]: they promise no precision.
    Agrees with
        `CalibrationError` of classification, bit for bit; vernier 0.5.4 where no score lies on an
        edge and the lowest is 0, where its bins begin (tests/oracle).

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015; F. Küppers et al., "Multivariate confidence calibration for
    object detection", CVPR Workshops 2020.

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.detection_calibration import detection_calibration
    >>> one = {"image_id": 1, "label": 1}
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], **one)
    >>> boxes = [[0, 0, 10, 10], [50, 0, 10, 10], [20, 0, 10, 10]]
    >>> pred = Boxes.from_xywh(boxes, score=[0.9, 0.8, 0.3], **one)
    >>> metric = AveragePrecision().update(truth, pred)
    >>> round(detection_calibration(metric, bins=2).ece, 4)  # (|0.3 − 1| + |1.7 − 1|) / 3
    0.4667
    """
    if binning not in _BINNINGS:
        raise InputError(f"expected {' or '.join(_BINNINGS)}, got {binning!r}", "binning")
    whole = isinstance(bins, (int, np.integer)) and not isinstance(bins, bool)
    if not whole or not 1 <= bins <= _MOST_BINS:
        raise InputError(f"expected 1 to {_MOST_BINS:,} bins, got {bins!r}", "bins")
    if lowest_score is not None and not math.isfinite(lowest_score):
        raise InputError(f"expected a finite number, got {lowest_score!r}", "lowest_score")
    outcomes = outcomes_of(metric, iou_threshold=iou_threshold, area=area)
    n_all = len(outcomes)
    if lowest_score is not None:
        outcomes = outcomes.kept(outcomes.score >= lowest_score)
    n_outside = int(np.count_nonzero((outcomes.score < 0) | (outcomes.score > 1)))
    usable = outcomes.kept(np.zeros(len(outcomes), np.bool_)) if n_outside else outcomes
    metrics, arrays = _binned(usable, int(bins), binning)
    reason = f"{n_outside:,} scores lie outside [0, 1]" if n_outside else _NO_DETECTION
    return DetectionCalibrationResult(
        metrics=metrics,
        protocol={
            "name": "detection-calibration",
            "bins": int(bins),
            "binning": binning,
            "lowest_score": lowest_score,
            **outcomes.rules(),
        },
        undefined=tuple(
            Undefined(name, reason) for name, value in metrics.items() if math.isnan(value)
        ),
        data={
            "n_images": len(outcomes.images),
            "n_classes": len(outcomes.classes),
            "n_predictions": len(outcomes),
            "n_left_out": n_all - len(outcomes),
            "n_outside": n_outside,
        },
        classes=outcomes.classes,
        **arrays,
    )


def _binned(outcomes: Outcomes, bins: int, binning: str) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the headline numbers, and the arrays of the result."""
    score, label, n_classes = outcomes.score, outcomes.label, len(outcomes.classes)
    if binning == "equal-width":
        bin_of = class_bin_of = bins_of(score, bins, score.dtype)
        low, high = bin_edges(bins)[:-1], bin_edges(bins)[1:]
    else:
        bin_of = _equal_mass(score, np.zeros(len(score), np.int32), bins, 1)
        class_bin_of = _equal_mass(score, label, bins, n_classes)
        low, high = np.full(bins, math.inf), np.full(bins, -math.inf)
        np.minimum.at(low, bin_of, score)
        np.maximum.at(high, bin_of, score)
    tables = _Sums.of(bin_of, bins, outcomes)
    by_class = _Sums.of(label * np.int64(bins) + class_bin_of, n_classes * bins, outcomes)
    class_errors = [
        by_class.errors(slice(first, first + bins)) for first in range(0, n_classes * bins, bins)
    ]
    class_ece, _, class_mce = np.array(class_errors, np.float64).reshape(-1, 3).T
    ece, rmsce, mce = tables.errors(slice(None))
    total = len(score)
    defined = class_ece[~np.isnan(class_ece)].tolist()
    metrics = {
        "ece": ece,
        "rmsce": rmsce,
        "mce": mce,
        "classwise_ece": math.fsum(defined) / len(defined) if defined else math.nan,
        "mean_score": float(sum(tables.score) / total) if total else math.nan,
        "precision": int(tables.n_true.sum()) / total if total else math.nan,
    }
    shown = tables.n > 0 if binning == "equal-mass" else np.ones(bins, np.bool_)
    arrays = {
        "low": low[shown],
        "high": high[shown],
        "n": tables.n[shown],
        "n_true": tables.n_true[shown],
        "total_score": tables.score[shown].astype(np.float64),
        "class_n": by_class.n.reshape(-1, bins).sum(axis=1),
        "class_n_true": by_class.n_true.reshape(-1, bins).sum(axis=1),
        "class_ece": class_ece.copy(),
        "class_mce": class_mce.copy(),
    }
    return metrics, arrays


class _Sums(NamedTuple):
    """Detections in each cell, how many are true positives, and the exact sum of their scores."""

    n: NDArray[np.int64]
    n_true: NDArray[np.int64]
    score: NDArray[np.object_]

    @classmethod
    def of(cls, cell: NDArray[np.int64], n_cells: int, outcomes: Outcomes) -> _Sums:
        sums = Moments(score=(n_cells,))
        sums.add_at("score", cell, outcomes.score)
        return cls(
            np.bincount(cell, minlength=n_cells),
            np.bincount(cell[outcomes.is_true], minlength=n_cells),
            sums.exact("score"),
        )

    def errors(self, cells: slice) -> tuple[float, float, float]:
        """Return ECE, RMSCE and MCE over some of the cells."""
        return bin_errors(*(column[cells].tolist() for column in self))


def _equal_mass(
    score: NDArray[np.float64], label: NDArray[np.int32], bins: int, n_classes: int
) -> NDArray[np.int64]:
    """Return the bin of each detection among those of its class: ⌊bins · number below / n⌋."""
    order = np.lexsort((score, label))
    n = np.bincount(label, minlength=n_classes)
    begin = np.cumsum(n) - n
    ordered, classes = score[order], label[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (ordered[1:] != ordered[:-1]) | (classes[1:] != classes[:-1])
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    found = np.empty(len(order), np.int64)
    found[order] = (first - begin[classes]) * bins // n[classes]
    return found


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionCalibrationResult(Result):
    """Calibration errors of detections and the reliability table.

    B bins, K classes. Headline numbers: ``ece``, ``rmsce``, ``mce`` over all detections;
    ``classwise_ece``, the mean of the ECE of the classes that have detections; ``mean_score`` and
    ``precision`` of all detections.

    Attributes
    ----------
    classes : Classes
        The K classes.
    low, high : ndarray, shape (B,), float64
        Of equal width: bin b is (low[b], high[b]], the first holds 0 too. Of equal mass: the
        lowest and the highest score in it.
    n, n_true : ndarray, shape (B,), int64
        Detections in each bin, and how many are true positives.
    total_score : ndarray, shape (B,), float64
        The sum of their scores.
    class_n, class_n_true : ndarray, shape (K,), int64
        Detections of each class, and how many are true positives.
    class_ece, class_mce : ndarray, shape (K,), float64
        The errors of each class; NaN where it has no detections.
    """

    classes: Classes
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]
    n_true: NDArray[np.int64]
    total_score: NDArray[np.float64]
    class_n: NDArray[np.int64]
    class_n_true: NDArray[np.int64]
    class_ece: NDArray[np.float64]
    class_mce: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    def reliability(self) -> list[dict[str, Any]]:
        """Return the reliability table: of each bin its edges, detections, score, precision."""
        mean, precision = rates.ratio(self.total_score, self.n), rates.ratio(self.n_true, self.n)
        columns = (self.low, self.high, self.n, self.n_true, mean, precision, mean - precision)
        names = ("low", "high", "n", "n_true", "mean_score", "precision", "gap")
        return [
            dict(zip(names, row, strict=True))
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def __str__(self) -> str:
        """Return the errors, the reliability table, and the errors of each class."""
        rules = self.protocol
        lines = [
            f"Calibration at IoU {rules['iou_threshold']:.2f}, area {rules['area']}, "
            f"{rules['bins']} bins of {rules['binning'].replace('-', ' ')}",
            "",
            *aligned_lines([[name, number(value)] for name, value in self.metrics.items()]),
            "",
        ]
        opening = "(" if rules["binning"] == "equal-width" else "["
        rows = [["score", "n", "TP", "mean score", "precision", "gap"]]
        rows += [
            [
                f"{opening}{each['low']:.4f}, {each['high']:.4f}]",
                *(number(each[key]) for key in ("n", "n_true", "mean_score", "precision", "gap")),
            ]
            for each in self.reliability()
        ]
        lines += [*aligned_lines(rows), ""]
        rows = [["class", "n", "TP", "ECE", "MCE"]]
        rows += [
            [
                printable(each["class"], _NAME_WIDTH),
                *(number(each[key]) for key in ("n", "n_true", "ece", "mce")),
            ]
            for each in self.per_class()
        ]
        return "\n".join([*lines, *aligned_lines(rows)])

    def displays(self) -> tuple[Display, ...]:
        """Return the reliability diagram."""
        from snellen.detection.curve_displays import reliability

        return (reliability(self),)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        least = rules["lowest_score"]
        left_out = "" if least is None else f"; {data['n_left_out']:,} below {least:g} left out"
        lines = [
            f"images       {data['n_images']:,}",
            f"predictions  {data['n_predictions']:,} that count{left_out}",
            f"bins         {rules['bins']:,} of {rules['binning'].replace('-', ' ')}, "
            f"{np.count_nonzero(self.n):,} with detections",
            f"matching     {rules['rules']['name']}, IoU {rules['iou_threshold']:.2f}, "
            f"area {rules['area']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its detections and calibration errors."""
        columns = (self.class_n, self.class_n_true, self.class_ece, self.class_mce)
        names = ("n", "n_true", "ece", "mce")
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
        n_outside = self.data["n_outside"]
        reason = f"{n_outside:,} scores lie outside [0, 1]" if n_outside else _NO_DETECTION
        return [
            Undefined(key, reason, record["class"])
            for record in self.per_class()
            for key in ("ece", "mce")
            if math.isnan(record[key])
        ]

    def _pack(self) -> bytes:
        return packed_result(self, self.classes, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionCalibrationResult:
        return cls(**result_fields(packed, _ARRAYS))
