"""Columns of scores: one for each class, found by the classes' names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import ClassError, InputError, SchemaError, did_you_mean
from snellen.readers import column_names as usual
from snellen.readers.class_list import whole_numbers
from snellen.readers.join import row_at
from snellen.readers.label_columns import class_columns, marked_columns
from snellen.readers.message_text import few, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.class_list import ClassList, LabelSet
    from snellen.readers.join import Rows
    from snellen.readers.label_columns import ClassColumns
    from snellen.readers.table import Table

__all__ = [
    "confidence_column",
    "find_scores",
    "in_order",
    "of_two",
    "positive_class",
    "spread",
]

_SCORE_PREFIX = re.compile(
    r"(scores?|prob|probs|probabilit(?:y|ies)|probas?|logits?|conf|confidence|p)[._]", re.IGNORECASE
)
# Rows whose columns are put in order at a time: they stay in the cache.
_ROWS = 256
# The positive one of two classes, where their names say it.
_POSITIVE = ("1", "true", "yes", "positive", "pos")
_NEGATIVE = ("0", "false", "no", "negative", "neg")


def find_scores(
    table: Table,
    taken: set[str],
    named: Sequence[str] | None,
    truth: LabelSet,
    known: ClassList | None,
    *,
    labels_given: bool,
) -> ClassColumns | str | None:
    """Return the columns of scores.

    Parameters
    ----------
    table : Table
        The predictions.
    taken : set of str
        Columns that hold something else.
    named : sequence of str, optional
        The columns that were asked for.
    truth : LabelSet
        The labels of truth.
    known : ClassList or None
        The classes, where there is a list.
    labels_given : bool
        Whether the table has predicted labels: then scores may be absent.

    Returns
    -------
    ClassColumns, str or None
        A column for each class; or the one column whose name says no class.

    Raises
    ------
    SchemaError
        Where nothing was predicted.
    ClassError
        For columns that are called like no class.
    """
    if named is not None:
        for name in named:
            _ = table[name]
        if not named:
            return None
        if len(named) == 1 and not _names_class(named[0], truth, known):
            return named[0]
        marked = marked_columns(table, named, (), _SCORE_PREFIX)
        whole = marked is not None and len(marked[0]) == len(named)
        return class_columns(table, list(named), marked[1] if marked and whole else list(named))
    free = [name for name in table.names if name not in taken]
    if not table.named:
        if labels_given or not free:
            return None
        return class_columns(table, free, free) if len(free) > 1 else free[0]
    marked = marked_columns(
        table, free, (*usual.SCORES, *usual.PREDICTIONS, *usual.CONFIDENCES), _SCORE_PREFIX
    )
    if marked is not None:
        columns = class_columns(table, *marked)
        # Beside labels, columns such as p_value are something else.
        if (
            not labels_given
            or columns.by_position
            or any(_names_class(str(label), truth, known) for label in columns.labels.labels)
        ):
            return columns
    special = {*usual.KNOWN, *usual.CONFIDENCES}
    matched = [name for name in free if _names_class(name, truth, known)]
    numeric = [
        name
        for name in free
        if name.lower() not in special and not usual.is_index(name) and table[name].kind != "text"
    ]
    if known is None and len(matched) > 1:
        _check_odd_columns(table, matched, [name for name in numeric if name not in matched])
        matched = [name for name in free if name in matched or name in numeric]
    if matched and (len(matched) > 1 or not labels_given):
        return class_columns(table, matched, matched)
    alone = usual.first_of(usual.CONFIDENCES, free)
    if alone is not None:
        return alone
    if labels_given:
        return None
    if not numeric:
        raise SchemaError(
            "expected a column of predicted labels (called prediction, pred_label, …) or columns "
            f"of scores called like the classes, got {few(table.names, 8)}: name them with "
            "pred_column or score_columns",
            table.path,
        )
    names = [str(label) for label in truth.labels] if known is None else list(known.names())
    raise ClassError(
        f"expected columns of scores called like the classes ({few(names)}), got "
        f"{few(numeric)}.{did_you_mean(numeric[0], names)}",
        table.path,
    )


def _names_class(name: str, truth: LabelSet, known: ClassList | None) -> bool:
    if known is not None:
        return known.code(name) is not None
    if truth.is_text:
        return name in truth.labels
    number = whole_numbers([name])
    return (number is not None and number[0] in truth.labels) or (
        truth.spelling is not None and name in truth.spelling()
    )


def _check_odd_columns(table: Table, matched: list[str], others: list[str]) -> None:
    """Refuse columns that are called like no class of truth and hold what scores do not."""
    if not others or any(table[name].kind == "text" for name in matched):
        return
    scores = table.matrix(matched)
    if scores.size == 0 or not (scores.min() >= 0 and scores.max() <= 1):
        return
    for name in others:
        array = table[name].array()
        if not (array.min() >= 0 and array.max() <= 1):
            raise ClassError(
                f'expected columns of scores between 0 and 1, got others in "{name}", which is '
                "called like no class of truth: say which columns are scores with score_columns",
                table.path,
            )


def in_order(known: ClassList, columns: LabelSet, n: int) -> NDArray[np.int32]:
    """Return the class of each column, where columns have the order of a list of classes.

    Raises
    ------
    ClassError
        For another number of columns.
    """
    if n != len(known):
        raise ClassError(
            f"expected a column for each of {len(known)} classes, got {n}", columns.what
        )
    return np.array(known.in_order, np.int32)


def spread(
    matrix: NDArray[np.float64],
    position: NDArray[np.int32],
    classes: Classes,
    columns: ClassColumns,
    dtype: Any,
) -> NDArray[Any]:
    """Return columns in the order of the classes, shape (n, K).

    Raises
    ------
    ClassError
        For a class without a column, or with two.
    """
    n_columns = np.bincount(position, minlength=len(classes))
    if (n_columns > 1).any():
        code = int(np.argmax(n_columns > 1))
        twice = [columns.names[k] for k in np.flatnonzero(position == code)]
        raise ClassError(
            f"expected one column for class {printable(classes.display_names()[code])}, got "
            f"{few(twice)}",
            columns.labels.what,
        )
    if (n_columns == 0).any():
        names = classes.display_names()
        without = [names[k] for k in np.flatnonzero(n_columns == 0)]
        counted = (
            f": columns are the classes 0 … {len(columns.names) - 1}; are labels counted from 1?"
            if columns.by_position
            else f": rename the columns.{did_you_mean(without[0], columns.names)}"
        )
        raise ClassError(
            f"expected a column for each class, got none for {few(without)}{counted}",
            columns.labels.what,
        )
    order = np.argsort(position)
    if (order == np.arange(len(order))).all():
        return np.ascontiguousarray(matrix, dtype)
    result = np.empty(matrix.shape, dtype)
    for begin in range(0, len(matrix), _ROWS):
        part = np.ascontiguousarray(matrix[begin : begin + _ROWS], dtype)
        part.take(order, axis=1, out=result[begin : begin + _ROWS], mode="clip")
    return result


def of_two(
    values: NDArray[np.float64], at: int, classes: Classes, scores: str | None
) -> tuple[NDArray[np.float64], str]:
    """Return the score of one of two classes as a column for each, and what was done in words."""
    if scores is None:
        inside = bool(len(values)) and values.min() >= 0 and values.max() <= 1
        scores = "probabilities" if inside else "logits"
    both = np.zeros((len(values), 2))
    both[:, at] = values
    name = printable(classes.display_names()[at])
    if scores != "probabilities":
        return both, f"scores of class {name}; the other class has 0"
    both[:, 1 - at] = 1.0 - values
    return both, f"probabilities of class {name}; the other class has the rest"


def positive_class(
    classes: Classes, positive: int | str | None, name: str, table: Table, *, sets: bool
) -> int:
    """Return which of two classes a single column of scores is of.

    Raises
    ------
    ClassError
        For more classes, and where it is not known.
    """
    if len(classes) != 2 or sets:
        raise ClassError(
            f'expected a column of scores for each of {len(classes)} classes, got only "{name}"',
            table.path,
        )
    shown = [printable(name) for name in classes.display_names()]
    ids = classes.keys.ids.tolist()
    if positive is not None:
        for k in range(2):
            if positive in (ids[k], classes.names[k]) or str(positive) == shown[k]:
                return k
        raise ClassError(
            f"expected one of the classes {shown[0]} and {shown[1]} as positive, got {positive}."
            f"{did_you_mean(str(positive), shown)}",
            "positive",
        )
    for spellings in (shown, [str(each) for each in ids]):
        lower = [each.lower() for each in spellings]
        for k in range(2):
            if lower[k] in _POSITIVE and lower[1 - k] in _NEGATIVE:
                return k
    raise ClassError(
        f"expected to know of which class ({shown[0]} or {shown[1]}) the scores are: say it with "
        "positive",
        table.column_place(name),
    )


def confidence_column(
    values: NDArray[np.float64], table: Table, name: str, rows: Rows
) -> NDArray[np.float64]:
    """Return how sure each predicted label is, checked.

    Raises
    ------
    InputError
        For what lies outside [0, 1].
    """
    outside = (values < 0) | (values > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f'expected confidences between 0 and 1 in column "{name}", got {values[row]}',
            table.place(row_at(rows, row)),
        )
    return np.ascontiguousarray(values)
