"""Boundary IoU of masks: how alike the pixels near their edges are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen import _core
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["boundaries"]


def boundaries(masks: RleMasks, dilation_ratio: float = 0.02) -> RleMasks:
    """Return the pixels of masks that are near their edges.

    Parameters
    ----------
    masks : RleMasks
        The masks.
    dilation_ratio : float
        How far from an edge they lie, as a part of the image's diagonal; at least one pixel. The
        edge of the image is one. Halves are rounded to the even number, as in the reference.

    Returns
    -------
    RleMasks
        As many masks, of the same sizes.

    References
    ----------
    B. Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR
    2021; boundary-iou-api.

    Examples
    --------
    >>> square = RleMasks.from_arrays([np.ones((5, 5), np.uint8)])
    >>> boundaries(square, 0.3).areas().tolist()  # within 2 pixels, of a diagonal of 7.07
    [24]
    """
    sizes, place = np.unique(masks.size, axis=0, return_inverse=True)
    widths = [
        max(1, round(dilation_ratio * math.sqrt(height**2 + width**2)))
        for height, width in sizes.tolist()
    ]
    width_of: NDArray[np.int64] = np.array(widths, np.int64)
    found = _core.rle_boundaries(masks.runs, masks.offset, masks.size, width_of[place.reshape(-1)])
    return RleMasks(*found, masks.size)
