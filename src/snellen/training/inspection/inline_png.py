"""Small pictures inside a page: PNG as a data address, of zlib alone."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["gray_picture", "png_address", "signed_picture", "surface_picture"]

# Two hues for numbers below and above 0; how opaque says how far. So they show on any ground.
BELOW, ABOVE = (217, 119, 6), (37, 99, 235)
# Paths in all colours lie on a surface, so it has none.
HIGH = (110, 118, 135)


def png_address(pixels: NDArray[np.uint8]) -> str:
    """Return a picture as a data address.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 4)
        Red, green, blue, opacity.
    """
    rows, columns, _ = pixels.shape
    lines = np.zeros((rows, 1 + columns * 4), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels.reshape(rows, -1)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(content)) + kind + content
        data += struct.pack(">I", zlib.crc32(kind + content))
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def signed_picture(values: NDArray[Any]) -> str:
    """Return a map of numbers on both sides of 0: the farther the more opaque."""
    numbers = _finite(values)
    top = float(np.abs(numbers).max()) or 1.0
    pixels = np.zeros((*numbers.shape, 4), np.uint8)
    pixels[..., :3] = np.where((numbers < 0)[..., None], BELOW, ABOVE)
    pixels[..., 3] = np.round(255 * np.abs(numbers) / top)
    return png_address(pixels)


def gray_picture(values: NDArray[Any]) -> str:
    """Return an image of one channel or three, (channels, rows, columns): darkest to brightest."""
    numbers = _finite(values)
    low, high = float(numbers.min()), float(numbers.max())
    scaled = np.round(255 * (numbers - low) / ((high - low) or 1.0)).astype(np.uint8)
    pixels = np.full((*scaled.shape[1:], 4), 255, np.uint8)
    pixels[..., :3] = np.moveaxis(scaled, 0, -1)
    return png_address(pixels)


def surface_picture(z: NDArray[np.float64]) -> str:
    """Return a surface as shades, high ones more opaque; the first row is the lowest."""
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    part = np.cbrt((_finite(z) - low) / ((high - low) or 1.0))
    pixels = np.zeros((*z.shape, 4), np.uint8)
    pixels[..., :3] = HIGH
    pixels[..., 3] = np.round(120 * np.clip(part, 0, 1))
    return png_address(pixels[::-1])
