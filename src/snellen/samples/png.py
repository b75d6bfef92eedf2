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

__all__ = ["encode_png"]

# RFC 1951, 3.2.4: the length of a stored block is a 16-bit number.
_STORED_BLOCK = 65_535


def encode_png(pixels: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]]) -> bytes:
    r"""Return an image of at most 16 colours as a PNG file.

    Compressed bytes differ between zlib, zlib-ng and their versions, so nothing is compressed: the
    same pixels give the same file everywhere, at half a byte a pixel.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        Positions in `palette`.
    palette : sequence of (red, green, blue)
        1 to 16 colours, 0 to 255 each.

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
    if not int(pixels.max()) < len(palette) <= 16:
        raise InputError(
            f"expected a palette of {int(pixels.max()) + 1} to 16 colours, got {len(palette)}"
        )
    height, width = pixels.shape
    # Two pixels a byte, the left one in the high half; each row begins with its filter, 0: none.
    rows = np.zeros((height, 1 + (width + 1) // 2), np.uint8)
    rows[:, 1:] = pixels[:, 0::2] << 4
    rows[:, 1 : 1 + width // 2] |= pixels[:, 1::2]
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(part for colour in palette for part in colour)),
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
