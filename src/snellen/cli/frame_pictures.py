"""The image files of the frames of sequences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from snellen.cli.picture_folder import IMAGE_ENDINGS, leads_nowhere_else, read_image_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snellen.readers.tracking_files import TrackingFiles

__all__ = ["FramePictures"]

_NUMBER: Final = re.compile(r"[0-9]+$")
# Beside folders of labels lie those of images: KITTI's, VisDrone's, any.
_BESIDE: Final = ("image_02", "sequences", "images")


class FramePictures:
    """The image files of frames: the one of a sequence's folder whose name ends in the number.

    Parameters
    ----------
    files : TrackingFiles
        The sequences.
    folder : str, optional
        The folder with one of each sequence (``SEQ/img1`` or ``SEQ``), or with the images of the
        only one; else they are looked for where the layout of truth has them.

    Attributes
    ----------
    missing : list of str
        Names that were asked for and not found.
    """

    def __init__(self, files: TrackingFiles, folder: str | None) -> None:
        self._truth = {
            pair.sequence or "": Path(pair.truth)
            for pair in files.pairs
            if isinstance(pair.truth, (str, Path))
        }
        self._is_only = len(files) == 1
        self._folder = None if folder is None else Path(folder)
        # BDD's files count from 1, its frames from 0; those of COCO's videos say nothing.
        self._first = 1 if files.format == "bdd100k" else 0
        self._is_numbered = files.format != "coco"
        self._by_number: dict[str, dict[int, Path]] = {}
        self.missing: list[str] = []

    def __call__(self, name: str) -> bytes | None:
        """Return the image of a sequence's frame, ``"MOT17-02/000001"``, if there is one."""
        sequence, _, number = name.rpartition("/")
        if sequence not in self._by_number:
            self._by_number[sequence] = self._numbered(sequence)
        found = self._by_number[sequence].get(int(number) + self._first)
        data = None if found is None else read_image_file(found)
        if data is None:
            self.missing.append(name)
        return data

    def _numbered(self, sequence: str) -> dict[int, Path]:
        if not self._is_numbered or not leads_nowhere_else(sequence):
            return {}
        for folder in self._places(sequence):
            if folder.is_dir():
                found = _by_number(folder.iterdir())
                if found:
                    return found
        return {}

    def _places(self, sequence: str) -> Iterable[Path]:
        """Give where images of a sequence may be."""
        base = self._folder
        if base is not None:
            yield from (base / sequence / "img1", base / sequence)
            if self._is_only:
                yield from (base / "img1", base)
            return
        # A file of several sequences has the name of none.
        truth = self._truth.get(sequence, self._truth.get(""))
        if truth is None:
            return
        above = truth.parent.parent
        if truth.parent.name == "gt":
            yield above / "img1"
        yield truth.parent / sequence / "img1"
        for name in _BESIDE:
            yield above / name / sequence


def _by_number(paths: Iterable[Path]) -> dict[int, Path]:
    """Return images by the number at the end of their names, where no two have the same."""
    found: dict[int, Path] = {}
    several: set[int] = set()
    for path in paths:
        number = _NUMBER.search(path.stem)
        if number is not None and path.suffix.lower() in IMAGE_ENDINGS:
            if int(number[0]) in found:
                several.add(int(number[0]))
            found[int(number[0])] = path
    # Which of them is meant is not to be known, and another picture is worse than none.
    return {number: path for number, path in found.items() if number not in several}
