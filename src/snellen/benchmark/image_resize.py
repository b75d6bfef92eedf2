"""Images in another size, as Pillow makes them, in a part of its time."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

import numpy as np

from snellen import _core
from snellen.errors import InputError, MissingExtraError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Filter", "resized"]

Filter = Literal["box", "bilinear", "hamming", "bicubic", "lanczos"]

_MOST_CHANNELS = 4
# From this release of Pillow on images that lose much of their height lose it first.
_CHANGED = 13


def resized(
    image: NDArray[np.uint8],
    height: int,
    width: int,
    filter: Filter = "bilinear",  # noqa: A002 - what everybody calls it
    *,
    window: tuple[int, int, int, int] | None = None,
) -> NDArray[np.uint8]:
    """Return an image in another size: the bytes of ``PIL.Image.resize`` of the Pillow installed.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, C)
        1 to 4 channels. Transparency is a channel like the others; Pillow weighs colours by it.
    height, width : int
        The new size.
    filter : {"box", "bilinear", "hamming", "bicubic", "lanczos"}
        How pixels around a place are weighed. It is stretched where the image becomes smaller.
    window : (top, left, n_rows, n_columns), optional
        The part of the result that is wanted: nothing else is computed.

    Returns
    -------
    ndarray of uint8, shape (height, width, C) or (n_rows, n_columns, C)

    Raises
    ------
    ShapeError
        For another image.
    InputError
        For a size below 1, or a window that does not lie in the result.
    MissingExtraError
        Without Pillow, whose release decides about the last bits.

    Notes
    -----
    Networks were trained and measured with Pillow's pixels. OpenCV's and torch's own are others, by
    up to 10 of 255: enough for a point of accuracy.

    Examples
    --------
    >>> resized(np.array([[[0], [100]]], np.uint8), 1, 4).ravel().tolist()
    [0, 25, 75, 100]
    """
    if image.dtype != np.uint8 or image.ndim != 3 or not 1 <= image.shape[2] <= _MOST_CHANNELS:
        raise ShapeError(
            f"expected an image of bytes (H, W, 1 to 4 channels), got {image.dtype} {image.shape}"
        )
    top, left, n_rows, n_columns = window or (0, 0, height, width)
    if min(height, width, n_rows, n_columns, *image.shape) < 1:
        raise InputError(
            f"expected sizes from 1, got {image.shape[:2]} to ({height}, {width}), of it "
            f"({n_rows}, {n_columns})"
        )
    if min(top, left) < 0 or top + n_rows > height or left + n_columns > width:
        raise InputError(
            f"expected a window (top, left, rows, columns) in ({height}, {width}), got {window}"
        )
    lost_height, lost_width = image.shape[0] - height, image.shape[1] - width
    return _core.resize_image(
        np.ascontiguousarray(image),
        height,
        width,
        filter,
        top,
        left,
        n_rows,
        n_columns,
        down_first=_pillow() >= _CHANGED and lost_height > 0 and lost_height > 2 * lost_width,
    )


@functools.cache
def _pillow() -> int:
    """Return the major release of Pillow."""
    try:
        import PIL
    except ImportError:
        raise MissingExtraError("pillow", "report") from None
    return int(PIL.__version__.partition(".")[0])
