"""Line charts as SVG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from snellen.training.inspection.html import N_COLOURS, escape
from snellen.training.inspection.tensor_statistics import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["legend", "line_chart", "tick_text", "ticks"]


def ticks(low: float, high: float, *, log: bool = False, n: int = 5) -> list[float]:
    """Return round numbers from low to high.

    Examples
    --------
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(0.02, 30.0, log=True)
    [0.1, 1.0, 10.0]
    """
    if log:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        every = max(1, math.ceil((last - first + 1) / 7))
        return [10.0**k for k in range(first, last + 1, every)]
    if not high > low:
        return [low]
    rough = (high - low) / n
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * part for part in (1, 2, 5, 10) if size * part >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def tick_text(value: float, *, log: bool = False) -> str:
    """Return a tick's number; powers of ten as such."""
    if not log or 0.01 <= value <= 1000:
        return short(value)
    power = str(round(math.log10(value))).replace("-", "⁻")
    return "10" + power.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def legend(names: Sequence[str]) -> str:
    """Return which colour is which, in the order of the colours."""
    return (
        "<div class='legend'>"
        + "".join(
            f"<span><i class='b{k % N_COLOURS}'></i>{escape(name)}</span>"
            for k, name in enumerate(names)
        )
        + "</div>"
    )


def line_chart(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
    marks: Mapping[str, float] | None = None,
    level: tuple[str, float] | None = None,
    faint: Sequence[str] = (),
    width: int = 560,
    height: int = 300,
    named: bool = True,
) -> str:
    """Return a chart of lines over one pair of axes.

    Parameters
    ----------
    series : mapping of str to pairs
        The points of each line; those that an axis cannot show are left out.
    title, x_label, y_label : str
        Plain text.
    log_x, log_y : bool
        Whether an axis is logarithmic.
    marks : mapping of str to float
        Places on the x axis with their names.
    level : pair of str and float
        A height with its name.
    faint : sequence of str
        Lines in the background.
    width, height : int
        In pixels.
    named : bool
        Whether a legend is put below.
    """
    points = {
        name: [
            (float(x), float(y))
            for x, y in zip(*line, strict=True)
            if math.isfinite(x)
            and math.isfinite(y)
            and (x > 0 or not log_x)
            and (y > 0 or not log_y)
        ]
        for name, line in series.items()
    }
    every = [point for line in points.values() for point in line]
    if not every:
        return f"<p class='soft'>{escape(title)}: no numbers to show.</p>"
    heights = [y for _, y in every]
    if level is not None and (level[1] > 0 or not log_y):
        heights.append(level[1])
    x_low, x_high = _ends([x for x, _ in every], log_x, 0.0)
    y_low, y_high = _ends(heights, log_y, 0.06)
    left, right, top, bottom = 64, 14, 30, 44

    def across(x: float) -> float:
        return left + _part(x, x_low, x_high, log_x) * (width - left - right)

    def up(y: float) -> float:
        return height - bottom - _part(y, y_low, y_high, log_y) * (height - top - bottom)

    parts = [f"<text class='strong' x='{left}' y='16'>{escape(title)}</text>"]
    parts += [
        f"<line x1='{left}' x2='{width - right}' y1='{up(y):.1f}' y2='{up(y):.1f}' "
        "stroke='var(--grid)'/>"
        f"<text x='{left - 6}' y='{up(y) + 4:.1f}' text-anchor='end'>"
        f"{tick_text(y, log=log_y)}</text>"
        for y in ticks(y_low, y_high, log=log_y)
    ]
    parts += [
        f"<line x1='{across(x):.1f}' x2='{across(x):.1f}' y1='{height - bottom}' "
        f"y2='{height - bottom + 4}' stroke='var(--soft)'/>"
        f"<text x='{across(x):.1f}' y='{height - bottom + 18}' text-anchor='middle'>"
        f"{tick_text(x, log=log_x)}</text>"
        for x in ticks(x_low, x_high, log=log_x)
    ]
    parts.append(
        f"<line x1='{left}' x2='{width - right}' y1='{height - bottom}' y2='{height - bottom}' "
        "stroke='var(--soft)'/>"
        f"<text x='{(left + width - right) / 2:.0f}' y='{height - 8}' text-anchor='middle'>"
        f"{escape(x_label)}</text>"
        f"<text transform='rotate(-90)' x='{-(top + height - bottom) / 2:.0f}' y='14' "
        f"text-anchor='middle'>{escape(y_label)}</text>"
    )
    if level is not None and (level[1] > 0 or not log_y):
        parts.append(
            f"<line x1='{left}' x2='{width - right}' y1='{up(level[1]):.1f}' "
            f"y2='{up(level[1]):.1f}' stroke='var(--good)' stroke-dasharray='6 4'/>"
            f"<text x='{width - right}' y='{up(level[1]) - 5:.1f}' text-anchor='end'>"
            f"{escape(level[0])}</text>"
        )
    for row, (name, x) in enumerate((marks or {}).items()):
        if x_low <= x <= x_high:
            at = across(x)
            side, shift = ("end", -5) if at > width * 0.6 else ("start", 5)
            parts.append(
                f"<line x1='{at:.1f}' x2='{at:.1f}' y1='{top}' y2='{height - bottom}' "
                "stroke='var(--good)' stroke-dasharray='6 4'/>"
                f"<text x='{at + shift:.1f}' y='{top + 12 + 15 * row}' text-anchor='{side}'>"
                f"{escape(name)}</text>"
            )
    for k, (name, line) in enumerate(points.items()):
        drawn = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        thin = name in faint
        parts.append(
            f"<polyline class='c{k % N_COLOURS}' points='{drawn}' fill='none' "
            f"stroke-width='{1 if thin else 2.2}' stroke-linejoin='round' "
            f"opacity='{0.45 if thin else 1}'><title>{escape(name)}</title></polyline>"
        )
        if len(line) == 1:
            x, y = line[0]
            parts.append(
                f"<circle class='f{k % N_COLOURS}' cx='{across(x):.1f}' cy='{up(y):.1f}' r='3'/>"
            )
    chart = (
        f"<svg viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' "
        f"aria-label='{escape(title)}'>{''.join(parts)}</svg>"
    )
    return chart + (legend(list(points)) if named and len(points) > 1 else "")


def _part(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _ends(values: Sequence[float], log: bool, margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if log:
        if not high > low:
            return low / 2, high * 2
        room = (high / low) ** margin
        return low / room, high * room
    if not high > low:
        room = abs(low) / 2 or 0.5
        return low - room, high + room
    room = (high - low) * margin
    return low - room, high + room
