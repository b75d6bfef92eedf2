"""Small pictures for a page, made from image files."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen.errors import SchemaError
from snellen.readers.pictures import upright_picture

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SIDE", "Thumbnail", "encoded", "file_name", "kept", "thumbnail"]

SIDE: Final = 320
"""Pixels of a thumbnail's longer side: what a column of a page shows, in a tenth of a megabyte."""

_QUALITY: Final = 72


class Thumbnail(NamedTuple):
    """A small picture.

    Attributes
    ----------
    data : bytes
        A JPEG file.
    width, height : int
        The size of the whole image, upright, in pixels.
    """

    data: bytes
    width: int
    height: int


def thumbnail(images: Callable[[str], bytes | None], name: str) -> Thumbnail | None:
    """Return a small picture of an image; None where there is none that can be read.

    Parameters
    ----------
    images : callable
        From an image's name to its file, or None.
    name : str
        The image's.
    """
    data = images(name)
    if data is None:
        return None
    try:
        picture = upright_picture(data, "RGB", name)
    except SchemaError:
        return None  # a page says that the image is missing; its numbers stand
    width, height = picture.size
    return Thumbnail(encoded(picture), width, height)


class Kept(NamedTuple):
    """A picture that is kept for a page.

    Attributes
    ----------
    file : str
        The name of its file; empty where the image is missing.
    width, height : int
        The size of the whole image; 0 where it is missing.
    """

    file: str
    width: int
    height: int


def kept(
    pictures: dict[str, bytes], images: Callable[[str], bytes | None], place: int, name: str
) -> Kept:
    """Put the thumbnail of an image among pictures.

    Parameters
    ----------
    pictures : dict of str to bytes
        Those that are kept already, by the names of their files.
    images : callable
        From an image's name to its file, or None where it is missing.
    place : int
        The image's in the gallery.
    name : str
        The image's.
    """
    small = thumbnail(images, name)
    if small is None:
        return Kept("", 0, 0)
    file = file_name(place, name)
    pictures[file] = small.data
    return Kept(file, small.width, small.height)


def encoded(picture: Any, side: int = SIDE) -> bytes:
    """Return one of Pillow's pictures as a small JPEG file."""
    from PIL import Image

    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def file_name(place: int, name: str, ending: str = ".jpg") -> str:
    """Return what a thumbnail is called: its place in the gallery, and what it is of.

    Examples
    --------
    >>> file_name(3, "night/../A b.png")
    '003-A_b.jpg'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", last.rpartition(".")[0] or last).strip("._")
    return f"{place:03}-{plain[:60] or 'image'}{ending}"
