"""The table of a result's classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from snellen.displays import Words
from snellen.report.parts import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.result import Result

__all__ = ["by_class", "class_table", "name_key"]

_DIGITS: Final = 4
_SAID: Final = {
    **{name: name.upper() for name in ("hd", "hd95", "assd", "nsd", "tp", "fp", "fn", "tn")},
    "iou": "IoU",
    "f": "F",
}


def class_table(result: Result) -> Table | None:
    """Return the table of a result's classes, one row each; None where there are none."""
    records = result.per_class()
    if not records:
        return None
    first = name_key(records)
    columns = [Column(first, "class" if first == "name" else _words(first))]
    for key in records[0]:
        # The id of a class is its name, or of use to programs alone: it is in the data.
        if key not in (first, "id"):
            is_whole = not any(isinstance(record[key], float) for record in records)
            columns.append(Column(key, _words(key), None if is_whole else _DIGITS))
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


def name_key(records: Sequence[dict[str, Any]]) -> str:
    """Return the key of what classes are called: the first one, but for their ids."""
    return next(key for key in records[0] if key != "id")


def by_class(records: Sequence[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the records of classes by their names; of one name by which of them they are, too."""
    if not records:
        return {}
    key = name_key(records)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    n_called: dict[str, int] = {}
    for record in records:
        name = str(record[key])
        n_called[name] = n_called.get(name, 0) + 1
        found[name, n_called[name]] = record
    return found


def _words(key: str) -> str:
    """Return the name of a column as people say it.

    Examples
    --------
    >>> _words("n_missing"), _words("boundary_iou"), _words("tp")
    ('missing', 'boundary IoU', 'TP')
    """
    parts = key.removeprefix("n_").split("_")
    return " ".join(_SAID.get(part, part) for part in parts)


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
            if len(known) == 1:
                return f"{_words(key)} of {worst} is {low:.4g}."
            return f"{_words(key)} goes from {low:.4g} ({worst}) to {high:.4g} ({best})."
    return f"There are {len(records):,} classes."


def _value(pair: tuple[float, Any]) -> float:
    return pair[0]
