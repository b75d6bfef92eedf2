"""Results of the Pascal VOC devkit: a text a class, ``comp4_det_test_CLASS.txt``.

A line is the image's id, the score, and left, top, right, bottom as written, in the devkit pixels
counted from 1. The class is in the file's name.
"""

from __future__ import annotations

import os
import re
from typing import Final

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.errors import InputError
from snellen.readers.box_rows import BoxRows, distinct
from snellen.readers.text_rows import TextRows, read_documents, text_files

__all__ = ["class_of_results", "read_voc_results"]

_NAME: Final = re.compile(r"(?:.*_)?det_[^_]+_(.+)", re.DOTALL)
_COLUMNS: Final = 6


def class_of_results(name: str) -> str | None:
    """Return the class that a file of results is of, None for another name.

    Examples
    --------
    >>> class_of_results("comp4_det_test_dining_table.txt"), class_of_results("000012.txt")
    ('dining_table', None)
    """
    match = _NAME.fullmatch(name.removesuffix(".txt"))
    return None if match is None else match[1]


def read_voc_results(path: str | os.PathLike[str]) -> BoxRows:
    """Read predictions as the Pascal VOC devkit has them.

    Parameters
    ----------
    path : path
        A folder of texts that are called ``comp4_det_test_CLASS.txt`` (or end so from ``det_``
        on), or one of them.

    Returns
    -------
    BoxRows
        Boxes in pixels with scores, left and top as written, width and height ``right - left`` and
        ``bottom - top``; images in the order in which they come.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = text_files(place)
    classes = [class_of_results(name.rpartition("/")[2]) for name in found]
    for name, file in zip(classes, found.values(), strict=True):
        if name is None:
            raise InputError(
                "expected a file that is called for its class, comp4_det_test_CLASS.txt", file
            )
    paths = list(found.values())
    what = "results of the VOC devkit (image, score, left, top, right, bottom)"
    rows = TextRows(place, paths, read_documents(paths), widths=(_COLUMNS,), what=what)
    code, ids = rows.texts(0)
    labels, label_of_file = distinct([str(name) for name in classes])
    score = rows.numbers(1, "score")
    box = rows.matrix(2, ("left", "top", "right", "bottom"))
    return BoxRows(
        images=ids,
        image=code,
        labels=labels,
        label=label_of_file[rows.file] if len(labels) else np.zeros(0, np.int32),
        xywh=as_xywh(box, "xyxy", rows.place),
        place=rows.place,
        path=place,
        score=score,
    )
