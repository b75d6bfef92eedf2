"""Scores of classes, checked: the one place that says which scores a metric accepts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.classification.labels import (
    Labels,
    aligned,
    codes_in,
    label_array,
    sample_weights,
)
from snellen.errors import ClassError, IdError, InputError, ShapeError, did_you_mean, first_few
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

__all__ = [
    "SUM_TOLERANCE",
    "Form",
    "ScoreKind",
    "ScoredSamples",
    "SeenIds",
    "score_kind",
    "scored_samples",
]

ScoreKind = Literal["probabilities", "logits", "any"]
"""What scores are declared to be.

* ``"probabilities"``: in [0, 1]; where a sample has one class, its row sums to 1 within
  `SUM_TOLERANCE`.
* ``"logits"``: any finite numbers; probabilities are their softmax (of a single column and in
  multilabel data the logistic function), in float64.
* ``"any"``: any finite numbers; only their order means something.
"""

SUM_TOLERANCE: Final = 1e-3
"""How far the sum of a row of probabilities may be from 1."""


def score_kind(scores: str) -> ScoreKind:
    """Return a declaration of scores, checked.

    Raises
    ------
    InputError
        For another.
    """
    known = get_args(ScoreKind)
    if scores not in known:
        raise InputError(
            f'expected "probabilities", "logits" or "any", got {scores!r}.'
            f"{did_you_mean(str(scores), known)}",
            "scores",
        )
    return scores  # type: ignore[return-value]  # checked above


class Form(NamedTuple):
    """What all batches of a metric must have in common.

    Attributes
    ----------
    kind : {"binary", "multiclass", "multilabel"}
        Two classes and one label a sample; another number of classes and one label; any number
        of labels.
    classes : Classes
        The K classes, one column of scores each.
    """

    kind: str
    classes: Classes

    def joined(self, before: Form | None) -> Form:
        """Return the form of these data and those before; names that one of them has hold.

        Raises
        ------
        ClassError
            Where kinds, class ids or names differ.
        """
        if before is None or self is before:
            return self
        if self.kind != before.kind:
            raise ClassError(f"expected {before.kind} data as before, got {self.kind} data")
        if not self.classes.keys.same_as(before.classes.keys):
            raise ClassError(
                f"expected scores of the same classes as before ({len(before.classes)}: "
                f"{first_few(before.classes.display_names())}), got {len(self.classes)}: "
                f"{first_few(self.classes.display_names())}"
            )
        return Form(self.kind, Classes.union([before.classes, self.classes]))

    def position(self, label: int | str) -> int:
        """Return the place of a class, an id or a name.

        Raises
        ------
        ClassError
            Where there is no such class.
        """
        ids, names = self.classes.keys.ids.tolist(), self.classes.names
        if label in ids:
            return int(ids.index(label))
        if label in names:
            return names.index(str(label))
        shown = self.classes.display_names()
        raise ClassError(
            f"expected a class of {first_few(shown)}, got {label!r}."
            f"{did_you_mean(str(label), shown)}"
        )

    def positive(self, label: int | str | None) -> int:
        """Return the place of the positive class of binary data: the second if none is named.

        Raises
        ------
        ClassError
            Where there is no such class.
        """
        return 1 if label is None or self.kind != "binary" else self.position(label)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "kind": self.kind,
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any] | None) -> Form | None:
        """Return what `to_dict` wrote; None for None."""
        if content is None:
            return None
        return cls(str(content["kind"]), Classes(content["class_ids"], content["class_names"]))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ScoredSamples:
    """Truth and scores of n samples, checked and aligned; shared by the metrics that read them.

    Attributes
    ----------
    form : Form
        Kind and classes.
    score : ndarray, shape (n, K) or, of binary data, (n, 1), float32 or float64
        The score of each class; a single column is that of the second class.
    code : ndarray, shape (n,), int32, or None
        The position of each sample's class; None in multilabel data.
    member : ndarray, shape (n, K), uint8, or None
        Multilabel: 1 where the sample has the class.
    predicted : ndarray, shape (n,), int32, or None
        The position of the predicted class, where labels were given beside the scores.
    weight : ndarray, shape (n,), float64, or None
        How much each sample counts.
    sample_id : ndarray, shape (n,), int64 or str, or None
        The ids, each once.
    scores : {"probabilities", "logits", "any"}
        What the scores were declared to be.
    owned : bool
        Whether nobody else can write to the scores.
    """

    form: Form
    score: NDArray[Any]
    code: NDArray[np.int32] | None
    member: NDArray[np.uint8] | None
    predicted: NDArray[np.int32] | None
    weight: NDArray[np.float64] | None
    sample_id: NDArray[Any] | None
    scores: ScoreKind
    owned: bool

    def __len__(self) -> int:
        return len(self.score)

    def declared(self, scores: ScoreKind) -> Self:
        """Return the samples, if their scores were declared to be what a metric expects.

        Raises
        ------
        InputError
            Where they were checked as something else.
        """
        if self.scores != scores:
            raise InputError(
                f'expected scores declared as "{scores}", got "{self.scores}"', "scores"
            )
        return self

    def class_columns(self) -> NDArray[Any]:
        """Return the scores with a column for each class.

        A single column p becomes 1 − p and p, in float64; a single logit z becomes 0 and z.

        Raises
        ------
        InputError
            For a single column whose meaning was not declared.
        """
        if self.score.shape[1] == len(self.form.classes):
            return self.score
        if self.scores == "any":
            raise InputError(
                "expected a score for each of the 2 classes, got one: "
                'say what it is with scores="probabilities" or "logits"',
                "pred",
            )
        second = self.score.astype(np.float64)
        first = np.zeros_like(second) if self.scores == "logits" else 1.0 - second
        return np.concatenate([first, second], axis=1)

    def decision_column(self, positive: int) -> NDArray[Any]:
        """Return, of binary data, the score that decides for the positive class, shape (n, 1).

        Of two logits it is their difference, in float64, whose order is that of their softmax. A
        single column counts for the second class: for the first it is 1 − p, or −z.
        """
        if self.score.shape[1] == 1:
            if positive == 1:
                return self.score
            wide = self.score.astype(np.float64)
            return 1.0 - wide if self.scores == "probabilities" else -wide
        if self.scores == "logits":
            wide = self.score.astype(np.float64)
            return wide[:, [positive]] - wide[:, [1 - positive]]
        return np.ascontiguousarray(self.score[:, [positive]])


def scored_samples(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    weight: ArrayLike | None = None,
    sample_id: ArrayLike | None = None,
    scores: ScoreKind = "any",
) -> ScoredSamples:
    """Return truth and scores, checked and aligned by class.

    Parameters
    ----------
    truth : Labels or array-like
        The labels; as an array, positions 0 … K − 1 of shape (n,), or for multilabel data 0 and 1
        of shape (n, K).
    pred : Labels or array-like
        The scores, shape (n, K); of binary data also (n,) or (n, 1), the score of the second
        class.
    weight, sample_id : array-like, shape (n,), optional
        In place of those of the labels.
    scores : {"probabilities", "logits", "any"}
        What the scores are; see `ScoreKind`.

    Raises
    ------
    ShapeError, ClassError, IdError, InputError
        For what does not fit, and for scores that are not what they are declared to be; the first
        such row is named.
    """
    score, pred_classes = _scores_of(pred, truth)
    n, n_columns = score.shape
    if isinstance(truth, Labels):
        classes, code, member, predicted = _of_labels(truth, pred, n)
    else:
        classes, code, member, predicted = _of_arrays(truth, pred, pred_classes, n, n_columns)
    kind = "multilabel" if code is None else "binary" if len(classes) == 2 else "multiclass"
    if n_columns != len(classes) and not (kind == "binary" and n_columns == 1):
        raise ShapeError(
            f"expected scores of {len(classes)} classes, got {n_columns} columns", "pred"
        )
    sides = [side for side in (truth, pred) if isinstance(side, Labels)]
    weights = sample_weights(weight, n)
    ids = None if sample_id is None else id_array(sample_id, "sample id")
    for side in sides:
        weights = side.weight if weights is None else weights
        ids = side.sample_id if ids is None else ids
    if ids is not None and len(ids) != n:
        raise ShapeError(f"expected {n} sample ids, got {len(ids)}", "sample_id")
    if len(sides) == 2 and sample_id is None:
        left, right = (side.sample_id for side in sides)
        if left is not None and right is not None and not np.array_equal(left, right):
            raise IdError("expected truth and pred row by row, got their ids in different order")
    _check_scores(score, scores, single_label=code is not None, ids=ids)
    return ScoredSamples(
        Form(kind, classes),
        score,
        code,
        member,
        predicted,
        weights,
        ids,
        scores,
        # Labels are frozen; an array may be filled anew by whoever gave it.
        owned=isinstance(pred, Labels),
    )


def _scores_of(pred: Any, truth: Any) -> tuple[NDArray[Any], Classes | None]:
    """Return scores (n, columns) of float32 or float64, and the classes they are said to be of."""
    given = pred.score if isinstance(pred, Labels) else pred
    if given is None:
        raise InputError("expected scores, got labels only", "pred")
    score = to_numpy(given, "pred")
    if score.dtype.kind not in "biuf":
        raise InputError(f"expected scores, got {score.dtype}", "pred")
    whole = score.dtype.kind in "iu" and score.size
    if whole and not -(2**53) <= score.min() <= score.max() <= 2**53:
        raise InputError("expected scores that float64 can hold, got whole numbers beyond", "pred")
    if score.dtype.kind != "f" or score.dtype.itemsize > 8:
        score = score.astype(np.float64)
    elif score.dtype.itemsize < 4:
        score = score.astype(np.float32)
    if not score.dtype.isnative:
        score = score.astype(score.dtype.newbyteorder("="))
    if score.ndim == 1:
        score = score[:, None]
    if score.ndim != 2 or not score.shape[1]:
        raise ShapeError(f"expected scores of shape (n, K) or (n,), got {np.shape(given)}", "pred")
    if isinstance(pred, Labels):
        return score, pred.classes
    if isinstance(truth, Labels):
        return score, truth.classes
    return score, None


Columns = tuple[
    Classes, "NDArray[np.int32] | None", "NDArray[np.uint8] | None", "NDArray[np.int32] | None"
]


def _of_labels(truth: Labels, pred: Any, n: int) -> Columns:
    """Return classes, code, member and predicted labels; truth is Labels."""
    if len(truth) != n:
        raise ShapeError(f"expected as many rows of scores as labels, got {n} and {len(truth)}")
    code, member = truth.code, truth.member
    if code is None and member is None:
        raise InputError("expected labels, got scores only", "truth")
    if not isinstance(pred, Labels):
        return truth.classes, code, None if code is not None else member, None
    union, moved, unscored = aligned(truth, pred)
    if unscored is not None:
        known = set(unscored.tolist())
        names = union.display_names()
        raise ClassError(
            "expected a score for each class, got none for "
            f"{first_few(names[k] for k in range(len(union)) if k not in known)}",
            "pred",
        )
    if code is not None:
        if moved is not None:
            code = moved[code].astype(np.int32)
        return union, code, None, pred.code
    assert member is not None
    if moved is not None:
        wide = np.zeros((n, len(union)), np.uint8)
        wide[:, moved] = member
        member = wide
    return union, None, np.ascontiguousarray(member), None


def _of_arrays(truth: Any, pred: Any, classes: Classes | None, n: int, n_columns: int) -> Columns:
    """Return classes, code, member and predicted labels; truth is an array."""
    array = truth if isinstance(truth, (list, tuple)) else to_numpy(truth, "truth")
    shape = np.shape(array)
    if not shape or shape[0] != n:
        raise ShapeError(f"expected as many rows of scores as labels, got {n} and {shape}")
    if classes is None:
        classes = Classes(range(max(2, n_columns)))
    if len(shape) == 2 and shape[1] > 1:
        member = to_numpy(array, "truth")
        if member.shape != (n, len(classes)) or not np.isin(member, (0, 1)).all():
            raise ShapeError(
                f"expected 0 and 1 of shape {(n, len(classes))} as multilabel truth, "
                f"got {member.dtype} {member.shape}",
                "truth",
            )
        return classes, None, np.ascontiguousarray(member, np.uint8), None
    labels = label_array(array, "truth")
    if not isinstance(pred, Labels) and labels.dtype.kind == "U":
        raise ClassError(
            f'expected positions 0 to {len(classes) - 1} as labels, got "{labels[0]}": '
            "give snellen.Labels, which know the order of the classes",
            "truth",
        )
    predicted = pred.code if isinstance(pred, Labels) else None
    return classes, codes_in(classes, labels, "truth"), None, predicted


def _check_scores(
    score: NDArray[Any], scores: ScoreKind, *, single_label: bool, ids: NDArray[Any] | None
) -> None:
    if not score.size:
        return
    low, high = float(score.min()), float(score.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        row, column = np.argwhere(~np.isfinite(score))[0].tolist()
        raise InputError(f"expected finite scores, got {score[row, column]}", _place(row, ids))
    if scores != "probabilities":
        return
    if low < 0 or high > 1:
        row, column = np.argwhere((score < 0) | (score > 1))[0].tolist()
        raise InputError(
            f"expected probabilities, in [0, 1], got {score[row, column]:g}: "
            'say scores="logits" or "any" if they are none',
            _place(row, ids),
        )
    if single_label and score.shape[1] > 1:
        sums = _core.row_sums(score)
        off = np.abs(sums - 1.0) > SUM_TOLERANCE
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise InputError(
                f"expected probabilities that sum to 1 within {SUM_TOLERANCE}, "
                f"got {sums[row]:.6g} in this and {np.count_nonzero(off) - 1} more rows: "
                'say scores="logits" or "any" if they are none',
                _place(row, ids),
            )


def _place(row: int, ids: NDArray[Any] | None) -> str:
    return f"pred[{row}]" if ids is None else f"pred[{row}], sample {ids[row]}"


class SeenIds:
    """The ids absorbed so far, in sorted runs whose lengths fall by half or more.

    To look up or absorb a batch costs a logarithmic number of passes over it, whatever the number
    of batches before.
    """

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[Keys] = []

    @property
    def runs(self) -> tuple[Keys, ...]:
        """All ids, each in one of these."""
        return tuple(self._runs)

    def checked(self, ids: NDArray[Any]) -> Keys:
        """Return a batch's ids as keys.

        Raises
        ------
        IdError
            For ids that repeat, were seen before, or are of another kind.
        """
        keys = Keys.once_each(ids, "sample id")
        self.check_new([keys])
        return keys

    def check_new(self, others: list[Keys] | tuple[Keys, ...]) -> None:
        """Refuse keys that hold an id seen before.

        Raises
        ------
        IdError
            Naming some.
        """
        for keys in others:
            for run in self._runs:
                if run.is_text != keys.is_text:
                    Keys.union([run, keys], "sample id")  # says that they are of two kinds
                again = keys.ids[run.codes(keys.ids) >= 0]
                if len(again):
                    raise IdError(
                        f"expected each sample once, got {len(again)} that were absorbed before: "
                        f"{first_few(again.tolist())}"
                    )

    def add(self, keys: Keys) -> None:
        """Absorb ids that are new."""
        if len(keys):
            self._runs.append(keys)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = Keys.union([self._runs[-1], last], "sample id")
