"""Truth and predictions of classification, from files, row by row."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from snellen.classification.labels import Labels
from snellen.errors import DataWarning, InputError, SchemaError
from snellen.readers import column_names as usual
from snellen.readers.class_list import ClassList, LabelSet, resolve
from snellen.readers.image_folder import ImageFolder, match_files, read_image_folder
from snellen.readers.join import IdSide, Joined, Missing, find_ids, join, row_at, same_file
from snellen.readers.label_columns import (
    ClassColumns,
    LabelSets,
    SingleLabels,
    all_flags,
    folder_labels,
    holds_sets,
    indicator_columns,
    label_sets,
    single_labels,
)
from snellen.readers.message_text import few
from snellen.readers.sample_columns import finite_matrix, group_column_of, weight_column_of
from snellen.readers.score_columns import (
    confidence_column,
    find_scores,
    in_order,
    of_two,
    positive_class,
    spread,
)
from snellen.readers.table import Table, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.join import Rows

__all__ = ["ReadLabels", "read_labels"]


class ReadLabels(NamedTuple):
    """What `read_labels` returns.

    Attributes
    ----------
    truth, pred : Labels
        Both sides row by row, of the same classes.
    notes : tuple of str
        What was decided on reading, for people: columns, how rows were paired, what is left out.
    """

    truth: Labels
    pred: Labels
    notes: tuple[str, ...]


def read_labels(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str] | None = None,
    *,
    classes: Any = None,
    id_column: str | None = None,
    label_column: str | None = None,
    pred_column: str | None = None,
    score_columns: Sequence[str] | None = None,
    weight_column: str | None = None,
    group_column: str | None = None,
    scores: Literal["probabilities", "logits", "any"] | None = None,
    positive: int | str | None = None,
    missing: Missing = "error",
    multilabel: bool | None = None,
    header: bool | None = None,
) -> ReadLabels:
    """Read truth and predictions of classification, and pair them row by row.

    Parameters
    ----------
    truth : path
        A table (see `read_table`) with a label for each sample, or a folder with a folder of
        images for each class.
    pred : path, optional
        A table with the predicted label, or a score for each class, or both. Without, or where it
        is the same file, truth and predictions are columns of one table.
    classes : sequence, mapping, Classes or path, optional
        The classes: names (their ids are 0, 1, 2, …), a mapping of id to name or names, or a file
        of either (a name a line; JSON). Labels are then ids or names of these, and no others.
        Without, the classes are all labels that occur.
    id_column : str, optional
        The column that says which sample a row is of, in both tables. Without, one called id,
        image_id, filename, path, … is taken, else the first; arrays and tables without such a
        column are paired by position.
    label_column, pred_column : str, optional
        The column of labels in truth, and in the predictions. Without, one called label, class,
        target, …, and prediction, pred_label, ….
    score_columns : sequence of str, optional
        The columns of scores. Without, those called like a class, with or without a prefix such as
        ``score_`` or ``prob_``.
    weight_column, group_column : str, optional
        Columns of truth: how much a sample counts; to which unit of independence it belongs.
    scores : {"probabilities", "logits", "any"}, optional
        What a single column of scores of two classes holds: probabilities p become 1 − p and p,
        others s become 0 and s. Without, they are probabilities if all lie in [0, 1].
    positive : int or str, optional
        The class that a single column of scores is of, where its name is that of no class.
        Without, of 0 and 1, false and true, no and yes, negative and positive the second.
    missing : {"error", "ignore"}
        What to do about samples without prediction and predictions without sample.
    multilabel : bool, optional
        Whether a sample has a set of labels: several in a cell, delimited by ``|`` or ``;`` or as a
        JSON list; or a column of 0 and 1 for each class. Without, it is seen from the cells.
    header : bool, optional
        Whether the first line of delimited text names the columns; see `read_table`.

    Returns
    -------
    ReadLabels
        Truth, predictions, notes. Columns of scores are in the order of the classes.

    Raises
    ------
    SchemaError
        For files that are no tables, columns that are missing, labels that are empty.
    IdError
        For ids that come twice, that one side does not have, or that name two images.
    ClassError
        For labels outside the classes, texts beside numbers, classes without a score.
    InputError
        For scores that are not finite, labels that look like ids, weights that are negative.

    Warns
    -----
    DataWarning
        For samples that are left out, class folders without images, predictions none of which is
        a class of truth.
    """
    if scores not in (None, "probabilities", "logits", "any"):
        raise InputError(
            f'expected scores="probabilities", "logits" or "any", got {scores!r}', "scores"
        )
    known = None if classes is None else ClassList.read(classes)
    options = _Options(
        known,
        id_column,
        label_column,
        pred_column,
        score_columns,
        weight_column,
        group_column,
        scores,
        positive,
        missing,
        multilabel,
        header,
    )
    one_file = pred is None or same_file(truth, pred)
    notes: list[str] = []
    if Path(truth).is_dir():
        if pred is None or one_file:
            raise InputError(
                "expected predictions for the images of this folder, got none: give a table of "
                "them",
                os.fspath(truth),
            )
        return _read_folder(truth, pred, options)
    truth_table = read_table(truth, header=header)
    notes += truth_table.notes
    pred_table = truth_table
    if pred is not None and not one_file:
        pred_table = read_table(pred, header=header)
        notes += pred_table.notes

    truth_ids = find_ids(truth_table, id_column, by_place=not one_file)
    pred_ids = truth_ids if one_file else find_ids(pred_table, id_column)
    labels = options.label_column_of(truth_table, truth_ids)
    predictions = options.pred_column_of(pred_table, pred_ids, labels, one_file=one_file)
    columns = [(truth_table, labels), (pred_table, predictions)]
    sets = any(name is not None and holds_sets(table[name]) for table, name in columns)
    as_sets = sets if multilabel is None else multilabel
    if sets and multilabel is None:
        notes.append("several labels in a cell: multilabel")

    part: SingleLabels | LabelSets | ClassColumns
    if labels is None:
        part = indicator_columns(
            truth_table,
            options.taken(truth_ids, predictions if one_file else None),
            one_file=one_file,
        )
        as_sets = multilabel is not False
        notes.append(
            f"{truth_table.path}: {len(part.names)} columns of 0 and 1, one for each class "
            f"({few(part.names, 3)})"
        )
    else:
        part = _labels(truth_table, labels, slice(None), "label_column", sets=as_sets)
        notes.append(f"labels are in {truth_table.column_place(labels)}")
    joined = join(truth_ids, pred_ids, missing)
    notes += (
        [f"{truth_table.path}: truth and predictions are columns of one file"]
        if one_file
        else joined.notes
    )
    taken = options.taken(pred_ids, predictions)
    if one_file:
        taken |= set(part.names) if isinstance(part, ClassColumns) else {str(labels)}
    predicted = _Predictions(options, part, joined, pred_table, predictions, notes, sets=as_sets)
    result = predicted.read(taken)
    truth_labels = predicted.truth_labels(truth_table)
    weight = weight_column_of(truth_table, weight_column, joined.truth_rows)
    group = group_column_of(truth_table, group_column, joined.truth_rows)
    truth_labels = dataclasses.replace(truth_labels, weight=weight, group=group)
    return ReadLabels(truth_labels, result, tuple(notes))


def _read_folder(
    truth: str | os.PathLike[str], pred: str | os.PathLike[str], options: _Options
) -> ReadLabels:
    folder = read_image_folder(truth)
    options.refuse_columns_of_a_folder(folder)
    if options.multilabel:
        raise InputError("expected one label a sample of a folder, got multilabel", folder.path)
    table = read_table(pred, header=options.header)
    others = f", {folder.n_others} other files not looked at" if folder.n_others else ""
    notes = [
        f"{folder.path}: {len(folder.files)} images in {len(folder.classes)} class folders{others}",
        *table.notes,
    ]
    if folder.empty:
        n = len(folder.empty)
        warnings.warn(
            f"{n} class {'folder has' if n == 1 else 'folders have'} no images "
            f"({few(folder.empty)}): {'a class' if n == 1 else 'classes'} without samples "
            f"- at {folder.path}",
            DataWarning,
            stacklevel=3,
        )
    ids = find_ids(table, options.id)
    truth_side, pred_side, rule = match_files(folder, ids)
    predictions = options.pred_column_of(table, ids, None, one_file=False)
    joined = join(truth_side, pred_side, options.missing)
    notes.append(rule)
    part = folder_labels(folder)
    predicted = _Predictions(options, part, joined, table, predictions, notes, sets=False)
    result = predicted.read(options.taken(ids, predictions))
    return ReadLabels(predicted.truth_labels(None), result, tuple(notes))


# ---- Which column is what -----------------------------------------------------------------------


class _Options(NamedTuple):
    """What was asked for; see `read_labels`."""

    known: ClassList | None
    id: str | None
    label: str | None
    pred: str | None
    score_columns: Sequence[str] | None
    weight: str | None
    group: str | None
    scores: str | None
    positive: int | str | None
    missing: Missing
    multilabel: bool | None
    header: bool | None

    def refuse_columns_of_a_folder(self, folder: ImageFolder) -> None:
        for option, name in (
            ("label_column", self.label),
            ("weight_column", self.weight),
            ("group_column", self.group),
        ):
            if name is not None:
                raise InputError(
                    f'expected no {option}, because truth is a folder, got "{name}"', folder.path
                )

    def taken(self, ids: IdSide, other: str | None = None) -> set[str]:
        """Return the columns that hold something known already."""
        names = (self.weight, self.group, ids.name, other)
        return {name for name in names if name is not None}

    def label_column_of(self, table: Table, ids: IdSide) -> str | None:
        """Return the column of labels, None where there are columns of 0 and 1 instead."""
        if self.label is not None:
            _ = table[self.label]  # says where it is missing
            return self.label
        taken = self.taken(ids, self.pred)
        free = [name for name in table.names if name not in taken]
        name = usual.first_of(usual.LABELS, free)
        if name is not None:
            return name
        free = [
            name
            for name in free
            if name.split(".")[0].lower() not in _NO_LABELS and not usual.is_index(name)
        ]
        if len(free) == 1:
            return free[0]
        if len(free) > 1 and any(table[name].kind == "integer" for name in free):
            return None
        raise SchemaError(
            "expected a column of labels (called label, class, target, …), got "
            f"{few(table.names, 8)}: name it with label_column",
            table.path,
        )

    def pred_column_of(
        self, table: Table, ids: IdSide, labels: str | None, *, one_file: bool
    ) -> str | None:
        """Return the column of predicted labels, None where there is none."""
        if self.pred is not None:
            _ = table[self.pred]
            return self.pred
        taken = self.taken(ids, labels if one_file else None)
        free = [name for name in table.names if name not in taken]
        name = usual.first_of(usual.PREDICTIONS, free)
        if name is not None or one_file:
            return name
        name = usual.first_of(usual.LABELS, free)
        others = {*usual.SCORES, *usual.WEIGHTS, *usual.GROUPS, *usual.CONFIDENCES, *usual.OTHERS}
        free = [each for each in free if each.lower() not in others and not usual.is_index(each)]
        if name is None and len(free) == 1 and table[free[0]].kind != "number":
            return free[0]
        return name


_NO_LABELS = {
    *usual.PREDICTIONS,
    *usual.SCORES,
    *usual.WEIGHTS,
    *usual.GROUPS,
    *usual.CONFIDENCES,
    *usual.OTHERS,
}


# ---- Both sides ---------------------------------------------------------------------------------


def _labels(
    table: Table, name: str, rows: Rows, option: str, *, sets: bool
) -> SingleLabels | LabelSets:
    return label_sets(table, name, rows) if sets else single_labels(table, name, rows, option)


class _Predictions:
    """What is read of the predictions, once the labels of truth are known."""

    def __init__(
        self,
        options: _Options,
        truth: SingleLabels | LabelSets | ClassColumns,
        joined: Joined,
        table: Table,
        column: str | None,
        notes: list[str],
        *,
        sets: bool,
    ) -> None:
        self.options, self.truth, self.joined = options, truth, joined
        self.table, self.column, self.notes, self.sets = table, column, notes, sets
        self.classes: Classes
        self.truth_position: NDArray[np.int32]

    def read(self, taken: set[str]) -> Labels:
        rows = self.joined.pred_rows
        predicted = None
        if self.column is not None:
            self.notes.append(f"predicted labels are in {self.table.column_place(self.column)}")
            predicted = _labels(self.table, self.column, rows, "pred_column", sets=self.sets)
        found = find_scores(
            self.table,
            taken,
            self.options.score_columns,
            self.truth.labels,
            self.options.known,
            labels_given=predicted is not None,
        )
        parts: list[SingleLabels | LabelSets | ClassColumns] = [self.truth]
        if predicted is not None:
            parts.append(predicted)
        if isinstance(found, ClassColumns):
            parts.append(found)
        known = self.options.known
        every = [part.labels for part in parts]
        by_position = [
            k
            for k, part in enumerate(parts)
            if known is not None and isinstance(part, ClassColumns) and part.by_position
        ]
        for k in by_position:
            every[k] = every[k]._replace(labels=[])
        if isinstance(found, str) and predicted is None and set(every[0].labels) <= {0, 1}:
            # A single score speaks of two classes, also where only one of them occurs.
            every.append(LabelSet([0, 1], self.table.column_place(found), str))
        self.classes, positions = resolve(every, known)
        for k in by_position:
            assert known is not None
            positions[k] = in_order(known, every[k], len(parts[k].labels.labels))
        self.truth_position = positions[0]
        self._say_new_classes(positions, parts)
        side = Labels(self.classes, sample_id=self.joined.sample_id)
        if isinstance(predicted, SingleLabels):
            side = dataclasses.replace(side, code=positions[1][predicted.codes])
        elif isinstance(predicted, LabelSets):
            side = dataclasses.replace(side, member=predicted.member(positions[1], self.classes))
        if isinstance(found, ClassColumns):
            return self._with_columns(side, found, positions[len(parts) - 1])
        return side if found is None else self._with_one_column(side, found)

    def _with_columns(
        self, side: Labels, found: ClassColumns, position: NDArray[np.int32]
    ) -> Labels:
        matrix = finite_matrix(self.table, found.names, self.joined.pred_rows, "scores")
        n = len(found.names)
        what = f"{self.table.path}: {n} {'column' if n == 1 else 'columns'}"
        names = few(found.names, 3)
        if self.sets and side.member is None and all_flags(matrix):
            self.notes.append(f"{what} of 0 and 1, one for each class ({names})")
            return dataclasses.replace(
                side, member=spread(matrix, position, self.classes, found, np.uint8)
            )
        if n == 1 and not self.sets and len(self.classes) == 2:
            score, text = of_two(matrix[:, 0], int(position[0]), self.classes, self.options.scores)
            self.notes.append(f'{self.table.path}: {text} (column "{found.names[0]}")')
            return dataclasses.replace(side, score=score)
        self.notes.append(f"{what} of scores ({names})")
        return dataclasses.replace(
            side, score=spread(matrix, position, self.classes, found, np.float64)
        )

    def _with_one_column(self, side: Labels, name: str) -> Labels:
        rows = self.joined.pred_rows
        values = finite_matrix(self.table, [name], rows, "scores")[:, 0]
        if side.code is None and side.member is None:
            at = positive_class(
                self.classes, self.options.positive, name, self.table, sets=self.sets
            )
            score, text = of_two(values, at, self.classes, self.options.scores)
            self.notes.append(f'{self.table.path}: {text} (column "{name}")')
            return dataclasses.replace(side, score=score)
        if side.code is None:
            return side
        self.notes.append(f"how sure each label is: {self.table.column_place(name)}")
        return dataclasses.replace(
            side, confidence=confidence_column(values, self.table, name, rows)
        )

    def _say_new_classes(
        self,
        positions: Sequence[NDArray[np.int32]],
        parts: Sequence[SingleLabels | LabelSets | ClassColumns],
    ) -> None:
        """Say which classes only the predictions have: a name may be misspelt."""
        if self.options.known is not None:
            return
        in_truth = set(positions[0].tolist())
        names = self.classes.display_names()
        only = [names[k] for k in range(len(names)) if k not in in_truth]
        if only:
            self.notes.append(
                f"{len(only)} {'class is' if len(only) == 1 else 'classes are'} in the "
                f"predictions only: {few(only)}"
            )
        for position, part in zip(positions[1:], parts[1:], strict=False):
            if isinstance(part, ClassColumns) or not len(position) or not in_truth:
                continue
            if not in_truth.intersection(position.tolist()):
                warnings.warn(
                    "no predicted label is one of truth, which has "
                    f"{few(self.truth.labels.labels, 3)}; the predictions have "
                    f"{few(part.labels.labels, 3)} - at {part.labels.what}",
                    DataWarning,
                    stacklevel=4,
                )

    def truth_labels(self, table: Table | None) -> Labels:
        """Return the class of each sample, or the classes; after `read`."""
        rows = self.joined.truth_rows
        side = Labels(self.classes, sample_id=self.joined.sample_id)
        if isinstance(self.truth, SingleLabels):
            return dataclasses.replace(side, code=self.truth_position[self.truth.codes[rows]])
        if isinstance(self.truth, LabelSets):
            member = self.truth._replace(codes=self.truth.codes[rows]).member(
                self.truth_position, self.classes
            )
            return dataclasses.replace(side, member=member)
        assert table is not None
        flags = table.matrix(self.truth.names)[rows]
        member = np.zeros((len(flags), len(self.classes)), np.uint8)
        member[:, self.truth_position] = flags
        if self.sets:
            return dataclasses.replace(side, member=member)
        bad = np.flatnonzero(member.sum(axis=1) != 1)
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"expected one class for each sample, got {int(member[row].sum())}",
                table.place(row_at(rows, row)),
            )
        return dataclasses.replace(side, code=member.argmax(axis=1).astype(np.int32))
