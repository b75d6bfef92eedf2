"""A diagnosis on one screen."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.detection_calibration_result import DetectionCalibrationResult
from snellen.detection.detection_confusion_result import DetectionConfusionResult
from snellen.detection.error_kinds import ERROR_NAMES
from snellen.detection.error_types_result import DetectionErrorsResult
from snellen.detection.image_table import ImageTable
from snellen.detection.label_errors_result import LabelErrorsResult
from snellen.detection.localization_recall_precision_result import (
    LocalizationRecallPrecisionResult,
)
from snellen.detection.next_looks import several
from snellen.detection.operating_points_result import OperatingPointsResult
from snellen.detection.slices_result import DetectionSlices
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from snellen.detection.diagnosis_result import DetectionDiagnosis

__all__ = ["diagnosis_text"]

_NAME = 24
_WIDTH = 100
_BAR = 30


def diagnosis_text(diagnosis: DetectionDiagnosis, *, rows: int | None, classes: int | None) -> str:
    """Return the diagnosis as text; tables have at most so many rows, None: all."""
    blocks = [_headline(diagnosis)]
    table = _classes(diagnosis, classes)
    alike = "OKS" if diagnosis.precision.rules.similarity == "keypoints" else "IoU"
    # Tables full of zeros say no more than the line that says why.
    for name, part in diagnosis.parts.items() if diagnosis.has_both else ():
        if name in ("images", "labels", "slices"):  # what is not about classes comes after them
            blocks.append(table)
            table = []
        if isinstance(part, DetectionErrorsResult):
            blocks.append(_errors(part, alike))
        elif isinstance(part, DetectionConfusionResult):
            blocks.append(_confusion(part, rows, alike))
        elif isinstance(part, OperatingPointsResult):
            blocks.append(_points(part))
        elif isinstance(part, LocalizationRecallPrecisionResult):
            blocks.append(_lrp(part, alike))
        elif isinstance(part, DetectionCalibrationResult):
            blocks.append(_calibration(part))
        elif isinstance(part, ImageTable):
            blocks.append(_images(part, rows, alike))
        elif isinstance(part, LabelErrorsResult):
            blocks.append(_labels(part, rows))
        elif isinstance(part, DetectionSlices):
            blocks.append(_slices(part))
    blocks.append(table)
    looks = diagnosis.next_looks()
    if looks:
        blocks.append(["What to look at next", *(f"  {line}" for line in looks)])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _headline(diagnosis: DetectionDiagnosis) -> list[str]:
    """Return AP and its like in a line or two, and what they were made of in another."""
    found, data = diagnosis.precision, diagnosis.precision.data
    numbers = [f"{name} {number(value, 3)}" for name, value in found.metrics.items()]
    crowds = f" ({data['n_crowd']:,} of them crowds)" if data["n_crowd"] else ""
    counts = [
        several(data["n_images"], "image"),
        several(data["n_truth"], "object") + crowds,
        several(data["n_predictions"], "prediction"),
        several(data["n_classes"], "class"),
        f"rules {found.rules.name}",
    ]
    return [*_filled(numbers), *_filled(counts, "  ·  ")]


def _filled(words: list[str], gap: str = "  ") -> list[str]:
    """Return words in as many lines as they need."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}{gap}{word}" if lines[-1] else word
        if len(longer) > _WIDTH:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _errors(errors: DetectionErrorsResult, alike: str) -> list[str]:
    """Return what each kind of error costs, with bars."""
    costs = [errors.metrics[f"dAP_{name}"] for name in ERROR_NAMES]
    largest = max((cost for cost in costs if not math.isnan(cost)), default=0.0)
    table = [["error", "n", "dAP"]]
    table += [
        [name, number(errors.data[f"n_{name}"]), number(cost)]
        for name, cost in zip(ERROR_NAMES, costs, strict=True)
    ]
    lines = aligned_lines(table)
    for place, (name, cost) in enumerate(zip(ERROR_NAMES, costs, strict=True), 1):
        bar = "" if math.isnan(cost) or largest <= 0 else "█" * round(_BAR * cost / largest)
        lines[place] = f"{lines[place]}  {_MEANING[name]:<26}{bar}".rstrip()
    rules = errors.rules
    title = (
        f"What costs AP (TIDE; {alike} {rules.iou_threshold:g}, background to "
        f"{rules.background_threshold:g}; AP as it counts: {number(errors.AP, 3)})"
    )
    both = [errors.metrics[f"dAP_{name}"] for name in ("fp", "fn")]
    return [
        title,
        *(f"  {line}" for line in lines),
        f"  without any false positive {number(both[0], 4)} more, without any miss "
        f"{number(both[1], 4)} more",
    ]


def _confusion(confusion: DetectionConfusionResult, rows: int | None, alike: str) -> list[str]:
    data, rules = confusion.data, confusion.rules
    title = (
        f"Confusion (score from {rules.score_threshold:.4g}, {alike} {rules.iou_threshold:g}): "
        f"{data['n_correct']:,} right, {data['n_pairs'] - data['n_correct']:,} of another class, "
        f"{data['n_missed']:,} missed, {data['n_false_alarms']:,} false alarms"
    )
    most = len(confusion.classes) ** 2 if rows is None else rows
    pairs = confusion.most_confused(most)
    if rows is not None:  # what happened once says nothing
        pairs = [each for each in pairs if each["n"] > 1]
    if not pairs:
        return [title]
    table = [["truth", "taken for", "n", "of its truth"]]
    table += [
        [
            printable(each["truth"], _NAME),
            printable(each["prediction"], _NAME),
            number(each["n"]),
            f"{100 * each['share_of_truth']:.1f} %",
        ]
        for each in pairs
    ]
    return [title, *(f"  {line}" for line in aligned_lines(table, left=2))]


def _points(points: OperatingPointsResult) -> list[str]:
    """Return the threshold to deploy and what it gives."""
    rules, metrics = points.protocol, points.metrics
    name = "f1" if rules["beta"] == 1 else "f_beta"
    title = "F1" if rules["beta"] == 1 else f"F{rules['beta']:g}"
    table = [["threshold to deploy", "score", "precision", "recall", title]]
    ways = [("micro", f"best {title} of all objects")]
    if np.count_nonzero(points.n_truth) > 1:
        ways += [("macro", f"best mean {title} of classes"), ("own", "each class its own")]
    for how, what in ways:
        keys = ("threshold", "precision", "recall", name)
        table.append([what, *(number(metrics.get(f"{key}_{how}", math.nan)) for key in keys)])
    return aligned_lines(table)


def _lrp(lrp: LocalizationRecallPrecisionResult, alike: str) -> list[str]:
    values = {name: number(value, 3) for name, value in lrp.metrics.items()}
    return [
        f"oLRP {values['olrp']} (0 is perfect; each class at the score of its least error)",
        f"  {alike} lost where found {values['olrp_loc']}, false among detections "
        f"{values['olrp_fp']}, missed of objects {values['olrp_fn']}",
    ]


def _calibration(calibration: DetectionCalibrationResult) -> list[str]:
    metrics = calibration.metrics
    if math.isnan(metrics["ece"]):
        return [f"ECE undefined: {calibration.undefined[0].reason}"]
    return [
        f"ECE {number(metrics['ece'])}  MCE {number(metrics['mce'])}  mean score "
        f"{number(metrics['mean_score'])}, precision {number(metrics['precision'])}, over all "
        f"{calibration.data['n_predictions']:,} that count"
    ]


def _images(images: ImageTable, rows: int | None, alike: str) -> list[str]:
    n = len(images.images)
    if not n:
        return []
    score = images.protocol["score_threshold"]
    kept = "all detections" if score is None else f"score from {score:.4g}"
    table = [["worst images", "TP", "FP", "FN", "F1", f"mean {alike}"]]
    table += [
        [
            printable(each["image"], 48),
            *(number(each[key], 3) for key in ("tp", "fp", "fn", "f1", "mean_iou")),
        ]
        for each in images.worst(rows)
        if each["fp"] + each["fn"]
    ]
    clean = int(np.count_nonzero(images.fp + images.fn == 0))
    lines = aligned_lines(table) if len(table) > 1 else []
    return [*lines, f"{clean:,} of {n:,} images without an error ({kept})"]


def _labels(labels: LabelErrorsResult, rows: int | None) -> list[str]:
    data = labels.data
    counts = [
        several(data[f"n_{key}"], word)
        for key, word in (
            ("wrong_label", "wrong label"),
            ("missing_box", "missing object"),
            ("duplicate", "duplicate"),
        )
    ]
    title = (
        f"Likely errors of truth (score from {labels.rules.score_threshold:g}): {', '.join(counts)}"
    )
    found = labels.suspicions(n=rows)
    if not found:
        return [title]
    table = [["kind", "truth", "detected as", "suspicion", "image", "left, top, width, height"]]
    table += [
        [
            each["kind"],
            "-" if each["truth_class"] is None else printable(each["truth_class"], _NAME),
            "-" if each["kind"] == "duplicate" else printable(each["class"], _NAME),
            f"{each['suspicion']:.3f}",
            printable(each["image"], 32),
            ", ".join(f"{value:.1f}" for value in each["box"]),
        ]
        for each in found
    ]
    return [title, *(f"  {line}" for line in aligned_lines(table, left=6))]


def _slices(slices: DetectionSlices) -> list[str]:
    """Return a few numbers of each slice: AP, and the recall at the highest cap."""
    names = list(slices.metrics)
    shown = [name for name in names if re.fullmatch(r"AP(50|75)?", name)]
    shown += [name for name in names if re.fullmatch(r"AR(_\d+)?", name)][-1:]
    table = [["slice", "images", "truth", *shown]]
    table += [
        [
            printable(each["slice"], 40),
            *(number(each[key]) for key in ("n_images", "n_truth")),
            *(number(each[key], 3) for key in shown),
        ]
        for each in slices.records()
    ]
    return aligned_lines(table)


def _classes(diagnosis: DetectionDiagnosis, classes: int | None) -> list[str]:
    """Return the table of classes with truth, the lowest AP first: what all parts say of each."""
    parts = diagnosis.parts
    if not diagnosis.has_both or not parts.keys() & {"errors", "points", "lrp", "calibration"}:
        return []
    records = [each for each in diagnosis.precision.per_class() if each["n_truth"]]
    if len(records) < 2:
        return []
    records.sort(key=lambda each: (each["AP"], -each["n_truth"]))
    shown = records if classes is None else records[:classes]
    columns: list[tuple[str, dict[Any, Any]]] = []
    if "AP50" in records[0]:
        columns.append(("AP50", {each["id"]: each["AP50"] for each in records}))
    for part, keys in (
        ("points", ("threshold", "precision", "recall", "f1", "f_beta")),
        ("lrp", ("olrp",)),
        ("calibration", ("ece",)),
        # Beside the others there is no room.
        ("errors", () if "points" in parts else tuple(f"n_{name}" for name in ERROR_NAMES)),
    ):
        if part in parts:
            of_part = parts[part].per_class()
            columns += [
                (_HEADS.get(key, key), {each["id"]: each[key] for each in of_part})
                for key in keys
                if of_part and key in of_part[0]
            ]
    lowest = "" if len(shown) == len(records) else f"the {len(shown)} of {len(records)} with "
    head = [f"classes, {lowest}lowest AP" + ("" if lowest else " first"), "truth", "AP"]
    table = [[*head, *(name for name, _ in columns)]]
    table += [
        [
            f"  {printable(each['class'], _NAME)}",
            number(each["n_truth"]),
            number(each["AP"], 3),
            *(number(values.get(each["id"], math.nan), 3) for _, values in columns),
        ]
        for each in shown
    ]
    return aligned_lines(table)


_HEADS = {
    "threshold": "own score",
    "f1": "F1",
    "f_beta": "F",
    "olrp": "oLRP",
    "ece": "ECE",
    **{f"n_{name}": name for name in ERROR_NAMES},
}
_MEANING = {
    "cls": "right place, wrong class",
    "loc": "right class, wrong place",
    "both": "wrong class and place",
    "dupe": "found before",
    "bkg": "nothing there",
    "miss": "not found",
}
