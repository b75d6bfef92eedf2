"""Stored images as pixels: upright, 8 bits, colours or grey, as Pillow makes them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snellen.errors import SchemaError, one_line
from snellen.readers.pictures import upright_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decoded"]

_ARRAY_HEAD = b"\x93NUMPY"


def decoded(
    data: bytes | NDArray[np.uint8], mode: Literal["RGB", "L"], name: str
) -> NDArray[np.uint8]:
    """Return the pixels of an image.

    Parameters
    ----------
    data : bytes or ndarray of uint8
        A picture's or an ``.npy`` file; or an array of shape (H, W), (H, W, C) or (C, H, W) with 1
        to 4 channels.
    mode : {"RGB", "L"}
        Colours or grey.
    name : str
        What errors call it.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3) or (H, W, 1)
        It may be read-only.

    Raises
    ------
    SchemaError
        Where it is no image, or a damaged one.
    MissingExtraError
        Without Pillow.

    Notes
    -----
    What Pillow does is what networks were trained and measured with: EXIF's orientation is
    followed, colours of palettes and CMYK are converted without profiles, transparency is left out,
    of 16 bits the higher eight stay, of several frames the first.
    """
    if isinstance(data, bytes):
        if not data:
            raise SchemaError("expected an image, got an empty file", name)
        if not data.startswith(_ARRAY_HEAD):
            picture = upright_picture(data, mode, name)
            pixels: NDArray[np.uint8] = np.asarray(picture)
            return pixels if pixels.ndim == 3 else pixels[..., None]
        data = _loaded(data, name)
    return _in_mode(_channels_last(data, name), mode)


def _loaded(data: bytes, name: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        raise SchemaError(f"expected a readable array, got: {one_line(error)}", name) from None
    return array


def _channels_last(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return an array as (H, W, C)."""
    if array.ndim == 2:
        array = array[..., None]
    elif array.ndim == 3 and array.shape[2] > 4 and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] > 4 or 0 in array.shape:
        raise SchemaError(
            "expected bytes of shape (H, W), (H, W, C) or (C, H, W), with 1 to 4 channels, got "
            f"{array.dtype} of {array.shape}",
            name,
        )
    return array


def _in_mode(array: NDArray[np.uint8], mode: str) -> NDArray[np.uint8]:
    """Return grey as colours or colours as grey; a second or fourth channel is transparency."""
    if array.shape[2] in (2, 4):
        array = array[..., :-1]
    if mode == "RGB":
        return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
    if array.shape[2] == 1:
        return np.ascontiguousarray(array)
    red, green, blue = np.moveaxis(array.astype(np.uint32), 2, 0)
    # The weights of ITU-R 601-2, in the whole numbers that Pillow rounds them to.
    weighed = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    grey: NDArray[np.uint8] = weighed.astype(np.uint8)[..., None]
    return grey
