"""What is known of one network's classes, as CSV: numbers of each, and what is taken for what."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snellen.benchmark.measured_model import MeasuredModel

__all__ = ["class_csv", "confusion_csv", "csv_text"]


def class_csv(model: MeasuredModel) -> str:
    """Return counts and ratios of each class."""
    rows = model.confusion.per_class()
    names = [name for name in rows[0] if name != "id"]
    return csv_text(names, ([row[name] for name in names] for row in rows))


def confusion_csv(model: MeasuredModel) -> str:
    """Return the pairs of a true and a predicted class that occur, absolute and as shares."""
    cells = model.confusion.cells
    names = model.confusion.classes.display_names()
    told = model.confusion.tp + model.confusion.fp
    support = model.confusion.support
    head = ("truth", "prediction", "images", "share_of_truth", "share_of_prediction")
    return csv_text(
        head,
        (
            [names[row], names[column], n, n / support[row], n / told[column]]
            for row, column, n in zip(
                cells.row.tolist(), cells.column.tolist(), cells.samples.tolist(), strict=True
            )
        ),
    )


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV; what is undefined is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
