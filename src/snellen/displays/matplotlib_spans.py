"""Stretches of time with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.displays.colours import fixed, nth
from snellen.displays.matplotlib_axes import (
    HATCHES,
    MARKERS,
    as_text,
    draw_legend,
    grid,
    inches_of,
    ink,
    ticks_of_names,
)

if TYPE_CHECKING:
    from snellen.displays.spans import SpansDisplay

__all__ = ["draw_spans"]


def draw_spans(display: SpansDisplay, ax: Any) -> None:
    """Draw spans as bars and events as marks, each on the line of its row."""
    from matplotlib.patches import Patch

    rows, kinds = display.drawn()
    place = {row: k for k, row in enumerate(rows)}
    handles = []
    for k, (_, lasting, events) in enumerate(kinds):
        colour = fixed(nth(k))
        filled: dict[str, Any] = {"facecolor": colour, "edgecolor": "white", "linewidth": 0.4}
        filled["hatch"] = HATCHES[k % len(HATCHES)] if len(kinds) > 1 else ""
        for row in dict.fromkeys(span.row for span in lasting):
            ax.broken_barh(
                [(s.start, s.end - s.start) for s in lasting if s.row == row],
                (place[row] - 0.3, 0.6),
                **filled,
            )
        handle: Any = Patch(**filled)
        if events:
            (marks,) = ax.plot(
                [span.start for span in events], [place[span.row] for span in events], linestyle="",
                marker=MARKERS[k % len(MARKERS)], markersize=6, color=colour,
                markeredgecolor="white", markeredgewidth=0.6, zorder=3,
            )  # fmt: skip
            handle = handle if lasting else marks
        handles.append(handle)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ticks_of_names(ax.yaxis, rows, inches_of(ax)[1], color=ink(ax))
    ax.set_xlabel(as_text(display.x_label))
    ax.set_ylabel(as_text(display.row_label))
    grid(ax, "x")
    if len(kinds) > 1:
        draw_legend(ax, handles, [kind for kind, _, _ in kinds])
