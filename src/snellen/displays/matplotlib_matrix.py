"""Matrices with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays.colours import fixed
from snellen.displays.matplotlib_axes import as_text, inches_of, ink, text_size, ticks_of_names
from snellen.displays.matrix import WRITTEN

if TYPE_CHECKING:
    from snellen.displays.matrix import MatrixDisplay

__all__ = ["draw_matrix"]

_LEAST = 3.5  # points: smaller text is not written


def draw_matrix(display: MatrixDisplay, ax: Any) -> None:
    """Draw cells, their counts where there is room, and the margins apart."""
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    rows, columns = display.drawn()
    strengths = display.strengths()[np.ix_(rows, columns)]
    # White in the middle would hide the ground of the axes: a cell is seen through instead.
    hues = [
        (*_rgb("role:wrong"), 1.0),
        (*_rgb("role:wrong"), 0.0),
        (*_rgb("role:right"), 0.0),
        (*_rgb("role:right"), 1.0),
    ]
    scale = LinearSegmentedColormap.from_list(
        "snellen", list(zip((0.0, 0.5, 0.5, 1.0), hues, strict=True)), N=511
    )
    few = max(rows.size, columns.size) <= 40
    ax.pcolormesh(
        np.arange(columns.size + 1) - 0.5, np.arange(rows.size + 1) - 0.5,
        np.ma.masked_invalid(strengths), cmap=scale, norm=Normalize(-1, 1),
        edgecolors=ax.get_facecolor() if few else "none", linewidth=0.6 if few else 0,
        # Thousands of cells are slow as paths.
        rasterized=not few,
    )  # fmt: skip
    ax.set_xlim(-0.5, columns.size - 0.5)
    ax.set_ylim(rows.size - 0.5, -0.5)
    ax.set_aspect("equal" if display.n_classes > 1 else "auto")
    ax.spines[["top", "right"]].set_visible(True)
    wide, tall = inches_of(ax)
    side = min(wide / columns.size, tall / rows.size)
    names = [display.columns[k] for k in columns]
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    turned = max(len(name) for name in names) * 0.6 * text_size(ax) / 72 > side
    turn: dict[str, Any] = {"rotation": 90} if turned else {}
    ticks_of_names(
        ax.xaxis, names, side * columns.size, last=display.margins, color=ink(ax), **turn
    )
    ticks_of_names(
        ax.yaxis,
        [display.rows[k] for k in rows],
        side * rows.size,
        last=display.margins,
        color=ink(ax),
    )
    shares = {
        each: " (shares)" if display.normalise == each else "" for each in ("rows", "columns")
    }
    ax.set_xlabel(as_text(display.column_label + shares["columns"]))
    ax.set_ylabel(as_text(display.row_label + shares["rows"]))
    if display.margins:
        line = {"color": fixed("role:mark"), "linewidth": min(1.5, 18 * side)}
        ax.axvline(columns.size - 1.5, **line)
        ax.axhline(rows.size - 1.5, **line)
    if max(rows.size, columns.size) - display.margins <= WRITTEN:
        _write_counts(display, ax, side * 72)


def _rgb(role: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(fixed(role))


def _write_counts(display: MatrixDisplay, ax: Any, points: float) -> None:
    texts = display.cell_texts()
    longest = max(len(text) for row in texts for text in row)
    size = min(text_size(ax), 0.92 * points / (0.64 * longest))
    if size < _LEAST:
        return
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            if text:
                ax.text(j, i, as_text(text), ha="center", va="center", size=size, color=ink(ax))
