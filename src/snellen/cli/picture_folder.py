"""The image files that thumbnails are made from."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["IMAGE_ENDINGS", "PictureFolder", "folder_of_images", "read_image_file"]

# What is larger is no picture of a data set; it would be read whole.
_MOST_BYTES: Final = 256 << 20
IMAGE_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""What the names of image files end in."""
_OF_CITYSCAPES: Final = re.compile(r"(.+_\d{6}_\d{6})_gt(?:Fine|Coarse)_\w+")
_PICTURE_OF_CITYSCAPES: Final = "_leftImg8bit"


class PictureFolder:
    """The image files that thumbnails are made from.

    Parameters
    ----------
    place : path or None
        The folder where they are, or a text that lists them; None: nowhere.

    Attributes
    ----------
    missing : list of str
        Names that were asked for and not found.
    """

    def __init__(self, place: str | Path | None) -> None:
        folder = None if place is None else Path(place)
        if folder is not None and folder.is_file():
            folder = folder.parent
        self._folder = None if folder is None else folder.resolve()
        self._by_name: dict[str, Path] | None = None
        self.missing: list[str] = []

    def __call__(self, name: str) -> bytes | None:
        """Return the file of a name, of its last part, or of that without an ending, if any.

        Cityscapes' images are also found by their city, sequence and frame, and by their label
        maps.
        """
        found = self._found(name)
        data = None if found is None else read_image_file(found)
        if data is None:
            self.missing.append(name)
        return data

    def _found(self, name: str) -> Path | None:
        if self._folder is None or not name or "\0" in name:
            return None
        path = (self._folder / name).resolve()
        # A name from data leads nowhere else.
        if path.is_relative_to(self._folder) and path.is_file():
            return path
        if self._by_name is None:
            self._by_name = _by_name(self._folder)
        last = name.replace("\\", "/").rpartition("/")[2]
        if last in self._by_name:
            return self._by_name[last]
        label_map = _OF_CITYSCAPES.fullmatch(last)
        return self._by_name.get(label_map[1]) if label_map else None


def _by_name(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by name, and by name without ending, where one has it."""
    found: dict[str, Path] = {}
    by_frame: dict[str, Path] = {}
    several: set[str] = set()
    for home, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(IMAGE_ENDINGS):
                path = Path(home, name)
                for called in (name, path.stem):
                    if found.setdefault(called, path) != path:
                        several.add(called)
                if path.stem.endswith(_PICTURE_OF_CITYSCAPES):
                    by_frame[path.stem.removesuffix(_PICTURE_OF_CITYSCAPES)] = path
    # A frame stands for its picture where that alone has its name, and no file is called as it is.
    found |= {
        frame: path
        for frame, path in by_frame.items()
        if frame not in found and path.stem not in several
    }
    # Which of them is meant is not to be known, and another picture is worse than none.
    return {name: path for name, path in found.items() if name not in several}


def read_image_file(path: Path) -> bytes | None:
    """Return an image file; None where it cannot be read, or is too large for one."""
    try:
        return path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except OSError:
        return None


def folder_of_images(given: str | None, truth: str, *, itself: bool = False) -> str | None:
    """Return the folder of image files: the given one, truth itself, or that beside truth."""
    if given is not None:
        return given
    path = Path(truth)
    if itself and path.is_dir():
        return truth
    beside = path.parent / "images"
    return str(beside) if beside.is_dir() else None
