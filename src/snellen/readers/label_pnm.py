"""Label images in binary PGM and PPM files.

Pillow stretches them from their greatest value to 255, so that a class 18 of 18 becomes 255.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import SchemaError
from snellen.readers.label_pixels import LabelImage, check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PNM_SIGNATURES", "decode_label_pnm"]

PNM_SIGNATURES: Final = (b"P5", b"P6")

# Width, height, greatest value; comments may stand between; one white space ends the header.
_BETWEEN = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([56])" + 3 * (_BETWEEN + rb"(\d{1,10})") + rb"\s")


def decode_label_pnm(data: bytes, name: str, max_pixels: int | None) -> LabelImage:
    """Return the values of a PGM or PPM file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What errors call it.
    max_pixels : int or None
        More are refused.

    Raises
    ------
    SchemaError
        For files that are damaged or cut off, and colours of more than 8 bits.
    InputError
        For more pixels than allowed.
    """
    found = _HEADER.match(data)
    if found is None:
        raise SchemaError("expected the header of a PGM or PPM file, got none", name)
    kind, width, height, greatest = map(int, found.groups())
    if width < 1 or height < 1 or not 1 <= greatest <= 65535:
        raise SchemaError(
            "expected at least one pixel and a greatest value from 1 to 65535, got "
            f"{width} × {height} and {greatest}",
            name,
        )
    check_size(width, height, max_pixels, name)
    n_channels = 1 if kind == 5 else 3
    bits = 8 if greatest < 256 else 16
    if n_channels == 3 and bits == 16:
        raise SchemaError("expected colours of 8 bits, got 16: save the label image as uint8", name)
    start, n_values = found.end(), width * height * n_channels
    if len(data) - start < n_values * bits // 8:
        raise SchemaError(
            f"expected {n_values * bits // 8:,} bytes of pixels, got {len(data) - start:,}: the "
            "file is cut off",
            name,
        )
    stored: NDArray[Any] = np.frombuffer(data, "u1" if bits == 8 else ">u2", n_values, start)
    values = stored.astype(np.uint16) if bits == 16 else stored
    if n_channels == 1:
        return LabelImage(values.reshape(height, width), "ids", bits)
    return LabelImage(values.reshape(height, width, 3), "colours", bits)
