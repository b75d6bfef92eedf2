"""The confusion matrix, and every number that follows from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.classification.averaging import Averaging
from snellen.classification.confusion_matrix_result import (
    ConfusionMatrixResult,
    class_position,
    positive_code,
)
from snellen.classification.labels import Labels, aligned, label_sides, predicted_codes
from snellen.classification.pair_counts import PairCounts
from snellen.classification.resampled_labels import label_units
from snellen.errors import ClassError, InputError
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.state import PackedState

__all__ = ["ConfusionMatrix", "ConfusionMatrixResult", "confusion_matrix"]

# Labels that are whole numbers of so narrow a range, and so many, are counted as they come.
_SPAN = 2048
_COUNTED_AT_ONCE = 1 << 14


class ConfusionMatrix:
    """The confusion matrix of single labels, and all numbers that follow from it.

    Accuracy, precision, recall, F-beta, Jaccard, specificity, negative predictive value, balanced
    accuracy, Matthews' correlation, Cohen's kappa, likelihood ratios.

    Parameters
    ----------
    classes : Classes, mapping of id to name, or sequence of names, optional
        The classes that may occur; other labels are refused. Without, the classes are the labels
        that have occurred on either side.
    positive : int or str, optional
        The positive class of a binary problem: adds its own numbers (``precision``, ``recall``,
        …). Without it, class 1 where the classes are 0 and 1.
    beta : float
        How much recall counts against precision in F-beta; F1 is always there.
    absent_classes : {"drop", "zero", "one"}
        What a class that neither truth nor predictions have counts as in macro averages.
    zero_division : {0.0, 1.0, nan}
        What 0/0 of a class that is there counts as in averages; NaN leaves the class out of that
        average. The number of the class itself is NaN.
    n_macro : int, optional
        How many of the declared `classes`, the first, macro averages are over; without, over all.
        For a model that tells more classes than the data have.

    Notes
    -----
    State
        One integer for each pair (true, predicted) that occurred, and the exact sum of weights
        where there are any: constant in the number of samples.
    Merge
        Adds; exact. Classes are joined by id.
    Ties
        Of equal scores the class of the lowest id is predicted.
    Undefined
        0/0 is NaN, with the reason.
    Agrees with
        scikit-learn 1.9.1 in every bit without weights, save kappa of more than 256 classes;
        torchmetrics 1.9.0 and Keras 3.15.1 under their conventions (tests/oracle).

    Examples
    --------
    >>> from snellen import ConfusionMatrix
    >>> result = ConfusionMatrix().update(["cat", "cat", "dog"], ["cat", "dog", "dog"]).compute()
    >>> result.matrix.tolist()
    [[1, 1], [0, 1]]
    >>> round(result.accuracy, 4), round(result.f1_macro, 4)
    (0.6667, 0.6667)
    """

    __slots__ = ("_classes", "_counts", "averaging", "beta", "declared", "positive")

    def __init__(
        self,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        *,
        positive: int | str | None = None,
        beta: float = 1.0,
        absent_classes: str = "drop",
        zero_division: float = 0.0,
        n_macro: int | None = None,
    ) -> None:
        self.declared = None if classes is None else Classes.of(classes)
        self.averaging = Averaging(absent_classes, zero_division, n_macro)
        n_declared = 0 if self.declared is None else len(self.declared)
        if n_macro is not None and n_macro > n_declared:
            raise InputError(
                f"expected up to as many as the declared classes, {n_declared}, got {n_macro}",
                "n_macro",
            )
        if not (isinstance(beta, (int, float)) and 0 < beta < math.inf):
            raise InputError(f"expected a number above 0, got {beta!r}", "beta")
        self.beta = float(beta)
        self.positive = positive
        if positive is not None and self.declared is not None:
            class_position(positive, self.declared)
        self._classes = Classes([]) if self.declared is None else self.declared
        self._counts = PairCounts(len(self._classes))

    def __repr__(self) -> str:
        return f"ConfusionMatrix({len(self._classes)} classes)"

    @property
    def classes(self) -> Classes:
        """The classes: the declared ones, or those that have occurred."""
        return self._classes

    @property
    def is_weighted(self) -> bool:
        """Whether any sample had a weight."""
        return self._counts.is_weighted

    def update(
        self,
        truth: Labels | ArrayLike,
        pred: Labels | ArrayLike,
        *,
        weight: ArrayLike | None = None,
    ) -> Self:
        """Absorb a batch of n samples.

        Parameters
        ----------
        truth : array-like of shape (n,), or Labels
            Labels: whole numbers, flags, or texts.
        pred : array-like of shape (n,) or (n, K), or Labels
            Labels, or the score of each class; then the class of the highest score is predicted.
        weight : array-like of shape (n,), optional
            How much each sample counts.

        Raises
        ------
        ClassError
            For labels outside the classes.
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        if self.declared is None and weight is None and self._absorbed_whole_numbers(truth, pred):
            return self
        truth, pred = label_sides(truth, pred, classes=self.declared, weight=weight)
        if truth.code is None:
            raise InputError("expected one label for each sample, got sets of labels", "truth")
        row, column = truth.code, predicted_codes(pred)
        batch_classes, *moves = aligned(truth, pred)
        classes = self._joined(batch_classes)
        if classes is not batch_classes and not classes.keys.same_as(batch_classes.keys):
            place = classes.keys.codes(batch_classes.keys.ids)
            moves = [place if move is None else place[move] for move in moves]
        if moves[0] is not None:
            row = moves[0][row]
        if moves[1] is not None:
            column = moves[1][column]
        self._counts = self._counts_among(classes)
        self._counts.add(row, column, truth.weight)
        self._classes = classes
        return self

    def merge(self, other: ConfusionMatrix, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError, IdError
            Where the classes don't go together.
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        classes = self._joined(other._classes)
        counts = self._counts_among(classes)
        counts.merge(other._counts_among(classes))
        self._classes, self._counts = classes, counts
        return self

    def empty(self) -> ConfusionMatrix:
        """Return a metric of the same parameters without data."""
        return ConfusionMatrix(
            self.declared,
            positive=self.positive,
            beta=self.beta,
            absent_classes=self.averaging.absent_classes,
            zero_division=self.averaging.zero_division,
            n_macro=self.averaging.n_macro,
        )

    def compute(self) -> ConfusionMatrixResult:
        """Return the result of all that was absorbed."""
        return ConfusionMatrixResult.of_cells(
            self._classes,
            self._counts.cells(),
            averaging=self.averaging,
            beta=self.beta,
            positive=self.positive,
        )

    def units(self, *, each: bool = False) -> Units:
        """Return the samples as units for resampling: those of one cell are equal.

        Raises
        ------
        InputError
            Where samples have weights, or `each` is asked for: cells don't know their samples.
            `Classification` keeps them.
        """
        if each or self._counts.is_weighted:
            raise InputError(
                "expected samples without weights that need not be told apart, a confusion matrix "
                "keeps no samples: use Classification with sample_id"
            )
        cells = self._counts.cells()
        return label_units(
            cells.row,
            cells.column,
            cells.samples,
            self._classes,
            averaging=self.averaging,
            beta=self.beta,
            positive=positive_code(self.positive, self._classes),
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        arrays = self._counts.arrays()
        content: dict[str, Any] = {"parameters": self._parameters()}
        self._classes.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> ConfusionMatrix:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ConfusionMatrix:
        parameters = packed.content["parameters"]
        classes = Classes.stored(packed.content, packed.arrays)
        averaging = Averaging.from_dict(parameters)
        metric = cls(
            classes if parameters["classes"] is not None else None,
            positive=parameters["positive"],
            beta=parameters["beta"],
            absent_classes=averaging.absent_classes,
            zero_division=averaging.zero_division,
            n_macro=averaging.n_macro,
        )
        metric._classes = classes
        metric._counts = PairCounts(len(classes))
        metric._counts.restore(packed.arrays)
        return metric

    def _absorbed_whole_numbers(self, truth: Any, pred: Any) -> bool:
        """Absorb labels that are close-packed whole numbers in arrays, counted in one go.

        Returns False, and absorbs nothing, for all else.
        """
        for side in (truth, pred):
            if not (isinstance(side, np.ndarray) and side.ndim == 1 and side.dtype.kind == "i"):
                return False
        if len(truth) != len(pred) or len(truth) < _COUNTED_AT_ONCE:
            return False
        found = _core.count_labels(
            np.ascontiguousarray(truth, np.int64), np.ascontiguousarray(pred, np.int64), _SPAN
        )
        if found is None:
            return False
        ids, cell, count = found
        batch_classes = Classes(ids)
        classes = self._joined(batch_classes)
        counts = PairCounts(len(batch_classes))
        counts.add_cells(cell, count)
        if not classes.keys.same_as(batch_classes.keys):
            counts = counts.moved(classes.keys.codes(ids), len(classes))
        self._counts = self._counts_among(classes)
        self._counts.merge(counts)
        self._classes = classes
        return True

    def _parameters(self) -> dict[str, Any]:
        declared = self.declared
        return {
            "classes": None
            if declared is None
            else [declared.keys.ids.tolist(), list(declared.names)],
            "positive": self.positive,
            "beta": self.beta,
            **self.averaging.to_dict(),
        }

    def _joined(self, classes: Classes) -> Classes:
        """Return the classes absorbed and these; refuse others than the declared ones."""
        joined = Classes.union([self._classes, classes])
        if self.declared is not None and len(joined) != len(self.declared):
            known = set(self.declared.keys.ids.tolist())
            other = next(each for each in joined.keys.ids.tolist() if each not in known)
            raise ClassError(
                f"expected labels of {len(self.declared)} classes, got {other}, which is none"
            )
        return joined

    def _counts_among(self, classes: Classes) -> PairCounts:
        """Return the counts among these classes; the very same object where nothing changes."""
        if classes.keys.same_as(self._classes.keys):
            return self._counts
        return self._counts.moved(classes.keys.codes(self._classes.keys.ids), len(classes))


def confusion_matrix(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    weight: ArrayLike | None = None,
    **parameters: Any,
) -> ConfusionMatrixResult:
    """Return the confusion matrix and what follows from it; see `ConfusionMatrix`."""
    return ConfusionMatrix(**parameters).update(truth, pred, weight=weight).compute()
