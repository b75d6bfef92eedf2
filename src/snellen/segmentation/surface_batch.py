"""Label maps as they come in an update: an image, a volume, or a batch of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.arrays import to_numpy
from snellen.errors import InputError, ShapeError
from snellen.segmentation.array_labels import label_images
from snellen.segmentation.surface_parameters import pixel_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.segmentation.surface_parameters import SurfaceParameters

__all__ = ["SurfaceBatch"]


class SurfaceBatch(NamedTuple):
    """N images of one shape, (N, …), and the spacing of each."""

    truth: NDArray[Any]
    pred: NDArray[Any]
    spacing: list[tuple[float, ...]]
    in_mm: bool

    @classmethod
    def of(cls, truth: Any, pred: Any, spacing: Any, parameters: SurfaceParameters) -> SurfaceBatch:
        """Return the images of an update.

        Raises
        ------
        InputError
            For what cannot be evaluated; one of its kinds says why.
        """
        one, other = _label_map(truth, "truth"), _label_map(pred, "pred")
        if one.shape != other.shape:
            raise ShapeError(
                f"expected a prediction of the shape of truth, {one.shape}, got {other.shape}",
                "pred",
            )
        given = parameters.spacing
        rows = None
        if spacing is not None:
            array = to_numpy(spacing, "spacing", np.float64)
            if array.ndim == 2:
                rows = [pixel_steps(row, f"spacing[{i}]") for i, row in enumerate(array)]
                given = rows[0] if rows else None
            else:
                given = pixel_steps(array, "spacing")
        n_axes = _n_axes(one.ndim, given, parameters.dimensions)
        if one.ndim == n_axes:
            one, other = one[None], other[None]
        if not one[:1].size and len(one):
            raise ShapeError(f"expected images with pixels, got shape {one.shape[1:]}", "truth")
        if n_axes == 2:
            label_images(one, other)  # says where they look like colours
        if rows is not None and len(rows) != len(one):
            raise ShapeError(
                f"expected {len(one)} rows, one for each image, got {len(rows)}", "spacing"
            )
        each = rows if rows is not None else [given or (1.0,)] * len(one)
        for steps in each:
            if len(steps) not in (1, n_axes):
                raise ShapeError(f"expected {n_axes} numbers, got {len(steps)}", "spacing")
        return cls(
            one,
            other,
            [steps * n_axes if len(steps) == 1 else steps for steps in each],
            given is not None,
        )


def _label_map(values: Any, name: str) -> NDArray[Any]:
    array = to_numpy(values, name)
    if array.dtype.kind not in "biu":
        raise InputError(
            f"expected the class of each pixel as whole numbers, got {array.dtype}", name
        )
    if array.ndim not in (2, 3, 4):
        raise ShapeError(
            f"expected an image (H, W) or a volume (D, H, W), or a batch, got shape {array.shape}",
            name,
        )
    if array.dtype == np.uint64:
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise InputError(f"expected classes below 2^63, got {array.max()}", name)
        array = array.astype(np.int64)
    return array


def _n_axes(n_axes: int, spacing: tuple[float, ...] | None, dimensions: int | None) -> int:
    """Return whether an array of so many axes is of images or of volumes."""
    told = dimensions
    if told is None and spacing is not None and len(spacing) > 1:
        told = len(spacing)
    if told is None and n_axes == 3:
        raise ShapeError(
            "expected an image of two axes, got three, which are a volume or a batch of images: "
            "say dimensions=3 or dimensions=2",
            "truth",
        )
    told = (2 if n_axes == 2 else 3) if told is None else told
    if n_axes not in (told, told + 1):
        said = "dimensions" if dimensions is not None else f"a spacing of {told} numbers"
        raise ShapeError(
            f"expected {told} axes, or {told + 1} of a batch, as {said} says, got {n_axes}", "truth"
        )
    return told
