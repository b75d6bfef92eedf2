"""The states that a page of a detector is made of, beside that of average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.error_types import DetectionErrors
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision

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
        ``"matches"``: matches with their IoU; ``"confusion"``, from whichever score on, since
        which is best is known of all parts of a data set alone; ``"errors"``: TIDE's;
        ``"labels"``: likely errors of labels. None where the first threshold is 1: nothing but
        equality is right then.
    """
    rules = metric.protocol
    iou = rules.iou_thresholds[0]
    if not 0 < iou < 1:
        return {}
    background = min(_BACKGROUND, iou)
    return {
        "matches": LocalizationRecallPrecision(protocol=rules, iou_threshold=iou).update(
            truth, pred
        ),
        "confusion": DetectionConfusion(iou_threshold=iou, protocol=rules, every_score=True).update(
            truth, pred
        ),
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
