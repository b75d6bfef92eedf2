"""Tables of one row a sample: CSV and its like, Parquet, JSON, NumPy files, as columns."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snellen import _core
from snellen.errors import (
    InputError,
    SchemaError,
    did_you_mean,
)
from snellen.readers.column_names import CERTAIN, IDS, KNOWN, first_of
from snellen.readers.message_text import few, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Column", "Table", "read_table"]

Kind = Literal["integer", "number", "text"]

_DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "spaces"}
# Of one column: what no text has.
_NO_DELIMITER = "\0"
_DELIMITED = (".csv", ".tsv", ".txt")
_FORMATS = (*_DELIMITED, ".parquet", ".jsonl", ".ndjson", ".json", ".npz", ".npy")
# Whole numbers within so wide a range are looked up in a table.
_NARROW = 1 << 16
# What is looked at to find the delimiter.
_HEAD_BYTES = 1 << 16
_HEAD_LINES = 20
# A NumPy array of texts has room for the longest in every cell: this much, not more.
_MAX_TEXT_BYTES = 1 << 33


class Column:
    """One column of a table: whole numbers, numbers or texts.

    Repeated texts are held once: `codes` says which of `values` each row has.

    Attributes
    ----------
    kind : str
        ``"integer"`` (int64), ``"number"`` (float64) or ``"text"``.
    """

    __slots__ = ("_array", "_as_text", "_codes", "_matrix", "_pool", "_values", "kind")

    def __init__(
        self,
        kind: Kind,
        *,
        array: NDArray[Any] | None = None,
        matrix: tuple[NDArray[Any], int] | None = None,
        codes: NDArray[np.int32] | None = None,
        pool: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None,
        as_text: Callable[[], Column] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self._array = array
        self._matrix = matrix
        self._codes = codes
        self._pool = pool
        self._values: NDArray[Any] | None = None
        self._as_text = as_text

    @classmethod
    def of(cls, array: NDArray[Any]) -> Column:
        """Return a column of flags, whole numbers, numbers or texts, shape (n,)."""
        if array.dtype.kind in "bi" or (
            array.dtype.kind == "u"
            and (not len(array) or int(array.max()) <= np.iinfo(np.int64).max)
        ):
            return cls("integer", array=array.astype(np.int64))
        if array.dtype.kind in "uf":
            return cls("number", array=array.astype(np.float64))
        if array.dtype.kind == "U":
            return cls.of_texts(array.tolist())
        raise SchemaError(f"expected numbers or texts, got {array.dtype}")

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> Column:
        """Return a column of texts."""
        place: dict[str, int] = {}
        codes = np.fromiter(
            (place.setdefault(text, len(place)) for text in texts), np.int32, len(texts)
        )
        return cls("text", codes=codes, pool=text_pool(list(place)))

    def __len__(self) -> int:
        if self._codes is not None:
            return len(self._codes)
        return len(self.array())

    def __repr__(self) -> str:
        return f"Column({len(self)} rows, {self.kind})"

    def array(self) -> NDArray[Any]:
        """Return the cells, shape (n,): int64, float64 or str."""
        if self._array is None:
            if self._matrix is not None:
                matrix, k = self._matrix
                return matrix[:, k]
            self._array = self.values[self.codes]
        return self._array

    @property
    def codes(self) -> NDArray[np.int32]:
        """The position in `values` of each row's cell, shape (n,), int32."""
        if self._codes is None:
            self._factorise()
        assert self._codes is not None
        return self._codes

    @property
    def values(self) -> NDArray[Any]:
        """The distinct cells by first appearance: int64, float64 or str."""
        if self._values is None:
            if self._pool is not None:
                self._values = pool_texts(*self._pool)
            else:
                self._factorise()
        assert self._values is not None
        return self._values

    @property
    def n_distinct(self) -> int:
        """How many distinct cells there are."""
        return len(self._pool[1]) - 1 if self._pool is not None else len(self.values)

    @property
    def pool(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The distinct texts of a column of texts: their bytes, and where each begins."""
        assert self._pool is not None, "a column of texts"
        return self._pool

    def _factorise(self) -> None:
        array = self.array()
        found = None
        if self.kind == "integer" and len(array):
            found = _core.factorise(np.ascontiguousarray(array), max(4 * len(array), _NARROW))
        values, code = found or np.unique(array, return_inverse=True)
        first = np.empty(len(values), np.int64)
        # Of what is written to one place the last stays: the first row.
        first[code[::-1]] = np.arange(len(code))[::-1]
        order = np.argsort(first)
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        self._values, self._codes = values[order], place[code]

    def text(self) -> Column:
        """Return the cells as texts, as they were written: ``"007"`` stays ``"007"``."""
        if self.kind == "text":
            return self
        if self._as_text is not None:
            return self._as_text()
        texts = [str(value) for value in self.values.tolist()]
        return Column("text", codes=self.codes, pool=text_pool(texts))


def text_pool(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts as the bytes of all, and where each begins (and the last ends).

    Raises
    ------
    SchemaError
        For a text that cannot be written in UTF-8, or holds a NUL.
    """
    try:
        encoded = [text.encode() for text in texts]
    except UnicodeEncodeError as error:
        raise SchemaError(f"expected texts of whole characters, got {error.object!a}") from error
    joined = b"".join(encoded)
    if b"\0" in joined:
        bad = next(text for text in texts if "\0" in text)
        raise SchemaError(f"expected texts without NUL, got {bad!a}")
    offset = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offset[1:])
    return np.frombuffer(joined, np.uint8), offset


def pool_texts(text: NDArray[np.uint8], offset: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the texts of a pool as an array.

    Raises
    ------
    InputError
        Where the array would be too large.
    """
    try:
        points = _core.to_code_points(text, offset, _MAX_TEXT_BYTES)
    except ValueError as error:
        raise InputError(f"expected shorter texts: {error}") from error
    texts: NDArray[np.str_] = points.view(f"U{points.shape[1]}").reshape(-1)
    return texts


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Named columns of one length.

    Attributes
    ----------
    names : tuple of str
        The columns' names, each once, in the order of the file.
    n_rows : int
        The number of rows.
    path : str
        The file.
    comment : str or None
        The JSON text of a first line ``# {…}``.
    notes : tuple of str
        What was decided on reading, for people: the delimiter, the header.
    named : bool
        Whether the columns' names are in the file, and not their positions.
    delimited : bool
        Whether the file is delimited text.
    is_arrays : bool
        Whether the columns are arrays of NumPy's, which have an order and as a rule no ids.
    class_names : tuple of str or None
        The texts of an array ``classes`` or ``class_names`` of an ``.npz``.
    """

    names: tuple[str, ...]
    n_rows: int
    path: str
    columns: Mapping[str, Column] = dataclasses.field(repr=False)
    locate: Callable[[int], str] = dataclasses.field(repr=False)
    comment: str | None = None
    notes: tuple[str, ...] = ()
    named: bool = True
    delimited: bool = False
    is_arrays: bool = False
    class_names: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise SchemaError(
                f'expected a column "{name}", got {few(self.names, 8) or "none"}.'
                f"{did_you_mean(name, self.names)}",
                self.path,
            )
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def place(self, row: int) -> str:
        """Return where a row stands, for messages: ``truth.csv line 17``."""
        return f"{self.path} {self.locate(row)}"

    def column_place(self, name: str) -> str:
        """Return where a column stands, for messages: ``truth.csv column "label"``."""
        return f'{self.path} column "{printable(name)}"'

    def matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return columns of numbers side by side, shape (n, k).

        Raises
        ------
        SchemaError
            For a column that has a cell that is no number; the first is named.
        """
        columns = [self[name] for name in names]
        for name, column in zip(names, columns, strict=True):
            if column.kind == "text":
                self._refuse_text(name)
        whole = _side_by_side(columns)
        if whole is not None and whole.dtype == np.float64:
            return whole
        result = np.empty((self.n_rows, len(columns)))
        for k, column in enumerate(columns):
            result[:, k] = column.array()
        return result

    def _refuse_text(self, name: str) -> None:
        column = self.columns[name]
        if not self.n_rows:
            raise SchemaError("expected numbers, got no rows", self.column_place(name))
        number = np.array([_core.is_number(value) for value in column.values.tolist()], bool)
        row = int(np.argmax(~number[column.codes]))
        cell = printable(column.values[column.codes[row]], 60)
        raise SchemaError(f'expected numbers in column "{name}", got "{cell}"', self.place(row))


def _side_by_side(columns: Sequence[Column]) -> NDArray[Any] | None:
    """Return columns that lie beside each other in one array as a part of it."""
    places = [column._matrix for column in columns]
    if not places or places[0] is None:
        return None
    matrix, first = places[0]
    for k, place in enumerate(places):
        if place is None or place[0] is not matrix or place[1] != first + k:
            return None
    return matrix[:, first : first + len(columns)]


def read_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    header: bool | None = None,
) -> Table:
    r"""Read a table; the format goes by the file's name.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt`` (delimited by commas, tabs or semicolons, whichever is found;
        ``.txt`` also by single spaces), the same with ``.gz``; ``.parquet``; ``.jsonl`` or
        ``.ndjson`` (an object a line), ``.json`` (a list of objects); ``.npz`` (arrays of one
        length), ``.npy``.
    columns : sequence of str, optional
        Which columns to read; all without.
    header : bool, optional
        Whether the first line of delimited text names the columns. Without, these rules decide,
        the first that fits: it does if it has two usual names, a usual name of ids in front, or a
        name like ``label`` or ``prediction``; it does not if a cell is empty (but the first), a
        number, or looks like a file's path; it does over a column of numbers; it does not if a
        cell recurs below; it does if it has a usual name. What is then still open is refused.
        Without a header the columns are called ``1``, ``2``, ….

    Returns
    -------
    Table
        The columns. A column is of whole numbers if all its cells are, else of numbers if all are
        (nan and inf included), else of texts; an empty cell is a text.

    Raises
    ------
    SchemaError
        Where the content is not a table: rows of unequal length, a quote that is not closed,
        names that come twice, bytes that are not UTF-8. The message ends with the file and line.
    InputError
        Where the file cannot be read.
    MissingExtraError
        For Parquet without pyarrow.

    Notes
    -----
    The rules of delimited text: a cell in quotes may hold delimiters and line ends, and writes a
    quote as two; blanks around cells are dropped; empty lines are skipped; a byte order mark is
    skipped. In JSON, an object in a cell spreads over columns ``cell.key``, a list of numbers over
    ``cell.0``, ``cell.1``, …; a list of texts is a text, its JSON. A two-axes array ``a`` of an
    ``.npz`` spreads over ``a.0``, ``a.1``, …, that of an ``.npy`` over ``0``, ``1``, ….

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "truth.csv")
    >>> _ = path.write_text("id,label\n7,cat\n8,dog\n9,cat\n")
    >>> table = read_table(path)
    >>> table.names, table["id"].kind, table["label"].codes.tolist()
    (('id', 'label'), 'integer', [0, 1, 0])
    """
    place = os.fspath(path)
    name = place.lower()
    suffix = PurePath(name.removesuffix(".gz")).suffix
    if suffix in _DELIMITED:
        return _read_delimited(place, suffix, columns, header)
    if suffix == ".parquet":
        from snellen.readers.table_files import read_parquet

        return read_parquet(place, columns)
    if suffix in (".jsonl", ".ndjson", ".json"):
        from snellen.readers.table_files import read_json_rows

        return read_json_rows(place, columns, lines=suffix != ".json")
    if suffix in (".npz", ".npy") and not name.endswith(".gz"):
        from snellen.readers.table_files import read_arrays

        return read_arrays(place, columns)
    raise InputError(f"expected a table ({', '.join(_FORMATS)}), got another kind of file", place)


# ---- Delimited text -----------------------------------------------------------------------------


def read_bytes(place: str) -> bytes:
    """Return the bytes of a file, unpacked where its name ends in ``.gz``.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    import gzip
    import zlib

    try:
        if place.lower().endswith(".gz"):
            with gzip.open(place, "rb") as packed:
                return packed.read()
        with open(place, "rb") as file:  # noqa: PTH123  # a path given as text stays as it was given
            return file.read()
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"expected a readable file, got: {error.strerror}", place) from error
        raise InputError(f"expected a gzip file, as its name says, got: {error}", place) from error


def _checked(fault: tuple[str, int, int] | None, place: str) -> None:
    if fault is None:
        return
    message, _byte, line = fault
    if line == 0:
        raise InputError(f"expected a readable file, got: {message}", place)
    raise SchemaError(message, f"{place} line {line}")


def _read_delimited(
    place: str, suffix: str, wanted: Sequence[str] | None, header: bool | None
) -> Table:
    packed = place.lower().endswith(".gz")
    text = _core.CsvTable(read_bytes(place)) if packed else _core.CsvTable.from_file(place)
    _checked(text.fault(), place)
    comment, skipped = _leading_comment(text.head(_HEAD_BYTES), text)
    head = text.head(skipped + _HEAD_BYTES)[skipped:].decode("utf-8", "replace")
    delimiter = _find_delimiter(
        head, suffix, cut_off=len(text.head(skipped + _HEAD_BYTES + 1)) > skipped + _HEAD_BYTES
    )
    text.split(delimiter, skipped)
    _checked(text.fault(), place)
    if text.n_records == 0:
        raise SchemaError("expected a table, the file is empty", place)
    first = text.cells(0)
    named, raw = _find_header(text, first, header, place)
    names = (
        _column_names(first, f"{place} line {text.line(0)}")
        if named
        else [str(k + 1) for k in range(len(first))]
    )
    positions = list(range(len(names)))
    start = int(named)
    locate = functools.partial(_line_of_row, text, start)
    if wanted is not None:
        empty = Table(tuple(names), 0, place, dict.fromkeys(names, Column("text")), locate)
        for name in wanted:
            _ = empty[name]  # says what is missing
        chosen = set(wanted)
        positions = [k for k, name in enumerate(names) if name in chosen]
    if raw is None or len(positions) != len(names):
        raw = text.columns(start, len(names), positions, False)
        _checked(raw.fault(), place)
    columns = _csv_columns(raw, text, start, [names[k] for k in positions], positions, len(names))
    notes = []
    if wanted is None and named and not first[0].strip() and columns[names[0]].kind == "integer":
        beside = first_of(IDS, names[1:])
        if beside is not None:
            del positions[0], columns[names[0]]
            notes.append(
                f"{place}: the first column has no name and holds whole numbers, as an index does: "
                f'left out beside "{printable(beside)}"'
            )
    if delimiter != _NO_DELIMITER:
        notes.append(f"{place}: cells delimited by {_DELIMITERS[delimiter]}")
    if not named:
        notes.append(
            f"{place}: no line of column names, so that columns are called {few(names, 3)}"
        )
    return Table(
        tuple(names[k] for k in positions),
        text.n_records - start,
        place,
        columns,
        locate,
        comment,
        tuple(notes),
        named,
        delimited=True,
    )


def _line_of_row(text: _core.CsvTable, start: int, row: int) -> str:
    return f"line {text.line(start + row)}"


def _leading_comment(head: bytes, text: _core.CsvTable) -> tuple[str | None, int]:
    """Return the JSON of a first line ``# {…}``, and the length of the line."""
    if not re.match(rb"#[ \t]*\{", head):
        return None, 0
    size = len(head)
    while b"\n" not in head:
        size *= 16
        longer = text.head(size)
        if len(longer) == len(head):
            break
        head = longer
    line = head.split(b"\n", 1)[0]
    return line.decode().lstrip("# \t").rstrip(), min(len(line) + 1, len(head))


def _find_delimiter(head: str, suffix: str, *, cut_off: bool) -> str:
    """Return the delimiter.

    It is the one that splits all lines looked at into equally many cells; else the one that is
    most frequent in the first line.
    """
    plain = re.sub(r'"[^"]*("|$)', "", head)
    lines = [line for line in re.split(r"\r\n|\n|\r", plain) if line.strip(" ")]
    if cut_off:
        lines = lines[:-1] or lines
    if not lines:
        return _NO_DELIMITER
    candidates = ["\t", ",", ";"] + ([" "] if suffix == ".txt" else [])
    counts = {
        each: [line.strip(" ").count(each) for line in lines[:_HEAD_LINES]] for each in candidates
    }
    for each in candidates:
        if counts[each][0] and len(set(counts[each])) == 1:
            return each
    best = max(candidates[:3], key=lambda each: counts[each][0])
    return best if counts[best][0] else _NO_DELIMITER


def _find_header(
    text: _core.CsvTable, first: list[str], header: bool | None, place: str
) -> tuple[bool, _core.CsvColumns | None]:
    """Return whether the first record names the columns, and the columns if they are read."""
    if header is not None:
        return header, None
    lower = [cell.lower() for cell in first]
    n_known = sum(cell in KNOWN for cell in lower)
    if n_known > 1 or lower[0] in IDS or any(cell in CERTAIN for cell in lower):
        return True, None
    # The name of the first column may be missing: that of an index, as pandas writes it.
    if any(not cell or _core.is_number(cell) for cell in first[len(first) > 1 and not first[0] :]):
        return False, None
    if any(re.search(r"[/\\]|\.[A-Za-z0-9]{1,5}$", cell) for cell in first):
        return False, None
    below = text.columns(1, len(first), list(range(len(first))), False)
    _checked(below.fault(), place)
    kinds = below.kind()
    if below.n_rows and any(kind != "text" for kind in kinds):
        return True, below
    every = text.columns(0, len(first), list(range(len(first))), True)
    if any((every.text(k)[0][1:] == 0).any() for k in range(len(first))):
        return False, None
    if n_known:  # one name that could be a class too, such as scene
        return True, None
    raise SchemaError(
        f"expected a line of column names that has a usual one (id, label, …), got "
        f'"{few(first)}", which may be names or a row: say which '
        "(header=True or header=False)",
        f"{place} line {text.line(0)}",
    )


def _column_names(first: list[str], place: str) -> list[str]:
    names = [cell.strip() or str(k + 1) for k, cell in enumerate(first)]
    for k, name in enumerate(names):
        if name in names[:k]:
            raise SchemaError(
                f'expected each column name once, got "{printable(name)}" in columns '
                f"{names.index(name) + 1} and {k + 1}",
                place,
            )
    return names


def _csv_columns(
    raw: _core.CsvColumns,
    text: _core.CsvTable,
    start: int,
    names: list[str],
    positions: list[int],
    width: int,
) -> dict[str, Column]:
    def as_text(position: int) -> Column:
        codes, pool, offset = text.columns(start, width, [position], True).text(0)
        return Column("text", codes=codes, pool=(pool, offset))

    columns: dict[str, Column] = {}
    kinds = raw.kind()
    numbers = raw.number() if "number" in kinds else np.empty((0, 0))
    for k, (name, position) in enumerate(zip(names, positions, strict=True)):
        again = functools.partial(as_text, position)
        if kinds[k] == "text":
            codes, pool, offset = raw.text(k)
            columns[name] = Column("text", codes=codes, pool=(pool, offset))
        elif kinds[k] == "integer":
            columns[name] = Column("integer", array=raw.integer(k), as_text=again)
        else:
            columns[name] = Column("number", matrix=(numbers, raw.number_column(k)), as_text=again)
    return columns
