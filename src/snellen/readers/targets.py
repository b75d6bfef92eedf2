"""Truth and predictions of regression, from files, row by row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen import _core
from snellen.errors import SchemaError, ShapeError
from snellen.readers import column_names as usual
from snellen.readers.join import find_ids, join, same_file
from snellen.readers.message_text import few
from snellen.readers.sample_columns import finite_matrix, group_column_of, weight_column_of
from snellen.readers.table import read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from snellen.readers.join import IdSide, Missing
    from snellen.readers.table import Column, Table

__all__ = ["Targets", "read_targets"]

# What a column of predictions has before or behind the name of what is predicted.
_PREDICTED = re.compile(
    r"(?:pred|predicted|prediction)[._](.+)|(.+)[._](?:pred|predicted|prediction)", re.IGNORECASE
)
# Beside "y" there may be an "x" that is a target as well.
_ALONE = [name for name in usual.LABELS if name != "y"]
_OTHERS = {*usual.WEIGHTS, *usual.GROUPS, *usual.OTHERS}


class Targets(NamedTuple):
    """What `read_targets` returns.

    Attributes
    ----------
    truth, pred : ndarray, shape (n, m), float64
        The values of m targets, row by row.
    names : tuple of str
        The targets' names.
    sample_id : ndarray, shape (n,), int64 or str, or None
        The id of each sample.
    weight : ndarray, shape (n,), float64, or None
        How much each sample counts.
    group : ndarray, shape (n,), int64 or str, or None
        The unit of independence that each sample belongs to.
    notes : tuple of str
        What was decided on reading, for people.
    """

    truth: NDArray[np.float64]
    pred: NDArray[np.float64]
    names: tuple[str, ...]
    sample_id: NDArray[Any] | None
    weight: NDArray[np.float64] | None
    group: NDArray[Any] | None
    notes: tuple[str, ...]


def read_targets(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str] | None = None,
    *,
    id_column: str | None = None,
    target_columns: Sequence[str] | None = None,
    pred_columns: Sequence[str] | None = None,
    weight_column: str | None = None,
    group_column: str | None = None,
    missing: Missing = "error",
    header: bool | None = None,
) -> Targets:
    r"""Read truth and predictions of regression, and pair them row by row.

    Parameters
    ----------
    truth : path
        A table (see `read_table`) with a column of numbers for each target.
    pred : path, optional
        A table with a column of numbers for each target. Without, or where it is the same file,
        truth and predictions are columns of one table.
    id_column : str, optional
        The column that says which sample a row is of; found as by `read_labels`.
    target_columns : sequence of str, optional
        The columns of truth. Without, one called target, truth, y_true, label, …, else all
        numeric columns that are nothing else.
    pred_columns : sequence of str, optional
        The columns of predictions, in the order of the targets. Without, those called like the
        targets with ``pred_`` before or ``_pred`` behind; of a single target one called
        prediction, pred, y_pred, …; else those called like the targets, or, of a single one, the
        only numeric column.
    weight_column, group_column : str, optional
        Columns of truth: how much a sample counts; to which unit of independence it belongs.
    missing : {"error", "ignore"}
        What to do about samples without prediction and predictions without sample.
    header : bool, optional
        Whether the first line of delimited text names the columns; see `read_table`.

    Raises
    ------
    SchemaError
        For columns that are missing or hold what is no number; the message ends with the line.
    InputError
        For values that are NaN or infinite, weights that are negative.
    IdError
        For ids that come twice or that one side does not have.
    ShapeError
        For predictions of another number of targets.

    Warns
    -----
    DataWarning
        For samples that are left out.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "depth.csv")
    >>> _ = path.write_text("id,target,prediction\na,1.5,1.25\nb,2,2.5\n")
    >>> found = read_targets(path)
    >>> found.names, found.truth.tolist(), found.pred.tolist()
    (('target',), [[1.5], [2.0]], [[1.25], [2.5]])
    """
    one_file = pred is None or same_file(truth, pred)
    truth_table = read_table(truth, header=header)
    notes = list(truth_table.notes)
    pred_table = truth_table
    if pred is not None and not one_file:
        pred_table = read_table(pred, header=header)
        notes += pred_table.notes
    truth_ids = find_ids(truth_table, id_column, by_place=not one_file)
    pred_ids = truth_ids if one_file else find_ids(pred_table, id_column)
    others = {weight_column, group_column, *(pred_columns or ())}
    names = _targets(truth_table, target_columns, truth_ids, others, one_file=one_file)
    columns = _predictions(pred_table, names, pred_columns, pred_ids, one_file=one_file)
    if len(columns) != len(names):
        raise ShapeError(
            f"expected predictions of {len(names)} targets ({few(names)}), got "
            f"{len(columns)} columns ({few(columns)})",
            pred_table.path,
        )
    joined = join(truth_ids, pred_ids, missing)
    notes += (
        [f"{truth_table.path}: truth and predictions are columns of one file"]
        if one_file
        else joined.notes
    )
    notes.append(f"{truth_table.path}: {_counted('target', names)}")
    notes.append(f"{pred_table.path}: {_counted('prediction', columns)}")
    return Targets(
        finite_matrix(truth_table, names, joined.truth_rows, "targets"),
        finite_matrix(pred_table, columns, joined.pred_rows, "predictions"),
        tuple(names),
        joined.sample_id,
        weight_column_of(truth_table, weight_column, joined.truth_rows),
        group_column_of(truth_table, group_column, joined.truth_rows),
        tuple(notes),
    )


def _counted(what: str, names: Sequence[str]) -> str:
    return f"{len(names)} {what if len(names) == 1 else what + 's'} ({few(names)})"


def _numeric(table: Table, ids: IdSide, others: Iterable[str | None]) -> list[str]:
    taken = {ids.name, *others}
    return [
        name
        for name in table.names
        if name not in taken
        and name.lower() not in _OTHERS
        and not usual.is_index(name)
        and _mostly_numbers(table[name])
    ]


def _mostly_numbers(column: Column) -> bool:
    """Whether a column is meant to be numbers: one bad cell must not make it disappear."""
    if column.kind != "text":
        return True
    cells = column.values[:100].tolist()
    return 2 * sum(_core.is_number(cell) for cell in cells) > len(cells)


def _targets(
    table: Table,
    named: Sequence[str] | None,
    ids: IdSide,
    others: set[str | None],
    *,
    one_file: bool,
) -> list[str]:
    if named is not None:
        return list(named)
    taken = {ids.name, *others}
    free = [name for name in table.names if name not in taken]
    alone = usual.first_of(_ALONE, free)
    if alone is not None:
        return [alone]
    names = _numeric(table, ids, others)
    if one_file:
        predicted = {*usual.PREDICTIONS, *usual.SCORES}
        names = [
            name
            for name in names
            if name.lower() not in predicted and not _PREDICTED.fullmatch(name.lower())
        ]
    if not names:
        names = [name for name in free if name.lower() == "y"]
    if not names:
        raise SchemaError(
            "expected a column of numbers with the truth (called target, truth, y, …), got "
            f"{few(table.names, 8)}: name it with target_columns",
            table.path,
        )
    return names


def _predictions(
    table: Table,
    targets: Sequence[str],
    named: Sequence[str] | None,
    ids: IdSide,
    *,
    one_file: bool,
) -> list[str]:
    if named is not None:
        return list(named)
    free = [name for name in table.names if name != ids.name]
    found = {}
    for name in free:
        match = _PREDICTED.fullmatch(name)
        if match is not None:
            found[match.group(1) or match.group(2)] = name
    if all(name in found for name in targets):
        return [found[name] for name in targets]
    names = [name for name in free if not (one_file and name in targets)]
    if len(targets) == 1:
        alone = usual.first_of(usual.PREDICTIONS, names)
        if alone is not None:
            return [alone]
    # Last, since a table of predictions may have a copy of truth beside them.
    if not one_file and all(name in free for name in targets):
        return list(targets)
    if len(targets) == 1:
        alone = usual.first_of(usual.SCORES, names)
        if alone is not None:
            return [alone]
        names = _numeric(table, ids, targets if one_file else ())
        if len(names) == 1:
            return names
    elif not one_file and not table.named:
        return _numeric(table, ids, ())
    raise SchemaError(
        f"expected columns of predictions for {few(targets)} (called so, or pred_"
        f"{targets[0]}), got {few(table.names, 8)}: name them with pred_columns",
        table.path,
    )
