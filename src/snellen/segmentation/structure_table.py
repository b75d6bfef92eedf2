"""All structures of all images as columns, and what each counts as in a mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.segmentation.structures import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.segmentation.surface_images import SurfaceImage

    Real = NDArray[np.float64]

__all__ = ["MEASURES", "STATUS", "StructureTable", "measure_names"]

MEASURES: Final = ("hd", "percentile", "assd", "nsd")
"""The measures of a structure, in the order of the table's columns."""

STATUS: Final = ("scored", "missing", "spurious")
"""What a structure is: on both sides, in truth only, in the prediction only."""


def measure_names(percentile: float) -> tuple[str, ...]:
    """Return the names of the measures: ``("hd", "hd95", "assd", "nsd")``."""
    return tuple(f"hd{percentile:g}" if name == "percentile" else name for name in MEASURES)


class StructureTable(NamedTuple):
    """n structures of U images, image by image.

    Attributes
    ----------
    image : ndarray, shape (n,), int64
        The position of its image.
    code : ndarray, shape (n,), int64
        The position of its class.
    status : ndarray, shape (n,), int64
        The position in `STATUS`.
    numbers : ndarray, shape (n, 8)
        See `snellen.segmentation.structures.COLUMNS`.
    diagonal : ndarray, shape (U,)
        The greatest distance of each image.
    """

    image: NDArray[np.int64]
    code: NDArray[np.int64]
    status: NDArray[np.int64]
    numbers: Real
    diagonal: Real

    @classmethod
    def of(cls, images: Sequence[SurfaceImage], classes: Classes) -> StructureTable:
        """Return the structures of images; `classes` has all of theirs."""
        sizes = [len(image.label) for image in images]
        label = np.concatenate([np.zeros(0, np.int64), *(image.label for image in images)])
        numbers = np.concatenate(
            [np.zeros((0, len(COLUMNS))), *(image.numbers for image in images)]
        )
        in_truth, in_pred = (
            numbers[:, COLUMNS.index(name)] > 0 for name in ("size_truth", "size_pred")
        )
        return cls(
            image=np.repeat(np.arange(len(images)), sizes),
            code=classes.keys.codes(label).astype(np.int64),
            status=np.select([in_truth & in_pred, in_truth], [0, 1], 2).astype(np.int64),
            numbers=numbers,
            diagonal=np.array([image.diagonal for image in images], np.float64),
        )

    def column(self, name: str) -> Real:
        """Return a column of the numbers."""
        return self.numbers[:, COLUMNS.index(name)]

    def measures(self) -> Real:
        """Return the measures of each structure by their definition, (n, 4); see `MEASURES`."""
        size = self.column("size_truth") + self.column("size_pred")
        total = self.column("sum_truth") + self.column("sum_pred")
        within = self.column("within_truth") + self.column("within_pred")
        return np.stack(
            [
                self.column("hd"),
                self.column("percentile"),
                np.where(self.status == 0, total / size, math.inf),
                within / size,
            ],
            axis=1,
        )

    def directed_means(self) -> Real:
        """Return the mean distance from truth's surface, and from the prediction's, (n, 2).

        A side that has no surface has no mean: NaN.
        """
        with np.errstate(invalid="ignore"):
            return np.stack(
                [self.column(f"sum_{side}") / self.column(f"size_{side}") for side in _SIDES],
                axis=1,
            )

    def counted(self, missing: Any) -> tuple[Real, NDArray[np.bool_]]:
        """Return what each structure counts as, and whether it counts at all, both (n, 4).

        Parameters
        ----------
        missing : {"diagonal", "inf", "drop"} or float
            What a distance counts as where one side has no structure.
        """
        values = self.measures()
        counts = np.ones(values.shape, bool)
        one_sided, distances = self.status != 0, slice(0, MEASURES.index("nsd"))
        if missing == "drop":
            counts[one_sided, distances] = False
        elif missing == "diagonal":
            values[one_sided, distances] = self.diagonal[self.image[one_sided], None]
        else:
            values[one_sided, distances] = float(missing)
        return values, counts


_SIDES = ("truth", "pred")
