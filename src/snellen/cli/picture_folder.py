"""The image files that thumbnails are made from."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = [
    "IMAGE_ENDINGS",
    "PictureFolder",
    "folder_of_images",
    "leads_nowhere_else",
    "read_image_file",
]

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
        self._folder = folder
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
        path = self._folder / name
        if leads_nowhere_else(name) and path.is_file():
            return path
        if self._by_name is None:
            self._by_name = _by_name(self._folder)
        last = name.replace("\\", "/").rpartition("/")[2]
        label_map = _OF_CITYSCAPES.fullmatch(last)
        if label_map and label_map[1] in self._by_name:  # and not the map, which may lie there, too
            return self._by_name[label_map[1]]
        return self._by_name.get(last)


def _by_name(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by name, and by name without ending, where one has it."""
    found: dict[str, Path] = {}
    by_frame: dict[str, Path] = {}
    several: set[str] = set()
    seen: set[str] = set()
    for home, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(home)
        if place in seen:  # links lead round, or twice to the same
            folders.clear()
            continue
        seen.add(place)
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


def leads_nowhere_else(name: str) -> bool:
    """Whether a name from data, as it is written, leads into the folder that it is looked for in.

    Links in that folder are followed: who made them is not who wrote the data.
    """
    path = Path(name)
    return not path.anchor and ".." not in path.parts and "\0" not in name


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
