"""Masks as CVAT writes them: run lengths row by row, of the pixels in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.errors import SchemaError
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Crop", "crops_of_masks", "mask_of_crop"]

_MOST_PIXELS: Final = 2**28


class Crop(NamedTuple):
    """The pixels of a mask in the box around it.

    Attributes
    ----------
    runs : sequence of int
        Numbers of pixels outside, inside, outside … the mask, row by row; the first may be 0.
    left, top, width, height : int
        The box.
    """

    runs: Sequence[int]
    left: int
    top: int
    width: int
    height: int


def mask_of_crop(crop: Crop, size: tuple[int, int], place: str) -> RleMasks:
    """Return the mask that a crop is of.

    Parameters
    ----------
    crop : Crop
    size : (int, int)
        Height and width of the image.
    place : str
        For messages.

    Raises
    ------
    SchemaError
        For a box that stands out of the image, and runs that do not fill it.

    Examples
    --------
    >>> mask_of_crop(Crop([1, 3], 1, 0, 2, 2), (3, 4), "mask 1").to_arrays()[0].astype(int)
    array([[0, 0, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    runs, left, top, width, height = crop
    if min(left, top, width, height) < 0 or left + width > size[1] or top + height > size[0]:
        raise SchemaError(
            f"expected a mask inside its image, {size[0]} × {size[1]} (height × width), got left "
            f"{left}, top {top}, width {width}, height {height}",
            place,
        )
    n_pixels = width * height
    if n_pixels > _MOST_PIXELS or size[0] * size[1] >= 2**32:
        raise SchemaError(
            f"expected a mask of at most {_MOST_PIXELS:,} pixels in an image of less than 2^32, "
            f"got {n_pixels:,} in {size[0] * size[1]:,}",
            place,
        )
    if min(runs, default=0) < 0 or sum(runs) != n_pixels:
        raise SchemaError(
            f"expected runs from 0 on of together {width} × {height} = {n_pixels:,} pixels, got "
            f"{sum(runs):,}",
            f"{place} rle",
        )
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    # A pixel outside below each column keeps its runs apart from the next one's.
    columns = np.zeros((width, height + 1), np.int8)
    columns[:, :height] = inside.T
    bounds = np.flatnonzero(np.diff(columns.reshape(-1), prepend=np.int8(0)))
    column, row = np.divmod(bounds, height + 1)
    at = (column + left) * size[0] + row + top
    # A run to the lower edge of the image goes on where the next begins at the upper one.
    goes_on = at[1:-1:2] == at[2::2]
    kept = np.ones(len(at), np.bool_)
    kept[1:-1:2] &= ~goes_on
    kept[2::2] &= ~goes_on
    whole = np.diff(at[kept], prepend=0, append=size[0] * size[1])
    # As COCO writes them: the last one is not there where it is 0.
    whole = whole[: len(whole) - (whole[-1] == 0)]
    return RleMasks.from_runs(whole, [0, len(whole)], [size], place)


def crops_of_masks(masks: RleMasks) -> list[Crop]:
    """Return the crops of masks, each the box around its pixels; of none a box without a pixel.

    Examples
    --------
    >>> crops_of_masks(RleMasks.from_arrays([[[0, 0, 1, 0], [0, 1, 1, 0]]]))
    [Crop(runs=[1, 3], left=1, top=0, width=2, height=2)]
    """
    found = []
    for row, (left, top, width, height) in enumerate(masks.boxes().tolist()):
        one = masks[slice(row, row + 1)]
        inside = _inside(one, left, top, width, height)
        bounds = np.flatnonzero(np.diff(inside.reshape(-1), prepend=np.int8(0)))
        runs = np.diff(bounds, prepend=0, append=width * height).tolist()
        # The last one is outside, and says nothing where it is 0.
        found.append(Crop(runs if runs[-1] else runs[:-1], left, top, width, height))
    return found


def _inside(mask: RleMasks, left: int, top: int, width: int, height: int) -> NDArray[np.int8]:
    """Return 1 inside and 0 outside a mask, of the pixels in a box."""
    n_rows = int(mask.size[0, 0])
    columns = np.zeros(n_rows * width, np.int8)
    ends = np.cumsum(mask.runs, dtype=np.int64) - left * n_rows
    for first, last in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=False):
        columns[max(first, 0) : max(last, 0)] = 1
    inside: NDArray[np.int8] = columns.reshape(width, n_rows)[:, top : top + height].T
    return inside
