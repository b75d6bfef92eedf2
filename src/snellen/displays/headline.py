"""The headline numbers of a result as a picture, and its protocol in a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen.displays.bars import Bars, BarsDisplay
from snellen.displays.display import Words
from snellen.table_text import number, printable

if TYPE_CHECKING:
    from snellen.result import Result

__all__ = ["headline_bars", "protocol_line"]


def headline_bars(result: Result) -> BarsDisplay:
    """Return the headline numbers between 0 and 1, and those that are undefined, with intervals.

    Others, such as counts and errors in units of the data, have no place on the same axis: a note
    names them.
    """
    names = [name for name, value in result.metrics.items() if _fits(value)]
    others = [name for name in result.metrics if name not in names]
    values = np.array([result.metrics[name] for name in names], np.float64)
    low = high = None
    if any(name in result.intervals for name in names):
        low, high = (
            np.array(
                [getattr(result.intervals.get(name), end, math.nan) for name in names], np.float64
            )
            for end in ("low", "high")
        )
    note = f"Beyond 0 to 1, in the table only: {', '.join(others)}." if others else ""
    words = Words(
        name="metrics",
        title="Headline numbers",
        about="Each bar is one number of the result, from 0 to 1"
        + (", with its confidence interval." if low is not None else "."),
        finding=_finding(result),
        protocol=protocol_line(result),
        note=note,
    )
    bars = (Bars("value", values, low, high),)
    return BarsDisplay(
        words=words, categories=tuple(names), bars=bars, value_label="value", value_range=(0.0, 1.0)
    )


def _fits(value: float) -> bool:
    # Whole numbers are counts, also where there is only one.
    return not isinstance(value, int) and (math.isnan(value) or 0 <= value <= 1)


def _finding(result: Result) -> str:
    for name, value in result.metrics.items():
        if math.isnan(value):
            continue
        interval = result.intervals.get(name)
        said = f"{name} is {number(value, 3)}"
        if interval is None or math.isnan(interval.low):
            return f"{said}."
        bounds = f"{number(interval.low, 3)} to {number(interval.high, 3)}"
        return f"{said} ({bounds} with {100 * interval.level:g} % confidence)."
    return "No number is defined."


def protocol_line(result: Result) -> str:
    """Return the rules that a result was made under, in one line."""
    if result.protocol_text:
        return result.protocol_text
    for line in result.composition().splitlines():
        label, _, said = line.partition(" ")
        if label == "protocol":
            return said.strip()
    return ", ".join(
        f"{name.replace('_', ' ')} {printable(value, 60)}"
        for name, value in result.protocol.items()
        if isinstance(value, (str, int, float)) and value != ""
    )
