"""Columns that tables of samples have beside labels: scores, weights, groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError
from snellen.readers.join import row_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.readers.join import Rows
    from snellen.readers.table import Table

__all__ = ["finite_matrix", "group_column_of", "weight_column_of"]


def finite_matrix(table: Table, names: Sequence[str], rows: Rows, what: str) -> NDArray[np.float64]:
    """Return columns of numbers side by side, shape (n, k), of the rows that are wanted.

    Raises
    ------
    SchemaError
        For a cell that is no number.
    InputError
        For NaN and infinity; the first place is named.
    """
    matrix = table.matrix(names)
    if not isinstance(rows, slice):
        matrix = matrix[rows]
    finite = np.isfinite(matrix)
    if not finite.all():
        row, k = np.argwhere(~finite)[0].tolist()
        raise InputError(
            f'expected {what} that are finite numbers, got {matrix[row, k]} in column "{names[k]}"',
            table.place(row_at(rows, row)),
        )
    return matrix


def weight_column_of(table: Table, name: str | None, rows: Rows) -> NDArray[np.float64] | None:
    """Return the weights of the rows that are wanted; None without a column.

    Raises
    ------
    InputError
        For weights that are negative or not finite.
    """
    if name is None:
        return None
    weight = np.ascontiguousarray(finite_matrix(table, [name], rows, "weights")[:, 0])
    if len(weight) and weight.min() < 0:
        row = int(np.argmax(weight < 0))
        raise InputError(
            f'expected weights that are not negative, got {weight[row]} in column "{name}"',
            table.place(row_at(rows, row)),
        )
    return weight


def group_column_of(table: Table, name: str | None, rows: Rows) -> NDArray[Any] | None:
    """Return the group of the rows that are wanted; None without a column."""
    if name is None:
        return None
    column = table[name]
    array: NDArray[Any] = (column.text() if column.kind == "number" else column).array()[rows]
    return array
