"""PNG files whose every byte is decided here."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["encode_png", "encode_rgb_png"]

# RFC 1951, 3.2.4: the length of a stored block is a 16-bit number.
_STORED_BLOCK = 65_535


def encode_png(pixels: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]]) -> bytes:
    r"""Return an image of at most 256 colours as a PNG file.

    Compressed bytes differ between zlib, zlib-ng and their versions, so nothing is compressed: the
    same pixels give the same file everywhere, at a byte a pixel; at half a byte with at most 16
    colours.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        Positions in `palette`.
    palette : sequence of (red, green, blue)
        1 to 256 colours, 0 to 255 each.

    Raises
    ------
    InputError
        Where the pixels are no image, or refer to colours that the palette lacks.

    Examples
    --------
    >>> import numpy as np
    >>> encode_png(np.zeros((1, 1), np.uint8), [(200, 30, 40)])[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise InputError(
            f"expected pixels of uint8, height × width, got {pixels.dtype} of shape {pixels.shape}"
        )
    if not int(pixels.max()) < len(palette) <= 256:
        raise InputError(
            f"expected a palette of {int(pixels.max()) + 1} to 256 colours, got {len(palette)}"
        )
    height, width = pixels.shape
    bits = 4 if len(palette) <= 16 else 8
    # Each row begins with its filter, 0: none.
    if bits == 8:
        rows = np.zeros((height, 1 + width), np.uint8)
        rows[:, 1:] = pixels
    else:  # two pixels a byte, the left one in the high half
        rows = np.zeros((height, 1 + (width + 1) // 2), np.uint8)
        rows[:, 1:] = pixels[:, 0::2] << 4
        rows[:, 1 : 1 + width // 2] |= pixels[:, 1::2]
    colours = _chunk(b"PLTE", bytes(part for colour in palette for part in colour))
    return _file(width, height, bits, 3, colours, rows)


def encode_rgb_png(pixels: NDArray[np.uint8]) -> bytes:
    r"""Return an image of any colours as a PNG file, at three bytes a pixel; see `encode_png`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.

    Raises
    ------
    InputError
        Where the pixels are no such image.

    Examples
    --------
    >>> import numpy as np
    >>> encode_rgb_png(np.zeros((1, 1, 3), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise InputError(
            "expected pixels of uint8, height × width × 3, got "
            f"{pixels.dtype} of shape {pixels.shape}"
        )
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    return _file(width, height, 8, 2, b"", rows)


def _file(
    width: int, height: int, bits: int, kind: int, more: bytes, rows: NDArray[np.uint8]
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            more,
            _chunk(b"IDAT", _stored(rows.tobytes())),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """Return data as a zlib stream of stored blocks (RFC 1950 and 1951)."""
    parts: list[bytes] = [b"\x78\x01"]
    for start in range(0, len(data), _STORED_BLOCK):
        block = data[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack(">I", zlib.adler32(data)))
    return b"".join(parts)
