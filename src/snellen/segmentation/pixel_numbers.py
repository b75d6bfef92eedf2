"""The headline numbers of pixels, for any number of data sets made of the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.segmentation.instance_rows import InstanceColumns, weighted_iou
from snellen.segmentation.pixel_tables import (
    CLASS_NUMBERS,
    PixelTables,
    class_means,
    class_numbers,
    image_means,
    mean_number,
    tables_of,
    worst_mean,
)
from snellen.segmentation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.segmentation.pixel_rows import PixelColumns
    from snellen.segmentation.protocols import SegmentationProtocol

__all__ = ["Groups", "PixelData", "headline_numbers", "image_units", "means_by_rule"]

WORST = 0.05
"""The share of images, the worst ones, of ``mIoU_I_worst5``."""

# The mean of fewer than five worst images is a minimum, which a bootstrap can't vary upwards.
_ENOUGH = 100

_OF_IMAGES = PROTOCOLS["monai"]
_OF_CLASSES = PROTOCOLS["monai-batch"]
_OF_GROUPS = PROTOCOLS["cityscapes"]


class Groups(NamedTuple):
    """Groups of classes, such as the categories of Cityscapes.

    Attributes
    ----------
    names : tuple of str
        The G groups.
    of_class : tuple of int
        The group of each of the K classes.
    """

    names: tuple[str, ...]
    of_class: tuple[int, ...]

    @classmethod
    def of(cls, group_names: Sequence[str]) -> Groups:
        """Return the groups of classes whose group is named."""
        names = tuple(dict.fromkeys(group_names))
        return cls(names, tuple(map(names.index, group_names)))

    def cells(self, cell: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return cells of classes as cells of groups."""
        place = np.array([*self.of_class, len(self.names)])
        row, column = np.divmod(cell.astype(np.int64), len(place))
        cells: NDArray[np.int64] = place[row] * (len(self.names) + 1) + place[column]
        return cells


class PixelData(NamedTuple):
    """All that the numbers of a metric are made of.

    Attributes
    ----------
    classes : Classes
        K classes.
    columns : PixelColumns
        How often cells occur in each of N images.
    per_image : bool
        Whether images were kept apart.
    n_images : int
        How many there were.
    groups : Groups or None
    instances : InstanceColumns or None
        True instances, where they were given.
    average_size : ndarray, shape (K,), or None
        The average size of an instance of each class; NaN for classes without instances. None:
        that of the instances themselves.
    """

    classes: Classes
    columns: PixelColumns
    per_image: bool
    n_images: int
    groups: Groups | None
    instances: InstanceColumns | None
    average_size: NDArray[np.float64] | None

    def tables(self) -> PixelTables:
        """Return the pixels of each image and class."""
        columns = self.columns
        return tables_of(
            columns.image, columns.cell, columns.count, columns.n_images, len(self.classes)
        )

    def group_tables(self) -> PixelTables:
        """Return the pixels of each image and group of classes."""
        assert self.groups is not None
        columns = self.columns
        return tables_of(
            columns.image,
            self.groups.cells(columns.cell),
            columns.count,
            columns.n_images,
            len(self.groups.names),
        )

    def average_sizes(self) -> NDArray[np.float64]:
        """Return the average size of an instance of each class; NaN where it has none."""
        if self.average_size is not None:
            return self.average_size
        assert self.instances is not None
        n_classes = len(self.classes)
        summed = np.bincount(self.instances.label, self.instances.size, n_classes)
        return rates.ratio(summed, np.bincount(self.instances.label, minlength=n_classes))

    def instance_groups(self) -> list[int]:
        """Return the groups all of whose classes have instances."""
        if self.groups is None:
            return []
        having = ~np.isnan(self.average_sizes())
        of_class = np.array(self.groups.of_class)
        return [g for g in range(len(self.groups.names)) if having[of_class == g].all()]


def headline_numbers(
    data: PixelData,
    protocol: SegmentationProtocol,
    tables: PixelTables,
    times: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """Return the headline numbers of R data sets by name, each (R,).

    Parameters
    ----------
    tables : PixelTables
        ``data.tables()``.
    times : ndarray, shape (R, N)
        How often each image occurs in each data set.
    """
    summed = tables.times(times)
    found = {
        _MEANS[name]: mean_number(name, tables, summed, protocol, times) for name in CLASS_NUMBERS
    }
    truth = summed.truth - summed.missed if protocol.no_class == "dropped" else summed.truth
    correct, total = summed.correct.sum(axis=-1), truth.sum(axis=-1)
    found["pixel_accuracy"] = rates.ratio(correct, total)
    iou = class_numbers(summed, protocol)["iou"]
    found["fwIoU"] = rates.ratio(np.where(truth > 0, truth * iou, 0.0).sum(axis=-1), total)
    predicted = summed.predicted.sum(axis=-1)
    found["IoU_micro"] = rates.ratio(correct, total + predicted - correct)
    if data.per_image:
        of_images = image_means("iou", tables, _OF_IMAGES)
        found["mIoU_I"] = mean_number("iou", tables, summed, _OF_IMAGES, times)
        found["mIoU_C"] = mean_number("iou", tables, summed, _OF_CLASSES, times)
        found["mIoU_I_worst5"] = worst_mean(of_images, times, WORST)
    if data.groups is not None:
        groups = data.group_tables().times(times)
        values = class_numbers(groups, _OF_GROUPS)["iou"]
        found["mIoU_groups"] = class_means(values, groups, _OF_GROUPS)
    if data.instances is not None:
        sizes = data.average_sizes()
        values = weighted_iou(data.instances, summed, times, sizes)
        values[:, np.isnan(sizes)] = np.nan
        found["iIoU"] = _mean_in_turn(values)
        if data.groups is not None:
            values = weighted_iou(
                data.instances, groups, times, sizes, group_of=data.groups.of_class
            )
            found["iIoU_groups"] = _mean_in_turn(values[:, data.instance_groups()])
    return found


_MEANS = {"iou": "mIoU", "dice": "mDice", "precision": "mPrecision", "recall": "mRecall"}


def means_by_rule(data: PixelData, tables: PixelTables) -> dict[str, float]:
    """Return the mIoU under every named rule that the state can answer."""
    times = np.ones((1, len(tables.correct)), np.int64)
    summed = tables.total()
    return {
        name: float(mean_number("iou", tables, summed, protocol, times)[0])
        for name, protocol in PROTOCOLS.items()
        if data.per_image or not protocol.needs_images
    }


def image_units(data: PixelData, protocol: SegmentationProtocol) -> Units:
    """Return images as units for resampling."""
    tables = data.tables()
    n_images = len(tables.correct)

    def joined(
        multiplicity: NDArray[np.int64], other: Any
    ) -> tuple[PixelData, PixelTables, NDArray[np.int64]]:
        if other is None:
            return data, tables, multiplicity
        their_data, their_tables = other[0].content
        both = zip(tables, their_tables, strict=True)
        return (
            _joined(data, their_data),
            PixelTables._make(np.concatenate(pair) for pair in both),
            np.concatenate([multiplicity, other[1]], axis=1),
        )

    def values(
        multiplicity: NDArray[np.int64], other: Any = None
    ) -> dict[str, NDArray[np.float64]]:
        among, pixels, times = joined(multiplicity, other)
        return headline_numbers(among, protocol, pixels, times)

    def class_values(multiplicity: NDArray[np.int64], other: Any = None) -> NDArray[np.float64]:
        _, pixels, times = joined(multiplicity, other)
        return class_numbers(pixels.times(times), protocol)["iou"]

    image = np.repeat(np.arange(n_images), tables.truth.shape[1])
    label = np.tile(np.arange(tables.truth.shape[1]), n_images)
    return Units(
        unit="image",
        counts=np.ones(n_images, np.int64),
        ids=data.columns.images,
        values=values,
        class_metric="iou",
        classes=data.classes,
        class_values=class_values,
        headline=("mIoU", "mIoU_I", "pixel_accuracy"),
        ranges={"": (0.0, 1.0)},
        without_interval={}
        if n_images >= _ENOUGH
        else {"mIoU_I_worst5": f"the least of fewer than {_ENOUGH} images"},
        truth=unit_digests((label, tables.truth.reshape(-1)), image, n_images),
        content=(data, tables),
    )


def _joined(ours: PixelData, theirs: PixelData) -> PixelData:
    """Return the data of both, their images behind ours."""
    start = ours.columns.n_images
    columns = ours.columns._replace(
        images=None,
        n_images=start + theirs.columns.n_images,
        **{
            name: np.concatenate([getattr(ours.columns, name), part])
            for name, part in (
                ("image", theirs.columns.image + start),
                ("cell", theirs.columns.cell),
                ("count", theirs.columns.count),
            )
        },
    )
    if ours.instances is None or theirs.instances is None:
        return ours._replace(columns=columns, instances=None)
    moved = theirs.instances._replace(image=theirs.instances.image + start)
    pairs: Any = zip(ours.instances, moved, strict=True)
    instances = InstanceColumns._make(np.concatenate(pair) for pair in pairs)
    return ours._replace(columns=columns, instances=instances)


def _mean_in_turn(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what is defined in each row, added from left to right."""
    defined = ~np.isnan(values)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    summed = np.cumsum(np.where(defined, values, 0.0), axis=-1)[:, -1]
    return rates.ratio(summed, defined.sum(axis=-1))
