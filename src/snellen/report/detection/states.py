"""The states that a page of a detector is made of, beside that of average precision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.error_types import DetectionErrors
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.detection.operating_points import operating_points

if TYPE_CHECKING:
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.candidates import Objects
    from snellen.metric import StoredMetric

__all__ = ["states_of"]

_BACKGROUND = 0.1
_CONFIDENT = 0.5


def states_of(
    truth: Objects, pred: Objects, metric: AveragePrecision
) -> dict[str, StoredMetric[Any]]:
    """Return the states of further diagnoses under a metric's rules, at its first IoU threshold.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        What the metric has absorbed.
    metric : AveragePrecision
        The metric.

    Returns
    -------
    dict
        ``"matches"``: matches with their IoU; ``"confusion"``, from the score of the highest F1
        on; ``"errors"``: TIDE's; ``"labels"``: likely errors of labels. None where the first
        threshold is 1: nothing but equality is right then.
    """
    rules = metric.protocol
    iou = rules.iou_thresholds[0]
    if not 0 < iou < 1:
        return {}
    background = min(_BACKGROUND, iou)
    located = LocalizationRecallPrecision(protocol=rules, iou_threshold=iou).update(truth, pred)
    best = operating_points(located, n_scores=2).metrics["threshold_micro"]
    return {
        "matches": located,
        "confusion": DetectionConfusion(
            score_threshold=None if math.isnan(best) else best, iou_threshold=iou, protocol=rules
        ).update(truth, pred),
        "errors": DetectionErrors(
            iou_threshold=iou, background_threshold=background, protocol=rules
        ).update(truth, pred),
        "labels": LabelErrors(
            score_threshold=_CONFIDENT,
            iou_threshold=iou,
            background_threshold=background,
            protocol=rules,
        ).update(truth, pred),
    }
