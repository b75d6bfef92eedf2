"""Bars: a number of each of several things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import colours, thinning
from snellen.displays.display import Display
from snellen.displays.matplotlib_axes import text_of
from snellen.displays.plain_values import plain, reach, row_of, rows_of, unique
from snellen.displays.plotly_layout import (
    NUMBER,
    axis,
    category_axis,
    error_bars,
    label,
    labels,
    layout,
    line_across,
    template,
    text_style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Bars", "BarsDisplay"]

_MOST = 100
_RULE = (
    f"Of more than {_MOST} bars those drawn are the first {_MOST // 2} and the last {_MOST // 2}; "
    "the data have all."
)


@dataclass(frozen=True, eq=False)
class Bars:
    """A number of each category.

    Attributes
    ----------
    label : str
        What the number is.
    values : ndarray, shape (n,), float64
        One a category; NaN where undefined.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of its interval, where there is one; NaN where undefined.
    """

    label: str
    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = np.size(self.values)
        for name in ("values", "low", "high"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, row_of(values, n, f"{name} of {self.label}"))

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Its lower and upper bounds, where both are there."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def columns(self) -> list[tuple[str, NDArray[np.float64]]]:
        """Return the numbers by the names they have in records."""
        low, high = self.bounds or (None, None)
        rows = (("", self.values), (" low", low), (" high", high))
        return [(self.label + suffix, values) for suffix, values in rows if values is not None]


def lack_of(rows: Sequence[Bars], what: str) -> str:
    """Return why there is nothing to draw; empty where there is something."""
    if not rows or not any(row.values.size for row in rows):
        return f"there are no {what}"
    if any(np.isfinite(row.values).any() for row in rows):
        return ""
    n = sum(row.values.size for row in rows)
    return f"all {n:,} values are undefined" if n > 1 else "the only value is undefined"


def filled(k: int, *, several: bool) -> dict[str, Any]:
    """Return how the k-th kind of bars is filled: where there are several with a pattern."""
    made: dict[str, Any] = {"color": colours.nth(k)}
    if several:
        made["pattern"] = {
            "shape": colours.PATTERNS[k % len(colours.PATTERNS)],
            "bgcolor": colours.nth(k),
            "fgcolor": "role:ground",
            "fgopacity": 0.6,
            "size": 7,
        }
    return made


@dataclass(eq=False, repr=False, kw_only=True)
class BarsDisplay(Display):
    """Bars of categories, side by side or stacked.

    Intervals are drawn side by side only: on a stack they would stand at the wrong height.

    Attributes
    ----------
    categories : tuple of str
        From top to bottom where they lie, else from left to right.
    bars : tuple of Bars
        Of one or several numbers.
    value_label : str
        What the axis of values is.
    lying : bool
        Whether bars go to the right, so that long names can be read.
    stacked : bool
        Whether the bars of a category stand on each other.
    value_range : (float, float) or None
        What the axis shows; None: from 0, or all.
    """

    categories: tuple[str, ...]
    bars: tuple[Bars, ...]
    value_label: str
    lying: bool = True
    stacked: bool = False
    value_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for bars in self.bars:
            row_of(bars.values, len(self.categories), f"values of {bars.label}")
        if len(self.categories) > _MOST:
            self.words = thinning.with_note(self.words, _RULE)

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        return lack_of(self.bars, "bars")

    def records(self) -> list[dict[str, Any]]:
        """Return one record a category: ``category``, and each number by its label.

        Its bounds are called as it is, with ``low`` and ``high`` behind.
        """
        columns = [each for bars in self.bars for each in bars.columns()]
        keys = unique(["category", *(name for name, _ in columns)])
        rows: list[Sequence[object]] = [self.categories]
        rows += [plain(values) for _, values in columns]
        return rows_of(dict(zip(keys, rows, strict=True)))

    def drawn(self) -> NDArray[np.intp]:
        """Return which categories are drawn."""
        n, half = len(self.categories), _MOST // 2
        return np.arange(n) if n <= _MOST else np.r_[:half, n - half : n]

    def undefined(self) -> NDArray[np.bool_]:
        """Return which categories have no number at all."""
        undefined = np.ones(len(self.categories), dtype=bool)
        for bars in self.bars:
            undefined &= ~np.isfinite(bars.values)
        return undefined

    def _height(self, width: float) -> float:
        if not self.lying:
            return super()._height(width)
        kept, side_by_side = self.drawn().size, 1 if self.stacked else len(self.bars)
        each = 0.1 + 0.13 * max(side_by_side, 1)
        return (0.75 + min(max(kept, 1) * each, 10)) * text_of(width) / 8

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_bars import draw_bars

        draw_bars(self, ax)

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours."""
        kept = self.drawn()
        names = labels(tuple(self.categories[k] for k in kept))
        several = len(self.bars) > 1
        traces = [self._trace(k, kept, names) for k in range(len(self.bars))]
        if not self.lack and (empty := self.undefined()[kept]).any():
            traces.append(
                self._undefined_at(
                    [name for name, nothing in zip(names, empty, strict=True) if nothing]
                )
            )
        numbers = axis(self.value_label, shown=self.value_range, from_zero=True)
        if self.lying:
            named = category_axis("", names, autorange="reversed")
            rows = len(names) * (len(self.bars) if not self.stacked else 1)
            height = min(max(110 + 18 * rows + 6 * len(names), 200), 2400)
            axes = {"xaxis": numbers, "yaxis": named}
        else:
            height = 340
            axes = {"xaxis": category_axis("", names), "yaxis": numbers}
        made = layout(
            lack=self.lack,
            legend=several,
            height=height,
            barmode="stack" if self.stacked else "group",
            bargap=0.28,
            **axes,
        )
        if len(self.categories) > _MOST:
            made["shapes"] = [line_across("y" if self.lying else "x", _MOST / 2 - 0.5, dash="dot")]
        return {"data": traces, "layout": made}

    @property
    def _axes(self) -> tuple[str, str]:
        """The axis of numbers and that of names, as Plotly calls them."""
        return ("x", "y") if self.lying else ("y", "x")

    def _trace(self, k: int, kept: NDArray[np.intp], names: list[str]) -> dict[str, Any]:
        across, up = self._axes
        bars = self.bars[k]
        said = f"%{{{up}}}<br>{template(bars.label)} %{{{across}:{NUMBER}}}"
        made: dict[str, Any] = {
            "type": "bar",
            "name": label(bars.label),
            "orientation": "h" if self.lying else "v",
            across: plain(bars.values[kept]),
            up: names,
            "marker": filled(k, several=len(self.bars) > 1),
        }
        if bars.bounds is not None:
            low, high = bars.bounds
            made["customdata"] = [
                "" if None in pair else "{:.6g} to {:.6g}".format(*pair)
                for pair in zip(plain(low[kept]), plain(high[kept]), strict=True)
            ]
            said += "<br>%{customdata}"
            if not self.stacked:
                below, above = reach(bars.values[kept], low[kept], high[kept])
                made[f"error_{across}"] = error_bars(below, above, "role:ink")
        return {**made, "hovertemplate": f"{said}<extra></extra>"}

    def _undefined_at(self, names: list[str]) -> dict[str, Any]:
        across, up = self._axes
        return {
            "type": "scatter",
            "mode": "text",
            across: [0] * len(names),
            up: names,
            "text": ["undefined"] * len(names),
            "textposition": "middle right" if self.lying else "top center",
            "textfont": text_style(),
            "hoverinfo": "skip",
            "showlegend": False,
        }
