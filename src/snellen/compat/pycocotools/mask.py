"""Masks as run lengths: the names of ``pycocotools.mask``.

A mask is a dict of ``size``, [height, width], and ``counts``, compressed run lengths. Where a
function takes masks it takes a list of them, or one; then it gives back one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.compat.pycocotools import _mask
from snellen.compat.pycocotools._mask import frPyObjects, iou, merge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["area", "decode", "encode", "frPyObjects", "iou", "merge", "toBbox"]


def encode(bimask: NDArray[np.uint8]) -> Any:
    """Return the mask of an image, or those of several.

    Parameters
    ----------
    bimask : ndarray, shape (h, w) or (h, w, n), uint8 or bool, in Fortran's order
        A run ends where the value changes: values other than 0 and 1 are not made 1.

    Returns
    -------
    dict, or list of dict
        Of ``size`` and ``counts``, as bytes; None for other numbers of axes.

    Raises
    ------
    ValueError
        For other kinds of numbers and for another order.
    """
    if len(bimask.shape) == 3:
        return _mask.encode(bimask)
    if len(bimask.shape) == 2:
        height, width = bimask.shape
        return _mask.encode(bimask.reshape((height, width, 1), order="F"))[0]
    return None


def decode(rleObjs: Any) -> NDArray[np.uint8]:  # noqa: N803  # the name in scripts
    """Return the pixels of masks.

    Parameters
    ----------
    rleObjs : dict, or list of dict
        Of one size, that of the first; those of other sizes are painted as if they had it.

    Returns
    -------
    ndarray, shape (h, w) or (h, w, n), uint8
        In Fortran's order. Pixels that no run tells of are 0.

    Raises
    ------
    ValueError
        For runs that go beyond the image.
    """
    if type(rleObjs) is list:
        return _mask.decode(rleObjs)
    return _mask.decode([rleObjs])[:, :, 0]


def area(rleObjs: Any) -> Any:  # noqa: N803
    """Return the number of pixels in masks: uint32, or an array (n,) of it."""
    if type(rleObjs) is list:
        return _mask.area(rleObjs)
    return _mask.area([rleObjs])[0]


def toBbox(rleObjs: Any) -> NDArray[np.float64]:  # noqa: N802, N803
    """Return the smallest box around masks: left, top, width, height; (4,) or (n, 4)."""
    if type(rleObjs) is list:
        return _mask.toBbox(rleObjs)
    box: NDArray[np.float64] = _mask.toBbox([rleObjs])[0]
    return box
