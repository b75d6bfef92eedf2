"""Columns of labels: one in a cell, several in a cell, a column for each class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from snellen.errors import ClassError, InputError, SchemaError
from snellen.readers import column_names as usual
from snellen.readers.class_list import LabelSet
from snellen.readers.join import row_at
from snellen.readers.message_text import few, printable
from snellen.readers.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.image_folder import ImageFolder
    from snellen.readers.join import Rows
    from snellen.readers.table import Table

__all__ = [
    "ClassColumns",
    "LabelSets",
    "SingleLabels",
    "all_flags",
    "class_columns",
    "folder_labels",
    "holds_sets",
    "indicator_columns",
    "label_sets",
    "marked_columns",
    "single_labels",
]

_LABEL_PREFIX = re.compile(r"(labels?|tags?|targets?|truth)[._]", re.IGNORECASE)
_SEPARATORS = ("|", ";")
# More different labels than this, on more than half of the rows, are ids.
_MANY_LABELS = 1000


class SingleLabels(NamedTuple):
    """A label for each row, not yet resolved to classes.

    Attributes
    ----------
    labels : LabelSet
        The different labels.
    codes : ndarray, shape (n,), int32
        The position of each row's label among them.
    """

    labels: LabelSet
    codes: NDArray[np.int32]


class LabelSets(NamedTuple):
    """A set of labels for each row, not yet resolved to classes.

    Attributes
    ----------
    labels : LabelSet
        The different labels.
    cells : list of list of int
        The positions in `labels` of each different set.
    codes : ndarray, shape (n,), int32
        Which set each row has.
    """

    labels: LabelSet
    cells: list[list[int]]
    codes: NDArray[np.int32]

    def member(self, position: NDArray[np.int32], classes: Classes) -> NDArray[np.uint8]:
        """Return 1 where a row has a class, given the class of each label; shape (n, K)."""
        member = np.zeros((len(self.cells), len(classes)), np.uint8)
        for cell, held in zip(member, self.cells, strict=True):
            cell[position[held]] = 1
        return member[self.codes]


class ClassColumns(NamedTuple):
    """Columns that each belong to a class: scores, or flags of presence.

    Attributes
    ----------
    labels : LabelSet
        What each column's class is called.
    names : list of str
        The columns.
    by_position : bool
        Whether the k-th column is that of the k-th class, whatever it is called.
    """

    labels: LabelSet
    names: list[str]
    by_position: bool


class _Cells:
    """The different cells of a column in the rows that are wanted."""

    def __init__(self, table: Table, column: Column, rows: Rows) -> None:
        codes = column.codes[rows]
        occurs = np.bincount(codes, minlength=column.n_distinct) > 0
        self.values: NDArray[Any] = column.values[occurs]
        self.codes: NDArray[np.int32] = (np.cumsum(occurs, dtype=np.int32) - 1)[codes]
        self._table, self._rows = table, rows

    def row(self, k: int) -> int:
        """Return the row of the table where the k-th cell comes first."""
        return row_at(self._rows, int(np.argmax(self.codes == k)))

    def place(self, k: int) -> str:
        """Return where the k-th cell comes first."""
        return self._table.place(self.row(k))


def single_labels(table: Table, name: str, rows: Rows, option: str) -> SingleLabels:
    """Return a column of labels, in the rows that are wanted.

    Parameters
    ----------
    table : Table
        The table.
    name : str
        The column.
    rows : ndarray of int64, or slice
        The rows.
    option : str
        What names the column, for messages.

    Raises
    ------
    SchemaError
        For an empty cell.
    InputError
        For fractions, and for labels that look like ids.
    """
    column = table[name]
    if column.kind == "number":
        column = _whole_column(table, name)
    cells = _Cells(table, column, rows)
    n, n_rows = len(cells.values), len(cells.codes)
    if n > _MANY_LABELS and 2 * n > n_rows:
        raise InputError(
            f'expected labels in column "{name}", got {n:,} different ones in {n_rows:,} rows: it '
            f"looks like an id column; name the column of labels with {option}",
            table.path,
        )
    labels = cells.values.tolist()
    spelling = None
    if column.kind == "text":
        if "" in labels:
            raise SchemaError(
                f'expected a label in column "{name}", got an empty cell',
                cells.place(labels.index("")),
            )
    else:

        def spelling() -> list[str]:
            text = column.text()
            return [str(text.values[text.codes[cells.row(k)]]) for k in range(n)]

    return SingleLabels(
        LabelSet(labels, table.column_place(name), cells.place, spelling), cells.codes
    )


def _whole_column(table: Table, name: str) -> Column:
    """Return a column of numbers as whole numbers: pandas writes 3 as 3.0."""
    array = table[name].array()
    whole = np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) < 2.0**53)
    if not whole.all():
        row = int(np.argmin(whole))
        raise InputError(
            f'expected whole numbers or texts as labels in column "{name}", got {array[row]}: '
            "are these scores?",
            table.place(row),
        )
    return Column("integer", array=array.astype(np.int64))


def folder_labels(folder: ImageFolder) -> SingleLabels:
    """Return the classes of a folder's images."""
    place = {name: k for k, name in enumerate(folder.classes)}
    codes = np.array([place[label] for label in folder.labels], np.int32)
    labels = LabelSet(
        list(folder.classes),
        f"the folders of {folder.path}",
        lambda k: f"{folder.path}/{folder.classes[k]}",
    )
    return SingleLabels(labels, codes)


# ---- Several labels in a cell -------------------------------------------------------------------


def holds_sets(column: Column) -> bool:
    """Whether cells hold several labels: JSON lists, or texts with a separator."""
    if column.kind != "text":
        return False
    return any(
        _is_json(cell) or any(mark in cell for mark in _SEPARATORS)
        for cell in column.values.tolist()
    )


def _is_json(cell: str) -> bool:
    return cell.startswith("[") and cell.endswith("]")


def label_sets(table: Table, name: str, rows: Rows) -> LabelSets:
    """Return a column of sets of labels, in the rows that are wanted.

    Raises
    ------
    SchemaError
        For two separators, a JSON list that is none of labels, texts beside numbers.
    """
    cells = _Cells(table, table[name].text(), rows)
    values: list[str] = cells.values.tolist()
    plain = [cell for cell in values if not _is_json(cell)]
    marks = [mark for mark in _SEPARATORS if any(mark in cell for cell in plain)]
    if len(marks) > 1:
        at = next(k for k, cell in enumerate(values) if marks[1] in cell)
        raise SchemaError(
            f'expected one separator of labels in column "{name}", got "|" and ";"',
            cells.place(at),
        )
    seen: dict[int | str, int] = {}
    first: list[int] = []
    held: list[list[int]] = []
    for k, cell in enumerate(values):
        try:
            labels = _labels_of(cell, marks)
        except SchemaError as error:
            raise SchemaError(
                f'{error.message} in column "{name}", got {printable(cell, 60)}', cells.place(k)
            ) from error
        for label in labels:
            if label not in seen:
                seen[label] = len(seen)
                first.append(k)
        held.append([seen[label] for label in labels])
    if len({type(label) for label in seen}) > 1:
        odd = next(label for label in seen if type(label) is not type(next(iter(seen))))
        raise SchemaError(
            f'expected labels in column "{name}" that are all texts or all numbers, got both',
            cells.place(first[seen[odd]]),
        )
    labels_of_all = LabelSet(list(seen), table.column_place(name), lambda k: cells.place(first[k]))
    return LabelSets(labels_of_all, held, cells.codes)


def _labels_of(cell: str, marks: list[str]) -> list[int | str]:
    if not _is_json(cell):
        parts = cell.split(marks[0]) if marks else [cell]
        return [part.strip() for part in parts if part.strip()]
    try:
        labels: list[int | str] = msgspec.json.decode(cell, type=list[int | str])
    except msgspec.DecodeError as error:
        raise SchemaError("expected a JSON list of texts or whole numbers") from error
    return labels


# ---- A column for each class --------------------------------------------------------------------


def marked_columns(
    table: Table, free: Sequence[str], words: Sequence[str], prefix: re.Pattern[str]
) -> tuple[list[str], list[str]] | None:
    """Return the columns that a prefix marks as one for each class, and their names without it.

    Delimited text has prefixes by habit (``score_cat``); elsewhere columns that came out of one
    array or object have its name (``scores.0``), of which the usual ones count, or the only one.
    """
    groups: dict[str, list[str]] = {}
    for name in free:
        start = prefix.match(name)
        head = start.group() if start is not None else ""
        if not table.delimited and "." in name:
            head = name[: name.index(".") + 1]
        if head and len(head) < len(name):
            groups.setdefault(head.lower(), []).append(name)
    groups = {head: names for head, names in groups.items() if len(names) > 1}
    if not groups:
        return None
    usual_heads = [f"{word}." for word in words if f"{word}." in groups]
    if not usual_heads and len(groups) > 1 and not table.delimited:
        return None
    head = usual_heads[0] if usual_heads else max(groups, key=lambda each: len(groups[each]))
    return groups[head], [name[len(head) :] for name in groups[head]]


def _numbered(names: Sequence[str]) -> bool:
    return list(names) == [str(k) for k in range(len(names))]


def class_columns(table: Table, names: list[str], bare: list[str]) -> ClassColumns:
    """Return columns and the classes that they are of."""
    by_position = not table.named or _numbered(bare)
    labels: list[Any] = list(bare)
    if by_position and table.class_names is not None:
        if len(table.class_names) != len(names):
            raise ClassError(
                f"expected a name for each of {len(names)} columns, got {len(table.class_names)} "
                "names of classes",
                table.path,
            )
        labels, by_position = list(table.class_names), False
    elif by_position:
        labels = list(range(len(names)))
    what = f"the columns of {table.path} ({few(names, 3)})"
    return ClassColumns(
        LabelSet(labels, what, lambda k: f'{table.path} column "{names[k]}"'), names, by_position
    )


def indicator_columns(table: Table, taken: set[str], *, one_file: bool) -> ClassColumns:
    """Return the columns of 0 and 1 that say which classes a row of truth has.

    Raises
    ------
    SchemaError
        For other columns.
    """
    free = [name for name in table.names if name not in taken and not usual.is_index(name)]
    others = {*usual.SCORES, *usual.PREDICTIONS, *usual.CONFIDENCES}
    if one_file:
        free = [name for name in free if name.split(".")[0].lower() not in others]
    names, bare = marked_columns(table, free, usual.LABELS, _LABEL_PREFIX) or (free, free)
    for name in names:
        array = table[name].array()
        if table[name].kind != "integer" or not all_flags(array):
            odd = array if table[name].kind == "text" else None
            row = int(
                np.argmax(~np.isin(odd, ["0", "1"]))
                if odd is not None
                else np.argmax((array != 0) & (array != 1))
            )
            raise SchemaError(
                f"expected a column of labels (called label, class, target, …), or columns of 0 "
                f"and 1, one for each class, got {printable(array[row], 60)} in column "
                f'"{name}": name the column with label_column',
                table.place(row),
            )
    return class_columns(table, list(names), list(bare))


def all_flags(array: NDArray[Any]) -> bool:
    """Whether an array holds 0 and 1 only."""
    return bool(((array == 0) | (array == 1)).all())
