"""Labels of samples, as columns: what readers hand to classification metrics."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.errors import ClassError, InputError, ShapeError, did_you_mean, first_few
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Labels",
    "aligned",
    "codes_in",
    "label_array",
    "label_sides",
    "predicted_codes",
    "sample_weights",
]

# Whole numbers that lie within so wide a range are looked up in a table.
_NARROW = 1 << 16


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Labels:
    """The classes of n samples, one row a sample; truth and predictions come row by row.

    A side has labels (`code`), sets of labels (`member`) or scores (`score`); a prediction may
    have scores and labels, then the labels are what counts as predicted. Metrics may share the
    arrays: they are not to be written to.

    Attributes
    ----------
    classes : Classes
        The K classes.
    code : ndarray, shape (n,), int32, or None
        The position of each sample's label in `classes`.
    member : ndarray, shape (n, K), uint8, or None
        Multilabel: 1 where the sample has the class.
    score : ndarray, shape (n, K), float32 or float64, or None
        The score of each class.
    confidence : ndarray, shape (n,), float64, or None
        How sure the model is of each predicted label, in [0, 1]; where there are no scores.
    sample_id : ndarray, shape (n,), int64 or str, or None
        The id of each sample, each once.
    weight : ndarray, shape (n,), float64, or None
        How much each sample counts; not negative.
    group : ndarray, shape (n,), int64 or str, or None
        The unit of independence that each sample belongs to: a patient, a scene.
    """

    classes: Classes
    code: NDArray[np.int32] | None = None
    member: NDArray[np.uint8] | None = None
    score: NDArray[Any] | None = None
    confidence: NDArray[np.float64] | None = None
    sample_id: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None
    group: NDArray[Any] | None = None

    def __len__(self) -> int:
        for column in (self.code, self.member, self.score):
            if column is not None:
                return len(column)
        return 0

    def __repr__(self) -> str:
        columns = [
            field.name
            for field in dataclasses.fields(self)
            if field.name != "classes" and getattr(self, field.name) is not None
        ]
        return f"Labels({len(self)} samples, {len(self.classes)} classes: {', '.join(columns)})"

    def numbered(self) -> Labels:
        """Return the same samples with their positions as ids."""
        return dataclasses.replace(self, sample_id=np.arange(len(self)))

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        *,
        classes: Any = None,
        sample_id: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        group: ArrayLike | None = None,
        name: str = "labels",
    ) -> Labels:
        """Return labels given as ids or names.

        Parameters
        ----------
        labels : array-like, shape (n,)
            Whole numbers, flags or texts.
        classes : Classes, mapping of id to name, or sequence of names, optional
            The classes. Labels are ids of theirs or, where the ids are whole numbers, texts that
            are their names. Without, the classes are the labels that occur.
        sample_id, weight, group : array-like, shape (n,), optional
            See the attributes.
        name : str
            What they are, for messages.

        Raises
        ------
        ClassError
            For labels outside the classes.
        ShapeError, InputError, IdError
            For arrays that do not fit, weights that are negative or not finite, labels of two
            kinds.
        """
        array = label_array(labels, name)
        if classes is None:
            ids, code = _factorised(array)
            known = Classes(ids)
        else:
            known = Classes.of(classes)
            code = codes_in(known, array, name)
        return cls(
            known,
            code=code,
            sample_id=None if sample_id is None else _of_length(sample_id, len(array), "sample_id"),
            weight=sample_weights(weight, len(array)),
            group=None if group is None else _of_length(group, len(array), "group"),
        )


def label_array(labels: ArrayLike, name: str) -> NDArray[Any]:
    """Return labels as an int64 or str array of one axis; flags are 0 and 1.

    Raises
    ------
    ShapeError, IdError, InputError
        For other shapes or kinds: fractions are no labels.
    """
    if isinstance(labels, (list, tuple)) and any(isinstance(label, str) for label in labels):
        return id_array(labels, "label")  # keeps apart texts and numbers, which NumPy would mix
    array = to_numpy(labels, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ShapeError(f"expected labels in one axis, got shape {array.shape}", name)
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (array == np.floor(array))
        if not whole.all():
            at = int(np.flatnonzero(~whole)[0])
            raise InputError(
                f"expected whole numbers or texts as labels, got {array[at]}: are these scores?",
                f"{name}[{at}]",
            )
        large = np.flatnonzero(np.abs(array) >= 2.0**63)
        if len(large):
            raise InputError(
                f"expected labels that 64 bits can hold, got {array[large[0]]:g}",
                f"{name}[{large[0]}]",
            )
        return array.astype(np.int64)
    return id_array(array, "label")


def _factorised(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return the distinct labels, ascending, and the position of each label among them."""
    if not len(labels):
        return labels, np.zeros(0, np.int32)
    if labels.dtype.kind == "U":
        # A dictionary of a million short texts is quicker than sorting them.
        texts = labels.tolist()
        names = sorted(set(texts))
        place = {name: k for k, name in enumerate(names)}
        return np.array(names), np.fromiter(map(place.__getitem__, texts), np.int32, len(texts))
    found = _core.factorise(labels, max(4 * len(labels), _NARROW))
    if found is not None:
        return found
    ids, code = np.unique(labels, return_inverse=True)
    return ids, code.astype(np.int32)


def codes_in(classes: Classes, labels: NDArray[Any], name: str) -> NDArray[np.int32]:
    """Return the position of each label, an id or a name, in the classes.

    Raises
    ------
    ClassError
        For labels that the classes do not have.
    """
    keys, table = labels, classes.keys
    if labels.dtype.kind == "U" and not classes.keys.is_text:
        named = [class_name for class_name in classes.names if class_name]
        if len(set(named)) != len(named):
            twice = next(each for each in named if named.count(each) > 1)
            raise ClassError(
                f'expected each class name once, got "{twice}" {named.count(twice)} times: '
                "use ids as labels"
            )
        table = Keys(named, "class name")
        place = {class_name: k for k, class_name in enumerate(classes.names)}
        position = np.array([place[each] for each in table.ids.tolist()], np.int32)
        code = table.codes(keys)
        code = np.where(code < 0, code, position[code]) if len(position) else code
    else:
        code = table.codes(keys)
    unknown = np.flatnonzero(code < 0)
    if len(unknown):
        label = labels[unknown[0]].item()
        shown = f'"{label}"' if isinstance(label, str) else label
        names = classes.display_names()
        raise ClassError(
            f"expected labels of {len(classes)} classes ({first_few(names)}), got {shown} and "
            f"{len(unknown) - 1} more that are none of them."
            f"{did_you_mean(label, names) if isinstance(label, str) else ''}",
            f"{name}[{unknown[0]}]",
        )
    return code.astype(np.int32, copy=False)


def sample_weights(weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return weights as float64, checked: one for each sample, finite, not negative.

    They are a copy: metrics keep them, and the caller may fill the array anew.

    Raises
    ------
    ShapeError, InputError
        For others.
    """
    if weight is None:
        return None
    array = to_numpy(weight, "weight", np.float64)
    if array.shape != (n,):
        raise ShapeError(
            f"expected one weight for each of {n} samples, got {array.shape}", "weight"
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        raise InputError(
            f"expected finite weights that are not negative, got {array[bad[0]]}",
            f"weight[{bad[0]}]",
        )
    kept: NDArray[np.float64] = array.copy()  # it may be the caller's
    return kept


def aligned(
    truth: Labels, pred: Labels
) -> tuple[Classes, NDArray[Any] | None, NDArray[Any] | None]:
    """Return the classes of both sides, and for each side the place of its classes among them.

    None in place of an array: the side has exactly these classes already.

    Raises
    ------
    ClassError, IdError
        Where ids of both sides are of two kinds, or an id has two names.
    ShapeError
        Where they are not of one length.
    """
    if len(truth) != len(pred):
        raise ShapeError(
            f"expected as many predictions as samples with truth, got {len(pred)} and {len(truth)}"
        )
    classes = Classes.union([truth.classes, pred.classes])
    moves = [
        None
        if side.classes.keys.same_as(classes.keys)
        else classes.keys.codes(side.classes.keys.ids)
        for side in (truth, pred)
    ]
    return classes, moves[0], moves[1]


def label_sides(
    truth: Any,
    pred: Any,
    *,
    classes: Classes | None = None,
    weight: ArrayLike | None = None,
    sample_id: ArrayLike | None = None,
    group: ArrayLike | None = None,
) -> tuple[Labels, Labels]:
    """Return both sides of a batch as `Labels`, checked.

    Parameters
    ----------
    truth : Labels, or array-like of shape (n,)
        Labels: ids or names.
    pred : Labels, or array-like of shape (n,) or (n, K)
        Labels, or the score of each class: columns in the order of `classes`; without these,
        column k is class k.
    classes : Classes, optional
        The classes of both.
    weight, sample_id, group : array-like, shape (n,), optional
        Columns of truth (`Labels`).

    Raises
    ------
    InputError
        For what does not fit; one of its kinds says how.
    """
    if not isinstance(truth, Labels):
        truth = Labels.of(
            truth, classes=classes, weight=weight, sample_id=sample_id, group=group, name="truth"
        )
    elif any(column is not None for column in (weight, sample_id, group)):
        raise InputError("expected no weight, sample_id or group beside Labels, which have them")
    if not isinstance(pred, Labels):
        scores = (
            None if isinstance(pred, (list, tuple)) and _is_flat(pred) else to_numpy(pred, "pred")
        )
        if scores is not None and scores.ndim == 2 and scores.shape[1] != 1:
            pred = _scored(scores, classes)
        else:
            pred = Labels.of(pred, classes=classes, name="pred")
    if len(truth) != len(pred):
        raise ShapeError(
            f"expected as many predictions as samples with truth, got {len(pred)} and {len(truth)}"
        )
    return truth, pred


def _is_flat(values: list[Any] | tuple[Any, ...]) -> bool:
    return not values or not hasattr(values[0], "__len__") or isinstance(values[0], str)


def _scored(scores: NDArray[Any], classes: Classes | None) -> Labels:
    if scores.dtype.kind not in "fiu":
        raise InputError(f"expected scores that are numbers, got {scores.dtype}", "pred")
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float32 if scores.dtype == np.float16 else np.float64)
    known = Classes(range(scores.shape[1])) if classes is None else classes
    if len(known) != scores.shape[1]:
        raise ShapeError(
            f"expected one score for each of {len(known)} classes, got {scores.shape[1]} columns",
            "pred",
        )
    return Labels(known, score=scores)


def predicted_codes(pred: Labels) -> NDArray[np.int32]:
    """Return the position of each predicted label: its own, else that of the highest score.

    Of equal scores the first class wins, as in NumPy's argmax.

    Raises
    ------
    InputError
        For scores that are NaN, a single column of scores, which does not say from where on the
        second class is meant, or a side without labels and scores.
    """
    if pred.code is not None:
        return pred.code
    if pred.score is None or not pred.score.shape[1]:
        raise InputError("expected a label or scores for each sample, got neither", "pred")
    if pred.score.shape[1] < len(pred.classes):
        raise InputError(
            f"expected labels, or a score for each of the {len(pred.classes)} classes, got scores "
            f"of {pred.score.shape[1]}",
            "pred",
        )
    bad = np.flatnonzero(np.isnan(pred.score).any(axis=1))
    if len(bad):
        raise InputError("expected scores that are numbers, got nan", f"pred[{bad[0]}]")
    codes: NDArray[np.int32] = pred.score.argmax(axis=1).astype(np.int32)
    return codes


def _of_length(values: ArrayLike, n: int, name: str) -> NDArray[Any]:
    array = id_array(values, name)
    if len(array) != n:
        raise ShapeError(f"expected one {name} for each of {n} samples, got {len(array)}", name)
    return array
