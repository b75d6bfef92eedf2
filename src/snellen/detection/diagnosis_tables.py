"""Every table of a diagnosis, as records."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.detection_calibration_result import DetectionCalibrationResult
from snellen.detection.detection_confusion_result import DetectionConfusionResult
from snellen.detection.error_kinds import ERROR_NAMES
from snellen.detection.error_types_result import DetectionErrorsResult
from snellen.detection.image_table import ImageTable
from snellen.detection.label_errors_result import LabelErrorsResult
from snellen.detection.mended_precision import SPECIAL_NAMES
from snellen.detection.operating_points_result import OperatingPointsResult
from snellen.detection.slices_result import DetectionSlices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.detection.diagnosis_result import DetectionDiagnosis
    from snellen.result import Result

__all__ = ["csv_files", "csv_text", "records_of", "tables_of"]


def tables_of(diagnosis: DetectionDiagnosis) -> dict[str, list[dict[str, Any]]]:
    """Return the tables by name: of each part, and of its classes where that is another."""
    tables = {"average_precision": diagnosis.precision.per_class()}
    for name, part in diagnosis.parts.items():
        if isinstance(part, DetectionErrorsResult):
            tables[name] = _errors(part)
        elif isinstance(part, DetectionConfusionResult):
            tables[name] = _cells(part)
        elif isinstance(part, DetectionCalibrationResult):
            tables[name] = part.reliability()
        elif isinstance(part, ImageTable):
            tables[name] = part.worst()
        elif isinstance(part, LabelErrorsResult):
            tables[name] = _suspicions(part)
        elif isinstance(part, DetectionSlices):
            tables[name] = part.records()
        else:  # what it has is about classes
            tables[name] = part.per_class()
            continue
        tables[f"{name}_of_classes"] = part.per_class()
    return tables


def records_of(part: Result) -> dict[str, list[dict[str, Any]]]:
    """Return what a part is made of and does not say itself as values that JSON can hold."""
    found: dict[str, list[dict[str, Any]]] = {}
    if isinstance(part, DetectionConfusionResult):
        found["cells"] = _cells(part)
    elif isinstance(part, LabelErrorsResult):
        found["suspicions"] = part.suspicions()
    elif isinstance(part, DetectionCalibrationResult):
        found["reliability"] = part.reliability()
    return {
        name: [{key: None if _is_nan(each) else each for key, each in r.items()} for r in records]
        for name, records in found.items()
    }


def csv_files(diagnosis: DetectionDiagnosis) -> dict[str, bytes]:
    """Return every table as a CSV file, by the file's name; of operating points the curves, too."""
    files = {
        f"{name}.csv": csv_text(records, _COLUMNS.get(name, ())).encode()
        for name, records in tables_of(diagnosis).items()
    }
    for name, part in diagnosis.parts.items():
        if isinstance(part, OperatingPointsResult):
            files[f"{name}_curves.csv"] = _curves(part).encode()
    return files


def csv_text(records: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    r"""Return records as CSV, with a line of names; what is undefined is empty.

    Parameters
    ----------
    records : sequence of dict
        All with the same names.
    columns : sequence of str
        The names where there are no records.

    Examples
    --------
    >>> csv_text([{"class": "cat", "AP": 0.25}, {"class": "dog", "AP": math.nan}])
    'class,AP\ncat,0.25\ndog,\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(records[0] if records else columns)
    for record in records:
        writer.writerow([_cell(value) for value in record.values()])
    return out.getvalue()


def _curves(points: OperatingPointsResult) -> str:
    """Return what every score gives as a threshold, class by class, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ("threshold", "precision", "recall", "f", "tp", "fp", "fn")
    named = [points.f_name if name == "f" else name for name in columns]
    writer.writerow(["class", "id", *named])
    names = points.classes.display_names()
    for name, class_id in zip(names, points.classes.keys.ids.tolist(), strict=True):
        curve = points.curve(class_id)
        for row in zip(*(curve[column].tolist() for column in columns), strict=True):
            writer.writerow([name, class_id, *map(_cell, row)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    return "" if value is None or _is_nan(value) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _errors(errors: DetectionErrorsResult) -> list[dict[str, Any]]:
    return [
        {"error": name, "n": errors.data.get(f"n_{name}"), "dAP": errors.metrics[f"dAP_{name}"]}
        for name in (*ERROR_NAMES, *SPECIAL_NAMES)
    ]


def _cells(confusion: DetectionConfusionResult) -> list[dict[str, Any]]:
    """Return the cells of the matrix that count anything; a margin has no class."""
    names = [*confusion.classes.display_names(), None]
    rows, columns = np.nonzero(confusion.matrix)
    return [
        dict(zip(_COLUMNS["confusion"], (names[i], names[j], n), strict=True))
        for i, j, n in zip(
            rows.tolist(), columns.tolist(), confusion.matrix[rows, columns].tolist(), strict=True
        )
    ]


def _suspicions(labels: LabelErrorsResult) -> list[dict[str, Any]]:
    """Return likely label errors with the numbers of boxes in columns of their own."""
    found = []
    for each in labels.suspicions():
        values = {key: value for key, value in each.items() if not key.endswith("box")}
        boxes = (*each["box"], *(each["truth_box"] or [None] * 4))
        found.append({**values, **dict(zip(_BOXES, boxes, strict=True))})
    return found


_SIDES = ("left", "top", "width", "height")
_BOXES = (*_SIDES, *(f"truth_{side}" for side in _SIDES))
_COLUMNS = {
    "confusion": ("truth", "prediction", "n"),
    "labels": (
        *("kind", "suspicion", "image", "truth_class", "truth_id", "class", "score", "id"),
        "similarity",
        *_BOXES,
    ),
}
