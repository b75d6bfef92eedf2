"""Sets of labels of samples, in the forms they come in, as rows of (sample, class)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.classification.labels import Labels, codes_in, label_array
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Compared", "LabelSets", "compared", "label_sets"]


class LabelSets(NamedTuple):
    """Which classes each of n samples has.

    Attributes
    ----------
    classes : Classes
        The K classes.
    n : int
        How many samples.
    row, code : ndarray, shape (m,), int64
        Sample and position of the class, ascending, each pair once.
    is_matrix : bool
        Whether they came as columns that have no ids of their own.
    """

    classes: Classes
    n: int
    row: NDArray[np.int64]
    code: NDArray[np.int64]
    is_matrix: bool = False

    def moved(self, classes: Classes) -> LabelSets:
        """Return the same among classes that hold all of these."""
        if classes.keys.same_as(self.classes.keys):
            return self
        place = classes.keys.codes(self.classes.keys.ids)  # ascending, as both are
        return self._replace(classes=classes, code=place[self.code].astype(np.int64))


class Compared(NamedTuple):
    """The labels of n samples that are on one side or both: right, false, missed.

    Attributes
    ----------
    row, code : tuple of three ndarrays, int64
        Sample and position of the class of each right, each false, each missed label.
    per_sample : ndarray, shape (3, n), int64
        How many of each a sample has.
    """

    row: tuple[NDArray[np.int64], ...]
    code: tuple[NDArray[np.int64], ...]
    per_sample: NDArray[np.int64]


def compared(truth: LabelSets, pred: LabelSets) -> Compared:
    """Compare both sides, which have the same samples and classes."""
    width = max(len(truth.classes), 1)
    # Two ascending runs, which a stable sort merges in one pass; the lowest bit is the side.
    cells = np.sort(
        np.concatenate(
            [(truth.row * width + truth.code) * 2, (pred.row * width + pred.code) * 2 + 1]
        ),
        kind="stable",
    )
    told = (cells & 1).astype(bool)
    cells >>= 1
    twice = cells[1:] == cells[:-1]
    alone = np.ones(len(cells), bool)
    alone[1:] &= ~twice
    alone[:-1] &= ~twice
    parts = [
        np.divmod(found, width)
        for found in (cells[1:][twice], cells[alone & told], cells[alone & ~told])
    ]
    return Compared(
        tuple(row for row, _ in parts),
        tuple(code for _, code in parts),
        np.stack([np.bincount(row, minlength=truth.n) for row, _ in parts]),
    )


def label_sets(
    side: Any, name: str, *, classes: Classes | None = None, threshold: float | None = None
) -> LabelSets:
    """Return the sets of labels of one side, checked.

    Parameters
    ----------
    side : Labels, array-like of shape (n, L), or sequence of n sets of labels
        `Labels` with sets or scores. A matrix: flags or whole numbers 0 and 1 say which classes a
        sample has; fractions are scores. Lists of numbers are rows of a matrix; sets, and lists
        of texts, are labels: ids or names.
    name : str
        What it is, for messages.
    classes : Classes, optional
        The classes: labels are of these, columns in their order. Without, column k is class k
        and labels are ids.
    threshold : float, optional
        Scores at or above it count as labels; without, scores are refused.

    Raises
    ------
    InputError
        For what does not fit; one of its kinds says how.
    """
    if isinstance(side, Labels):
        if side.member is not None:
            return _of_matrix(side.member, name, side.classes)
        if side.score is not None and threshold is not None:
            return _of_scores(side.score, name, side.classes, threshold)
        raise InputError(
            "expected sets of labels"
            f"{'' if threshold is None else ' or scores'}, got one label for each sample: "
            "use ConfusionMatrix",
            name,
        )
    if isinstance(side, np.ndarray) and side.dtype == object and side.ndim == 1:
        side = side.tolist()  # a column of sets or lists
    if _holds_sets(side, name):
        return _of_sets(side, name, classes)
    try:
        matrix = to_numpy(side, name)
    except InputError as error:
        raise InputError(
            "expected a matrix, one row a sample, or a set of labels for each sample, got rows of "
            "several lengths or kinds: give labels that are numbers as Python sets",
            name,
        ) from error
    if matrix.ndim != 2:
        raise ShapeError(
            f"expected one row a sample and one column a class, got shape {matrix.shape}"
            f"{': use ConfusionMatrix for single labels' if matrix.ndim == 1 else ''}",
            name,
        )
    if classes is not None and len(classes) != matrix.shape[1]:
        raise ShapeError(
            f"expected one column for each of {len(classes)} classes, got {matrix.shape[1]}", name
        )
    known = Classes(range(matrix.shape[1])) if classes is None else classes
    if matrix.dtype.kind == "f" and threshold is not None:
        sets = _of_scores(matrix, name, known, threshold)
    else:
        sets = _of_matrix(matrix, name, known)
    return sets._replace(is_matrix=classes is None)


def _holds_sets(side: Any, name: str) -> bool:
    """Return whether a side is a sequence of sets, of lists of texts, or of nothing at all.

    Lists of numbers are rows of a matrix even where they could be labels: [[0, 1], [1, 0]] must
    not change its meaning with its content.
    """
    if not isinstance(side, (list, tuple)) or not side:
        return False
    for i, labels in enumerate(side):
        if isinstance(labels, (str, bytes)):
            raise InputError(
                f"expected a set of labels for each sample, got the text {labels!r}: use "
                "ConfusionMatrix for single labels",
                f"{name}[{i}]",
            )
    if any(isinstance(labels, (set, frozenset)) for labels in side):
        return True
    filled = [labels for labels in side if hasattr(labels, "__len__") and len(labels)]
    if not filled:
        return all(hasattr(labels, "__len__") for labels in side)
    return all(
        isinstance(labels, (list, tuple)) and isinstance(labels[0], str) for labels in filled
    )


def _of_sets(sets: Any, name: str, classes: Classes | None) -> LabelSets:
    rows = [list(labels) for labels in sets]
    sizes = np.array([len(labels) for labels in rows], np.int64)
    flat = [label for labels in rows for label in labels]
    try:
        labels = label_array(flat, name)
        known = Classes(np.unique(labels)) if classes is None else classes
        code = codes_in(known, labels, name)
    except InputError:
        for i, labels_of_one in enumerate(rows):  # to name the sample
            array = label_array(labels_of_one, f"{name}[{i}]")
            if classes is not None:
                codes_in(classes, array, f"{name}[{i}]")
        raise
    width = max(len(known), 1)
    cells = np.unique(np.repeat(np.arange(len(rows)), sizes) * width + code)
    row, code = np.divmod(cells, width)
    return LabelSets(known, len(rows), row, code.astype(np.int64))


def _of_matrix(matrix: NDArray[Any], name: str, classes: Classes) -> LabelSets:
    if matrix.dtype.kind not in "biuf":
        raise InputError(f"expected flags, or 0 and 1, got {matrix.dtype}", name)
    member = matrix if matrix.dtype == bool else matrix != 0
    if matrix.dtype != bool:
        other = member & (matrix != 1)
        if other.any():
            i, k = np.argwhere(other)[0].tolist()
            what = ": are these scores?" if matrix.dtype.kind == "f" else ""
            raise InputError(f"expected 0 or 1, got {matrix[i, k]}{what}", f"{name}[{i}, {k}]")
    return _of_members(member, classes)


def _of_scores(scores: NDArray[Any], name: str, classes: Classes, threshold: float) -> LabelSets:
    bad = np.isnan(scores)
    if bad.any():
        i, k = np.argwhere(bad)[0].tolist()
        raise InputError("expected scores that are numbers, got nan", f"{name}[{i}, {k}]")
    # float64 on the right: a threshold of 0.1 stays what it is beside scores of float32.
    return _of_members(scores >= np.float64(threshold), classes)


def _of_members(member: NDArray[np.bool_], classes: Classes) -> LabelSets:
    row, code = np.nonzero(member)
    return LabelSets(classes, len(member), row.astype(np.int64), code.astype(np.int64))
