"""Surface distances of data sets that are made of the same images, each so often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.segmentation.structure_table import MEASURES, StructureTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.segmentation.surface_images import OrderedImages

    Real = NDArray[np.float64]

__all__ = ["surface_units"]


class _Sums(NamedTuple):
    """Of R data sets, by measure and class (4, R, K): what counts, and the sum of it."""

    total: Real
    n: Real

    def means(self) -> Real:
        """Return the mean of each class, (4, R, K); NaN where nothing counts."""
        with np.errstate(invalid="ignore"):
            return self.total / self.n


class _Tables:
    """What the structures of images count as, by measure, image and class (4, U, K)."""

    def __init__(self, table: StructureTable, n_classes: int, missing: Any) -> None:
        values, counts = table.counted(missing)
        shape = (len(MEASURES), len(table.diagonal), n_classes)
        self.counts, self.values = np.zeros(shape), np.zeros(shape)
        self.counts[:, table.image, table.code] = counts.T
        self.values[:, table.image, table.code] = np.where(counts, values, 0.0).T
        self.is_infinite = np.isinf(self.values)

    def placed(self, place: NDArray[np.int32], n_classes: int) -> _Tables:
        """Return the tables with class k at place[k] of more classes."""
        moved = object.__new__(_Tables)
        for name in ("counts", "values", "is_infinite"):
            table = getattr(self, name)
            wider = np.zeros((*table.shape[:2], n_classes), table.dtype)
            wider[:, :, place] = table
            setattr(moved, name, wider)
        return moved

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets, multiplicities (R, U)."""
        times = np.ascontiguousarray(multiplicity, np.float64)
        total = np.zeros((len(MEASURES), len(times), self.values.shape[2]))
        finite = np.where(self.is_infinite, 0.0, self.values)
        # Not a matrix product, which adds fractions in the order of the machine's threads; and
        # only of the images that have the class.
        for k in range(total.shape[2]):
            having = np.flatnonzero(finite[:, :, k].any(axis=0))
            often = np.ascontiguousarray(times[:, having])
            for j in range(len(MEASURES)):
                total[j, :, k] = (often * finite[j, having, k]).sum(axis=-1)
        if self.is_infinite.any():  # 0 times infinity is nothing here
            total[times @ self.is_infinite.astype(np.float64) > 0] = math.inf
        return _Sums(total, times @ self.counts)


def surface_units(
    images: OrderedImages, classes: Classes, *, missing: Any, names: Sequence[str]
) -> Units:
    """Return the images as units."""
    table = StructureTable.of(images.images, classes)
    # What only the prediction has says nothing about truth.
    in_truth = table.column("size_truth") > 0
    truth = unit_digests(
        [classes.keys.ids[table.code[in_truth]], table.column("size_truth")[in_truth]],
        table.image[in_truth],
        len(table.diagonal),
    ) ^ table.diagonal.view(np.uint64)
    return _units(_Tables(table, len(classes), missing), images, classes, truth, names)


def _units(
    tables: _Tables,
    images: OrderedImages,
    classes: Classes,
    truth: NDArray[np.uint64],
    names: Sequence[str],
) -> Units:
    def means(multiplicity: NDArray[Any], other: Any) -> Real:
        sums = tables.sums(multiplicity)
        if other is not None:
            theirs: _Sums = other[0].content.sums(other[1])
            sums = _Sums(sums.total + theirs.total, sums.n + theirs.n)
        return sums.means()

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Real]:
        of_classes = means(multiplicity, other)
        defined = ~np.isnan(of_classes)
        with np.errstate(invalid="ignore"):
            found = np.where(defined, of_classes, 0.0).sum(axis=2) / defined.sum(axis=2)
        return dict(zip(names, found, strict=True))

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Real:
        found: Real = means(multiplicity, other)[MEASURES.index("percentile")]
        return found

    def among(wider: Classes) -> Units:
        place = wider.keys.codes(classes.keys.ids)
        return _units(tables.placed(place, len(wider)), images, wider, truth, names)

    return Units(
        unit="image",
        counts=np.ones(len(images.images), np.int64),
        ids=images.ids,
        values=values,
        class_metric=names[MEASURES.index("percentile")],
        classes=classes,
        class_values=class_values,
        headline=tuple(names),
        lower_is_better=frozenset(names[: MEASURES.index("nsd")]),
        ranges={"": (0.0, math.inf), "nsd": (0.0, 1.0)},
        truth=truth,
        among=among,
        content=tables,
    )
