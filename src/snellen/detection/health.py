"""The health of a data set for detection: what is wrong with it before anything is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.detection.health_boxes import check_areas, check_boxes, check_duplicates
from snellen.detection.health_counts import check_counts
from snellen.detection.health_findings import Findings
from snellen.detection.health_kinds import SEVERITIES
from snellen.detection.health_predictions import check_predictions
from snellen.detection.health_records import check_records
from snellen.detection.health_report import HealthReport, PredictionCounts
from snellen.detection.health_shapes import check_keypoints, check_masks

if TYPE_CHECKING:
    from snellen.detection.health_columns import CheckedData
    from snellen.detection.health_findings import Finding

__all__ = ["check_detection"]


def check_detection(truth: CheckedData, pred: CheckedData | None = None) -> HealthReport:
    """Find what is wrong with truth, and with predictions for it.

    Parameters
    ----------
    truth : CheckedData
        From `snellen.readers.detection_health.read_for_check`, which keeps what other readers
        refuse.
    pred : CheckedData, optional
        Predictions; their lists of images and classes are those of truth.

    Returns
    -------
    HealthReport
        Errors first, each with its first few places and what it does to the number.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.health import check_detection
    >>> from snellen.detection.health_columns import checked_boxes
    >>> boxes = Boxes.from_xywh([[0, 0, 9, 9], [0, 0, 9, 9]], image_id=1, label=[1, 1])
    >>> report = check_detection(checked_boxes(boxes, "two boxes"))
    >>> [(each.kind, each.count) for each in report.findings if each.severity != "note"]
    [('duplicate-box', 1)]
    """
    findings = Findings("truth")
    check_records(truth, findings)
    if check_boxes(truth, findings):
        check_areas(truth, findings)
    check_duplicates(truth.objects, findings, "duplicate-box", "near-duplicate-box")
    check_masks(truth, findings)
    check_keypoints(truth, findings)
    classes, sizes, per_image = check_counts(truth, findings)
    found: list[Finding] = findings.found
    counts = None
    if pred is not None:
        of_pred = Findings("predictions")
        in_images, scores = check_predictions(pred, truth, of_pred)
        found = found + of_pred.found
        counts = PredictionCounts(pred.path, len(pred.objects), in_images, scores)
    return HealthReport(
        path=truth.path,
        findings=tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity))),
        n_images=len(truth.images.position),
        n_objects=len(truth.objects),
        classes=classes,
        sizes=sizes,
        objects_per_image=per_image,
        predictions=counts,
    )
