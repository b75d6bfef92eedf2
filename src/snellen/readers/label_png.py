"""Label images in PNG files, on a path of their own.

Chunks, filters and samples are the core's; inflation is a library's: zlib-ng where it is
installed, else Python's zlib. Both give the same bytes. Files that are whole but odd, which other
readers read all the same, go to Pillow. See docs/decisions/0012-label-pngs.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from snellen import _core
from snellen.errors import MissingExtraError, SchemaError
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
    are read; colours of 16 bits are not. Alpha is left out where all of it is opaque. A file that
    breaks a rule of the format, and yet has intact chunks and all its rows, is read by Pillow.

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
        For files that are damaged or cut off, colours of 16 bits, transparent pixels, animations;
        for odd files that Pillow can't read either, or isn't there to read.
    InputError
        For more pixels than allowed.
    """
    fault, header, palette, compressed = _core.png_chunks(data)
    oddity: SchemaError | None = None
    if fault is not None:
        message, byte, is_odd = fault
        oddity = SchemaError(message, f"{name} byte {byte}")
        if not is_odd:
            raise oddity
    check_size(header.width, header.height, max_pixels, name)
    colour, bits = header.colour, header.bits
    if bits == 16 and colour in (_RGB, _RGBA):
        raise SchemaError("expected colours of 8 bits, got 16: save the label image as uint8", name)
    rows = _inflate(compressed, header.n_inflated, name)
    if len(rows) > header.n_inflated:
        oddity = oddity or SchemaError(
            f"expected {header.n_inflated:,} bytes of pixels, got more", name
        )
    if oddity is not None:
        # Pillow alone would not do: it passes over the checksums of pixels, and where rows are
        # missing it makes them up.
        return _by_pillow(data, header, name, max_pixels, oddity)
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
    """Return the rows of an image; where there is more, one byte of it, to make no more room."""
    stream = _zlib.decompressobj()
    try:
        # The byte beyond is also for the stream's end to be reached and its checksum looked at.
        rows: bytes = stream.decompress(compressed, n_bytes + 1)
    except _zlib.error as error:
        raise SchemaError(
            f"expected intact pixels, got compressed data that are damaged ({error})", name
        ) from None
    if len(rows) < n_bytes or (len(rows) == n_bytes and not stream.eof):
        raise SchemaError(
            f"expected {n_bytes:,} bytes of pixels, got {len(rows):,}: the data are cut off", name
        )
    return rows


def _by_pillow(
    data: bytes, header: _core.PngHeader, name: str, max_pixels: int | None, oddity: SchemaError
) -> LabelImage:
    """Return what Pillow reads of an odd file; `oddity` says what is wrong with it otherwise."""
    from snellen.readers.label_pillow import PillowError, decode_label_pillow

    if header.bits == 16 and header.colour == _GRAY_ALPHA:
        raise oddity  # of which Pillow keeps 8 bits
    try:
        return decode_label_pillow(data, "PNG", name, max_pixels, bits=header.bits)
    except MissingExtraError as error:
        raise SchemaError(
            f"{oddity.message}; Pillow may read it: pip install 'snellen[segmentation]'",
            oddity.place,
        ) from error
    except PillowError as error:
        raise oddity from error
