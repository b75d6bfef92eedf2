"""Points: two numbers of each of several things."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import colours, thinning
from snellen.displays.display import Display
from snellen.displays.name_places import name_places
from snellen.displays.plain_values import plain, reach, row_of, rows_of, unique
from snellen.displays.plotly_layout import (
    NUMBER,
    axis,
    equality_line,
    error_bars,
    label,
    layout,
    line_across,
    template,
    text_style,
)
from snellen.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Points", "PointsDisplay"]


@dataclass(frozen=True, eq=False)
class Points:
    """Points of one kind.

    Attributes
    ----------
    label : str
        What they are.
    x, y : ndarray, shape (n,), float64
        Where they are.
    names : tuple of str
        What each is; empty where they have no names.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of y, where there are some.
    joined : bool
        Whether a line goes through them, from left to right: a front.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    names: tuple[str, ...] = ()
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    joined: bool = False

    def __post_init__(self) -> None:
        n = np.size(self.x)
        for name in ("x", "y", "low", "high"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, row_of(values, n, f"{name} of {self.label}"))
        if self.names and len(self.names) != n:
            raise ShapeError(
                f"expected {n} names, one a point, got {len(self.names)}", f"names of {self.label}"
            )

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Its lower and upper bounds, where both are there."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def drawn(self) -> Points:
        """Return those that are drawn, from left to right where a line goes through them."""
        kept = thinning.of_points(self.x, self.y)
        if self.joined:
            kept = kept[np.argsort(self.x[kept], kind="stable")]
        return replace(
            self,
            x=self.x[kept],
            y=self.y[kept],
            names=tuple(self.names[k] for k in kept) if self.names else (),
            low=None if self.low is None else self.low[kept],
            high=None if self.high is None else self.high[kept],
        )


@dataclass(eq=False, repr=False, kw_only=True)
class PointsDisplay(Display):
    """Points over two axes.

    Attributes
    ----------
    points : tuple of Points
        Of several kinds.
    x_label, y_label : str
        What the axes are.
    log_x : bool
        Whether x is drawn by its logarithm.
    level : float or None
        Where a horizontal line stands to compare with, such as 0 for residuals.
    diagonal : bool
        Whether the line of equal x and y is drawn.
    named : bool
        Whether names are written beside the points.
    """

    points: tuple[Points, ...]
    x_label: str
    y_label: str
    log_x: bool = False
    level: float | None = None
    diagonal: bool = False
    named: bool = False

    def __post_init__(self) -> None:
        if any(points.x.size > thinning.MOST_POINTS for points in self.points):
            self.words = thinning.with_note(self.words, thinning.POINTS_RULE)

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        n = sum(points.x.size for points in self.points)
        if not n:
            return "there are no points"
        if any((np.isfinite(p.x) & np.isfinite(p.y)).any() for p in self.points):
            return ""
        return f"of all {n:,} points a number is undefined" if n > 1 else "the point is undefined"

    def records(self) -> list[dict[str, Any]]:
        """Return one record a point: ``kind``, ``name``, x and y by the labels of the axes.

        Without names the column is left out; with bounds there are ``low`` and ``high``.
        """
        bounded = any(points.bounds for points in self.points)
        named = any(points.names for points in self.points)
        names = ["kind", *(["name"] if named else []), self.x_label, self.y_label]
        keys = unique([*names, *(("low", "high") if bounded else ())])
        columns: dict[str, list[Any]] = {key: [] for key in keys}
        for points in self.points:
            n = points.x.size
            nothing = [None] * n
            rows: list[list[Any]] = [[points.label] * n]
            if named:
                rows.append(list(points.names) or nothing)
            rows += [plain(points.x), plain(points.y)]
            if bounded:
                bounds = points.low, points.high
                rows += [nothing if each is None else plain(each) for each in bounds]
            for key, row in zip(keys, rows, strict=True):
                columns[key] += row
        return rows_of(columns)

    def equal_points(self) -> NDArray[np.float64]:
        """Return where x and y are equal, as far as the points reach."""
        values = np.concatenate(
            [np.r_[p.x, p.y][np.isfinite(np.r_[p.x, p.y])] for p in self.points]
        )
        if self.log_x:
            values = values[values > 0]
        if not values.size:
            return np.empty(0)
        ends = float(values.min()), float(values.max())
        return np.geomspace(*ends, 64) if self.log_x else np.array(ends)

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_points import draw_points

        draw_points(self, ax)

    def places_of_names(self) -> list[list[str]]:
        """Return where the name of each point that is drawn stands beside it, kind by kind."""
        drawn = [points.drawn() for points in self.points]
        if not drawn or sum(points.x.size for points in drawn) > _NAMED:
            return [["top center"] * points.x.size for points in drawn]
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = [np.log10(points.x) if self.log_x else points.x for points in drawn]
        across, up = _as_shares(rows), _as_shares([points.y for points in drawn])
        lengths = [len(name) for p in drawn for name in p.names or [""] * p.x.size]
        # The bars of intervals stand above and below points.
        beside = any(points.bounds for points in drawn)
        found = iter(name_places(list(zip(across, up, lengths, strict=True)), beside=beside))
        return [[next(found) for _ in range(points.x.size)] for points in drawn]

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours."""
        traces: list[dict[str, Any]] = []
        if self.diagonal and not self.lack:
            traces.append(equality_line(self.equal_points()))
        for k, (points, places) in enumerate(zip(self.points, self.places_of_names(), strict=True)):
            traces.append(self._trace(k, points.drawn(), places))
        made = layout(
            lack=self.lack,
            legend=len(self.points) > 1,
            xaxis=axis(self.x_label, log=self.log_x),
            yaxis=axis(self.y_label),
        )
        if self.level is not None:
            made["shapes"] = [line_across("y", self.level, dash="dash")]
        return {"data": traces, "layout": made}

    def _trace(self, k: int, points: Points, places: list[str]) -> dict[str, Any]:
        many = points.x.size > 200
        mode = "markers+lines" if points.joined else "markers"
        said = "%{text}<br>" if points.names else ""
        said += (
            f"{template(self.x_label)} %{{x:{NUMBER}}}<br>{template(self.y_label)} %{{y:{NUMBER}}}"
        )
        made: dict[str, Any] = {
            "type": "scatter",
            "mode": f"{mode}+text" if self.named and points.names else mode,
            "name": label(points.label),
            "x": plain(points.x),
            "y": plain(points.y),
            "marker": {
                "color": colours.nth(k),
                "symbol": colours.SYMBOLS[k % len(colours.SYMBOLS)],
                "size": 5 if many else 9,
                "opacity": 0.5 if many else 1,
            },
            "line": {"color": colours.nth(k), "width": 1.5, "dash": "dash", "shape": "linear"},
        }
        if points.names:
            # A little away from the point.
            made["text"] = [
                f"{_GAPS.get(place, '')}{label(name)}{_GAPS.get(place, '')}"
                for name, place in zip(points.names, places, strict=True)
            ]
            made["textposition"] = places
            made["textfont"] = text_style("ink")
        if points.bounds is not None:
            low, high = points.bounds
            made["error_y"] = error_bars(*reach(points.y, low, high), colours.nth(k))
            made["customdata"] = [list(each) for each in zip(plain(low), plain(high), strict=True)]
            said += f"<br>%{{customdata[0]:{NUMBER}}} to %{{customdata[1]:{NUMBER}}}"
        return {**made, "hovertemplate": f"{said}<extra></extra>"}


_GAPS = {"middle right": "\u2002", "middle left": "\u2002"}
_NAMED = 60  # points: among more no place is looked for


def _as_shares(rows: list[NDArray[np.float64]]) -> list[float]:
    values = np.concatenate(rows)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return [float("nan")] * values.size
    low, wide = finite.min(), np.ptp(finite) or 1.0
    # As axes leave room at their ends.
    return [float(share) for share in 0.08 + 0.84 * (values - low) / wide]
