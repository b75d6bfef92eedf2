"""Predicted label maps as images: brought back to the image's own size, and written as PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError, MissingExtraError
from snellen.training.tasks import VOID

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["png_bytes", "to_original_size"]


def to_original_size(
    labels: NDArray[Any], size: tuple[int, int], fit: str, n_classes: int
) -> tuple[NDArray[Any], bool]:
    """Return a label map of the size that the image had, each pixel the nearest of the map.

    Parameters
    ----------
    labels : ndarray, shape (H, W)
        What was predicted.
    size : (int, int)
        Height and width of the image.
    fit : {"crop", "stretch"}
        How the image was brought to (H, W): its middle, or all of it.
    n_classes : int
        How many classes there are.

    Returns
    -------
    ndarray, shape size
        Where the network did not look: 255.
    bool
        Whether there is such a place.

    Raises
    ------
    InputError
        Where 255 is a class, and would be needed.
    """
    if labels.shape == size:
        return labels, False
    (height, width), (full_height, full_width) = labels.shape, size
    # What of the image was seen: the largest middle part of the map's proportions.
    scale = min(full_height / height, full_width / width)
    seen = (height * scale, width * scale) if fit == "crop" else (full_height, full_width)
    rows, columns = (
        _nearest(n, n_seen, n_full)
        for n, n_seen, n_full in zip(labels.shape, seen, size, strict=True)
    )
    whole = labels[np.maximum(rows, 0)[:, None], np.maximum(columns, 0)[None]]
    outside = (rows < 0)[:, None] | (columns < 0)[None]
    if not outside.any():
        return whole, False
    if n_classes > VOID:
        raise InputError(
            f"expected at most {VOID} classes, or images of the proportions that the network takes"
        )
    whole[outside] = VOID
    return whole, True


def _nearest(n: int, n_seen: float, n_full: int) -> NDArray[np.int64]:
    """Return which of n lies at each of n_full, of which the middle n_seen were seen; else -1."""
    middle = np.arange(n_full) + 0.5 - (n_full - n_seen) / 2
    place = np.floor(middle * (n / n_seen)).astype(np.int64)
    return np.where((place >= 0) & (place < n), place, -1)


def png_bytes(labels: NDArray[Any]) -> bytes:
    """Return a label map as a grey PNG: of 8 bits, or of 16 where ids need them.

    Raises
    ------
    MissingExtraError
        Without Pillow.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "train") from None
    file = io.BytesIO()
    kind = np.uint8 if labels.dtype == np.uint8 else np.uint16
    Image.fromarray(labels.astype(kind)).save(file, "PNG")
    return file.getvalue()
