"""Texts of boxes, one a picture, as the tools of J. Cartucho and R. Padilla have them.

A line is the class, in predictions the score, and four numbers. Which numbers, no file says:
Cartucho's are two corners, Padilla's left, top, width and height, or all of them as parts of the
picture's size. The word ``difficult`` may end a line of truth. Names of classes have no blanks.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.box_layouts import BoxLayout, as_xywh
from snellen.errors import SchemaError
from snellen.readers.box_rows import BoxRows
from snellen.readers.text_rows import TextRows, read_documents, text_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["found_layout", "found_relative", "read_box_text"]

_DIFFICULT: Final = b" difficult"
_FIRST: Final = ("first number", "second number", "third number", "fourth number")


def read_box_text(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    layout: BoxLayout | None = None,
    relative: bool | None = None,
) -> BoxRows:
    """Read texts of ``class [score] a b c d``.

    Parameters
    ----------
    path : path
        A folder of texts, one for each image, or a single one.
    truth : bool
        Whether it is truth, without scores.
    layout : {"xyxy", "xywh", "cxcywh"}, optional
        What the four numbers are. Without, ``"xywh"`` where they cannot be corners, because one
        is less than the number of its corner; else it has to be said.
    relative : bool, optional
        Whether they are parts of the image's size; without, where all are from 0 to 1.

    Returns
    -------
    BoxRows
        Images are called by their files' paths below the folder without ``.txt``; an empty file is
        an image without boxes. The flag ``difficult`` where a line of truth has the word.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = text_files(place, ("ground-truth", "groundtruths") if truth else ())
    paths = list(found.values())
    documents = read_documents(paths)
    has_flag = truth and any(_DIFFICULT in document for document in documents)
    if has_flag:
        documents = [_flagged(document) for document in documents]
    width = 5 + (not truth) + has_flag
    what = "class and 4 numbers" if truth else "class, score and 4 numbers"
    rows = TextRows(place, paths, documents, widths=(width,), what=f"{what} (names without blanks)")
    label, labels = rows.texts(0)
    score = None if truth else rows.numbers(1, "score")
    box = rows.matrix(1 + (not truth), _FIRST)
    notes = []
    if relative is None:
        relative = found_relative(box)
        if relative:
            notes.append(f"{place}: boxes are from 0 to 1, parts of the images' sizes")
    if layout is None:
        layout = found_layout(box, place, relative=relative)
        notes.append(f"{place}: boxes are left, top, width, height: as corners some would be wrong")
    flags = {"difficult": rows.numbers(5, "difficult").astype(np.uint8)} if has_flag else {}
    return BoxRows(
        images=list(found),
        image=rows.file,
        labels=labels,
        label=label,
        xywh=as_xywh(box, layout, rows.place),
        place=rows.place,
        path=place,
        relative=relative,
        score=score,
        flags=flags,
        notes=tuple(notes),
    )


def found_relative(box: NDArray[np.float64]) -> bool:
    """Return whether boxes are parts of images: all from 0 to 1, and not all whole."""
    return bool(len(box) and box.min() >= 0 and box.max() <= 1 and (box != np.floor(box)).any())


def found_layout(box: NDArray[np.float64], place: str, *, relative: bool) -> BoxLayout:
    """Return the layout of boxes in pixels of which some cannot be corners: ``"xywh"``.

    Raises
    ------
    SchemaError
        Where nobody can see what they are: all may be corners, or they are parts of the images'
        sizes, where centres are as usual as corners.
    """
    if len(box) and (relative or not (box[:, 2:] < box[:, :2]).any()):
        raise SchemaError(
            "expected to be told what the four numbers of a box are, since they don't show it: "
            'say box="xyxy" (left, top, right, bottom), "xywh" (left, top, width, height) or '
            '"cxcywh" (centre, width, height; --box)',
            place,
        )
    return "xywh"


def _flagged(document: bytes) -> bytes:
    """Return lines with 1 for the word at their end, or 0."""
    lines = [
        line.removesuffix(_DIFFICULT) + (b" 1" if line.endswith(_DIFFICULT) else b" 0")
        if line
        else line
        for line in document.split(b"\n")
    ]
    return b"\n".join(lines)
