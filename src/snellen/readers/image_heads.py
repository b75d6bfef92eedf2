"""The sizes of images, from their heads: nothing is decoded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import IdError, InputError, MissingExtraError, SchemaError
from snellen.readers.image_files import PICTURES, ending, files_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["image_size", "image_sizes", "images_below", "picture_names", "without_ending"]

_ORIENTATION = 0x0112


def without_ending(name: str) -> str:
    """Return a file's name, or path, without the ending of a picture.

    Examples
    --------
    >>> without_ending("a/1.JPG"), without_ending("frame.0001")
    ('a/1', 'frame.0001')
    """
    end = ending(name)
    return name[: -len(end)] if end in PICTURES else name


def images_below(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Return where the pictures below a folder lie, by their path below it without the ending.

    Raises
    ------
    IdError
        For two pictures whose names differ by their endings only.
    InputError
        Where a folder cannot be read.
    """
    found: dict[str, str] = {}
    for name, path in files_below(folder):
        if ending(name) not in PICTURES:
            continue
        key = without_ending(name)
        if key in found:
            raise IdError(
                f'expected one picture of each name, got "{name}" beside '
                f'"{os.path.basename(found[key])}": remove one, or rename it',  # noqa: PTH119
                os.fspath(folder),
            )
        found[key] = path
    return found


def picture_names(found: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of pictures with their endings, below the folder that they were found in.

    Examples
    --------
    >>> picture_names({"night/a": "val/night/a.JPG"})
    ('night/a.JPG',)
    """
    return tuple(key + path[len(without_ending(path)) :] for key, path in found.items())


def image_size(path: str) -> tuple[int, int]:
    """Return height and width of the upright picture, as its head and its EXIF tags say.

    Raises
    ------
    MissingExtraError
        Without Pillow.
    SchemaError
        Where it is no picture.
    InputError
        Where it cannot be read.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("pillow", "report") from None
    try:
        with Image.open(path) as image:
            width, height = image.size
            on_its_side = _lies_on_its_side(image)
    except UnidentifiedImageError:
        raise SchemaError("expected a picture, got another kind of file", path) from None
    except OSError as error:
        raise InputError(
            f"expected a readable picture, got: {error.strerror or error}", path
        ) from (error)
    except Exception as error:  # of damaged files, whatever comes of them
        raise SchemaError(f"expected a whole picture, got: {error}", path) from error
    return (width, height) if on_its_side else (height, width)


def _lies_on_its_side(image: Any) -> bool:
    # Where there is no such tag in its head, asking for it would decode a PNG.
    if "exif" not in image.info and image.format != "TIFF":
        return False
    return bool(image.getexif().get(_ORIENTATION, 1) >= 5)


def image_sizes(paths: Sequence[str]) -> NDArray[np.int64]:
    """Return height and width of each picture, (n, 2); errors as `image_size`."""
    sizes = np.empty((len(paths), 2), np.int64)
    for k, path in enumerate(paths):
        sizes[k] = image_size(path)
    return sizes
