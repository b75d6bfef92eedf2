"""Which files below a folder are images: found the same way for every command."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Final

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["IMAGES", "PICTURES", "ending", "files_below"]

PICTURES: Final = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".jxl", ".png", ".apng", ".bmp", ".dib"),
        *(".gif", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm"),
        *(".pnm", ".tga", ".ico"),
    )
)
"""The endings of files that Pillow reads, or that are pictures nevertheless."""

IMAGES: Final = PICTURES | {".npy", ".dcm"}
"""Those of pictures, and of arrays that are images to a network."""


def ending(name: str) -> str:
    """Return the ending of a file's name, in lower case: ``".jpg"``."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122  # a million names: no object for each


def files_below(root: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """Yield all files below a folder, in order of their names; none that is hidden.

    Links are followed, but those that lead back to a folder that they are in.

    Yields
    ------
    (str, str)
        The path below the folder, with ``/`` and as Unicode NFC; and where the file lies.

    Raises
    ------
    InputError
        Where a folder cannot be read.
    """
    place = os.fspath(root)
    yield from _below(place, "", (os.path.realpath(place),))


def _below(folder: str, within: str, around: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the files of a folder; `around` are the real paths of it and those that it is in."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"expected a readable folder, got: {error.strerror}", folder) from error
    for entry in listed:
        if entry.name.startswith("."):
            continue
        path = f"{within}{entry.name}"
        if not entry.is_dir():
            yield unicodedata.normalize("NFC", path), entry.path
            continue
        real = os.path.realpath(entry.path)
        if real not in around:
            yield from _below(entry.path, f"{path}/", (*around, real))
