"""Image files as arrays for training: bytes, channels first, all of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from snellen.errors import InputError, MissingExtraError, SchemaError
from snellen.readers.image_files import ending

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Fit",
    "Head",
    "Look",
    "decode_picture",
    "look_of",
    "read_head",
    "read_head_of",
    "upright_picture",
]

Fit = Literal["crop", "stretch"]

_ORIENTATION = 0x0112
# What makes an image upright, by its orientation, as Pillow calls it.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_GREY = frozenset(("1", "L", "LA", "I;16", "I;16B", "I;16L"))
# Numbers without a known range of grey.
_NO_RANGE = frozenset(("I", "F"))


class Head(NamedTuple):
    """What the head of an image file says.

    Attributes
    ----------
    height, width : int
        The size of the upright image.
    n_channels : int
        1 for grey, else 3; of an array those that it has.
    kind : str
        ``"bytes"``, or ``"numbers"`` for an array of other numbers.
    """

    height: int
    width: int
    n_channels: int
    kind: str = "bytes"


class Look(NamedTuple):
    """What all images are made to.

    Attributes
    ----------
    height, width : int
        The size.
    mode : str
        ``"L"`` or ``"RGB"``; ``""`` for arrays, which stay as they are.
    fit : str
        What becomes of images of other proportions: ``"crop"`` cuts the middle, ``"stretch"``
        takes all of it.
    dtype : str
        ``"u1"`` or ``"f4"``.
    """

    height: int
    width: int
    mode: str
    fit: Fit = "crop"
    dtype: str = "u1"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of images of a mode."""
        return (1 if self.mode == "L" else 3, self.height, self.width)


def read_head(path: str) -> Head:
    """Read what the head of an image file says; nothing is decoded.

    Raises
    ------
    SchemaError
        Where it is no image.
    InputError
        Where it cannot be read.
    """
    if ending(path) == ".npy":
        array = _array(path, mapped=True)
        channels, height, width = array.shape
        return Head(height, width, channels, "bytes" if array.dtype == "u1" else "numbers")
    return read_head_of(path, path)


def read_head_of(source: str | bytes, name: str) -> Head:
    """Read what the head of a picture says; see `read_head`."""
    with _opened(source, name) as image:
        width, height = image.size
        # Where there is no such tag in its head, asking for it would decode a PNG.
        if ("exif" in image.info or image.format == "TIFF") and _orientation(image) >= 5:
            width, height = height, width
        return Head(height, width, 1 if image.mode in _GREY else 3)


def _orientation(image: Any) -> int:
    """Return the orientation that EXIF says, from 1 to 8; 1 where its tags are damaged.

    Pixels are whole without them, and other programs show them as they are stored.
    """
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # of damaged tags, whatever comes of them
        return 1
    return int(found) if found in _TURNS else 1


def look_of(
    heads: list[tuple[str, Head]],
    *,
    image_size: int | tuple[int, int] | None,
    mode: Literal["auto", "L", "RGB"],
    fit: Fit,
) -> Look:
    """Return what all images are made to.

    Parameters
    ----------
    heads : list of (str, Head)
        The images, by name.
    image_size : int or (int, int), optional
        Of a square, or height and width.
    mode : {"auto", "L", "RGB"}
        Grey or colours; ``"auto"``: grey where all images are.
    fit : {"crop", "stretch"}
        See `Look`.

    Raises
    ------
    InputError
        For images of several sizes, where none is given.
    """
    name, first = heads[0]
    arrays = first.kind == "numbers" or ending(name) == ".npy"
    for other, head in heads:
        if image_size is None and head[:2] != first[:2]:
            raise InputError(
                f"expected images of one size, got {first.height} × {first.width} ({name}) and "
                f"{head.height} × {head.width} ({other}): say which they are to have (image_size)"
            )
        if (ending(other) == ".npy") != arrays or (
            arrays and (head.kind, head.n_channels) != (first.kind, first.n_channels)
        ):
            raise InputError(
                f"expected images of one kind, got {name} and {other}: arrays have to be alike"
            )
    if arrays:
        if image_size is not None and _size(image_size) != first[:2]:
            raise InputError("expected no image_size for arrays, which stay as they are")
        return Look(first.height, first.width, "", fit, "u1" if first.kind == "bytes" else "f4")
    height, width = first[:2] if image_size is None else _size(image_size)
    if mode == "auto":
        mode = "L" if all(head.n_channels == 1 for _, head in heads) else "RGB"
    return Look(height, width, mode, fit)


def _size(image_size: int | tuple[int, int]) -> tuple[int, int]:
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if min(size) < 1:
        raise InputError(f"expected an image_size from 1, got {image_size}")
    return size


def decode_picture(source: str | bytes, look: Look, name: str = "") -> NDArray[Any]:
    """Return an image as an array, shape (C, H, W).

    Parameters
    ----------
    source : str or bytes
        The file, or what is in it.
    look : Look
        What it is made to.
    name : str
        What errors call it; by default the file.

    Raises
    ------
    SchemaError
        Where it is no image, or a damaged one.
    InputError
        Where it cannot be read.
    """
    if isinstance(source, str) and ending(source) == ".npy":
        array = _array(source, mapped=False).astype(look.dtype, copy=False)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError("expected finite numbers, got NaN or infinity", source)
        return array
    pixels = upright_picture(source, look.mode, name or str(source))
    if pixels.size != (look.width, look.height):
        pixels = _fitted(pixels, look)
    array = np.asarray(pixels)
    return np.ascontiguousarray(array.transpose(2, 0, 1)) if array.ndim == 3 else array[None]


def upright_picture(source: str | bytes, mode: str, name: str) -> Any:
    """Return a picture of Pillow's: its first frame, upright, grey (``"L"``) or ``"RGB"``.

    Of 16 bits a pixel the higher eight stay; transparency is left out.

    Parameters
    ----------
    source : str or bytes
        The file, or what is in it.
    mode : {"L", "RGB"}
        Grey or colours.
    name : str
        What errors call it.

    Raises
    ------
    SchemaError
        Where it is no image, or a damaged one.
    InputError
        Where it cannot be read.
    """
    with _opened(source, name) as image:
        try:
            image.load()
            # Pillow warns that transparency of several colours is lost, in the modes that lose it.
            image.info.pop("transparency", None)
            return _in_mode(_turned(image), mode, name)
        except SchemaError:
            raise
        # Pillow's decoders raise whatever comes of what is wrong: struct.error, KeyError, …
        except Exception as error:
            raise SchemaError(f"expected a whole image, got: {_reason(error)}", name) from None


def _turned(image: Any) -> Any:
    """Return the image upright, as Pillow's own exif_transpose, which writes tags anew, does."""
    turn = _TURNS.get(_orientation(image))
    if turn is None:
        return image
    from PIL import Image

    return image.transpose(Image.Transpose[turn])


def _in_mode(image: Any, mode: str, name: str) -> Any:
    if image.mode in _NO_RANGE:
        raise SchemaError(
            f"expected grey values of 8 or 16 bits or colours, got mode {image.mode}", name
        )
    if image.mode.startswith("I;16"):
        from PIL import Image

        # Pillow would cut off what is above 255.
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    return image if image.mode == mode else image.convert(mode)


def _fitted(image: Any, look: Look) -> Any:
    from PIL import Image, ImageOps

    size = (look.width, look.height)
    if look.fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.BILINEAR)
    return image.resize(size, Image.Resampling.BILINEAR)


def _opened(source: str | bytes, name: str) -> Any:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("pillow", "train") from None
    import io

    try:
        return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    except UnidentifiedImageError:
        raise SchemaError("expected an image, got a file of another kind", name) from None
    except Image.DecompressionBombError as error:
        raise SchemaError(f"expected an image, got: {_reason(error)}", name) from None
    except (OSError, SyntaxError, ValueError) as error:
        kind = SchemaError if isinstance(source, bytes) else InputError
        raise kind(f"expected a readable image, got: {_reason(error)}", name) from None


def _array(path: str, *, mapped: bool) -> NDArray[Any]:
    """Return an array file's numbers, channels first."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        raise InputError(f"expected a readable array, got: {_reason(error)}", path) from None
    if array.ndim == 2:
        array = array[None]
    elif array.ndim == 3 and array.shape[-1] in (1, 3, 4) and array.shape[0] not in (1, 3, 4):
        array = array.transpose(2, 0, 1)
    if array.ndim != 3 or array.dtype.kind not in "uif" or 0 in array.shape:
        raise SchemaError(
            f"expected numbers of shape (H, W), (H, W, C) or (C, H, W), got {array.dtype} of "
            f"{array.shape}",
            path,
        )
    return array


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())
