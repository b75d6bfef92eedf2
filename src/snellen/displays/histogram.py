"""Histograms: how many values lie where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays.bars import Bars, filled, lack_of
from snellen.displays.display import Display
from snellen.displays.plain_values import plain, row_of, rows_of, unique
from snellen.displays.plotly_layout import NUMBER, axis, label, layout, template
from snellen.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["HistogramDisplay"]


@dataclass(eq=False, repr=False, kw_only=True)
class HistogramDisplay(Display):
    """How many values lie between edges.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,), float64
        Ascending.
    counts : tuple of Bars
        Of one or several groups, n values each, drawn over each other.
    x_label, y_label : str
        What the axes are.
    """

    edges: NDArray[np.float64]
    counts: tuple[Bars, ...]
    x_label: str
    y_label: str = "count"

    def __post_init__(self) -> None:
        self.edges = row_of(self.edges, np.size(self.edges), "edges")
        if not np.isfinite(self.edges).all() or (np.diff(self.edges) <= 0).any():
            raise ShapeError("expected finite edges, each above the one before", "edges")
        for bars in self.counts:
            row_of(bars.values, max(self.edges.size - 1, 0), f"values of {bars.label}")

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        lack = lack_of(self.counts, "values")
        if lack or any(np.nansum(np.abs(bars.values)) > 0 for bars in self.counts):
            return lack
        return "all counts are 0"

    def records(self) -> list[dict[str, Any]]:
        """Return one record a bin: ``from``, ``to``, and how many of each group by its label."""
        columns = [each for bars in self.counts for each in bars.columns()]
        keys = unique(["from", "to", *(name for name, _ in columns)])
        rows: list[Sequence[object]] = [plain(self.edges[:-1]), plain(self.edges[1:])]
        rows += [plain(values) for _, values in columns]
        return rows_of(dict(zip(keys, rows, strict=True)))

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_bars import draw_histogram

        draw_histogram(self, ax)

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours."""
        several = len(self.counts) > 1
        traces = []
        for k, bars in enumerate(self.counts):
            said = (
                f"{template(self.x_label)} %{{x:{NUMBER}}} to %{{customdata:{NUMBER}}}"
                f"<br>{template(bars.label)} %{{y:{NUMBER}}}<extra></extra>"
            )
            traces.append(
                {
                    "type": "bar",
                    "name": label(bars.label),
                    "x": plain(self.edges[:-1]),
                    "y": plain(bars.values),
                    "width": plain(np.diff(self.edges)),
                    "offset": 0,
                    "customdata": plain(self.edges[1:]),
                    "marker": {
                        **filled(k, several=several),
                        "line": {"color": "role:ground", "width": 0.5},
                    },
                    "opacity": 0.65 if several else 1,
                    "hovertemplate": said,
                }
            )
        made = layout(
            lack=self.lack,
            legend=several,
            barmode="overlay",
            xaxis=axis(self.x_label, grid=False),
            yaxis=axis(self.y_label, from_zero=True),
        )
        return {"data": traces, "layout": made}
