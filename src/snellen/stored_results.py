"""What all results store alike: their headline numbers and intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.result import Interval, Undefined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.result import Result

__all__ = ["headline_content", "headline_fields", "plain_intervals", "stored_intervals"]


def headline_content(result: Result) -> dict[str, Any]:
    """Return what every result has, as values that JSON can hold."""
    return {
        "metrics": {name: _plain(value) for name, value in result.metrics.items()},
        "protocol": dict(result.protocol),
        "undefined": [list(entry) for entry in result.undefined],
        "data": dict(result.data),
        "intervals": plain_intervals(result.intervals),
    }


def headline_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a result of which `headline_content` made this.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError
        For other values.
    """
    return {
        "metrics": {name: _number(value) for name, value in content["metrics"].items()},
        "protocol": content["protocol"],
        "undefined": tuple(Undefined(*entry) for entry in content["undefined"]),
        "data": content["data"],
        "intervals": stored_intervals(content["intervals"]),
    }


def plain_intervals(intervals: Mapping[str, Interval]) -> dict[str, list[Any]]:
    """Return intervals as values that JSON can hold."""
    return {
        name: [_plain(value) if isinstance(value, float) else value for value in interval]
        for name, interval in intervals.items()
    }


def stored_intervals(content: Mapping[str, list[Any]]) -> dict[str, Interval]:
    """Return the intervals that `plain_intervals` made.

    Raises
    ------
    TypeError, ValueError
        For other values.
    """
    found = {}
    for name, (*numbers, method, unit, note) in content.items():
        low, high, level = map(_number, numbers)
        found[name] = Interval(low, high, level, method, unit, note)
    return found


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
