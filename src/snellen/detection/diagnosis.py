"""Why a detector's number is what it is: every diagnosis of it, from one reading of the data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from snellen.detection.area_slices import slices_of_areas
from snellen.detection.average_precision import AveragePrecision
from snellen.detection.boxes import Boxes
from snellen.detection.detection_calibration import detection_calibration
from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.diagnosis_result import PARTS, DetectionDiagnosis
from snellen.detection.error_types import DetectionErrors
from snellen.detection.image_table import image_table
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.detection.objects_of_images import columns_of, rules_for
from snellen.detection.operating_points import operating_points
from snellen.detection.protocols import protocol_named
from snellen.detection.slices import by_crowding, slices_of_images
from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from numpy.typing import ArrayLike

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.detection.operating_points_result import OperatingPointsResult
    from snellen.detection.protocols import DetectionProtocol
    from snellen.detection.slices_result import DetectionSlices
    from snellen.result import Result

__all__ = ["DiagnosisThresholds", "detection_diagnosis"]

_FEWEST: Final = 20
"""Of fewer boxes nothing is said that chance would say too."""

_OF_MATCHES: Final = {"points", "lrp", "calibration", "images", "confusion"}
"""Parts that look at what was matched at one IoU threshold."""


@dataclasses.dataclass(frozen=True)
class DiagnosisThresholds:
    """Where the parts of a diagnosis draw lines.

    Parameters
    ----------
    iou : float, optional
        The IoU (of poses OKS) from which a detection is right, below 1; the protocol's first
        threshold where not given (COCO: 0.5).
    score : float, optional
        The score from which detections are looked at by the confusion matrix and the table of
        images; where not given, that of the highest F, the one to deploy.
    background : float
        The IoU up to which a detection has nothing to do with an object; above 0.
    confident : float
        The score from which a detection speaks against a label.
    duplicate : float
        The IoU from which two objects of truth are nearly the same.
    beta : float
        How many times more recall counts than precision in F.
    bins : int
        Of scores, for calibration.
    """

    iou: float | None = None
    score: float | None = None
    background: float = 0.1
    confident: float = 0.5
    duplicate: float = 0.9
    beta: float = 1.0
    bins: int = 15


def detection_diagnosis(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    only: Iterable[str] | None = None,
    slice_by: str | Mapping[Any, str] | None = None,
    thresholds: DiagnosisThresholds | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
) -> DetectionDiagnosis:
    """Return why the average precision of predictions is what it is.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes, or sequence of mapping
        All objects, of one kind; or a mapping for each image, as `AveragePrecision.update` takes
        them.
    protocol : str or DetectionProtocol, optional
        The rules; without, COCO's.
    only : iterable of str, optional
        Which parts, of ``"errors"`` (`detection_errors`), ``"confusion"``
        (`detection_confusion`), ``"points"`` (`operating_points`), ``"lrp"``
        (`localization_recall_precision`), ``"calibration"`` (`detection_calibration`),
        ``"images"`` (`image_table`), ``"labels"`` (`label_errors`), ``"slices"``; without, all.
    slice_by : {"area", "crowding"} or mapping of image id to str, optional
        What slices are made by: sizes of objects, numbers of objects in an image, or a name for
        each image. Without, there are none.
    thresholds : DiagnosisThresholds, optional
        Where lines are drawn.
    image_id, box_format
        Of mappings, as `AveragePrecision.update` takes them.

    Returns
    -------
    DetectionDiagnosis
        Average precision and the parts, each the result of its own function.

    Raises
    ------
    InputError, IdError, ClassError
        For objects that cannot be evaluated, unknown parts, thresholds that are none.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.diagnosis import detection_diagnosis
    >>> one = {"image_id": 1, "label": 1}
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], **one)
    >>> pred = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 3]], score=[0.9, 0.8], **one)
    >>> diagnosis = detection_diagnosis(truth, pred, only=["errors", "points"])
    >>> round(diagnosis.parts["errors"].dAP_loc, 3), diagnosis.parts["points"].threshold_micro
    (0.495, 0.9)
    """
    wanted = _wanted(only, slice_by)
    lines = thresholds or DiagnosisThresholds()
    rules = protocol_named(rules_for(truth, pred, protocol))
    truth, pred = columns_of(
        truth, pred, image_id, similarity=rules.similarity, box_format=box_format
    )
    if lines.score is not None and not math.isfinite(lines.score):
        raise InputError(f"expected a finite number, got {lines.score!r}", "thresholds.score")
    iou = rules.iou_thresholds[0] if lines.iou is None else float(lines.iou)
    if not 0 < iou < 1:
        raise InputError(f"expected a number between 0 and 1, got {iou:g}", "thresholds.iou")
    metric = AveragePrecision(protocol=rules).update(truth, pred)
    parts: dict[str, Result] = {}
    if _OF_MATCHES.intersection(wanted):
        parts |= _of_matches(truth, pred, wanted, rules, iou, lines)
    background = min(lines.background, iou)
    if "errors" in wanted:
        parts["errors"] = (
            errors_under(rules, iou_threshold=iou, background_threshold=background)
            .update(truth, pred)
            .compute()
        )
    if "labels" in wanted:
        parts["labels"] = (
            LabelErrors(
                score_threshold=lines.confident,
                iou_threshold=iou,
                background_threshold=background,
                duplicate_threshold=lines.duplicate,
                protocol=rules,
            )
            .update(truth, pred)
            .compute()
        )
    if "slices" in wanted:
        parts["slices"] = _slices(metric, slice_by)
    scores = pred.boxes.score
    return DetectionDiagnosis(
        precision=metric.compute(),
        parts={name: parts[name] for name in wanted},
        iou_threshold=iou,
        score_threshold=lines.score,
        scores=(
            (math.nan, math.nan)
            if scores is None or not len(scores)
            else (float(scores.min()), float(scores.max()))
        ),
        layout=_layout(truth, pred),
        n_beyond_cap=_beyond_cap(metric),
    )


def _of_matches(
    truth: Objects,
    pred: Objects,
    wanted: Container[str],
    rules: DetectionProtocol,
    iou: float,
    lines: DiagnosisThresholds,
) -> dict[str, Result]:
    """Return the parts that look at one IoU threshold, from one matching, which has the IoU."""
    located = LocalizationRecallPrecision(protocol=rules, iou_threshold=iou)
    located.update(truth, pred)
    points = operating_points(located, beta=lines.beta)
    parts: dict[str, Result] = {"points": points}
    if "lrp" in wanted:
        parts["lrp"] = located.compute()
    if "calibration" in wanted:
        parts["calibration"] = detection_calibration(located, bins=lines.bins)
    score = points.metrics["threshold_micro"] if lines.score is None else lines.score
    chosen = None if math.isnan(score) else score
    if "images" in wanted:
        parts["images"] = image_table(located, score_threshold=chosen)
    if "confusion" in wanted:
        parts["confusion"] = (
            DetectionConfusion(
                score_threshold=lowest_score(points) if chosen is None else chosen,
                iou_threshold=iou,
                protocol=rules,
            )
            .update(truth, pred)
            .compute()
        )
    return parts


def errors_under(
    rules: DetectionProtocol, *, iou_threshold: float, background_threshold: float
) -> DetectionErrors:
    """Return TIDE's errors with room for what average precision sees under the rules.

    TIDE keeps 100 detections of an image. Where rules keep more, of an image or of one class in
    it, the rest would be called missed objects, which they are not.
    """
    kept = rules.max_detections[-1] if rules.per_image is None else rules.per_image
    return DetectionErrors(
        iou_threshold=iou_threshold,
        background_threshold=background_threshold,
        max_detections=max(100, kept),
        protocol=rules,
    )


def lowest_score(points: OperatingPointsResult) -> float | None:
    """Return from which score on all detections are kept; None where there are none.

    A confusion matrix starts there where no threshold is best, since nothing was right: it shows
    what was taken for what.
    """
    return float(points.threshold.min()) if points.threshold.size else None


def _wanted(only: Iterable[str] | None, slice_by: str | Mapping[Any, str] | None) -> list[str]:
    """Return the parts that are wanted, in the order of `PARTS`."""
    if only is None:
        return [name for name in PARTS if name != "slices" or slice_by is not None]
    chosen = list(only)
    for name in chosen:
        if name not in PARTS:
            raise InputError(
                f'expected parts of {", ".join(PARTS)}, got "{name}".{did_you_mean(name, PARTS)}',
                "only",
            )
    if "slices" in chosen and slice_by is None:
        raise InputError("expected what to make slices by, got nothing", "slice_by")
    return [name for name in PARTS if name in chosen]


def _slices(metric: AveragePrecision, slice_by: str | Mapping[Any, str] | None) -> DetectionSlices:
    if isinstance(slice_by, Mapping):
        return slices_of_images(metric, slice_by)
    if slice_by == "area":
        return slices_of_areas(metric)
    if slice_by == "crowding":
        return slices_of_images(metric, by_crowding(metric))
    raise InputError(
        f"expected area, crowding, or the slice of each image, got {slice_by!r}", "slice_by"
    )


def _layout(truth: Objects, pred: Objects) -> str:
    """Return what predicted boxes look like, where that is not what they should be."""
    if not isinstance(truth, Boxes) or not isinstance(pred, Boxes):
        return ""
    if min(len(truth), len(pred)) < _FEWEST:
        return ""
    # The right side of a box is never left of its left side: of widths that is chance.
    if _may_be_corners(pred) and not _may_be_corners(truth):
        return "corners"
    return "parts" if pred.xywh.max() <= 1 < truth.xywh.max() else ""


def _may_be_corners(boxes: Boxes) -> bool:
    return bool((boxes.xywh[:, 2:] >= boxes.xywh[:, :2]).all())


def _beyond_cap(metric: AveragePrecision) -> int:
    """Return how many truth objects no detection can be for, as the cap is lower."""
    import numpy as np

    images, _, truth, _ = metric.rows()
    counts = truth["ignored"] & 1 == 0
    cell = truth["label"][counts].astype(np.int64) * max(1, len(images)) + truth["image"][counts]
    _, n = np.unique(cell, return_counts=True)
    return int(np.maximum(n - metric.protocol.max_detections[-1], 0).sum())
