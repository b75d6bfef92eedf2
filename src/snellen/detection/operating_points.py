"""Precision, recall and F against the score threshold, and the thresholds to deploy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen.classification import rates
from snellen.detection.operating_points_result import (
    NO_HIT,
    NO_TRUTH,
    ClassPoints,
    OperatingPointsResult,
)
from snellen.detection.outcomes import outcomes_of
from snellen.detection.score_curves import ScoreCurves, last_of_equal, score_curves
from snellen.errors import InputError
from snellen.result import Undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    from snellen.detection.outcomes import Outcomes

__all__ = ["operating_points"]

# By how much a running sum of the F of classes may be off, generously.
_ROUNDING = 1e-9


def operating_points(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
    beta: float = 1.0,
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

    Returns
    -------
    OperatingPointsResult

    Raises
    ------
    InputError
        For a threshold or area range that the protocol does not have, or a beta not above 0.

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
    outcomes = outcomes_of(metric, iou_threshold=iou_threshold, area=area)
    return _result(outcomes, float(beta))


def _result(outcomes: Outcomes, beta: float) -> OperatingPointsResult:
    curves = score_curves(outcomes)
    best = curves.best(_f(curves, beta))
    hit = (best >= 0) & (curves.counts(best)[0] > 0)
    own = np.where(hit, curves.threshold[best] if len(curves.threshold) else 0.0, math.nan)
    pooled = curves.pooled()
    at = int(pooled.best(_f(pooled, beta))[0])
    is_hit = at >= 0 and pooled.tp[at] > 0
    micro = float(pooled.threshold[at]) if is_hit else math.nan
    macro = _best_by_mean(curves, beta)
    name = "f1" if beta == 1 else "f_beta"
    metrics: dict[str, float] = {}
    reasons: dict[str, str] = {}
    with_truth = bool(curves.n_truth.any())
    for how, threshold, mean in (
        ("micro", micro, ClassPoints.micro),
        ("macro", macro, ClassPoints.macro),
        ("own", own, ClassPoints.macro),
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
                what = f"{NO_TRUTH} in area range {outcomes.area}"
                reasons[f"{key}_{how}"] = NO_HIT if with_truth else what
    return OperatingPointsResult(
        metrics=metrics,
        protocol={"name": "operating-points", "beta": beta, **outcomes.rules()},
        undefined=tuple(Undefined(*each) for each in reasons.items()),
        data={
            "n_images": len(outcomes.images),
            "n_classes": len(outcomes.classes),
            "n_truth": len(outcomes.truth_label),
            "n_predictions": len(outcomes),
        },
        classes=outcomes.classes,
        begin=curves.begin,
        threshold=curves.threshold,
        tp=curves.tp,
        fp=curves.fp,
        n_truth=curves.n_truth,
        best_threshold=own,
    )


def _f(curves: ScoreCurves, beta: float) -> NDArray[np.float64]:
    """Return F-beta of each point; 0 in classes without truth."""
    fn = curves.n_truth[curves.label] - curves.tp
    return rates.f_beta(curves.tp, curves.fp, fn, beta)


def _best_by_mean(curves: ScoreCurves, beta: float) -> float:
    """Return the threshold of the highest mean of F over the classes with truth.

    The mean changes at the points of single classes alone, so a running sum of these changes finds
    it, but for rounding; what comes near the highest sum is computed anew.
    """
    with_truth = curves.n_truth > 0
    rows = np.flatnonzero(with_truth[curves.label])
    if not len(rows):
        return math.nan
    order = rows[np.argsort(-curves.threshold[rows], kind="stable")]
    ends = last_of_equal(curves.threshold[order])
    sums = np.cumsum(curves.gained(_f(curves, beta))[order])[ends]
    gained = np.add.reduceat(curves.gained(curves.tp)[order], np.append(0, ends[:-1] + 1))
    # The mean rises at a threshold only where a true positive is gained there.
    rising = gained > 0
    if not rising.any():
        return math.nan
    near = rising & (sums >= sums[rising].max() - _ROUNDING * max(1, len(with_truth)))
    thresholds = curves.threshold[order][ends[near]]
    tp, fp = curves.counts(curves.at(thresholds[:, None]))
    f = rates.f_beta(tp, fp, curves.n_truth - tp, beta)[:, with_truth]
    means = [math.fsum(each) for each in f.tolist()]
    return float(thresholds[means.index(max(means))])
