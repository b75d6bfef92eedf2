"""Lines: a number by another, of several things."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import colours, thinning
from snellen.displays.display import Display
from snellen.displays.matplotlib_axes import height_of_legend
from snellen.displays.plain_values import plain, plain_number, row_of, rows_of, unique
from snellen.displays.plotly_layout import NUMBER, axis, equality_line, label, layout, template
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Line", "LinesDisplay", "Mark"]


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a display.

    Attributes
    ----------
    label : str
        What it is.
    x, y : ndarray, shape (n,), float64
        Its points from left to right; where y is NaN there is a gap.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of y, where they are known.
    stepped : bool
        Whether a value holds until the next.
    muted : bool
        Whether it is one of many in the background, drawn grey and without an entry in the legend.
    right : bool
        Whether its values are read on the axis at the right.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    stepped: bool = False
    muted: bool = False
    right: bool = False

    def __post_init__(self) -> None:
        n = np.size(self.x)
        for name in ("x", "y", "low", "high"):
            if (values := getattr(self, name)) is not None:
                row = row_of(values, n, f"{name} of the line {self.label}")
                object.__setattr__(self, name, row)

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Its lower and upper bounds, where both are there."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def taken(self, places: NDArray[np.intp]) -> Line:
        """Return the line through some of its points only."""
        return replace(
            self,
            x=self.x[places],
            y=self.y[places],
            low=None if self.low is None else self.low[places],
            high=None if self.high is None else self.high[places],
        )


@dataclass(frozen=True)
class Mark:
    """A point that is pointed out.

    Attributes
    ----------
    label : str
        What it is: ``"highest F1: 0.62 from score 0.31"``.
    x, y : float
        Where it is.
    """

    label: str
    x: float
    y: float


@dataclass(eq=False, repr=False, kw_only=True)
class LinesDisplay(Display):
    """Lines over one axis.

    Attributes
    ----------
    lines : tuple of Line
        The first are drawn last, above the others.
    x_label, y_label, right_label : str
        What the axes are; `right_label` is empty without an axis at the right.
    x_range, y_range : (float, float) or None
        What the axes show; None: all.
    marks : tuple of Mark
        Points that are pointed out.
    diagonal : bool
        Whether the line of equal x and y is drawn, to be compared with.
    log_x : bool
        Whether x is drawn by its logarithm.
    """

    lines: tuple[Line, ...]
    x_label: str
    y_label: str
    right_label: str = ""
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()
    diagonal: bool = False
    log_x: bool = False

    def __post_init__(self) -> None:
        if self.log_x and self.x_range is not None and not self.x_range[0] > 0:
            raise InputError(
                f"expected a range above 0 for an axis by its logarithm, got {self.x_range}",
                f"x_range of {self.name}",
            )
        if any(line.x.size > thinning.MOST_ON_A_LINE for line in self.lines):
            self.words = thinning.with_note(self.words, thinning.LINE_RULE)

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        if not self.lines:
            return "there are no lines"
        if any(np.isfinite(line.y).any() for line in self.lines) or self.marks:
            return ""
        n = sum(line.y.size for line in self.lines)
        return f"all {n:,} values are undefined" if n else "the lines have no points"

    def records(self) -> list[dict[str, Any]]:
        """Return one record a point: ``line``, x and y by the axes' labels, ``low``, ``high``.

        Marks are at the end, in the column ``line`` by their labels.
        """
        bounded = any(line.bounds for line in self.lines)
        names = ["line", self.x_label, self.y_label]
        names += [self.right_label] if self.right_label else []
        keys = unique([*names, *(("low", "high") if bounded else ())])
        columns: dict[str, list[Any]] = {key: [] for key in keys}
        for line in self.lines:
            n, y = line.x.size, plain(line.y)
            nothing = [None] * n
            rows: list[list[Any]] = [[line.label] * n, plain(line.x)]
            if self.right_label:
                rows += [nothing, y] if line.right else [y, nothing]
            else:
                rows.append(y)
            if bounded:
                low, high = line.low, line.high
                rows += [nothing if each is None else plain(each) for each in (low, high)]
            for key, row in zip(keys, rows, strict=True):
                columns[key] += row
        for mark in self.marks:
            row = [mark.label, plain_number(mark.x), plain_number(mark.y)]
            for key, value in zip_longest(keys, row):
                columns[key].append(value)
        return rows_of(columns)

    def drawn_lines(self) -> list[tuple[Line, int | None]]:
        """Return the lines as drawn, thinned, each with its place in the legend; the last above.

        Muted lines have none.
        """
        place, drawn = 0, []
        for line in self.lines:
            bounds = [each for each in (line.low, line.high) if each is not None]
            kept = thinning.of_line(line.x, line.y, bounds, log=self.log_x)
            drawn.append((line.taken(kept), None if line.muted else place))
            place += not line.muted
        # The muted ones below all others.
        drawn.sort(key=lambda each: each[1] is not None)
        muted = [each for each in drawn if each[1] is None]
        return [*muted[::-1], *drawn[len(muted) :][::-1]]

    def equal_points(self) -> NDArray[np.float64]:
        """Return where x and y are equal, from end to end of what the axes show."""
        (left, right), (low, high) = (
            given or _extent([getattr(line, name) for line in self.lines])
            for name, given in (("x", self.x_range), ("y", self.y_range))
        )
        first, last = max(left, low), min(right, high)
        if not last > first:
            return np.empty(0)
        if self.log_x:
            return np.geomspace(max(first, 1e-12), last, 64)
        return np.array([first, last])

    def _height(self, width: float) -> float:
        names = [line.label for line in self.lines if not line.muted]
        names += [mark.label for mark in self.marks]
        return super()._height(width) + height_of_legend(names, width)

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_lines import draw_lines

        draw_lines(self, ax)

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours."""
        traces: list[dict[str, Any]] = []
        if self.diagonal:
            traces.append(equality_line(self.equal_points()))
        drawn = self.drawn_lines()
        traces += [_band(line, place) for line, place in drawn if line.bounds]
        traces += [self._trace(line, place) for line, place in drawn]
        traces += [self._marked(k) for k in range(len(self.marks))]
        several = sum(not line.muted for line in self.lines) > 1 or bool(self.marks)
        axes: dict[str, Any] = {
            "xaxis": axis(self.x_label, shown=self.x_range, log=self.log_x, grid=False),
            "yaxis": axis(self.y_label, shown=self.y_range),
        }
        if self.right_label:
            axes["yaxis2"] = axis(
                self.right_label, grid=False, overlaying="y", side="right", tickmode="auto"
            )
        return {"data": traces, "layout": layout(lack=self.lack, legend=several, **axes)}

    def _trace(self, line: Line, place: int | None) -> dict[str, Any]:
        number = self.right_label if line.right else self.y_label
        said = (
            f"%{{fullData.name}}<br>{template(self.x_label)} %{{x:{NUMBER}}}"
            f"<br>{template(number)} %{{y:{NUMBER}}}"
        )
        made: dict[str, Any] = {
            "type": "scatter",
            "name": label(line.label),
            "x": plain(line.x),
            "y": plain(line.y),
            "showlegend": place is not None,
            # Drawn from the last to the first, named from the first to the last.
            "legendrank": 1000 + (place or 0),
        }
        if line.bounds is not None:
            low, high = map(plain, line.bounds)
            made["customdata"] = [list(each) for each in zip(low, high, strict=True)]
            said += f"<br>%{{customdata[0]:{NUMBER}}} to %{{customdata[1]:{NUMBER}}}"
        if line.right:
            made["yaxis"] = "y2"
        style = {"shape": "hv" if line.stepped else "linear"}
        dots = dotted(line)
        made["mode"] = "lines+markers" if dots else "lines"
        if place is None:
            made["line"] = {**style, "color": "role:mark", "width": 1}
            made["opacity"] = 0.45
            made["marker"] = {"color": "role:mark", "size": 4}
        else:
            dash = colours.DASHES[(place + place // 12) % len(colours.DASHES)]
            symbol = colours.SYMBOLS[place % len(colours.SYMBOLS)]
            made["line"] = {**style, "color": colours.nth(place), "width": 2, "dash": dash}
            made["marker"] = {"color": colours.nth(place), "symbol": symbol, "size": 7}
        return {**made, "hovertemplate": f"{said}<extra></extra>"}

    def _marked(self, k: int) -> dict[str, Any]:
        mark = self.marks[k]
        return {
            "type": "scatter",
            "mode": "markers",
            "name": label(mark.label, 100),
            "legendrank": 2000 + k,
            "x": [plain_number(mark.x)],
            "y": [plain_number(mark.y)],
            "marker": {
                "color": "role:ground",
                "symbol": MARKS[k % len(MARKS)],
                "size": 12,
                "line": {"color": "role:ink", "width": 2},
            },
            "hovertemplate": "%{fullData.name}<extra></extra>",
        }


MARKS = ("diamond", "square", "triangle-up", "circle", "triangle-down", "star")
_DOTTED = 40  # points: as many are drawn as dots, too


def dotted(line: Line) -> bool:
    """Return whether points are drawn as dots: where they are few, or stand alone."""
    there = np.isfinite(line.y)
    alone = there & ~np.r_[False, there[:-1]] & ~np.r_[there[1:], False]
    return (not line.muted and line.y.size <= _DOTTED) or bool(alone.any())


def _extent(rows: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    finite = [row[np.isfinite(row)] for row in rows]
    values = np.concatenate(finite) if finite else np.empty(0)
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)


def _band(line: Line, place: int | None) -> dict[str, Any]:
    x, y = band_outline(line)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        **({"yaxis": "y2"} if line.right else {}),
        "fill": "toself",
        "fillcolor": "role:mark" if place is None else colours.nth(place),
        "line": {"width": 0},
        "opacity": 0.18,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def band_outline(line: Line) -> tuple[list[float | None], list[float | None]]:
    """Return the outline of the space between the bounds; None between pieces."""
    if line.bounds is None:
        return [], []
    x, (low, high) = line.x, line.bounds
    there = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.r_[False, there, False]))
    across: list[float | None] = []
    up: list[float | None] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        right, below, above = x[start:end], low[start:end], high[start:end]
        if line.stepped:
            right = np.repeat(right, 2)[1:]
            below, above = np.repeat(below, 2)[:-1], np.repeat(above, 2)[:-1]
        if across:
            across.append(None)
            up.append(None)
        across += [*plain(right), *plain(right[::-1])]
        up += [*plain(below), *plain(above[::-1])]
    return across, up
