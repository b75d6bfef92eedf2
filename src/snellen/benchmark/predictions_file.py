"""Predictions that somebody stored: scores of classes, or labels, paired with labelled images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from snellen.benchmark.fingerprints import digest_of_files
from snellen.benchmark.output_names import read_class_names
from snellen.benchmark.outputs import chosen_scores
from snellen.benchmark.preprocessing_settings import refuse_unknown_settings
from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, ShapeError, did_you_mean
from snellen.readers import column_names as usual
from snellen.readers.class_list import ClassList, LabelSet, whole_numbers
from snellen.readers.image_folder import ImageFolder, match_files
from snellen.readers.join import IdSide, find_ids, join
from snellen.readers.label_columns import ClassColumns, single_labels
from snellen.readers.message_text import few, printable
from snellen.readers.sample_columns import finite_matrix
from snellen.readers.score_columns import confidence_column, find_scores, of_two, positive_class
from snellen.readers.table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.readers.join import Rows
    from snellen.readers.table import Table

__all__ = ["PREDICTION_SETTINGS", "StoredScores", "read_predictions"]

PREDICTION_SETTINGS: Final = (
    *("name", "classes", "scores", "missing"),
    *("id_column", "pred_column", "positive"),
)
"""The settings of ``predictions:FILE``."""

Kind = Literal["probabilities", "logits", "labels", "any"]
_TOLERANCE: Final = 1e-3


class StoredScores(NamedTuple):
    """What was predicted for n of the images.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Their positions among the images, ascending.
    scores : ndarray of float64, shape (n, K), or None
        Of each class; None of a file of labels.
    labels : ndarray of int64, shape (n,), or None
        The position in 0 … K − 1 of what was predicted, where the file says it: it counts, also
        beside scores.
    confidence : ndarray of float64, shape (n,), or None
        How sure each label is, where the file says that and no scores.
    kind : {"probabilities", "logits", "labels", "any"}
        What scores are; ``"any"`` for numbers that only rank the classes.
    n_outputs : int
        K.
    classes : tuple of str or None
        What each of the K is called; None where it is the class of the same position.
    digest : str
        Of the file.
    notes : tuple of str
        What was decided on reading.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64] | None
    labels: NDArray[np.int64] | None
    confidence: NDArray[np.float64] | None
    kind: Kind
    n_outputs: int
    classes: tuple[str, ...] | None
    digest: str
    notes: tuple[str, ...]


def read_predictions(
    path: str | os.PathLike[str], images: LabelledImages, settings: Mapping[str, str]
) -> StoredScores:
    """Read predictions and pair them with images.

    Parameters
    ----------
    path : path
        A table (see `read_table`) with the predicted label, or a score for each class, or both.
        Rows belong to images by their ids, as far as these tell images apart (`match_files`);
        arrays (``.npy``, ``.npz``) without ids belong to them in their order.
    images : LabelledImages
        What was predicted for.
    settings : mapping of str to str
        ``classes``: a file of names, in the order of scores; whole numbers as labels are then
        positions among these. ``scores``: probabilities, logits, any. ``missing``: error, or ignore
        for images without prediction and predictions without image. ``id_column``: its name, or
        none where rows have the order of the images. ``pred_column``: of predicted labels.
        ``positive``: the class that a single score of two classes is of.

    Raises
    ------
    SchemaError
        For a file that is no table, and where nothing was predicted.
    IdError, ShapeError
        For images without prediction, predictions without image, and rows that cannot be paired.
    ClassError
        For labels that are none of the classes.
    InputError
        For settings that there are not, and scores that are not finite.

    Warns
    -----
    DataWarning
        With ``missing=ignore``, how many rows of each side were left out.
    """
    place = os.fspath(path)
    refuse_unknown_settings(settings, PREDICTION_SETTINGS, place)
    table = read_table(place)
    notes = list(table.notes)
    names = read_class_names(settings["classes"]) if "classes" in settings else None
    ids = _ids(table, settings.get("id_column"), images)
    rows, of_table = _paired(table, ids, images, settings.get("missing", "error"), notes)
    taken = {ids.name} if ids is not None and ids.name is not None else set()
    column = _label_column(table, taken, settings.get("pred_column"))
    classes = list(images.classes if names is None else names)
    what = str(images.source.get("data", "the images"))
    numbers = whole_numbers(classes)
    found = find_scores(
        table,
        taken | ({column} if column is not None else set()),
        None,
        LabelSet(numbers or classes, what, lambda k: f"{what} class {k}"),
        None if names is None else ClassList.read(list(names)),
        labels_given=column is not None,
    )
    _refuse_idle(settings, found, place, ordered=ids is None, labelled=column is not None)
    scores: NDArray[np.float64] | None = None
    confidence: NDArray[np.float64] | None = None
    outputs = names
    if isinstance(found, ClassColumns):
        scores = finite_matrix(table, found.names, of_table, "scores")
        if not found.by_position:
            outputs = tuple(str(each) for each in found.labels.labels)
        elif names is not None and len(names) != len(found.names):
            raise ClassError(
                f"expected a name for each of {len(found.names)} columns of scores, got "
                f"{len(names)}",
                settings["classes"],
            )
    elif found is not None:
        values = finite_matrix(table, [found], of_table, "scores")[:, 0]
        if column is not None:
            confidence = confidence_column(values, table, found, of_table)
        else:
            two = Classes.of(classes)
            at = positive_class(two, settings.get("positive"), found, table, sets=False)
            scores, said = of_two(values, at, two, settings.get("scores"))
            notes.append(said)
    labels = None
    if column is not None:
        notes.append(f"predicted labels are in {table.column_place(column)}")
        known = classes if outputs is None else list(outputs)
        open_end = scores is None and names is None
        labels, known = _labels(table, column, of_table, known, open_end=open_end)
        if scores is None:
            outputs = tuple(known)
        elif n_others := int((labels != scores.argmax(1)).sum()):
            notes.append(
                f"predicted is what {table.column_place(column)} says, which is not the class of "
                f"the largest score for {n_others:,} images"
            )
    kind: Kind = "labels"
    if scores is not None:
        kind = _kind(scores, settings, place, notes)
    n_outputs = scores.shape[1] if scores is not None else len(outputs or classes)
    return StoredScores(
        rows,
        scores,
        labels,
        confidence,
        kind,
        n_outputs,
        outputs,
        digest_of_files([place], also=[f"{key}={settings[key]}" for key in sorted(settings)]),
        tuple(notes),
    )


def _refuse_idle(
    settings: Mapping[str, str],
    found: ClassColumns | str | None,
    place: str,
    *,
    ordered: bool,
    labelled: bool,
) -> None:
    """Refuse settings that would change nothing in this file."""
    single = found is not None and not isinstance(found, ClassColumns)
    idle = {
        "missing": ordered and settings.get("missing") == "ignore",
        "positive": not single or labelled,
        "scores": found is None or (single and labelled),
    }
    why = {
        "missing": "rows belong to the images by their order",
        "positive": "there is no single score of two classes",
        "scores": "there are no scores of classes",
    }
    for name, is_idle in idle.items():
        if name in settings and is_idle:
            raise InputError(f'expected no setting "{name}" for this file: {why[name]}', place)


def _ids(table: Table, named: str | None, images: LabelledImages) -> IdSide | None:
    """Return the ids of predictions; None where they have the order of the images."""
    if named == "none":
        return None
    ids = find_ids(table, named)
    if ids.column is not None:
        return ids
    if ids.ordered or images.reader is None:
        return None
    raise IdError(
        "expected predictions that say which image each is of, got no ids: name the column "
        '(",id_column=NAME"), or say that rows have the order of the images (",id_column=none")',
        table.path,
    )


def _paired(
    table: Table, ids: IdSide | None, images: LabelledImages, missing: str, notes: list[str]
) -> tuple[NDArray[np.int64], Rows]:
    """Return which images have a prediction, and the row of the table of each."""
    if missing not in ("error", "ignore"):
        raise InputError(
            f'expected missing=error or missing=ignore, got "{missing}"', f"{table.path} missing"
        )
    n = len(images)
    if ids is None:
        if table.n_rows != n:
            raise ShapeError(
                f"expected a prediction for each of {n} images, which belong together by their "
                f"order for want of ids, got {table.n_rows}",
                table.path,
            )
        notes.append("predictions have the order of the images: no ids")
        return np.arange(n), slice(None)
    what = str(images.source.get("data", "the images"))
    files = list(images.ids)
    folder = ImageFolder(what, classes=[], files=files, paths=[], labels=[], empty=[], n_others=0)
    truth, pred, rule = match_files(folder, ids)
    joined = join(truth, pred, "ignore" if missing == "ignore" else "error")
    notes.append(rule)
    rows = joined.truth_rows
    return np.arange(n) if isinstance(rows, slice) else rows, joined.pred_rows


def _label_column(table: Table, taken: set[str], named: str | None) -> str | None:
    """Return the column of predicted labels, None where there are scores alone."""
    if named is not None:
        _ = table[named]  # says where it is missing
        return named
    free = [name for name in table.names if name not in taken]
    found = usual.first_of(usual.PREDICTIONS, free)
    if found is not None:
        return found
    # What is called a label is the truth where there is anything else to be a prediction.
    others = [name for name in free if name.lower() not in usual.KNOWN]
    if not others:
        return usual.first_of(usual.LABELS, free)
    return others[0] if len(free) == 1 and table[others[0]].kind != "number" else None


def _labels(
    table: Table, column: str, rows: Rows, known: list[str], *, open_end: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the position of each label among the classes that are known, and the classes.

    Whole numbers are positions, unless the classes' names are numbers themselves. Where other
    classes may be predicted than are known, they come behind these; and alone where none is known.
    """
    single = single_labels(table, column, rows, "pred_column")
    texts = [str(label) for label in single.labels.labels]
    position = {name: k for k, name in enumerate(known)}
    unknown = [text for text in texts if text not in position]
    numbers = whole_numbers(texts)
    if unknown and numbers is not None and whole_numbers(known) is None:
        outside = [number for number in numbers if not 0 <= number < len(known)]
        if outside:
            raise ClassError(
                f"expected labels from 0 to {len(known) - 1}, the positions of classes, got "
                f"{outside[0]}",
                table.column_place(column),
            )
        return np.array(numbers, np.int64)[single.codes], known
    if unknown and not open_end:
        raise ClassError(
            f"expected labels of {len(known)} classes ({few(known)}), got "
            f'"{printable(unknown[0], 60)}".{did_you_mean(unknown[0], known)}',
            table.column_place(column),
        )
    if unknown:
        known = sorted(unknown) if len(unknown) == len(texts) else [*known, *sorted(unknown)]
        position = {name: k for k, name in enumerate(known)}
    return np.array([position[text] for text in texts], np.int64)[single.codes], known


def _kind(
    scores: NDArray[np.float64], settings: Mapping[str, str], place: str, notes: list[str]
) -> Kind:
    """Return what scores are, as it was said, or as they look."""
    if settings.get("scores") == "any":
        return "any"
    if "scores" not in settings:
        inside = bool((scores >= 0).all() and (scores <= 1 + _TOLERANCE).all())
        if inside and float(np.abs(scores.sum(axis=1) - 1).max(initial=0)) > _TOLERANCE:
            notes.append("scores lie in 0 … 1 and do not sum to 1: they only rank the classes")
            return "any"
    kind, said = chosen_scores(settings, scores, place)
    notes += said
    return kind
