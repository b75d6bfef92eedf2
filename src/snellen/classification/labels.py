"""Labels of samples, as columns: what readers hand to classification metrics."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.errors import ClassError, InputError, ShapeError, did_you_mean, first_few
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Labels", "aligned", "sample_weights"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Labels:
    """The classes of n samples, one row a sample; truth and predictions come row by row.

    A side has labels (`code`), sets of labels (`member`) or scores (`score`); a prediction may
    have scores and labels, then the labels are what counts as predicted.

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
            known = Classes(np.unique(array))
            code = known.keys.codes(array)
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
    array = labels if isinstance(labels, (list, tuple)) else to_numpy(labels, name)
    if not isinstance(array, np.ndarray):
        # A list keeps its texts and numbers apart, which NumPy would mix.
        if array and all(isinstance(label, (bool, np.bool_)) for label in array):
            return np.array(array, np.int64)
        return id_array(array, "label")
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
        return array.astype(np.int64)
    return id_array(array, "label")


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
    return array


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


def _of_length(values: ArrayLike, n: int, name: str) -> NDArray[Any]:
    array = id_array(values, name)
    if len(array) != n:
        raise ShapeError(f"expected one {name} for each of {n} samples, got {len(array)}", name)
    return array
