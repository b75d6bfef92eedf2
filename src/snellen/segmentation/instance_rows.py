"""How much of each true instance was found, for the instance-weighted IoU of Cityscapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.state import Keys, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.segmentation.pixel_tables import PixelTables

__all__ = ["InstanceColumns", "InstanceRows", "weighted_iou"]

_COLUMNS = ("image", "instance", "label", "size", "correct", "correct_in_group")


class InstanceColumns(NamedTuple):
    """One row a true instance, by image and instance, both ascending.

    Attributes
    ----------
    image : ndarray, shape (I,), int32
        Position of the image.
    instance : ndarray, shape (I,), int64
        Its number in the image.
    label : ndarray, shape (I,), int32
        Position of its class.
    size, correct, correct_in_group : ndarray, shape (I,), int64
        Pixels; those predicted as its class; those predicted as a class of its class's group.
    """

    image: NDArray[np.int32]
    instance: NDArray[np.int64]
    label: NDArray[np.int32]
    size: NDArray[np.int64]
    correct: NDArray[np.int64]
    correct_in_group: NDArray[np.int64]


class InstanceRows:
    """True instances of images with ids."""

    __slots__ = ("_ledger",)

    def __init__(self) -> None:
        self._ledger = Ledger(
            ("image",),
            image=np.int32,
            instance=np.int64,
            label=np.int32,
            size=np.int64,
            correct=np.int64,
            correct_in_group=np.int64,
        )

    def __len__(self) -> int:
        return len(self._ledger)

    def add(self, images: Keys, columns: InstanceColumns) -> None:
        """Add instances; `image` is a position in `images`."""
        self._ledger.append({"image": images}, **columns._asdict())

    def merge(self, other: InstanceRows) -> None:
        """Add another's instances."""
        self._ledger.merge(other._ledger)

    def columns(self, images: Keys) -> InstanceColumns:
        """Return all instances, images as positions in a table that has all of them."""
        columns = self._ledger.columns({"image": images})
        order = np.lexsort((columns["instance"], columns["image"]))
        return InstanceColumns(*(columns[name][order] for name in _COLUMNS))

    def restore(self, images: Keys, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put the columns of stored arrays in the place of all.

        Raises
        ------
        KeyError, ValueError
            Where they are not such columns.
        """
        columns = InstanceColumns(*(arrays[f"instances.{name}"] for name in _COLUMNS))
        image = columns.image
        if len(image) and (image.min() < 0 or image.max() >= len(images) or columns.size.min() < 1):
            raise ValueError("instances of other images")
        self.add(images, columns)


def weighted_iou(
    columns: InstanceColumns,
    tables: PixelTables,
    times: NDArray[Any],
    average_size: NDArray[np.float64],
    *,
    group_of: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """Return the instance-weighted IoU of each class, or group of classes, in R data sets.

    Every instance weighs as much as one of average size: its pixels count average size / size
    each, on both sides of the numerator. False positives count as they are.

    Parameters
    ----------
    columns : InstanceColumns
    tables : PixelTables, (R, G)
        The pixels of the classes, or groups, in each data set.
    times : ndarray, shape (R, N)
        How often each image occurs.
    average_size : ndarray, shape (K,)
        The average size of an instance of each class.
    group_of : sequence of int, optional
        The group of each class; without, numbers are of classes.

    Returns
    -------
    ndarray, shape (R, G)
        NaN for classes without instances and without predictions.
    """
    label = columns.label
    column = label if group_of is None else np.asarray(group_of)[label]
    correct = columns.correct if group_of is None else columns.correct_in_group
    # Division, then product, as cityscapesScripts has it; sums in the order of the rows.
    weight = average_size[label] / columns.size
    found, lost = correct * weight, (columns.size - correct) * weight
    n_columns = tables.correct.shape[1]
    result = np.empty((len(times), n_columns))
    for r, often in enumerate(times):
        share = often[columns.image]
        tp, fn = (np.bincount(column, each * share, minlength=n_columns) for each in (found, lost))
        fp = tables.predicted[r] - tables.correct[r]
        result[r] = rates.ratio(tp, (tp + fp) + fn)
    return result
