"""Many small texts of a line an object, one a picture as a rule, read as one table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from snellen import _core
from snellen.errors import InputError, SchemaError
from snellen.readers.detection_formats import NOT_LABELS
from snellen.readers.image_files import files_below
from snellen.readers.message_text import printable
from snellen.readers.table import read_bytes
from snellen.readers.track_rows import FixedColumns, single_blanks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["NumberRows", "TextRows", "cells_of_lines", "read_documents", "text_files"]

_NEWLINE: Final = 10
_BLANK: Final = 32


def text_files(path: str | os.PathLike[str], inside: Iterable[str] = ()) -> dict[str, str]:
    """Return where texts lie, by their path below a folder without ``.txt``.

    Parameters
    ----------
    path : path
        A folder, or a single file.
    inside : iterable of str
        Names of folders, one of which has the texts if there is one: ``"label_2"``.

    Raises
    ------
    InputError
        Where there is nothing, or a folder cannot be read.
    """
    place = os.fspath(path)
    if os.path.isfile(place):  # noqa: PTH113
        return {os.path.basename(place).rpartition(".")[0]: place}  # noqa: PTH119
    if not os.path.isdir(place):  # noqa: PTH112
        raise InputError("expected a file or a folder, there is none", place)
    for name in inside:
        below = f"{place.rstrip('/')}/{name}"
        if os.path.isdir(below):  # noqa: PTH112
            place = below
            break
    return {
        name[: -len(".txt")]: path
        for name, path in files_below(place)
        if name.lower().endswith(".txt") and name.rpartition("/")[2].lower() not in NOT_LABELS
    }


def read_documents(paths: Iterable[str]) -> list[bytes]:
    """Return texts: without byte order marks, lines ended by a newline, cells parted by blanks.

    Raises
    ------
    SchemaError
        For UTF-16 and what is no text.
    InputError
        Where a file cannot be read.
    """
    documents = []
    for path in paths:
        document = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
        if b"\0" in document or document.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SchemaError("expected UTF-8 text, got UTF-16 or no text at all", path)
        if b"\r" in document:
            document = document.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        document = single_blanks(document)
        if document and not document.endswith(b"\n"):
            document += b"\n"
        documents.append(document)
    return documents


class _Lines(FixedColumns):
    """The lines of many texts, of which each belongs to a file."""

    __slots__ = ("_first_line", "_paths")

    def _joined(self, path: str | os.PathLike[str], paths: Sequence[str],
                documents: Sequence[bytes], what: str) -> bytes:  # fmt: skip
        """Return all texts as one."""
        self._paths = paths
        n_lines = [document.count(b"\n") for document in documents]
        self._first_line = np.cumsum([1, *n_lines])
        joined = b"".join(documents)
        self.path = os.fspath(path)
        # A quote would make one row of several lines.
        quote = joined.find(b'"')
        if quote >= 0:
            line = joined.count(b"\n", 0, quote) + 1
            raise SchemaError(f"expected {what} without quotes", self._file_place(line))
        return joined

    def _files(self, line: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return which files lines of all texts belong to; texts without lines have none."""
        return (np.searchsorted(self._first_line, line, "right") - 1).astype(np.int32)

    def _file_place(self, line: int) -> str:
        file = min(int(self._files(np.array([line]))[0]), len(self._paths) - 1)
        if file < 0:
            return self.path
        return f"{self._paths[file]} line {line - self._first_line[file] + 1}"


class TextRows(_Lines):
    """The lines of many texts as rows.

    Parameters
    ----------
    path : path
        The folder or file, for messages that belong to no line.
    paths : sequence of str
        The files.
    documents : sequence of bytes
        What `read_documents` returned for them.
    widths : collection of int
        How many columns there may be; all lines have as many.
    what : str
        What the lines should be, for messages: ``"YOLO labels"``.

    Attributes
    ----------
    file : ndarray, shape (n_rows,), int32
        The position of each row's file in `paths`.

    Raises
    ------
    SchemaError
        For lines of other numbers of columns, quotes, and bytes that are no text; the message ends
        with file and line.
    """

    __slots__ = ("file",)

    def __init__(
        self,
        path: str | os.PathLike[str],
        paths: Sequence[str],
        documents: Sequence[bytes],
        *,
        widths: Collection[int],
        what: str,
    ) -> None:
        joined = self._joined(path, paths, documents, what)
        ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == _NEWLINE)
        starts = np.append(0, ends + 1)[: len(ends)]
        line_of_row = np.flatnonzero(ends > starts) + 1
        self.file = self._files(line_of_row)
        super().__init__(
            path,
            delimiter=" ",
            widths=widths,
            wanted=range(max(widths)),
            what=what,
            document=joined,
        )

    def _line_place(self, line: int) -> str:
        return self._file_place(line)


class NumberRows(_Lines):
    """The lines of many texts as rows of numbers, of any number each.

    Parameters
    ----------
    path, paths, documents, what
        See `TextRows`.

    Attributes
    ----------
    file : ndarray, shape (n,), int32
        The position of each row's file in `paths`.
    begin : ndarray, shape (n + 1,), int64
        Row i has the numbers ``begin[i]`` to ``begin[i + 1]``, exclusive.
    number : ndarray, float64
        The numbers of all rows, finite.

    Raises
    ------
    SchemaError, InputError
        For cells that are no finite numbers, quotes, and bytes that are no text; the message ends
        with file and line.
    """

    __slots__ = ("_line", "_separator_line", "begin", "file", "number")

    def __init__(
        self,
        path: str | os.PathLike[str],
        paths: Sequence[str],
        documents: Sequence[bytes],
        *,
        what: str,
    ) -> None:
        joined = self._joined(path, paths, documents, what)
        cells = cells_of_lines(joined)
        self._line = np.flatnonzero(cells) + 1
        self.file = self._files(self._line)
        self.begin = np.append(0, np.cumsum(cells[cells > 0], dtype=np.int64))
        # What parts numbers is a line's end to the parser, and blank lines count as lines.
        of_line = np.repeat(np.arange(1, len(cells) + 1), np.maximum(cells, 1))
        self._separator_line = of_line
        super().__init__(
            path, delimiter=" ", widths=(1,), wanted=(0,), what=what,
            document=joined.replace(b" ", b"\n"),
        )  # fmt: skip
        self.number = self.numbers(0, "number")

    def row_place(self, row: int) -> str:
        """Return where a row stands."""
        return self._file_place(int(self._line[row]))

    def refuse_rows(self, wrong: NDArray[np.bool_], message: Callable[[int], str]) -> None:
        """Raise an error that names the first row of which something is wrong; none, nothing.

        Raises
        ------
        InputError
            With what `message` says of that row.
        """
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(message(row), self.row_place(row))

    def _line_place(self, line: int) -> str:
        return self._file_place(int(self._separator_line[line - 1]))

    def _refuse_text(self, column: int, name: str) -> NoReturn:
        codes, texts = self.texts(column)
        known = np.array([_core.is_number(text) for text in texts], np.bool_)
        row = int(np.argmax(~known[codes]))
        raise SchemaError(
            f'expected a {name}, got "{printable(texts[codes[row]], 60)}"', self.place(row)
        )


def cells_of_lines(document: bytes) -> NDArray[np.int64]:
    r"""Return how many cells each line of a text has that `read_documents` returned.

    Examples
    --------
    >>> cells_of_lines(b"1 2 3\n\n4\n").tolist()
    [3, 0, 1]
    """
    text = np.frombuffer(document, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    blanks = np.diff(np.searchsorted(np.flatnonzero(text == _BLANK), ends), prepend=0)
    is_filled = np.diff(ends, prepend=-1) > 1
    cells: NDArray[np.int64] = np.where(is_filled, blanks + 1, 0)
    return cells
