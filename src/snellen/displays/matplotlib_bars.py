"""Bars and histograms with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays.colours import fixed, nth
from snellen.displays.matplotlib_axes import (
    DASHES,
    HATCHES,
    as_text,
    draw_legend,
    grid,
    inches_of,
    ink,
    short,
    text_size,
    ticks_of_names,
)
from snellen.displays.plain_values import reach

if TYPE_CHECKING:
    from snellen.displays.bars import BarsDisplay
    from snellen.displays.histogram import HistogramDisplay

__all__ = ["draw_bars", "draw_histogram"]

_WRITTEN = 40  # bars: the numbers of as many are written beside them


def draw_bars(display: BarsDisplay, ax: Any) -> None:
    """Draw bars with their intervals."""
    kept, lying = display.drawn(), display.lying
    n, several = kept.size, len(display.bars)
    places = np.arange(n, dtype=float)
    thick = 0.72 if display.stacked else 0.72 / several
    base = np.zeros(n)
    handles = []
    for k, bars in enumerate(display.bars):
        values = bars.values[kept]
        there = np.isfinite(values)
        at = places + (0.0 if display.stacked else (k - (several - 1) / 2) * thick)
        drawing = ax.barh if lying else ax.bar
        style = {"color": fixed(nth(k)), "edgecolor": "white", "linewidth": 0}
        if several > 1:
            style["hatch"] = HATCHES[k % len(HATCHES)]
        start = {"left" if lying else "bottom": base[there]}
        handles.append(drawing(at[there], values[there], thick, **start, **style))
        if display.stacked:
            base += np.where(there, values, 0.0)
        elif bars.bounds is not None:
            _draw_intervals(ax, at, values, *(bound[kept] for bound in bars.bounds), lying=lying)
    long = ax.yaxis if lying else ax.xaxis
    inches = inches_of(ax)[lying]
    names = [display.categories[k] for k in kept]
    if lying:
        ax.set_ylim(n - 0.5, -0.5)
        ticks_of_names(long, names, inches, color=ink(ax))
    else:
        ax.set_xlim(-0.5, n - 0.5)
        turned = max(len(name) for name in names) * 0.6 * text_size(ax) / 72 > inches / n
        turn: dict[str, Any] = {"rotation": 90} if turned else {}
        ticks_of_names(long, names, inches if turned else 99.0, color=ink(ax), **turn)
    (ax.set_xlabel if lying else ax.set_ylabel)(as_text(display.value_label))
    if display.value_range is not None:
        (ax.set_xlim if lying else ax.set_ylim)(*display.value_range)
    grid(ax, "x" if lying else "y")
    if n < len(display.categories):  # what is left out is between
        (ax.axhline if lying else ax.axvline)(
            n / 2 - 0.5, color=fixed("role:mark"), linewidth=1, linestyle=DASHES[2]
        )
    _write_numbers(display, ax, places)
    if several > 1:
        draw_legend(ax, handles, [bars.label for bars in display.bars])


def _draw_intervals(ax: Any, at: Any, values: Any, low: Any, high: Any, *, lying: bool) -> None:
    known = np.isfinite(values) & np.isfinite(low) & np.isfinite(high)
    far = np.stack(reach(values[known], low[known], high[known]))
    ends = (values[known], at[known]) if lying else (at[known], values[known])
    ax.errorbar(
        *ends, **{"xerr" if lying else "yerr": far}, fmt="none", ecolor=ink(ax),
        elinewidth=1.0, capsize=2.5, capthick=1.0,
    )  # fmt: skip


def _write_numbers(display: BarsDisplay, ax: Any, places: Any) -> None:
    kept = display.drawn()
    style: dict[str, Any] = {
        "textcoords": "offset points",
        "size": 0.9 * text_size(ax),
        "annotation_clip": False,
        "color": ink(ax),
    }
    if display.lying:
        style |= {"xytext": (4, 0), "ha": "left", "va": "center"}
    else:
        style |= {"xytext": (0, 3), "ha": "center", "va": "bottom"}
    undefined = display.undefined()[kept]
    single = len(display.bars) == 1 and kept.size <= (_WRITTEN if display.lying else 12)
    # On axes of others rows may be lower than text is.
    has_room = not display.lying or inches_of(ax)[1] * 72 / kept.size >= text_size(ax)
    for place, k, nothing in zip(places, kept, undefined, strict=True):
        if not has_room:
            break
        if nothing:
            written, end = "undefined", 0.0
        elif single:
            bars = display.bars[0]
            value = float(bars.values[k])
            ends = [value, *(float(bound[k]) for bound in bars.bounds or ())]
            written, end = short(value), max([0.0, *(x for x in ends if np.isfinite(x))])
        else:
            continue
        ax.annotate(written, (end, place) if display.lying else (place, end), **style)


def draw_histogram(display: HistogramDisplay, ax: Any) -> None:
    """Draw how many values lie between edges."""
    several = len(display.counts) > 1
    handles = []
    for k, bars in enumerate(display.counts):
        colour = fixed(nth(k))
        ax.stairs(
            bars.values, display.edges, fill=True, color=colour, alpha=0.35 if several else 0.85,
            linewidth=0,
        )  # fmt: skip
        if several:
            outline = {"linewidth": 1.4, "linestyle": DASHES[k % len(DASHES)]}
            handles.append(ax.stairs(bars.values, display.edges, color=colour, **outline))
    ax.set_xlim(display.edges[0], display.edges[-1])
    ax.set_xlabel(as_text(display.x_label))
    ax.set_ylabel(as_text(display.y_label))
    grid(ax, "y")
    draw_legend(ax, handles, [bars.label for bars in display.counts])
