"""Points with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays.colours import fixed, nth
from snellen.displays.matplotlib_axes import (
    DASHES,
    MARKERS,
    as_text,
    draw_legend,
    grid,
    ink,
    log_axis,
    text_size,
)
from snellen.displays.plain_values import reach

if TYPE_CHECKING:
    from snellen.displays.points import Points, PointsDisplay

__all__ = ["draw_points"]

_MANY = 200  # points: more are small and seen through
_OFFSETS = {
    "top center": ((0, 5), "center", "bottom"),
    "bottom center": ((0, -5), "center", "top"),
    "middle right": ((6, 0), "left", "center"),
    "middle left": ((-6, 0), "right", "center"),
}


def draw_points(display: PointsDisplay, ax: Any) -> None:
    """Draw points, their bounds and names."""
    if display.log_x:
        log_axis(ax)
    faint = {"color": fixed("role:mark"), "linewidth": 0.8}
    if display.diagonal:
        equal = display.equal_points()
        ax.plot(equal, equal, linestyle=DASHES[2], **faint)
    if display.level is not None:
        ax.axhline(display.level, linestyle=DASHES[1], **faint)
    handles = [_draw_kind(ax, k, points.drawn()) for k, points in enumerate(display.points)]
    ax.set_xlabel(as_text(display.x_label))
    ax.set_ylabel(as_text(display.y_label))
    grid(ax, "both")
    if display.named:
        ax.margins(0.12)
        for points, places in zip(display.points, display.places_of_names(), strict=True):
            _write_names(ax, points.drawn(), places)
    if len(handles) > 1:
        draw_legend(ax, handles, [points.label for points in display.points])


def _write_names(ax: Any, points: Points, places: list[str]) -> None:
    style = {"textcoords": "offset points", "size": 0.9 * text_size(ax), "color": ink(ax)}
    for x, y, name, place in zip(points.x, points.y, points.names, places, strict=False):
        if np.isfinite(x + y):
            offset, ha, va = _OFFSETS[place]
            ax.annotate(as_text(name, 30), (x, y), xytext=offset, ha=ha, va=va, **style)


def _draw_kind(ax: Any, k: int, points: Points) -> Any:
    many = points.x.size > _MANY
    colour = fixed(nth(k))
    if points.bounds is not None:
        known = np.isfinite(points.x + points.y) & np.isfinite(sum(points.bounds))
        far = np.stack(reach(points.y[known], *(bound[known] for bound in points.bounds)))
        ax.errorbar(
            points.x[known], points.y[known], yerr=far, fmt="none", ecolor=colour, elinewidth=1.0,
            capsize=2.5,
        )  # fmt: skip
    (artist,) = ax.plot(
        points.x, points.y, color=colour, marker=MARKERS[k % len(MARKERS)],
        linestyle=DASHES[1] if points.joined else "", linewidth=1.2,
        markersize=2.5 if many else 5.5, alpha=0.45 if many else 1.0, markeredgewidth=0,
        # Thousands of points are slow as paths.
        rasterized=many,
    )  # fmt: skip
    return artist
