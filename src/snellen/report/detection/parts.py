"""What the page of a detector shows, from the states of its run."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.area_slices import slices_of_areas
from snellen.detection.average_precision import AveragePrecision
from snellen.detection.average_precision_result import AveragePrecisionResult
from snellen.detection.count_displays import confusion_matrix, error_costs, slice_numbers
from snellen.detection.curve_displays import (
    SCORES_DRAWN,
    precision_recall,
    raw_precision_recall,
    reliability,
    score_curves,
)
from snellen.detection.detection_calibration import detection_calibration
from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.diagnosis import lowest_score
from snellen.detection.diagnosis_result import DetectionDiagnosis
from snellen.detection.error_types import DetectionErrors
from snellen.detection.image_table import image_table
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.detection.next_looks import several
from snellen.detection.operating_points import operating_points
from snellen.detection.slices import by_crowding, slices_of_images
from snellen.displays import Words
from snellen.errors import InputError
from snellen.report.parts import Column, Facts, RunParts, Table

if TYPE_CHECKING:
    from snellen.detection.error_types_result import DetectionErrorsResult
    from snellen.detection.image_table import ImageTable
    from snellen.detection.label_errors_result import LabelErrorsResult
    from snellen.detection.operating_points_result import OperatingPointsResult
    from snellen.detection.slices_result import DetectionSlices
    from snellen.displays import Display
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_MOST_IMAGES: Final = 500
_FIRST: Final = 3  # headline numbers that stand first; those of sizes come last
_MOST_SUSPICIONS: Final = 500


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a detector.

    Parameters
    ----------
    run : StoredRun
        The run; where it keeps no further states, what follows from average precision alone.
    result : AveragePrecisionResult
        Its result.
    """
    metric: Any = run.metric()
    if not isinstance(metric, AveragePrecision) or not isinstance(result, AveragePrecisionResult):
        return _of_another(result)
    located = run.state("matches")
    source = located if isinstance(located, LocalizationRecallPrecision) else metric
    # Of each curve what is drawn: there may be tens of millions of points.
    points = operating_points(source, n_scores=SCORES_DRAWN)
    calibration = detection_calibration(source)
    best = points.metrics["threshold_micro"]
    chosen = None if math.isnan(best) else best
    images = image_table(source, score_threshold=chosen)
    errors = _computed(run, "errors", DetectionErrors)
    from_score = lowest_score(points) if chosen is None else chosen
    confusion = _computed(run, "confusion", DetectionConfusion, score_threshold=from_score)
    labels = _computed(run, "labels", LabelErrors)
    slices = _slices(metric)
    curves: list[Display | Table] = [
        precision_recall(result) or raw_precision_recall(points),
        *score_curves(points),
        reliability(calibration),
    ]
    found: dict[str, Result] = {"points": points, "calibration": calibration, "images": images}
    found |= {
        name: part
        for name, part in (("errors", errors), ("confusion", confusion), ("labels", labels))
        if part is not None
    }
    measure = metric.protocol.measure
    own: list[Display | Table] = [_images(images, measure)]
    if labels is not None:
        own.append(_suspicions(labels, measure))
    return RunParts(
        facts=_facts(result, found, points),
        confusion=None if confusion is None else confusion_matrix(confusion),
        curves=tuple(curves),
        errors=() if errors is None else (error_costs(errors, measure),),
        slices=tuple(slice_numbers(each) for each in slices),
        classes=_classes(result, points, errors),
        own=tuple(own),
    )


def _of_another(result: Result) -> RunParts:
    """Return what a result of detection has to show that is not average precision."""
    return RunParts(curves=result.displays())


def _computed(run: StoredRun, name: str, kind: type[Any], **options: Any) -> Any:
    """Return the result of a further state of the run; None where there is none."""
    state = run.state(name)
    return state.compute(**options) if isinstance(state, kind) else None


def _slices(metric: AveragePrecision) -> list[DetectionSlices]:
    """Return the slices by size and by how many objects images have, where there are several."""
    found = []
    if len(metric.protocol.area_ranges) > 1:
        found.append(slices_of_areas(metric))
    # Refused where images cannot be told apart by how many objects they have.
    with contextlib.suppress(InputError):
        found.append(slices_of_images(metric, by_crowding(metric)))
    return found


def _facts(
    result: AveragePrecisionResult, found: dict[str, Result], points: OperatingPointsResult
) -> Facts | None:
    known = points.threshold
    scores = (float(known.min()), float(known.max())) if known.size else (math.nan, math.nan)
    diagnosis = DetectionDiagnosis(
        precision=result,
        parts=found,
        iou_threshold=points.protocol["iou_threshold"],
        score_threshold=None,
        scores=scores,
        layout="",
        n_beyond_cap=0,
    )
    looks = diagnosis.next_looks()
    return Facts("What to look at first", tuple(looks)) if looks else None


def _classes(
    result: AveragePrecisionResult,
    points: OperatingPointsResult,
    errors: DetectionErrorsResult | None,
) -> Table:
    """Return one row a class, the lowest AP first; those without truth at the end."""
    records = result.per_class()
    numbers = (
        [key for key in records[0] if key not in ("class", "id", "n_truth")] if records else []
    )
    shown = [name for name in numbers if any(not math.isnan(record[name]) for record in records)]
    called = "F1" if points.protocol["beta"] == 1 else "F"
    best = {record["class"]: record for record in points.per_class()}
    key = "f1" if called == "F1" else "f_beta"
    costs = {} if errors is None else {record["class"]: record for record in errors.per_class()}
    kinds = () if errors is None else errors.kinds
    rows = []
    for record in records:
        own, cost = best.get(record["class"], {}), costs.get(record["class"], {})
        rows.append(
            {
                "class": record["class"],
                "n_truth": record["n_truth"],
                **{name: record[name] for name in shown},
                "threshold": own.get("threshold"),
                "precision": own.get("precision"),
                "recall": own.get("recall"),
                "f": own.get(key),
                "tp": own.get("tp"),
                "fp": own.get("fp"),
                "fn": own.get("fn"),
                **{f"n_{kind}": cost.get(f"n_{kind}") for kind in kinds},
            }
        )
    first = shown[0] if shown else "n_truth"
    rows.sort(key=lambda row: (math.isnan(row[first]), row[first], row["class"]))
    columns = [
        Column("class", "class"),
        Column("n_truth", "objects"),
        *(Column(name, name, 3) for name in shown[:_FIRST]),
        Column("threshold", "best score", 3, f"the score threshold of the highest {called}"),
        Column("precision", "precision", 3, "at the best score"),
        Column("recall", "recall", 3, "at the best score"),
        Column("f", called, 3, "at the best score"),
        Column("tp", "right", None, "at the best score"),
        Column("fp", "wrong", None, "at the best score"),
        Column("fn", "missed", None, "at the best score"),
        *(Column(f"n_{kind}", kind, None, f"errors of TIDE's kind {kind}") for kind in kinds),
        *(Column(name, name, 3) for name in shown[_FIRST:]),
    ]
    return Table(
        Words(
            name="classes",
            title="Classes",
            about="Every class with its numbers, the lowest first; each class at its own best "
            "score threshold.",
            finding=_of_classes(rows, first),
            protocol=str(result.rules),
        ),
        columns,
        rows,
    )


def _of_classes(rows: list[dict[str, Any]], name: str) -> str:
    known = [row for row in rows if not math.isnan(row[name])]
    if not known or name == "n_truth":
        return "No class has truth that counts."
    worst, best = known[0], known[-1]
    if len(known) == 1:
        return f"{name} of {worst['class']} is {worst[name]:.3f}."
    return (
        f"{name} goes from {worst[name]:.3f} ({worst['class']}) to {best[name]:.3f} "
        f"({best['class']})."
    )


def _images(table: ImageTable, measure: str) -> Table:
    """Return the images with the most errors."""
    records = [{**record, "image": str(record["image"])} for record in table.worst(_MOST_IMAGES)]
    n = len(table.images)
    rules = table.protocol
    score = rules["score_threshold"]
    without = int(np.count_nonzero(table.fp + table.fn == 0))
    note = "" if n <= _MOST_IMAGES else f"The {_MOST_IMAGES} worst of {n:,} images."
    return Table(
        Words(
            name="images",
            title="Images, worst first",
            about="How many detections of each image are right and wrong, and how many objects "
            "were missed.",
            finding=f"{without:,} of {n:,} images are without an error.",
            protocol=f"{measure} {rules['iou_threshold']:g}, area {rules['area']}"
            + ("" if score is None else f", score from {score:.3g}"),
            note=note,
        ),
        [
            Column("image", "image"),
            Column("tp", "right"),
            Column("fp", "wrong"),
            Column("fn", "missed"),
            Column("f1", "F1", 3),
            Column("mean_iou", f"mean {measure}", 3, "of what is right"),
        ],
        records,
    )


def _suspicions(result: LabelErrorsResult, measure: str) -> Table:
    """Return what looks like errors of the labels, not of the detector."""
    records = result.suspicions(n=_MOST_SUSPICIONS)
    kinds = np.bincount(result.rows["kind"], minlength=len(result.kinds))
    n = int(kinds.sum())
    note = "" if n <= _MOST_SUSPICIONS else f"The {_MOST_SUSPICIONS} likeliest of {n:,}."
    rows = [
        {**record, "image": str(record["image"]), "box": _box(record["box"])} for record in records
    ]
    return Table(
        Words(
            name="label_errors",
            title="Likely errors of the labels",
            about="Where a sure detection contradicts the truth, truth may be what is wrong: look "
            "at these before training longer.",
            finding=f"{several(n, 'label')} {'looks' if n == 1 else 'look'} wrong: "
            + ", ".join(
                f"{int(count):,} × {kind}"
                for kind, count in zip(result.kinds, kinds, strict=True)
                if count
            )
            + ("." if n else "None."),
            protocol=result.rules.in_words(measure),
            note=note,
        ),
        [
            Column("image", "image"),
            Column("kind", "what"),
            Column("truth_class", "labelled"),
            Column("class", "rather"),
            Column("suspicion", "suspicion", 3),
            Column("score", "score", 3, "of the detection that speaks against the label"),
            Column("similarity", measure, 3),
            Column("box", "left, top, width, height"),
        ],
        rows,
    )


def _box(box: Any) -> str:
    return ", ".join(f"{value:.4g}" for value in box)
