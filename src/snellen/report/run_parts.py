"""What the page shows of a run, whatever its task."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, Final

from snellen.displays import Words
from snellen.report.parts import Column, RunParts, Table

if TYPE_CHECKING:
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["class_table", "parts_of"]

_TASKS: Final = frozenset(
    ("classification", "detection", "panoptic", "regression", "segmentation", "tracking")
)
"""Tasks with a module of their own, ``snellen.report.TASK.parts``."""

_DIGITS: Final = 4


def parts_of(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a run: a pure function of what its folder holds.

    Parameters
    ----------
    run : StoredRun
        The run.
    result : Result
        Its result. Of a task without a page of its own, its displays and classes are shown.
    """
    if result.task in _TASKS:
        parts: RunParts = importlib.import_module(f"snellen.report.{result.task}.parts").parts(
            run, result
        )
        return parts
    return RunParts(curves=result.displays(), classes=class_table(result))


def class_table(result: Result) -> Table | None:
    """Return the table of a result's classes, one row each; None where there are none."""
    records = result.per_class()
    if not records:
        return None
    first = next(iter(records[0]))
    columns = [Column(first, first.replace("_", " "))]
    for key in records[0]:
        if key != first:
            is_whole = not any(isinstance(record[key], float) for record in records)
            columns.append(Column(key, key.replace("_", " "), None if is_whole else _DIGITS))
    return Table(
        Words(
            name="classes",
            title="Classes",
            about="Every class with its numbers.",
            finding=_finding(records, first),
            protocol="",
        ),
        columns,
        records,
    )


def _finding(records: list[dict[str, Any]], first: str) -> str:
    """Return between what the first number of classes that is a share lies."""
    for key in records[0]:
        known = [
            (record[key], record[first])
            for record in records
            if isinstance(record[key], float) and math.isfinite(record[key])
        ]
        if known:
            (low, worst), (high, best) = min(known, key=_value), max(known, key=_value)
            return f"{key} goes from {low:.4g} ({worst}) to {high:.4g} ({best})."
    return f"There are {len(records):,} classes."


def _value(pair: tuple[float, Any]) -> float:
    return pair[0]
