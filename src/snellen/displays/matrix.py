"""A matrix of counts: what was taken for what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import thinning
from snellen.displays.display import Display
from snellen.displays.plain_values import plain_number
from snellen.displays.plotly_layout import category_axis, label, labels, layout, line_across
from snellen.errors import InputError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WRITTEN", "MatrixDisplay", "cell_text"]

WRITTEN = 20
"""As many classes have their counts written in cells."""

_BESIDE = 56  # letters: as many fit beside each other above a narrow matrix
_MOST, _KEPT = 120, 100
_RULE = (
    f"Of a matrix of more than {_MOST} classes those {_KEPT} with the most mistakes are drawn, in "
    "their order; the data have all."
)
_FORMS = ("", "rows", "columns")


@dataclass(eq=False, repr=False, kw_only=True)
class MatrixDisplay(Display):
    """A confusion matrix: counts as they are, or as shares of rows or columns.

    A cell is as strong as its share of its row, of columns of its column; what is right has one
    colour, mistakes another, and a cell of 0 none.

    Attributes
    ----------
    rows, columns : tuple of str
        The names of classes; with margins the last row is ``"false alarm"`` and the last column
        ``"missed"``.
    counts : ndarray, shape (R, C), float64
        How many; NaN where there can be none (the corner of the margins).
    row_label, column_label : str
        What rows and columns are.
    margins : bool
        Whether there are margins of what has no counterpart.
    normalise : {"", "rows", "columns"}
        What `plot` and `figure` draw: counts, or shares.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.float64]
    row_label: str = "true"
    column_label: str = "predicted"
    margins: bool = False
    normalise: str = ""

    def __post_init__(self) -> None:
        self.counts = np.asarray(self.counts, np.float64)
        if self.counts.shape != (len(self.rows), len(self.columns)):
            raise ShapeError(
                f"expected counts of shape {(len(self.rows), len(self.columns))}, a row and a "
                f"column for each name, got {self.counts.shape}",
                f"the matrix {self.name}",
            )
        if self.normalise not in _FORMS:
            raise InputError(
                f'expected "", "rows" or "columns", got "{self.normalise}".'
                f"{did_you_mean(self.normalise, _FORMS[1:])}",
                "normalise",
            )
        if self.n_classes > _MOST:
            self.words = thinning.with_note(self.words, _RULE)

    @property
    def n_classes(self) -> int:
        """How many rows or columns there are, whichever are more, without the margins."""
        return max(len(self.rows), len(self.columns)) - self.margins

    @property
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""
        if not self.counts.size:
            return "there are no classes"
        if not np.isfinite(self.counts).any():
            return "all counts are undefined"
        return "" if (np.nan_to_num(self.counts) != 0).any() else "all counts are 0"

    def shares(self, of: str) -> NDArray[np.float64]:
        """Return the counts as shares of their ``"rows"`` or ``"columns"``; NaN in empty ones."""
        totals = np.nansum(self.counts, axis=1 if of == "rows" else 0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(totals > 0, self.counts / totals, np.nan)

    def records(self) -> list[dict[str, Any]]:
        """Return one record a cell that is not 0, row by row.

        It has the names by `row_label` and `column_label`, ``count``, ``share of row`` and
        ``share of column``.
        """
        of_rows, of_columns = self.shares("rows"), self.shares("columns")
        return [
            {
                self.row_label: self.rows[i],
                self.column_label: self.columns[j],
                "count": float(self.counts[i, j]),
                "share of row": plain_number(of_rows[i, j]),
                "share of column": plain_number(of_columns[i, j]),
            }
            for i, j in np.argwhere(np.nan_to_num(self.counts) != 0).tolist()
        ]

    def drawn(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which rows and columns are drawn."""
        r, c = len(self.rows) - self.margins, len(self.columns) - self.margins
        rows, columns = np.arange(len(self.rows)), np.arange(len(self.columns))
        if self.n_classes <= _MOST:
            return rows, columns
        mistakes = np.where(self._right(), 0.0, np.nan_to_num(self.counts))
        of_rows, of_columns = mistakes.sum(axis=1)[:r], mistakes.sum(axis=0)[:c]
        if self.rows[:r] == self.columns[:c]:
            of_rows = of_columns = of_rows + of_columns
        return (
            np.r_[np.sort(np.argsort(-of_rows, kind="stable")[:_KEPT]), rows[r:]],
            np.r_[np.sort(np.argsort(-of_columns, kind="stable")[:_KEPT]), columns[c:]],
        )

    def strengths(self) -> NDArray[np.float64]:
        """Return what cells are coloured by: from 0 to 1, below 0 for mistakes; NaN: not at all.

        The root of the share: a few mistakes among many samples are to be seen.
        """
        shares = self.shares(self.normalise or "rows")
        with np.errstate(invalid="ignore"):
            there = np.abs(self.counts) > 0
        sign = np.where(self._right(), 1.0, -1.0)
        strong = 0.56 if self.n_classes <= WRITTEN else 0.94  # numbers are to be read on every cell
        return np.where(there, sign * (0.06 + strong * np.sqrt(np.clip(shares, 0, 1))), np.nan)

    def _right(self) -> NDArray[np.bool_]:
        r, c = len(self.rows) - self.margins, len(self.columns) - self.margins
        right = np.zeros(self.counts.shape, dtype=bool)
        if self.rows[:r] == self.columns[:c]:  # places tell classes apart that have one name
            np.fill_diagonal(right[:r, :c], val=True)
            return right
        places: dict[str, list[int]] = {}
        for j, name in enumerate(self.columns):
            places.setdefault(name, []).append(j)
        for i, name in enumerate(self.rows):
            right[i, places.get(name, [])] = True
        if self.margins:
            right[-1:, :] = right[:, -1:] = False
        return right

    def cell_texts(self) -> list[list[str]]:
        """Return what stands in cells: counts or shares; nothing in a cell of 0."""
        shares = self.shares(self.normalise) if self.normalise else None
        return [
            [
                ""
                if not value or math.isnan(value)
                else cell_text(value)
                if shares is None
                else f"{100 * shares[i, j]:.0f} %"
                for j, value in enumerate(row)
            ]
            for i, row in enumerate(self.counts.tolist())
        ]

    def _said(self, i: int, j: int, of_row: float, of_column: float) -> str:
        row = f"{label(self.row_label)} {label(self.rows[i])}"
        column = f"{label(self.column_label)} {label(self.columns[j])}"
        in_row = f"<br>{100 * of_row:.1f} % of {row}"
        in_column = f"<br>{100 * of_column:.1f} % of {column}"
        if self.margins and i == len(self.rows) - 1:
            row, in_row = label(self.rows[i]), ""
        elif self.margins and j == len(self.columns) - 1:
            column, in_column = label(self.columns[j]), ""
        return f"{row}, {column}: {self.counts[i, j]:,.6g}{in_row}{in_column}"

    def _height(self, width: float) -> float:
        if self.lack or self.n_classes < 2:
            return super()._height(width)
        rows, columns = self.drawn()
        # On a slide no higher than it is.
        return min(max(width * rows.size / columns.size, 0.5 * width), max(5.5, 0.62 * width))

    def _draw(self, ax: Any) -> None:
        from snellen.displays.matplotlib_matrix import draw_matrix

        draw_matrix(self, ax)

    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON, with roles for colours.

        Each cell that is not 0 has as ``customdata`` the places of its row and column.
        """
        rows, columns = self.drawn()
        strengths = self.strengths()
        of_rows, of_columns = self.shares("rows"), self.shares("columns")
        z: list[list[float | None]] = []
        said: list[list[str]] = []
        places: list[list[list[int] | None]] = []
        for i in rows.tolist():
            z.append([plain_number(strengths[i, j]) for j in columns])
            there = [(j, z_j is not None) for j, z_j in zip(columns.tolist(), z[-1], strict=True)]
            said.append(
                [
                    self._said(i, j, of_rows[i, j], of_columns[i, j]) if is_ else ""
                    for j, is_ in there
                ]
            )
            places.append([[i, j] if is_ else None for j, is_ in there])
        row_names = labels(tuple(self.rows[i] for i in rows))
        column_names = labels(tuple(self.columns[j] for j in columns), 24)
        trace = {
            "type": "heatmap",
            "x": column_names,
            "y": row_names,
            "z": z,
            "zmin": -1,
            "zmax": 1,
            "colorscale": [[0, "role:wrong"], [0.5, "role:ground"], [1, "role:right"]],
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": False,
            "customdata": places,
            "hovertext": said,
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        n = max(len(rows), len(columns))
        if n - self.margins <= WRITTEN:
            trace["text"] = self.cell_texts()
            trace["texttemplate"] = "%{text}"
            trace["textfont"] = {"color": "role:ink"}
        longest = max((len(self.columns[j]) for j in columns), default=0)
        turned = min(longest, 24) * n > _BESIDE
        shares = {name: " (shares)" if self.normalise == name else "" for name in _FORMS[1:]}
        made = layout(
            lack=self.lack,
            legend=False,
            # Names that stand upright take their room, too.
            height=min(max(120 + 34 * len(rows), 240), 860) + turned * 6 * min(longest, 24),
            xaxis=category_axis(
                self.column_label + shares["columns"],
                column_names,
                side="top",
                tickangle=-90 if turned else 0,
            ),
            yaxis=category_axis(self.row_label + shares["rows"], row_names, autorange="reversed"),
        )
        if self.margins:
            made["shapes"] = [
                line_across("x", len(columns) - 1.5, width=2),
                line_across("y", len(rows) - 1.5, width=2),
            ]
        return {"data": [trace], "layout": made}


def cell_text(value: float) -> str:
    """Return a count in the room of a cell.

    Examples
    --------
    >>> cell_text(950.0), cell_text(0.5), cell_text(421_642.0), cell_text(5_300_000.0)
    ('950', '0.5', '422k', '5.3M')
    """
    for unit, size in (("M", 1e6), ("k", 1e5)):
        if abs(value) >= size:
            return f"{value / 1e6:.3g}M" if unit == "M" else f"{value / 1e3:,.0f}k"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
