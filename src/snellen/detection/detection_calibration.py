"""Calibration of detections: whether scores are the precision that they promise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification.calibration import bin_edges, bin_errors, bins_of
from snellen.detection.detection_calibration_result import (
    NO_DETECTION,
    DetectionCalibrationResult,
)
from snellen.detection.outcomes import outcome_blocks, outcomes_of
from snellen.errors import InputError
from snellen.result import Undefined
from snellen.state import Moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    from snellen.detection.outcomes import Outcomes

__all__ = ["detection_calibration"]

_BINNINGS = ("equal-width", "equal-mass")
_MOST_BINS = 100_000


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
    if binning == "equal-width":
        blocks: Iterable[Outcomes] = outcome_blocks(metric, iou_threshold=iou_threshold, area=area)
    else:  # the rank of each among all is asked for
        blocks = [outcomes_of(metric, iou_threshold=iou_threshold, area=area)]
    outcomes = next(iter(blocks))
    sums = _Sums(int(bins), len(outcomes.classes), binning)
    n_all = n_kept = n_outside = 0
    for block in blocks:
        kept = block if lowest_score is None else block.kept(block.score >= lowest_score)
        n_all += len(block)
        n_kept += len(kept)
        n_outside += int(np.count_nonzero((kept.score < 0) | (kept.score > 1)))
        if not n_outside:
            sums.add(kept)
    if n_outside:
        sums = _Sums(int(bins), len(outcomes.classes), binning)
    metrics, arrays = sums.numbers()
    reason = f"{n_outside:,} scores lie outside [0, 1]" if n_outside else NO_DETECTION
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
            "n_predictions": n_kept,
            "n_left_out": n_all - n_kept,
            "n_outside": n_outside,
        },
        classes=outcomes.classes,
        **arrays,
    )


class _Sums:
    """What is added up of detections in bins: of all classes, and of each."""

    def __init__(self, bins: int, n_classes: int, binning: str) -> None:
        self.bins, self.n_classes, self.binning = bins, n_classes, binning
        self.low, self.high = np.full(bins, math.inf), np.full(bins, -math.inf)
        if binning == "equal-width":
            self.low, self.high = bin_edges(bins)[:-1], bin_edges(bins)[1:]
        self.all = _Cells(bins)
        self.of_classes = _Cells(n_classes * bins)

    def add(self, outcomes: Outcomes) -> None:
        """Add detections; of equal mass all that there are."""
        score, label, bins = outcomes.score, outcomes.label, self.bins
        if self.binning == "equal-width":
            bin_of = class_bin_of = bins_of(score, bins, score.dtype)
        else:
            bin_of = _equal_mass(score, np.zeros(len(score), np.int32), bins, 1)
            class_bin_of = _equal_mass(score, label, bins, self.n_classes)
            np.minimum.at(self.low, bin_of, score)
            np.maximum.at(self.high, bin_of, score)
        self.all.add(bin_of, outcomes)
        self.of_classes.add(label * np.int64(bins) + class_bin_of, outcomes)

    def numbers(self) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the headline numbers, and the arrays of the result."""
        bins, tables, by_class = self.bins, self.all, self.of_classes
        scores, class_scores = tables.scores(), by_class.scores()
        class_errors = [
            by_class.errors(class_scores, slice(first, first + bins))
            for first in range(0, self.n_classes * bins, bins)
        ]
        class_ece, _, class_mce = np.array(class_errors, np.float64).reshape(-1, 3).T
        ece, rmsce, mce = tables.errors(scores, slice(None))
        total = int(tables.n.sum())
        defined = class_ece[~np.isnan(class_ece)].tolist()
        metrics = {
            "ece": ece,
            "rmsce": rmsce,
            "mce": mce,
            "classwise_ece": math.fsum(defined) / len(defined) if defined else math.nan,
            "mean_score": float(sum(scores) / total) if total else math.nan,
            "precision": int(tables.n_true.sum()) / total if total else math.nan,
        }
        shown = tables.n > 0 if self.binning == "equal-mass" else np.ones(bins, np.bool_)
        arrays = {
            "low": self.low[shown],
            "high": self.high[shown],
            "n": tables.n[shown],
            "n_true": tables.n_true[shown],
            "total_score": scores[shown].astype(np.float64),
            "class_n": by_class.n.reshape(-1, bins).sum(axis=1),
            "class_n_true": by_class.n_true.reshape(-1, bins).sum(axis=1),
            "class_ece": class_ece.copy(),
            "class_mce": class_mce.copy(),
        }
        return metrics, arrays


class _Cells:
    """Detections in each cell, how many are true positives, and the exact sum of their scores."""

    def __init__(self, n_cells: int) -> None:
        self.n, self.n_true = np.zeros((2, n_cells), np.int64)
        self._score = Moments(score=(n_cells,))

    def add(self, cell: NDArray[np.int64], outcomes: Outcomes) -> None:
        self._score.add_at("score", cell, outcomes.score)
        self.n += np.bincount(cell, minlength=len(self.n))
        self.n_true += np.bincount(cell[outcomes.is_true], minlength=len(self.n))

    def scores(self) -> NDArray[np.object_]:
        """Return the exact sums."""
        return self._score.exact("score")

    def errors(self, scores: NDArray[np.object_], cells: slice) -> tuple[float, float, float]:
        """Return ECE, RMSCE and MCE over some of the cells."""
        columns = (self.n, self.n_true, scores)
        return bin_errors(*(column[cells].tolist() for column in columns))


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
