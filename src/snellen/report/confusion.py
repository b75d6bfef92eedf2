"""The confusion matrix of a page: counts or shares, a cell of which filters the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.report.figure_card import identifier, tools, words_above, words_below
from snellen.report.markup import element
from snellen.report.page_data import data_element

if TYPE_CHECKING:
    from snellen.displays import MatrixDisplay

__all__ = ["MOST_CELLS_AS_TABLE", "confusion_card", "largest_count"]

MOST_CELLS_AS_TABLE = 40
"""How many classes a matrix has at most whose cells are those of a table."""


_MOST_BESIDE = 14


def confusion_card(
    display: MatrixDisplay,
    place: str,
    *,
    largest: float | None = None,
    beside: bool = False,
    filters: bool = True,
) -> str:
    """Return a confusion matrix as a figure.

    Parameters
    ----------
    display : MatrixDisplay
        The matrix.
    place : str
        What sets its identifiers apart.
    largest : float, optional
        The count that has the darkest colour, where several matrices are to share a scale; its own
        largest one without.
    beside : bool
        Whether it stands beside others: as a picture, without the list of pairs.
    filters : bool
        Whether a gallery has images of its cells.
    """
    words = display.words
    name = identifier(place, words.name)
    few = len(display.rows) - display.margins <= MOST_CELLS_AS_TABLE
    described = {"aria_labelledby": f"{name}-title {name}-finding"}
    as_table = few and (not beside or len(display.columns) <= _MOST_BESIDE)
    pairs = "" if beside else element("div", class_="pairs-place")
    drawn = (
        element("div", class_="grid-place scroll") + pairs
        if as_table
        else pairs + element("div", class_="heat-place", role="img", **described)
    )
    return element(
        "figure",
        words_above(words, name)
        + element("div", class_="matrix-tools")
        + element("p", _hint(filters, few or beside), class_="matrix-words")
        + element("div", drawn, class_="matrix-body")
        + words_below(words, name)
        + tools()
        + data_element(f"{name}-data", _content(display, largest)),
        class_=f"card matrix{'' if beside else ' wide'}{'' if few else ' many'}",
        data_source=f"{name}-data",
    )


def largest_count(display: MatrixDisplay) -> float:
    """Return the largest count of a matrix; 0 where all are 0."""
    counts = np.nan_to_num(display.counts)
    return float(counts.max()) if counts.size else 0.0


def _hint(filters: bool, cells_alone: bool) -> str:
    if not filters:
        return "Point at a cell to read it in words."
    what = "a cell" if cells_alone else "a pair of the list, or a cell,"
    return f"Choose {what} to see its images in the gallery."


def _content(display: MatrixDisplay, largest: float | None) -> dict[str, Any]:
    counts = np.nan_to_num(display.counts)
    rows, columns = np.nonzero(counts)
    found = counts[rows, columns]
    whole = bool(np.all(found == np.floor(found)))
    return {
        "name": display.words.name,
        "rows": list(display.rows),
        "columns": list(display.columns),
        "row_label": display.row_label,
        "column_label": display.column_label,
        "margins": display.margins,
        "largest": largest_count(display) if largest is None else largest,
        "cells": [
            rows.tolist(),
            columns.tolist(),
            found.astype(np.int64).tolist() if whole else found.tolist(),
        ],
    }
