"""Tables of Parquet, JSON and NumPy files; see `snellen.readers.table`."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from snellen.errors import InputError, MissingExtraError, SchemaError, one_line
from snellen.readers.column_names import LABELS, PREDICTIONS
from snellen.readers.message_text import few, printable
from snellen.readers.table import Column, Table, read_bytes, text_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["read_arrays", "read_json_rows", "read_parquet"]

# Keys whose lists of whole numbers are sets of labels, not one column an element.
_SETS = frozenset((*LABELS, *PREDICTIONS, "classes", "categories"))
# Arrays of an .npz that name classes, of which there are others than rows.
_CLASS_NAMES = ("classes", "class_names")


def _chosen(table: Table, wanted: Sequence[str] | None) -> Table:
    if wanted is None:
        return table
    columns = {name: table[name] for name in wanted}
    names = tuple(name for name in table.names if name in columns)
    return dataclasses.replace(table, names=names, columns=columns)


def _row(row: int) -> str:
    return f"row {row + 1}"


def _line(lines: NDArray[np.int64], row: int) -> str:
    return f"line {lines[row]}"


# ---- Cells that are Python objects --------------------------------------------------------------


def _add_cells(
    columns: dict[str, Column], name: str, cells: list[Any], place: Callable[[int], str]
) -> None:
    """Add the columns that cells of one key make: one, or one for each element."""
    if name in columns:
        raise SchemaError(_twice(name), place(0))
    kinds = set(map(type, cells))
    if kinds <= {bool, int} and len(kinds) == 1:
        try:
            columns[name] = Column("integer", array=np.array(cells, np.int64))
        except OverflowError as error:
            row = next(k for k, cell in enumerate(cells) if not -(2**63) <= cell < 2**63)
            raise SchemaError(
                f'expected whole numbers of 64 bits in "{name}", got {cells[row]}', place(row)
            ) from error
    elif kinds <= {int, float} and kinds:
        # A whole number beyond all doubles is no finite number.
        columns[name] = Column("number", array=np.array(list(map(_double, cells))))
    elif kinds == {str} or not kinds:
        columns[name] = Column.of_texts(cells)
    elif kinds == {dict}:
        _add_objects(columns, name, cells, place)
    elif kinds == {list}:
        _add_lists(columns, name, cells, place)
    else:
        wanted = type(cells[0])
        row = next(
            (k for k, cell in enumerate(cells) if cell is None),
            next((k for k, cell in enumerate(cells) if type(cell) is not wanted), 0),
        )
        raise SchemaError(
            f'expected {_kind(cells[0 if row else -1])} in "{name}", as in other rows, '
            f"got {_kind(cells[row])}",
            place(row),
        )


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


def _kind(cell: Any) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "true or false"
    if isinstance(cell, (int, float)):
        return f"a number ({cell})"
    if isinstance(cell, str):
        return f'a text ("{printable(cell, 60)}")'
    return "a list" if isinstance(cell, list) else "an object" if isinstance(cell, dict) else "data"


def _add_objects(
    columns: dict[str, Column], name: str, cells: list[Any], place: Callable[[int], str]
) -> None:
    keys = list(cells[0])
    for row, cell in enumerate(cells):
        if len(cell) != len(keys) or any(key not in cell for key in keys):
            odd = sorted(set(cell).symmetric_difference(keys))
            raise SchemaError(
                f'expected the same keys in "{name}" of all rows, got others: {few(odd)}',
                place(row),
            )
    for key in keys:
        _add_cells(columns, f"{name}.{key}", [cell[key] for cell in cells], place)


def _add_lists(
    columns: dict[str, Column], name: str, cells: list[Any], place: Callable[[int], str]
) -> None:
    elements = {type(element) for cell in cells for element in cell}
    lengths = {len(cell) for cell in cells}
    sets = elements == {str} or (elements == {int} and (name.lower() in _SETS or len(lengths) > 1))
    if sets or not elements:
        encode = msgspec.json.encode
        columns[name] = Column.of_texts([encode(cell).decode() for cell in cells])
    elif elements <= {int, float, bool}:
        if len(lengths) > 1:
            row = next(k for k, cell in enumerate(cells) if len(cell) != len(cells[0]))
            raise SchemaError(
                f'expected {len(cells[0])} numbers in "{name}", as in the first row, '
                f"got {len(cells[row])}",
                place(row),
            )
        _add_matrix(columns, name, _matrix(cells, whole=float not in elements), place(0))
    else:
        row = next(
            k
            for k, cell in enumerate(cells)
            if any(not isinstance(element, (int, float)) for element in cell)
        )
        raise SchemaError(f'expected a list of numbers or of texts in "{name}"', place(row))


def _matrix(cells: list[Any], *, whole: bool) -> NDArray[Any]:
    try:
        return np.array(cells, np.int64 if whole else np.float64)
    except OverflowError:
        return np.array([list(map(_double, cell)) for cell in cells], np.float64)


def _twice(name: str) -> str:
    return f'expected each column name once, got "{printable(name)}" twice'


def _add_matrix(columns: dict[str, Column], name: str, matrix: NDArray[Any], place: str) -> None:
    prefix = f"{name}." if name else ""
    for k in range(matrix.shape[1]):
        if f"{prefix}{k}" in columns:
            raise SchemaError(_twice(f"{prefix}{k}"), place)
        columns[f"{prefix}{k}"] = (
            Column("number", matrix=(matrix, k))
            if matrix.dtype == np.float64
            else Column.of(matrix[:, k])
        )


# ---- JSON ---------------------------------------------------------------------------------------


def read_json_rows(path: str, wanted: Sequence[str] | None, *, lines: bool) -> Table:
    """Read JSON lines (an object a line), or a list of objects; errors as `read_table`."""
    document = read_bytes(path)
    if document.startswith(b"\xef\xbb\xbf"):
        document = document[3:]
    if not document.strip():
        raise SchemaError("expected a table, the file is empty", path)
    locate: Callable[[int], str] = _row
    if lines:
        pieces = document.split(b"\n")
        numbers = [k for k, piece in enumerate(pieces) if piece.strip()]
        locate = functools.partial(_line, np.array(numbers, np.int64) + 1)
        rows = [_decoded(pieces[k], f"{path} line {k + 1}") for k in numbers]
    else:
        rows = _decoded(document, path)
        if not isinstance(rows, list):
            raise SchemaError(f"expected a list of objects, got {_kind(rows)}", path)

    def place(row: int) -> str:
        return f"{path} {locate(row)}"

    for row, record in enumerate(rows):
        if not isinstance(record, dict):
            raise SchemaError(f"expected an object, got {_kind(record)}", place(row))
    keys = list(rows[0]) if rows else []
    known = frozenset(keys)
    for row, record in enumerate(rows):
        if record.keys() != known:
            odd = sorted(known.symmetric_difference(record))
            what = f'no "{odd[0]}"' if odd[0] in known else f'also "{odd[0]}"'
            raise SchemaError(
                f"expected the same keys in all rows ({few(keys)}), got {what}", place(row)
            )
    columns: dict[str, Column] = {}
    for key in keys:
        _add_cells(columns, key, [record[key] for record in rows], place)
    return _chosen(Table(tuple(columns), len(rows), path, columns, locate), wanted)


def _decoded(document: bytes, place: str) -> Any:
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected JSON: {error}", place) from error


# ---- NumPy --------------------------------------------------------------------------------------


def read_arrays(path: str, wanted: Sequence[str] | None) -> Table:
    """Read an ``.npz`` or ``.npy`` file; errors as `read_table`."""
    names: tuple[str, ...] | None = None
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a path given as text stays as it was given
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                arrays: Mapping[str, NDArray[Any]] = {"": loaded}
            else:
                arrays = {name: loaded[name] for name in loaded.files}
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"expected a readable file, got: {reason}", path) from error
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        raise SchemaError(
            f"expected arrays of numbers or texts: {one_line(error)}", path
        ) from error
    columns: dict[str, Column] = {}
    n_rows: int | None = None
    for name, array in arrays.items():
        if name in _CLASS_NAMES and array.ndim == 1 and array.dtype.kind == "U":
            names = tuple(array.tolist())
            continue
        if array.ndim not in (1, 2) or array.dtype.kind not in "biufU":
            raise SchemaError(
                f"expected arrays of numbers or texts with one or two axes, got {array.dtype} "
                f"{array.shape}",
                f"{path} {name}".rstrip(),
            )
        if n_rows is not None and len(array) != n_rows:
            raise SchemaError(
                f"expected arrays of one length, got {n_rows} rows and {len(array)} of {name}", path
            )
        n_rows = len(array)
        if array.ndim == 2 and array.dtype.kind == "U":
            raise SchemaError(f"expected texts in one axis, got {array.shape}", f"{path} {name}")
        if array.ndim == 2:
            whole = array.dtype.kind in "bi" or (array.dtype.kind == "u" and array.itemsize < 8)
            _add_matrix(columns, name, array.astype(np.int64 if whole else np.float64), path)
        elif name in columns:
            raise SchemaError(_twice(name), path)
        else:
            columns[name or "1"] = Column.of(array)
    if n_rows is None:
        raise SchemaError("expected arrays, the file has none", path)
    named = not isinstance(loaded, np.ndarray)
    table = Table(
        tuple(columns), n_rows, path, columns, _row, named=named, is_arrays=True, class_names=names
    )
    return _chosen(table, wanted)


# ---- Parquet ------------------------------------------------------------------------------------


def read_parquet(path: str, wanted: Sequence[str] | None) -> Table:
    """Read a Parquet file; errors as `read_table`."""
    try:
        pa = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet") from error
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a path given as text stays as it was given
            stored = parquet.read_table(file)
    except pa.ArrowException as error:
        raise SchemaError(f"expected a Parquet file: {error}".splitlines()[0], path) from error
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise InputError(f"expected a readable file, got: {reason}", path) from error

    def place(row: int) -> str:
        return f"{path} {_row(row)}"

    columns: dict[str, Column] = {}
    for name, chunked in zip(stored.column_names, stored.columns, strict=True):
        if name in columns:
            raise SchemaError(f'expected each column name once, got "{name}" twice', path)
        if chunked.null_count:
            row = int(np.argmax(chunked.is_null().to_numpy()))
            raise SchemaError(f'expected a value in "{name}", got null', place(row))
        _add_arrow(columns, name, chunked, place)
    return _chosen(Table(tuple(columns), stored.num_rows, path, columns, _row), wanted)


def _add_arrow(
    columns: dict[str, Column], name: str, chunked: Any, place: Callable[[int], str]
) -> None:
    pa = importlib.import_module("pyarrow")
    kind = chunked.type
    if pa.types.is_dictionary(kind):
        chunked = chunked.cast(kind.value_type)
        kind = chunked.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        encoded = chunked.dictionary_encode().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # no rows
            encoded = pa.array([], kind).dictionary_encode()
        pool = text_pool(encoded.dictionary.to_pylist())
        codes = np.ascontiguousarray(encoded.indices.to_numpy(), np.int32)
        columns[name] = Column("text", codes=codes, pool=pool)
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        columns[name] = Column.of(chunked.to_numpy())
    elif pa.types.is_nested(kind):
        _add_cells(columns, name, chunked.to_pylist(), place)
    else:
        raise SchemaError(f'expected numbers or texts in "{name}", got {kind}', place(0))
