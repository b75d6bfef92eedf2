"""Lines with Matplotlib."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays.colours import fixed, nth
from snellen.displays.lines import dotted
from snellen.displays.matplotlib_axes import (
    DASHES,
    MARKERS,
    as_text,
    draw_legend,
    grid,
    inches_of,
    ink,
    log_axis,
    text_size,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays.lines import Line, LinesDisplay

__all__ = ["draw_lines"]

_MARKS = ("D", "s", "^", "o", "v", "*")
_DIRECT = 4  # lines: as many are named at their ends


def draw_lines(display: LinesDisplay, ax: Any) -> None:
    """Draw lines, their bounds and marks."""
    right = ax.twinx() if display.right_label else None
    if display.log_x:
        log_axis(ax)
    if display.diagonal:
        equal = display.equal_points()
        ax.plot(equal, equal, color=fixed("role:mark"), linewidth=0.8, linestyle=DASHES[2])
    drawn = display.drawn_lines()
    handles: dict[int, Any] = {}
    for order, (line, place) in enumerate(drawn):
        on = right if right is not None and line.right else ax
        colour = fixed("role:mark" if place is None else nth(place))
        if line.bounds is not None:
            on.fill_between(
                line.x, *line.bounds, color=colour, alpha=0.18, linewidth=0,
                step="post" if line.stepped else None,
            )  # fmt: skip
        (artist,) = on.plot(
            line.x, line.y, color=colour, zorder=2 + order / len(drawn),
            drawstyle="steps-post" if line.stepped else "default", **_style(line, place),
        )  # fmt: skip
        if place is not None:
            handles[place] = artist
    names = [line.label for line in display.lines if not line.muted]
    entries = [handles[place] for place in range(len(names))]
    for k, mark in enumerate(display.marks):
        entries += ax.plot(
            [mark.x], [mark.y], linestyle="", marker=_MARKS[k % len(_MARKS)], markersize=7,
            markerfacecolor="none", markeredgecolor=ink(ax), markeredgewidth=1.3, zorder=4,
        )  # fmt: skip
        names.append(mark.label)
    ax.set_xlabel(as_text(display.x_label))
    ax.set_ylabel(as_text(display.y_label))
    if display.x_range is not None:
        ax.set_xlim(*display.x_range)
    if display.y_range is not None:
        ax.set_ylim(*display.y_range)
    grid(ax, "y")
    if right is not None:
        _right_axis(ax, right, display.right_label)
    if len(names) > 1 and not _named_at_their_ends(display, ax):
        draw_legend(ax, entries, names)


def _style(line: Line, place: int | None) -> dict[str, Any]:
    if place is None:
        dot = {"marker": "o", "markersize": 2} if dotted(line) else {}
        return {"linewidth": 0.7, "alpha": 0.45, **dot}
    dash = DASHES[(place + place // 12) % len(DASHES)]
    dot = {"marker": MARKERS[place % len(MARKERS)], "markersize": 3.5} if dotted(line) else {}
    return {"linewidth": 1.6, "linestyle": dash, **dot}


def _right_axis(ax: Any, right: Any, label: str) -> None:
    right.set_ylabel(as_text(label), size=text_size(ax), color=ink(ax))
    right.tick_params(**{k: v for k, v in _tick_style(ax).items() if v is not None})
    right.spines[["top", "left", "bottom"]].set_visible(False)
    right.spines["right"].set_visible(True)
    right.spines["right"].set(color=ax.spines["left"].get_edgecolor(), linewidth=0.8)


def _tick_style(ax: Any) -> dict[str, Any]:
    style = ax.yaxis.get_tick_params()
    return {name: style.get(name) for name in ("labelsize", "labelcolor", "color", "length")}


def _named_at_their_ends(display: LinesDisplay, ax: Any) -> bool:
    """Write names at the ends of lines; where there is no room, write none and say so."""
    lines = [line for line in display.lines if not line.muted]
    if ax.figure.get_layout_engine() is None or display.right_label or display.marks:
        return False
    if len(lines) > _DIRECT or max(len(line.label) for line in lines) > 20:
        return False
    left, edge = ax.get_xlim()
    low, high = ax.get_ylim()
    ends: list[tuple[float, float]] = []
    for line in lines:
        there = np.flatnonzero(np.isfinite(line.y))
        if not there.size:
            return False
        ends.append((float(line.x[there[-1]]), float(line.y[there[-1]])))
    if min(x for x, _ in ends) < edge - 0.06 * (edge - left):
        return False
    tall = inches_of(ax)[1] * 72
    if not _apart([(y - low) / (high - low) for _, y in ends], 1.25 * text_size(ax) / tall):
        return False
    for k, (line, (_, y)) in enumerate(zip(lines, ends, strict=True)):
        ax.annotate(
            as_text(line.label), (1.0, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="center", color=fixed(nth(k)), size=text_size(ax),
            annotation_clip=False,
        )  # fmt: skip
    return True


def _apart(heights: Sequence[float], least: float) -> bool:
    ordered = sorted(heights)
    inside = ordered[0] >= 0.0 and ordered[-1] <= 1.0
    return inside and all(b - a >= least for a, b in pairwise(ordered))
