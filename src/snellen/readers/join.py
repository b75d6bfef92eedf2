"""Which row of the predictions belongs to which row of truth."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from snellen import _core
from snellen.errors import DataWarning, IdError, InputError, ShapeError
from snellen.readers.column_names import IDS, KNOWN, first_of
from snellen.readers.message_text import few, printable
from snellen.readers.table import Column

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snellen.readers.table import Table

__all__ = ["IdSide", "Joined", "Missing", "find_ids", "join", "row_at", "same_file"]

Missing = Literal["error", "ignore"]
if TYPE_CHECKING:
    # Which rows are wanted, or all.
    Rows: TypeAlias = NDArray[np.int64] | slice


def row_at(rows: Rows, k: int) -> int:
    """Return the row of the file that the k-th of the wanted rows is."""
    return k if isinstance(rows, slice) else int(rows[k])


def same_file(truth: str | os.PathLike[str], pred: str | os.PathLike[str]) -> bool:
    """Whether two paths are of one file."""
    try:
        return Path(truth).samefile(pred)
    except OSError:  # then reading it says what is wrong
        return False


@dataclasses.dataclass(frozen=True)
class IdSide:
    """The ids of truth or of the predictions.

    Attributes
    ----------
    column : Column or None
        What rows are matched by; None where rows are known by their position alone.
    n_rows : int
        The number of rows.
    what : str
        For messages: the file and its column.
    place : callable
        Where a row stands, for messages.
    shown : Column, optional
        What samples are called, where that is not what they are matched by.
    name : str, optional
        The column's name.
    ordered : bool
        Whether rows without ids are those of the other side, in their order: arrays.
    """

    column: Column | None
    n_rows: int
    what: str
    place: Callable[[int], str]
    shown: Column | None = None
    name: str | None = None
    ordered: bool = False

    @property
    def names(self) -> Column:
        """What rows are called."""
        assert self.column is not None
        return self.column if self.shown is None else self.shown


class Joined(NamedTuple):
    """Pairs of rows, in the order of truth.

    Attributes
    ----------
    truth_rows, pred_rows : ndarray, shape (n,), int64, or slice
        The rows of each side; a slice of all where nothing moves.
    sample_id : ndarray, shape (n,), int64 or str, or None
        What the samples are called.
    notes : list of str
        How it was done.
    """

    truth_rows: Rows
    pred_rows: Rows
    sample_id: NDArray[Any] | None
    notes: list[str]


def find_ids(table: Table, id_column: str | None, *, by_place: bool = True) -> IdSide:
    """Return the ids of a table.

    Parameters
    ----------
    table : Table
        The table.
    id_column : str or None
        The column. Without, it is one with a usual name (``id``, ``image``, ``path``, …), else
        the first of several, unless it has the usual name of something else or holds fractions.
    by_place : bool
        Whether the first column may be taken whatever it is called.

    Raises
    ------
    SchemaError
        Where there is no such column.
    """
    name = first_of(IDS, table.names) if id_column is None else id_column
    first = table.names[0] if len(table.names) > 1 else None
    if name is None and by_place and first is not None and _may_hold_ids(table, first):
        name = first
    if name is None:
        return IdSide(None, table.n_rows, table.path, table.place, ordered=table.is_arrays)
    column = table[name]
    if column.kind == "number":
        column = _whole_or_text(column)
    return IdSide(column, table.n_rows, table.column_place(name), table.place, name=name)


def _whole_or_text(column: Column) -> Column:
    """Return numbers as whole ones if all are: pandas writes 3 as 3.0 beside what was empty."""
    array = column.array()
    whole = (array == np.floor(array)) & (np.abs(array) < 2.0**53)
    if not len(array) or not whole.all():
        return column.text()
    # Beside texts they are still what was written.
    return Column("integer", array=array.astype(np.int64), as_text=column.text)


def _may_hold_ids(table: Table, name: str) -> bool:
    if not table.delimited:
        return False
    return name.lower() not in KNOWN and table[name].kind != "number"


def join(truth: IdSide, pred: IdSide, missing: Missing) -> Joined:
    """Pair rows by their ids, or by position where neither side has any.

    Raises
    ------
    InputError
        Where truth has no rows.
    ShapeError
        Without ids, for sides of different length.
    IdError
        For an id that comes twice, ids on one side only, no id in common, and, unless ``missing``
        is ``"ignore"``, ids that the other side does not have.

    Warns
    -----
    DataWarning
        With ``missing="ignore"``, how many rows of each side were left out.
    """
    if missing not in ("error", "ignore"):
        raise InputError(f'expected missing="error" or "ignore", got "{missing}"')
    if not truth.n_rows:
        raise InputError("expected samples with truth, got no rows", truth.what)
    if (truth.column is None or pred.column is None) and _by_position(truth, pred):
        if truth.n_rows != pred.n_rows:
            raise ShapeError(
                "expected as many predictions as samples with truth, which belong together by "
                f"their position for want of ids, got {pred.n_rows} in {pred.what} and "
                f"{truth.n_rows} in {truth.what}"
            )
        every = slice(None)
        side = next((side for side in (truth, pred) if side.column is not None), None)
        if side is not None:
            _refuse_twice(side, side.names.codes)
        ids = None if side is None else side.names.array()
        return Joined(every, every, ids, ["rows belong together by their position: no ids"])
    if truth.column is None or pred.column is None:
        side, other = (truth, pred) if truth.column is None else (pred, truth)
        raise IdError(
            f"expected ids on both sides or on neither, got some in {other.what} and none in "
            f"{side.what}: name the column of ids (id_column)"
        )
    position = _positions(truth, pred)
    found = position >= 0
    n_found = int(found.sum())
    n_unused = pred.n_rows - n_found
    if n_found == 0:
        raise IdError(
            f"expected ids that both sides have, got none: {truth.what} has "
            f"{_examples(truth, slice(3))}, {pred.what} has {_examples(pred, slice(3))}"
        )
    notes = [f"rows belong together by {truth.what} and {pred.what}"]
    if n_found == truth.n_rows and n_unused == 0:
        ordered = bool((position == np.arange(len(position))).all())
        rows = slice(None) if ordered else position.astype(np.int64)
        return Joined(slice(None), rows, truth.names.array(), notes)
    parts = []
    if n_found < truth.n_rows:
        without = np.flatnonzero(~found)
        n = len(without)
        parts.append(
            f"{n} {'sample has' if n == 1 else 'samples have'} no prediction "
            f"({_examples(truth, without)})"
        )
    if n_unused:
        used = np.zeros(pred.n_rows, bool)
        used[position[found]] = True
        unused = np.flatnonzero(~used)
        n = len(unused)
        parts.append(
            f"{n} {'prediction belongs' if n == 1 else 'predictions belong'} to no sample "
            f"({_examples(pred, unused)})"
        )
    if missing == "error":
        raise IdError(
            f"expected one prediction for each sample, but {' and '.join(parts)}: "
            'leave them out with missing="ignore"',
            f"{truth.what} and {pred.what}",
        )
    warnings.warn(f"left out: {' and '.join(parts)}", DataWarning, stacklevel=3)
    rows = np.flatnonzero(found)
    return Joined(rows, position[found].astype(np.int64), truth.names.array()[rows], notes)


def _by_position(truth: IdSide, pred: IdSide) -> bool:
    without = [side for side in (truth, pred) if side.column is None]
    return len(without) == 2 or without[0].ordered


def _examples(side: IdSide, rows: Rows) -> str:
    names = side.names
    codes = names.codes[rows][:6]
    if not len(codes):
        return "no rows"
    return few(names.values[codes].tolist())


def _positions(truth: IdSide, pred: IdSide) -> NDArray[np.int32]:
    """Return the row of the predictions for each row of truth, -1 where there is none."""
    assert truth.column is not None
    assert pred.column is not None
    if truth.column.kind == pred.column.kind == "integer":
        ids, wanted = pred.column.array(), truth.column.array()
        for side, array in ((truth, wanted), (pred, ids)):
            _refuse_twice(side, array)
        order = np.argsort(ids, kind="stable")
        at = _core.lookup(wanted, np.ascontiguousarray(ids[order]))[0]
        return np.where(at < 0, at, order[at].astype(np.int32) if len(order) else at)
    columns = [side.column.text() for side in (truth, pred) if side.column is not None]
    for side, column in zip((truth, pred), columns, strict=True):
        if column.n_distinct < len(column):
            _refuse_twice(side, column.codes)
    # Where no text comes twice, the number of a text is its row.
    return _core.match_texts(*columns[1].pool, *columns[0].pool)


def _refuse_twice(side: IdSide, ids: NDArray[Any]) -> None:
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    if not len(again):
        return
    # The first row, in the order of the file, whose id was there before.
    second = int(order[again].min())
    first = int(np.flatnonzero(ids == ids[second])[0])
    name = printable(side.names.values[side.names.codes[second]])
    raise IdError(
        f"expected each id once in {side.what}, got {name} in two rows, at {side.place(first)}",
        side.place(second),
    )
