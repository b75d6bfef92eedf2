"""VisDrone-MOT files: what drones see.

A line is an object in a frame: frame (from 1), id, left, top, width, height, score, category,
truncation, occlusion; parted by commas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.readers.track_rows import FixedColumns, made_of_rows
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    import os

__all__ = ["VISDRONE_CLASSES", "VISDRONE_EVALUATED", "read_visdrone_tracks"]

VISDRONE_CLASSES: Final = Classes(
    range(12),
    [
        *("ignored regions", "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle"),
        *("awning-tricycle", "bus", "motor", "others"),
    ],
)
"""The categories."""

VISDRONE_EVALUATED: Final = ("pedestrian", "car", "van", "truck", "bus")
"""The categories that the challenge evaluates."""

_IGNORED: Final = (0, 11)
_WIDTHS: Final = (8, 9, 10)


def read_visdrone_tracks(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    sequence: int | str | None = None,
    n_frames: int | None = None,
    document: bytes | None = None,
) -> Tracks:
    """Read the annotations or the results of one VisDrone-MOT sequence.

    Parameters
    ----------
    path : path
        The file, plain or ``.gz``.
    truth : bool
        Whether it holds annotations: ignored regions (category 0) and other objects (11) are areas
        to be ignored, a score of 0 says that an object is not to be counted, and there are
        truncation (0, 1) and occlusion (0, 1, 2).
    sequence : int or str, optional
        The id of the sequence.
    n_frames : int, optional
        Its length. Frames are counted from 1.
    document : bytes, optional
        What the file holds, where it was read already; `path` is then but a name.

    Returns
    -------
    Tracks
        Classes are `VISDRONE_CLASSES`.

    Raises
    ------
    SchemaError, IdError, InputError
        The message names file and line.

    Notes
    -----
    The rule of VisDrone's own toolkit (VisDrone2018-MOT-toolkit, eval/dropObjects.m): before
    anything is matched, truth and results of a frame lose the objects of which at least half lies
    in the union of its areas to be ignored, those of categories 0 and 11. Then each category is
    evaluated by itself, those of `VISDRONE_EVALUATED` in the challenge. A truth object whose
    category changes is one object before and another after (breakGts.m): so it is here, where
    objects are told apart by category and id.
    """
    rows = FixedColumns(
        path,
        delimiter=",",
        widths=_WIDTHS,
        wanted=range(10),
        what="VisDrone-MOT lines",
        document=document,
    )
    frame, track = rows.whole(0, "frame"), rows.whole(1, "id")
    box = rows.matrix(2, ("left", "top", "width", "height"))
    score, label = rows.numbers(6, "score"), rows.whole(7, "category")
    rows.refuse(frame < 1, lambda row: f"expected frames from 1 on, got {frame[row]}")
    if n_frames is not None:
        rows.refuse(
            frame > n_frames, lambda row: f"expected frames 1 to {n_frames}, got {frame[row]}"
        )
    rows.refuse(
        (label < 0) | (label >= len(VISDRONE_CLASSES)),
        lambda row: f"expected a category from 0 to 11, got {label[row]}",
    )
    rows.refuse(
        (box[:, 2] < 0) | (box[:, 3] < 0),
        lambda row: (
            f"expected a width and height of at least 0, got {box[row, 2]:g} and {box[row, 3]:g}"
        ),
    )
    columns: dict[str, Any] = {
        "frame": frame,
        "track_id": track,
        "label": label,
        "classes": VISDRONE_CLASSES,
        "sequence": sequence,
        "n_frames": n_frames,
    }
    region = np.zeros(rows.n_rows, np.bool_)
    if truth:
        region = np.isin(label, _IGNORED)
        columns |= {"region": region, "counted": score != 0}
        names = ("truncation", "occlusion")[: max(0, rows.width - 8)]
        columns["extra"] = {name: rows.numbers(8 + k, name) for k, name in enumerate(names)}
    else:
        columns["score"] = score
    return made_of_rows(
        lambda: Tracks.from_xywh(box, **columns),
        rows.path,
        rows.place,
        track=track,
        frame=frame,
        area=np.where(region, np.arange(1, rows.n_rows + 1), 0),
    )
