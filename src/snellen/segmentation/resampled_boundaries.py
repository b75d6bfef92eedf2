"""Boundary numbers of data sets that are made of the same images, each so often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.segmentation.boundary_result import (
    COLUMNS,
    OF_IMAGES,
    boundary_ratios,
    image_means,
    mean,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.state import Keys

    Real = NDArray[np.float64]

__all__ = ["boundary_units"]


class _Sums(NamedTuple):
    """Of R data sets: pixels (R, K, 10), sums of images' means (R, 2), and how many (R, 2)."""

    pixels: Real
    means: Real
    n_means: Real


class _Images(NamedTuple):
    """What U images add: their rows, and their means, NaN where undefined, (U, 2)."""

    n_classes: int
    rows: Mapping[str, NDArray[Any]]
    means: Real

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets in which images occur so often, (R, U)."""
        times = np.ascontiguousarray(multiplicity, np.int32)
        columns = [
            _core.sums_by_cell(
                times,
                self.rows["label"],
                self.n_classes,
                unit=self.rows["image"],
                weight=self.rows["pixels"][:, i].astype(np.float64),
            )
            for i in range(len(COLUMNS))
        ]
        often = np.ascontiguousarray(multiplicity, np.float64)
        defined = ~np.isnan(self.means)
        return _Sums(
            np.stack(columns, axis=-1),
            # Not a matrix product, which adds fractions in the order of the machine's threads.
            np.stack(
                [
                    (often * each).sum(axis=-1)
                    for each in np.ascontiguousarray(np.where(defined, self.means, 0.0).T)
                ],
                axis=-1,
            ),
            often @ defined.astype(np.float64),
        )


def boundary_units(classes: Classes, images: Keys, rows: Mapping[str, NDArray[Any]]) -> Units:
    """Return images as units.

    Parameters
    ----------
    classes : Classes
    images : Keys
    rows : mapping of str to ndarray
        As `BoundaryQuality.rows` returns them.
    """
    means = image_means(boundary_ratios(rows["pixels"]), rows["image"], len(images))
    units = _Images(len(classes), rows, np.stack([means[name] for name in OF_IMAGES], axis=1))
    # The last sums: a comparison asks for the numbers of classes after the others.
    latest: list[tuple[Any, Any, _Sums]] = []

    def summed(multiplicity: NDArray[Any], other: Any) -> _Sums:
        if not latest or latest[0][0] is not multiplicity or latest[0][1] is not other:
            sums = units.sums(multiplicity)
            if other is not None:
                theirs = other[0].content.sums(other[1])
                sums = _Sums(*(a + b for a, b in zip(sums, theirs, strict=True)))
            latest[:] = [(multiplicity, other, sums)]
        return latest[0][2]

    def values(multiplicity: NDArray[Any], other: Any = None) -> dict[str, Real]:
        sums = summed(multiplicity, other)
        ratios = boundary_ratios(sums.pixels)
        found = {name: mean(ratios[name]) for name in ("boundary_iou", "boundary_f", "mask_iou")}
        with np.errstate(invalid="ignore"):  # no images, no mean
            of_images = sums.means / sums.n_means
        found |= {f"{name}_images": of_images[:, i] for i, name in enumerate(OF_IMAGES)}
        return found

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Real:
        return boundary_ratios(summed(multiplicity, other).pixels)["boundary_iou"]

    # A row that only a prediction has is none of truth.
    has_truth = rows["pixels"][:, COLUMNS.index("pixels_truth")] > 0
    of_truth = [i for i, name in enumerate(COLUMNS) if name.endswith("_truth")]
    return Units(
        unit="image",
        counts=np.ones(len(images), np.int64),
        ids=images,
        values=values,
        class_metric="boundary_iou",
        classes=classes,
        class_values=class_values,
        headline=("boundary_iou", "boundary_f"),
        ranges={"": (0.0, 1.0)},
        truth=unit_digests(
            (rows["label"][has_truth], *rows["pixels"][has_truth][:, of_truth].T),
            rows["image"][has_truth],
            len(images),
        ),
        content=units,
    )
