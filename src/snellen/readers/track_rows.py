"""Delimited text whose columns have a fixed order: what readers of tracking formats share."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from snellen import _core
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.message_text import printable
from snellen.readers.table import pool_texts, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from snellen.tracking.tracks import Tracks

__all__ = ["FixedColumns", "made_of_rows", "single_blanks"]

# Whole numbers that are written with a point are floats; 2^53 + 1 is read as 2^53.
_EXACT = 2**53


class FixedColumns:
    """Columns of delimited text without a line of names.

    Parameters
    ----------
    path : path
        The file; where its name ends in ``.gz`` it is unpacked.
    delimiter : str
        ``","``, or ``" "`` for any run of blanks and tabs.
    widths : collection of int
        How many columns there may be.
    wanted : collection of int
        Which columns are read, those that the file has; positions from 0.
    what : str
        What the file should be, for messages: ``"KITTI tracking labels"``.
    document : bytes, optional
        What the file holds, where it was read already: a part of an archive. Then `path` is but a
        name.

    Attributes
    ----------
    path : str
        The file.
    n_rows, width : int
        The numbers of rows and columns; a file without rows has the least width.

    Raises
    ------
    SchemaError
        For other numbers of columns, and bytes that are no text.
    InputError
        Where the file cannot be read.
    """

    __slots__ = ("_columns", "_numbers", "_position", "_text", "n_rows", "path", "width")

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        delimiter: str,
        widths: Collection[int],
        wanted: Collection[int],
        what: str,
        document: bytes | None = None,
    ) -> None:
        self.path = os.fspath(path)
        found = read_bytes(self.path) if document is None else document
        self._text = text = _core.CsvTable(single_blanks(found) if delimiter == " " else found)
        self._refuse_fault(text.fault())
        text.split(delimiter, 0)
        self._refuse_fault(text.fault())
        self.n_rows, self.width = text.n_records, min(widths)
        self._position: dict[int, int] = {}
        self._numbers: NDArray[np.float64] | None = None
        if not self.n_rows:
            return
        self.width = len(text.cells(0))
        if self.width not in widths:
            asked = " or ".join(str(width) for width in sorted(widths))
            raise SchemaError(f"expected {what}, {asked} columns, got {self.width}", self.place(0))
        positions = sorted(k for k in wanted if k < self.width)
        self._position = {position: k for k, position in enumerate(positions)}
        self._columns = text.columns(0, self.width, positions, False)
        self._refuse_fault(self._columns.fault())

    def place(self, row: int) -> str:
        """Return where a row stands, for messages: ``0000.txt line 17``."""
        return self._line_place(self._text.line(row))

    def refuse(self, wrong: NDArray[np.bool_], message: Callable[[int], str]) -> None:
        """Raise an error that names the first row of which something is wrong; none, nothing.

        Raises
        ------
        InputError
            With what `message` says of that row.
        """
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(message(row), self.place(row))

    def texts(self, column: int) -> tuple[NDArray[np.int32], list[str]]:
        """Return the position of each row's text among the distinct ones, and these."""
        if not self.n_rows:
            return np.zeros(0, np.int32), []
        if self._columns.kind()[self._position[column]] != "text":
            return self._column_again(column)
        codes, pool, offset = self._columns.text(self._position[column])
        return codes, pool_texts(pool, offset).tolist()

    def numbers(self, column: int, name: str) -> NDArray[np.float64]:
        """Return a column of finite numbers.

        Raises
        ------
        SchemaError, InputError
            For a cell that is no number, and for NaN and infinity; the line is named.
        """
        if not self.n_rows:
            return np.zeros(0)
        values = self._values(column, name).astype(np.float64, copy=False)
        self.refuse(
            ~np.isfinite(values), lambda row: f"expected a finite {name}, got {values[row]}"
        )
        return values

    def matrix(self, first: int, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return columns of finite numbers side by side; errors as `numbers`."""
        found = np.empty((self.n_rows, len(names)))
        for k, name in enumerate(names):
            found[:, k] = self.numbers(first + k, name)
        return found

    def whole(self, column: int, name: str) -> NDArray[np.int64]:
        """Return a column of whole numbers, which may be written with a point.

        Raises
        ------
        SchemaError, InputError
            For a cell that is no whole number of 64 bits, or a float from 2^53 on, where floats lie
            further apart than whole numbers.
        """
        if not self.n_rows:
            return np.zeros(0, np.int64)
        values = self._values(column, name)
        if values.dtype == np.int64:
            return values
        # NaN compares unequal to itself.
        self.refuse(
            ~((values == np.floor(values)) & (np.abs(values) < _EXACT)),
            lambda row: (
                f"expected a whole number as {name} (with a point below 2^53), "
                f"got {values[row]:.17g}"
            ),
        )
        return values.astype(np.int64)

    def _values(self, column: int, name: str) -> NDArray[Any]:
        k = self._position[column]
        kind = self._columns.kind()[k]
        if kind == "integer":
            return self._columns.integer(k)
        if kind == "text":
            self._refuse_text(column, name)
        if self._numbers is None:
            self._numbers = self._columns.number()
        return self._numbers[:, self._columns.number_column(k)]

    def _refuse_text(self, column: int, name: str) -> NoReturn:
        codes, texts = self.texts(column)
        number = np.array([_core.is_number(text) for text in texts], np.bool_)
        row = int(np.argmax(~number[codes]))
        raise SchemaError(
            f"expected a number as {name} (column {column + 1}), "
            f'got "{printable(texts[codes[row]], 60)}"',
            self.place(row),
        )

    def _column_again(self, column: int) -> tuple[NDArray[np.int32], list[str]]:
        again = self._text.columns(0, self.width, [column], True)
        codes, pool, offset = again.text(0)
        return codes, pool_texts(pool, offset).tolist()

    def _refuse_fault(self, fault: tuple[str, int, int] | None) -> None:
        if fault is None:
            return
        message, _byte, line = fault
        if line == 0:
            raise InputError(f"expected a readable file, got: {message}", self.path)
        raise SchemaError(message, self._line_place(line))

    def _line_place(self, line: int) -> str:
        return f"{self.path} line {line}"


def single_blanks(document: bytes) -> bytes:
    """Return text in which single blanks part cells: none in front of a line or behind it."""
    document = document.replace(b"\t", b" ")
    if b"  " in document:
        document = re.sub(rb" {2,}", b" ", document)
    for blank_at_end in (b" \r", b" \n", b"\n ", b"\r "):
        if blank_at_end in document:
            document = document.replace(blank_at_end, blank_at_end.strip(b" "))
    return document.strip(b" ")


def made_of_rows(
    make: Callable[[], Tracks], path: str, place: Callable[[int], str], **columns: NDArray[Any]
) -> Tracks:
    """Return the tracks that `make` makes; of an id that repeats, say in which row it stands.

    Parameters
    ----------
    make : callable
        Makes tracks of n rows.
    path : str
        The file, for messages.
    place : callable
        Where a row stands, for messages.
    **columns : ndarray, shape (n,)
        What is not all the same in any two rows that may be: track, frame, sequence.

    Raises
    ------
    IdError
        With the place of the first row that repeats another.
    InputError
        What `make` raises, with the file around its place.
    """
    try:
        return make()
    except IdError as error:
        order = np.lexsort(tuple(columns.values()))
        same = np.ones(max(0, len(order) - 1), np.bool_)
        for column in columns.values():
            same &= column[order][1:] == column[order][:-1]
        if not same.any():
            raise error.within(path) from None
        raise IdError(error.message, place(int(order[1:][same].min()))) from None
    except InputError as error:
        raise error.within(path) from None
