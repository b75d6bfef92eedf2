"""Label images in PNG files, on a path of their own.

Chunks, filters and samples are the core's; inflation is a library's: zlib-ng where it is
installed, else Python's zlib. Both give the same bytes. See docs/decisions/0012-label-pngs.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from snellen import _core
from snellen.errors import SchemaError
from snellen.readers.label_pixels import LabelImage, check_opaque, check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PNG_SIGNATURE", "decode_label_png"]

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGBA = 0, 2, 3, 4, 6


def _inflating_library() -> Any:
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        import zlib

        return zlib
    return zlib_ng


_zlib = _inflating_library()


def decode_label_png(data: bytes, name: str, max_pixels: int | None) -> LabelImage:
    """Return the values that a PNG file stores.

    Gray values are not stretched: 4 bits are 0 to 15. Interlaced files, all depths and all filters
    are read; colours of 16 bits are not. Alpha is left out where all of it is opaque.

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
        For files that are damaged or cut off, colours of 16 bits, transparent pixels.
    InputError
        For more pixels than allowed.
    """
    fault, header, palette, compressed = _core.png_chunks(data)
    if fault is not None:
        raise SchemaError(fault[0], f"{name} byte {fault[1]}")
    check_size(header.width, header.height, max_pixels, name)
    colour, bits = header.colour, header.bits
    if bits == 16 and colour in (_RGB, _RGBA):
        raise SchemaError("expected colours of 8 bits, got 16: save the label image as uint8", name)
    rows = _inflate(compressed, header.n_inflated, name)
    values: NDArray[Any]
    problem, values, n_not_opaque = _core.png_pixels(header, rows)
    if problem is not None:
        raise SchemaError(problem, name)
    check_opaque(n_not_opaque, name)
    if bits == 16:
        values = values.view(np.uint16)
    if colour == _PALETTE:
        colours: NDArray[np.uint8] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
        return LabelImage(values, "palette", bits, colours)
    kind: Literal["ids", "colours"] = "ids" if colour in (_GRAY, _GRAY_ALPHA) else "colours"
    return LabelImage(values, kind, bits)


def _inflate(compressed: bytes, n_bytes: int, name: str) -> bytes:
    """Return the rows of an image: so many bytes, not one more is ever made room for."""
    stream = _zlib.decompressobj()
    try:
        # A byte beyond, so that the stream's end is reached and its checksum looked at.
        rows: bytes = stream.decompress(compressed, n_bytes + 1)
    except _zlib.error as error:
        raise SchemaError(
            f"expected intact pixels, got compressed data that are damaged ({error})", name
        ) from None
    if len(rows) > n_bytes:
        raise SchemaError(f"expected {n_bytes:,} bytes of pixels, got more", name)
    if len(rows) < n_bytes or not stream.eof:
        raise SchemaError(
            f"expected {n_bytes:,} bytes of pixels, got {len(rows):,}: the data are cut off", name
        )
    return rows
