"""A label image from a file of any lossless format: the values that it stores."""

from __future__ import annotations

import os
from typing import Final

from snellen.errors import InputError, SchemaError
from snellen.readers.label_npy import NPY_SIGNATURE, decode_label_npy
from snellen.readers.label_pixels import DEFAULT_MAX_PIXELS, LabelImage
from snellen.readers.label_png import PNG_SIGNATURE, decode_label_png
from snellen.readers.label_pnm import PNM_SIGNATURES, decode_label_pnm

__all__ = ["DEFAULT_MAX_PIXELS", "LabelImage", "decode_label_image", "read_label_image"]

# What a file is, is said by its first bytes: a name is easily changed.
_LOSSY: Final = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"jP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL \r\n\x87\n", "JPEG XL"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
)
_PILLOW: Final = (
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
)


def read_label_image(
    path: str | os.PathLike[str], *, max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> LabelImage:
    """Read a label image: its values as the file stores them.

    PNG, NPY and binary PGM and PPM need nothing besides; TIFF, BMP, GIF and lossless WebP need
    Pillow. The format is seen from the file's bytes, whatever its name.

    Parameters
    ----------
    path : path
    max_pixels : int, optional
        Images of more pixels are refused; None lifts the limit.

    Returns
    -------
    LabelImage

    Raises
    ------
    SchemaError
        For files that are no images, damaged, cut off, or lossy (JPEG); for several pages, floats,
        colours of more than 8 bits, transparent pixels.
    InputError
        For files that cannot be read, and images of too many pixels.
    MissingExtraError
        Where Pillow is needed and not installed.
    """
    name = os.fspath(path)
    try:
        # A hundred thousand files: no object for each path, no buffer for each file.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # no object for each of many
            data = file.read()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"expected a readable label image, got: {reason}", name) from error
    return decode_label_image(data, name, max_pixels=max_pixels)


def decode_label_image(
    data: bytes, name: str, *, max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> LabelImage:
    r"""Return the values of a label image whose file is in memory.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What errors call it.
    max_pixels : int, optional
        Images of more pixels are refused; None lifts the limit.

    Returns
    -------
    LabelImage

    Raises
    ------
    SchemaError, InputError, MissingExtraError
        See `read_label_image`.

    Examples
    --------
    >>> image = decode_label_image(b"P5 3 1 255\n" + bytes([0, 7, 255]), "three.pgm")
    >>> image.values.tolist(), image.kind, image.bits
    ([[0, 7, 255]], 'ids', 8)
    """
    if data.startswith(PNG_SIGNATURE):
        return decode_label_png(data, name, max_pixels)
    if not data:
        raise SchemaError("expected a label image, got an empty file", name)
    if data.startswith(NPY_SIGNATURE):
        return decode_label_npy(data, name, max_pixels)
    if data.startswith(PNM_SIGNATURES):
        return decode_label_pnm(data, name, max_pixels)
    for start, signature, kind in _LOSSY:
        if data.startswith(signature, start):
            raise SchemaError(
                f"expected a lossless label image, got {kind}: {kind} smears class ids where "
                "they change; save label images as PNG",
                name,
            )
    for start, signature, kind in _PILLOW:
        if data.startswith(signature, start):
            from snellen.readers.label_pillow import decode_label_pillow

            return decode_label_pillow(data, kind, name, max_pixels)
    raise SchemaError(
        "expected a label image (PNG, TIFF, NPY, BMP, GIF, WebP, PGM, PPM), got a file of none of "
        "these formats",
        name,
    )
