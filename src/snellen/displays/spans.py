"""Stretches of time: what was when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import colours, thinning
from snellen.displays.bars import filled
from snellen.displays.display import Display
from snellen.displays.matplotlib_axes import text_of
from snellen.displays.plain_values import plain_number, unique
from snellen.displays.plotly_layout import (
    NUMBER,
    axis,
    category_axis,
    label,
    labels,
    layout,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Span", "SpansDisplay"]

_ROWS = 100
_RULE = f"Of more than {_ROWS} rows the first {_ROWS} are drawn; the data have all."


@dataclass(frozen=True)
class Span:
    """A stretch of time.

    Attributes
    ----------
    row : str
        Whose it is: the line that it is drawn on.
    start, end : float
        When; an event has equal ones.
    kind : str
        What it is; kinds have colours, and an event a mark.
    label : str
        What is said of it.
    """

    row: str
    start: float
    end: float
    kind: str
    label: str = ""


@dataclass(eq=False, repr=False, kw_only=True)
class SpansDisplay(Display):
    """Stretches of time on lines below each other.

    Attributes
    ----------
    spans : tuple of Span
        In any order; rows stand in the order in which they come.
    x_label, row_label : str
        What the axes are.
    """

    spans: tuple[Span, ...]
    x_label: str
    row_label: str

    def __post_init__(self) -> None:
        if len(self.rows()) > _ROWS:
            self.words = thinning.with_note(self.words, _RULE)
        if len(self.spans) > thinning.MOST_POINTS:
            self.words = thinning.with_note(self.words, thinning.POINTS_RULE)

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        if not self.spans:
            return "there are no spans"
        if any(_known(span) for span in self.spans):
            return ""
        return "the times of all spans are undefined"

    def rows(self) -> list[str]:
        """Return the rows, in the order in which they come."""
        return list(dict.fromkeys(span.row for span in self.spans))

    def records(self) -> list[dict[str, Any]]:
        """Return one record a span: row by `row_label`, ``start``, ``end``, ``kind``, ``label``."""
        keys = unique([self.row_label, "start", "end", "kind", "label"])
        return [
            dict(
                zip(
                    keys,
                    (s.row, plain_number(s.start), plain_number(s.end), s.kind, s.label),
                    strict=True,
                )
            )
            for s in self.spans
        ]

    def drawn(self) -> tuple[list[str], list[tuple[str, list[Span], list[Span]]]]:
        """Return the rows that are drawn, and each kind with its spans and events."""
        rows = self.rows()[:_ROWS]
        shown = set(rows)
        kinds: dict[str, list[Span]] = {span.kind: [] for span in self.spans}
        for span in self.spans:
            if span.row in shown and _known(span):
                kinds[span.kind].append(span)
        drawn = []
        for kind, spans in kinds.items():
            lasting = _few([span for span in spans if span.end > span.start])
            drawn.append((kind, lasting, _few([span for span in spans if span.end <= span.start])))
        return rows, drawn

    def _height(self, width: float) -> float:
        return (1.0 + 0.22 * max(len(self.drawn()[0]), 3)) * text_of(width) / 8

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_spans import draw_spans

        draw_spans(self, ax)

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours."""
        rows, kinds = self.drawn()
        names = labels(tuple(rows))
        place = dict(zip(rows, names, strict=True))
        traces: list[dict[str, Any]] = []
        for k, (kind, lasting, events) in enumerate(kinds):
            shared = {"name": label(kind), "legendgroup": str(k)}
            said = f"%{{y}}: {template(kind)}"
            if lasting or not events:
                traces.append(
                    {
                        **shared,
                        "type": "bar",
                        "orientation": "h",
                        "y": [place[span.row] for span in lasting],
                        "base": [float(span.start) for span in lasting],
                        "x": [float(span.end - span.start) for span in lasting],
                        "width": 0.6,
                        "marker": filled(k, several=len(kinds) > 1),
                        "customdata": [[float(s.end), label(s.label, 120)] for s in lasting],
                        "hovertemplate": f"{said}<br>{template(self.x_label)} "
                        f"%{{base:{NUMBER}}} to %{{customdata[0]:{NUMBER}}}"
                        "<br>%{customdata[1]}<extra></extra>",
                    }
                )
            if events:
                traces.append(
                    {
                        **shared,
                        "type": "scatter",
                        "mode": "markers",
                        "showlegend": not lasting,
                        "x": [float(span.start) for span in events],
                        "y": [place[span.row] for span in events],
                        "marker": {
                            "color": colours.nth(k),
                            "symbol": colours.SYMBOLS[k % len(colours.SYMBOLS)],
                            "size": 10,
                            "line": {"color": "role:ground", "width": 1},
                        },
                        "text": [label(span.label, 120) for span in events],
                        "hovertemplate": f"{said}<br>{template(self.x_label)} %{{x:{NUMBER}}}"
                        "<br>%{text}<extra></extra>",
                    }
                )
        made = layout(
            lack=self.lack,
            legend=len(kinds) > 1,
            height=min(max(130 + 24 * len(rows), 200), 1600),
            barmode="overlay",
            xaxis=axis(self.x_label),
            yaxis=category_axis(self.row_label, names, autorange="reversed"),
        )
        return {"data": traces, "layout": made}


def _known(span: Span) -> bool:
    return bool(np.isfinite(span.start) and np.isfinite(span.end))


def _few(spans: Sequence[Span]) -> list[Span]:
    if len(spans) <= thinning.MOST_POINTS:
        return list(spans)
    starts, ends = (np.array([getattr(span, each) for span in spans]) for each in ("start", "end"))
    return [spans[k] for k in thinning.of_points(starts, ends)]
