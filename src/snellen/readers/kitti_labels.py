"""KITTI's object labels (``label_2``): a text a picture, a line an object.

A line is type, truncation (0 to 1), occlusion (0 to 3), observation angle, left, top, right,
bottom, seven numbers of a box in space, and in results a score. Read are the type, the box in the
image, truncation and occlusion, and the score; angle and box in space are not.
"""

from __future__ import annotations

import os
from typing import Final

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.readers.box_rows import BoxRows
from snellen.readers.text_rows import TextRows, read_documents, text_files

__all__ = ["DONT_CARE", "read_kitti_labels"]

DONT_CARE: Final = "DontCare"
"""The type of areas whose objects are not labelled."""

_BOX: Final = 4
_SCORE: Final = 15


def read_kitti_labels(path: str | os.PathLike[str], *, truth: bool) -> BoxRows:
    """Read the boxes of KITTI's object labels or results.

    Parameters
    ----------
    path : path
        A folder of texts, one for each image, or one that has them in ``label_2``; or a text.
    truth : bool
        Whether it is truth: 15 columns; results have 16.

    Returns
    -------
    BoxRows
        Boxes in pixels, width and height ``right - left`` and ``bottom - top``. Types are classes
        as written. ``DontCare`` areas of truth are boxes of that class, marked as crowds, so that
        the class has no object to be found, and by the flag ``dont_care``. Flags ``truncated``
        (truncation above 0) and ``occluded`` (0 to 3, as written; 0 where it is -1).

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = text_files(place, ("label_2",) if truth else ("data",))
    paths = list(found.values())
    what = "KITTI labels" if truth else "KITTI results, with a score at the end"
    width = _SCORE + (not truth)
    rows = TextRows(place, paths, read_documents(paths), widths=(width,), what=what)
    label, labels = rows.texts(0)
    notes = []
    flags = {}
    crowd = None
    if truth:
        occlusion = rows.numbers(2, "occlusion")
        rows.refuse(
            ~np.isin(occlusion, (-1, 0, 1, 2, 3)),
            lambda row: f"expected an occlusion of 0 to 3 or -1, got {occlusion[row]:g}",
        )
        area = np.array([name == DONT_CARE for name in labels], np.bool_)[label]
        flags = {
            "truncated": (rows.numbers(1, "truncation") > 0).astype(np.uint8),
            "occluded": np.maximum(occlusion, 0).astype(np.uint8),
            "dont_care": area.astype(np.uint8),
        }
        if area.any():
            crowd = area.astype(np.uint8)
            notes.append(
                f"{place}: {np.count_nonzero(area):,} {DONT_CARE} areas are a class of their own, "
                "of which nothing has to be found; they excuse no prediction of other classes"
            )
    box = rows.matrix(_BOX, ("left", "top", "right", "bottom"))
    return BoxRows(
        images=list(found),
        image=rows.file,
        labels=labels,
        label=label,
        xywh=as_xywh(box, "xyxy", rows.place),
        place=rows.place,
        path=place,
        score=None if truth else rows.numbers(_SCORE, "score"),
        flags=flags,
        crowd=crowd,
        notes=tuple(notes),
    )
