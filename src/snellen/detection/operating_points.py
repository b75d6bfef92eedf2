"""Precision, recall and F against the score threshold, and the thresholds to deploy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen.detection.best_thresholds import BestThresholds, CurveBlocks, best_thresholds
from snellen.detection.operating_points_result import (
    NO_HIT,
    NO_TRUTH,
    ClassPoints,
    OperatingPointsResult,
)
from snellen.detection.outcomes import outcome_blocks
from snellen.errors import InputError
from snellen.result import Undefined

if TYPE_CHECKING:
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision

__all__ = ["operating_points"]


def operating_points(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
    beta: float = 1.0,
    n_scores: int | None = None,
) -> OperatingPointsResult:
    """Return precision, recall and F-beta against the score threshold, and the best thresholds.

    The numbers are those of the detections that are kept, not of the envelope that average
    precision is read from, which promises a precision that no threshold has.

    Parameters
    ----------
    metric : AveragePrecision or LocalizationRecallPrecision
        What has absorbed truth and predictions. Detections beyond its highest cap are not there.
    iou_threshold : float, optional
        One of those of the metric's protocol; the first where not given (COCO: 0.5).
    area : str, optional
        An area range of the protocol; the first where not given (COCO: all).
    beta : float
        How many times more recall counts than precision.
    n_scores : int, optional
        Of each class keep the points that hold at so many equally spaced scores and at the best
        ones, and its first and last point: what is drawn. Without, every point is kept, 24 bytes
        each. The numbers are of all points either way.

    Returns
    -------
    OperatingPointsResult

    Raises
    ------
    InputError
        For a threshold or area range that the protocol does not have, a beta not above 0, or a
        number of scores that is not whole or below 2.

    Notes
    -----
    State
        None of its own: that of the metric.
    Merge
        Merge the metrics.
    Ties
        Detections of equal score are kept together. Of equal F the highest threshold is best.
    Undefined
        NaN without truth that counts; thresholds are where no detection is a true positive.
    Agrees with
        scikit-learn 1.9's precision_recall_curve where all truth is found; faster-coco-eval 1.8's
        extended_metrics with one IoU threshold and one area range, without crowds (it takes a
        detection that matches under any of them as right, what lies in a crowd as wrong, and of
        equally good thresholds the lowest); a plain count (tests/oracle).

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.operating_points import operating_points
    >>> one = {"image_id": 1, "label": 1}
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], **one)
    >>> boxes = [[0, 0, 10, 10], [50, 0, 10, 10], [20, 0, 10, 10], [70, 0, 10, 10]]
    >>> pred = Boxes.from_xywh(boxes, score=[0.9, 0.8, 0.7, 0.1], **one)
    >>> points = operating_points(AveragePrecision().update(truth, pred))
    >>> points.threshold_micro, round(points.precision_micro, 4), points.recall_micro
    (0.7, 0.6667, 1.0)
    """
    if not 0 < beta < math.inf:
        raise InputError(f"expected a number above 0, got {beta!r}", "beta")
    # A flag is a whole number to Python, and below 2.
    if n_scores is not None and (not isinstance(n_scores, (int, np.integer)) or n_scores < 2):
        raise InputError(f"expected a whole number from 2, got {n_scores!r}", "n_scores")
    blocks = outcome_blocks(metric, iou_threshold=iou_threshold, area=area)
    outcomes = next(iter(blocks))
    best = best_thresholds(CurveBlocks(blocks, keep=n_scores is None), float(beta), n_scores)
    curves = best.curves
    metrics, undefined = _numbers(best, float(beta), outcomes.area)
    # At the last point of a class all its detections are kept.
    last = curves.begin[1:][np.diff(curves.begin) > 0] - 1
    return OperatingPointsResult(
        metrics=metrics,
        protocol={
            "name": "operating-points",
            "beta": float(beta),
            **({} if n_scores is None else {"n_scores": int(n_scores)}),
            **outcomes.rules(),
        },
        undefined=undefined,
        data={
            "n_images": len(outcomes.images),
            "n_classes": len(outcomes.classes),
            "n_truth": int(curves.n_truth.sum()),
            "n_predictions": int((curves.tp[last] + curves.fp[last]).sum()),
        },
        classes=outcomes.classes,
        begin=curves.begin,
        threshold=curves.threshold,
        tp=curves.tp,
        fp=curves.fp,
        n_truth=curves.n_truth,
        best_threshold=best.own,
    )


def _numbers(
    best: BestThresholds, beta: float, area: str
) -> tuple[dict[str, float], tuple[Undefined, ...]]:
    """Return the headline numbers, and why some are not defined."""
    curves = best.curves
    name = "f1" if beta == 1 else "f_beta"
    metrics: dict[str, float] = {}
    reasons: dict[str, str] = {}
    with_truth = bool(curves.n_truth.any())
    for how, threshold, mean in (
        ("micro", best.micro, ClassPoints.micro),
        ("macro", best.macro, ClassPoints.macro),
        ("own", best.own, ClassPoints.macro),
    ):
        points = ClassPoints.of(curves, np.broadcast_to(threshold, curves.n_truth.shape), beta)
        precision, recall, f = mean(points)
        # Where nothing is hit, no threshold is chosen, and nothing kept.
        precision = precision if points.tp.any() else math.nan
        numbers = {name: f, "precision": precision, "recall": recall}
        if how != "own":
            numbers["threshold"] = float(threshold)
        for key, value in numbers.items():
            metrics[f"{key}_{how}"] = value
            if math.isnan(value):
                what = f"{NO_TRUTH} in area range {area}"
                reasons[f"{key}_{how}"] = NO_HIT if with_truth else what
    return metrics, tuple(Undefined(*each) for each in reasons.items())
