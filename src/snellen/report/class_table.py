"""The table of a result's classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from snellen.displays import Words
from snellen.report.parts import Column, Table

if TYPE_CHECKING:
    from snellen.result import Result

__all__ = ["class_table"]

_DIGITS: Final = 4


def class_table(result: Result) -> Table | None:
    """Return the table of a result's classes, one row each; None where there are none."""
    records = result.per_class()
    if not records:
        return None
    first = next(iter(records[0]))
    columns = [Column(first, first.replace("_", " "))]
    for key in records[0]:
        # The id of a class is its name, or of use to programs alone: it is in the data.
        if key not in (first, "id"):
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
