"""Label images of the less usual lossless formats, and odd PNG files, decoded by Pillow.

Pillow is made for pictures: it stretches gray values of few bits and cuts colours of 16 bits. What
it did is undone here where it can be, and refused where not.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from snellen.errors import MissingExtraError, SchemaError
from snellen.readers.label_pixels import LabelImage, check_opaque, check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

__all__ = ["PillowError", "decode_label_pillow"]

_IDS: Final = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B")
_COLOURS: Final = ("RGB", "RGBA")
_PALETTE: Final = "P"

# TIFF 6.0: tags, and what they say.
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _YCBCR = 0, 6
_UNSIGNED, _SIGNED = 1, 2
_LOSSY_COMPRESSION: Final = ("jpeg", "tiff_jpeg", "webp")

# Pillow's limit of pixels is a global; while it is off, one file at a time.
_without_limit = threading.Lock()


class PillowError(SchemaError):
    """What Pillow could not decode."""


def decode_label_pillow(
    data: bytes, kind: str, name: str, max_pixels: int | None, *, bits: int = 8
) -> LabelImage:
    """Return the values that an image file stores.

    Parameters
    ----------
    data : bytes
        The file.
    kind : {"PNG", "TIFF", "BMP", "GIF", "WebP"}
        Its format.
    name : str
        What errors call it.
    max_pixels : int or None
        More are refused.
    bits : int
        Of a sample, of PNG files: Pillow doesn't tell.

    Raises
    ------
    SchemaError
        For files that are damaged, lossy, or of several pages; for floats, colours of more than 8
        bits, transparent pixels.
    InputError
        For more pixels than allowed.
    MissingExtraError
        Where Pillow is not installed.
    """
    open_image = _opener(kind)
    if kind == "WebP":
        _check_webp(data, name)
    with _errors_of_pillow(kind, name):
        image = open_image(io.BytesIO(data))
    with image:
        width, height = image.size
        if width < 1 or height < 1:
            raise SchemaError(f"expected at least one pixel, got {width} × {height}", name)
        check_size(width, height, max_pixels, name)
        with _errors_of_pillow(kind, name):
            n_pages = getattr(image, "n_frames", 1)
        if n_pages != 1:
            raise SchemaError(f"expected one image in the file, got {n_pages}", name)
        sample_format = _UNSIGNED
        if kind == "TIFF":
            bits, sample_format = _tiff_samples(image, name)
        elif kind == "BMP":
            bits = _bmp_bits(image, data, name)
        mode = image.mode
        if mode not in (*_IDS, *_COLOURS, _PALETTE):
            what = "floats" if mode == "F" else f"pixels of mode {mode}"
            raise SchemaError(f"expected ids, palette indices or colours, got {what}", name)
        with _errors_of_pillow(kind, name):
            values = _pixels(image)
            palette = image.getpalette() if mode == _PALETTE else None
    if mode in ("LA", "RGBA"):
        check_opaque(int(np.count_nonzero(values[..., -1] != 255)), name)
        values = values[..., 0] if mode == "LA" else values[..., :3]
    elif mode == "1":
        # Pillow's true is the byte 255.
        values = (values.view(np.uint8) != 0).view(np.uint8)
    elif mode == "L" and bits < 8:
        values = values // np.uint8(255 // (2**bits - 1))
    elif mode == "L" and sample_format == _SIGNED:
        values = values.view(np.int8)
    elif mode == "I" and bits == 32 and sample_format == _UNSIGNED:
        values = values.view(np.uint32)
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if palette is not None:
        return LabelImage(values, "palette", bits, np.array(palette, np.uint8).reshape(-1, 3))
    return LabelImage(values, "ids" if mode in _IDS else "colours", bits)


def _opener(kind: str) -> Callable[[io.BytesIO], ImageFile]:
    """Return the class of a format: unlike Image.open it imports and tries no other."""
    name = {"PNG": "Png", "TIFF": "Tiff", "BMP": "Bmp", "GIF": "Gif", "WebP": "WebP"}[kind]
    try:
        plugin = importlib.import_module(f"PIL.{name}ImagePlugin")
    except ImportError:
        raise MissingExtraError("pillow", "segmentation") from None
    return cast("Callable[[io.BytesIO], ImageFile]", getattr(plugin, f"{name}ImageFile"))


@contextlib.contextmanager
def _errors_of_pillow(kind: str, name: str) -> Iterator[None]:
    try:
        yield
    # What a broken file makes a decoder raise is anybody's guess.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise PillowError(
            f"expected a {kind} image that Pillow can decode, got: {reason}", name
        ) from error


def _pixels(image: ImageFile) -> NDArray[Any]:
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    if limit is None or image.width * image.height <= limit:
        return np.asarray(image)
    with _without_limit:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return np.asarray(image)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _tiff_samples(image: ImageFile, name: str) -> tuple[int, int]:
    """Return bits and format (_UNSIGNED, _SIGNED, …) of the samples of a TIFF image."""
    tags = image.tag_v2  # type: ignore[attr-defined]  # a TIFF has them
    compression = image.info.get("compression")
    photometric = tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO)
    if compression in _LOSSY_COMPRESSION or photometric == _YCBCR:
        raise SchemaError(
            f"expected a lossless label image, got TIFF with {compression} compression: it smears "
            "class ids where they change; save label images as PNG",
            name,
        )
    if photometric == _WHITE_IS_ZERO:
        raise SchemaError(
            "expected ids as they are meant, got a TIFF image whose least value is white: save it "
            "with photometric interpretation 1 (black is zero)",
            name,
        )
    bits = int(tags.get(_BITS_PER_SAMPLE, (1,))[0])
    if bits > 8 and image.mode in _COLOURS:
        raise SchemaError(
            f"expected colours of 8 bits, got {bits}: save the label image as uint8", name
        )
    return bits, int(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0])


def _bmp_bits(image: ImageFile, data: bytes, name: str) -> int:
    """Return the bits of an index, 8 of colours, of BMP images that Pillow reads as they are."""
    at = 24 if int.from_bytes(data[14:18], "little") == 12 else 28
    bits = int.from_bytes(data[at : at + 2], "little")
    # Where a palette is a gray ramp, Pillow forgets how many bits an index has.
    if bits != {"1": 1, "L": 8}.get(image.mode, bits):
        raise SchemaError(
            f"expected a BMP image with a full palette, got {bits} bits and a gray ramp: save it "
            "as PNG",
            name,
        )
    return min(bits, 8)


def _check_webp(data: bytes, name: str) -> None:
    """Refuse WebP files whose pixels are not in a VP8L (lossless) chunk."""
    at = 12
    while at + 8 <= len(data):
        chunk, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if chunk == b"VP8L":
            return
        if chunk in (b"VP8 ", b"ANMF"):
            break
        at += 8 + size + size % 2
    raise SchemaError(
        "expected a lossless label image, got lossy or animated WebP: save label images as PNG",
        name,
    )
