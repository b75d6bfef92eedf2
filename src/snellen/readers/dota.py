"""DOTA: oriented boxes as four points, a text a picture; and the results that its server takes.

A line of labels is x1 y1 … x4 y4, the class and, as a rule, how difficult it is (0, 1; 2 in later
versions). Lines ``imagesource:`` and ``gsd:`` in front are not read. A line of results
(``Task1_CLASS.txt``) is the image, the score and x1 y1 … x4 y4; the class is in the file's name.
"""

from __future__ import annotations

import os
import re
from typing import Final

import numpy as np

from snellen.errors import InputError
from snellen.readers.box_rows import BoxRows, distinct, upright_of_corners
from snellen.readers.text_rows import TextRows, read_documents, text_files

__all__ = ["class_of_task", "read_dota", "read_dota_results"]

_POINTS: Final = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
_CLASS: Final = 8
_DIFFICULT: Final = 9
_HEAD: Final = re.compile(rb"^(?:imagesource|gsd)[ ]?:[^\n]*", re.MULTILINE)
_TASK: Final = re.compile(r"Task\d+_(.+)")


def read_dota(path: str | os.PathLike[str]) -> BoxRows:
    """Read DOTA labels.

    Images are all files, also those without boxes; the flag ``difficult`` says how difficult a box
    is: 0, 1 or 2.

    Parameters
    ----------
    path : path
        A folder of texts, one for each image, or one that has them in ``labelTxt``; or a text.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = text_files(place, ("labelTxt",))
    paths = list(found.values())
    # Line numbers stay.
    documents = [_HEAD.sub(b"", document) for document in read_documents(paths)]
    what = "DOTA labels (8 numbers, class, difficult)"
    rows = TextRows(place, paths, documents, widths=(_CLASS + 1, _DIFFICULT + 1), what=what)
    label, labels = rows.texts(_CLASS)
    flags = {}
    if rows.width > _DIFFICULT:
        level = rows.whole(_DIFFICULT, "difficult")
        rows.refuse(
            (level < 0) | (level > 2),
            lambda row: f"expected 0, 1 or 2 as difficult, got {level[row]}",
        )
        flags["difficult"] = level.astype(np.uint8)
    corners = rows.matrix(0, _POINTS)
    xywh = upright_of_corners(corners, rows.place)
    return BoxRows(
        list(found), rows.file, labels, label, xywh, rows.place, place, flags=flags, corners=corners
    )


def class_of_task(name: str) -> str | None:
    """Return the class that a file of results is of, None for another name.

    Examples
    --------
    >>> class_of_task("Task1_small-vehicle.txt")
    'small-vehicle'
    """
    match = _TASK.fullmatch(name.removesuffix(".txt"))
    return None if match is None else match[1]


def read_dota_results(path: str | os.PathLike[str]) -> BoxRows:
    """Read results of oriented boxes; images are those that come.

    Parameters
    ----------
    path : path
        A folder of texts that are called ``Task1_CLASS.txt``, or one of them.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = text_files(place)
    classes = [class_of_task(name.rpartition("/")[2]) for name in found]
    for name, file in zip(classes, found.values(), strict=True):
        if name is None:
            raise InputError("expected a file that is called for its class, Task1_CLASS.txt", file)
    paths = list(found.values())
    what = "DOTA results (image, score, 8 numbers)"
    rows = TextRows(place, paths, read_documents(paths), widths=(10,), what=what)
    image, images = rows.texts(0)
    labels, label_of_file = distinct([str(name) for name in classes])
    label = label_of_file[rows.file] if labels else np.zeros(0, np.int32)
    score = rows.numbers(1, "score")
    corners = rows.matrix(2, _POINTS)
    xywh = upright_of_corners(corners, rows.place)
    return BoxRows(
        images, image, labels, label, xywh, rows.place, place, score=score, corners=corners
    )
