"""KITTI tracking files: boxes in the image, and in space.

A line is an object in a frame: frame (from 0), id, type, truncation, occlusion, observation angle,
left, top, right, bottom, height, width, length, x, y, z, rotation, and in results a score.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, DataWarning, did_you_mean
from snellen.readers.message_text import printable
from snellen.readers.track_rows import FixedColumns, made_of_rows
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["KITTI_CLASSES", "read_kitti_tracks"]

KITTI_CLASSES: Final = Classes(
    range(1, 10),
    ["car", "van", "truck", "pedestrian", "person", "cyclist", "tram", "misc", "dontcare"],
)
"""The types; a person is one that sits."""

_DONT_CARE: Final = 9
# Of the object benchmark, and what TrackEval takes beside.
_OTHER_NAMES: Final = {"person_sitting": 5, "car_2": 1}
_CODES: Final = {
    **{name: k for k, name in enumerate(KITTI_CLASSES.names, 1)},
    **_OTHER_NAMES,
}
_WIDTHS: Final = (17, 18)
_FRAME, _ID, _TYPE, _TRUNCATION, _OCCLUSION, _BOX, _SIZE, _ROTATION, _SCORE = (
    *(0, 1, 2, 3, 4, 6, 10, 16, 17),
)


def read_kitti_tracks(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    boxes: Literal["image", "space"] = "image",
    sequence: int | str | None = None,
    n_frames: int | None = None,
    document: bytes | None = None,
) -> Tracks:
    """Read the labels or the results of one KITTI tracking sequence.

    Parameters
    ----------
    path : path
        The file, plain or ``.gz``.
    truth : bool
        Whether it holds labels: their ``DontCare`` lines are areas to be ignored, and they have
        truncation and occlusion.
    boxes : {"image", "space"}
        Boxes in the image, or in space. In space there are no ``DontCare`` areas.
    sequence : int or str, optional
        The id of the sequence.
    n_frames : int, optional
        Its length. Frames are counted from 0.
    document : bytes, optional
        What the file holds, where it was read already; `path` is then but a name.

    Returns
    -------
    Tracks
        Classes are `KITTI_CLASSES`, found by their names in any case. Lines with a negative id,
        ``DontCare`` aside, are left out, as TrackEval leaves them out, with a `DataWarning`.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and line.

    Notes
    -----
    KITTI measures in the camera's axes: x to the right, y down, z ahead; x, y, z is the middle of
    the bottom, and the rotation turns about y. `Boxes3D` stands upright in axes with x ahead, y to
    the left and z up: (x, y, z) becomes (z, −x, height / 2 − y), and rotation r the yaw −r − π/2.

    Truncation and occlusion are cut to whole numbers, as TrackEval cuts them.
    """
    rows = FixedColumns(
        path,
        delimiter=" ",
        widths=_WIDTHS,
        wanted=(0, 1, 2, 3, 4, *range(6, 18))
        if boxes == "space"
        else (0, 1, 2, 3, 4, 6, 7, 8, 9, 17),
        what="KITTI tracking lines",
        document=document,
    )
    frame, track = rows.whole(_FRAME, "frame"), rows.whole(_ID, "id")
    label = _labels(rows)
    rows.refuse(frame < 0, lambda row: f"expected frames from 0 on, got {frame[row]}")
    if n_frames is not None:
        rows.refuse(
            frame >= n_frames,
            lambda row: f"expected frames 0 to {n_frames - 1}, got {frame[row]}",
        )
    region = (label == _DONT_CARE) if truth else np.zeros(rows.n_rows, np.bool_)
    unknown = ~region & (track < 0)
    if unknown.any():
        warnings.warn(
            f"{np.count_nonzero(unknown)} lines with negative ids left out - at {rows.path}",
            DataWarning,
            stacklevel=2,
        )
    kept = ~(unknown | region) if boxes == "space" else ~unknown
    columns: dict[str, Any] = {
        "frame": frame[kept],
        "track_id": track[kept],
        "label": label[kept],
        "classes": KITTI_CLASSES,
        "sequence": sequence,
        "n_frames": n_frames,
    }
    if truth:
        columns["extra"] = {
            "truncation": np.trunc(rows.numbers(_TRUNCATION, "truncation"))[kept],
            "occlusion": np.trunc(rows.numbers(_OCCLUSION, "occlusion"))[kept],
        }
        columns["region"] = region[kept]
    elif rows.width > _SCORE:
        columns["score"] = rows.numbers(_SCORE, "score")[kept]
    box = _boxes_in_space(rows, kept) if boxes == "space" else _boxes_in_image(rows)
    made = Tracks.from_boxes_3d if boxes == "space" else Tracks.from_xyxy
    number = np.flatnonzero(kept)
    return made_of_rows(
        lambda: made(box[kept], **columns),
        rows.path,
        lambda k: rows.place(int(number[k])),
        track=track[kept],
        frame=frame[kept],
        area=np.where(region, np.arange(1, rows.n_rows + 1), 0)[kept],
    )


def _labels(rows: FixedColumns) -> NDArray[np.int64]:
    codes, texts = rows.texts(_TYPE)
    ids = np.array([_CODES.get(text.lower(), 0) for text in texts], np.int64)
    label = ids[codes] if len(ids) else np.zeros(rows.n_rows, np.int64)
    if len(label) and not label.all():
        row = int(np.argmin(label))
        text = texts[codes[row]]
        raise ClassError(
            f"expected a type of KITTI ({', '.join(KITTI_CLASSES.names)}), "
            f'got "{printable(text, 60)}".{did_you_mean(text.lower(), KITTI_CLASSES.names)}',
            rows.place(row),
        )
    return label


def _boxes_in_image(rows: FixedColumns) -> NDArray[np.float64]:
    box = rows.matrix(_BOX, ("left", "top", "right", "bottom"))
    rows.refuse(
        (box[:, 2] < box[:, 0]) | (box[:, 3] < box[:, 1]),
        lambda row: f"expected right and bottom of at least left and top, got {box[row].tolist()}",
    )
    return box


def _boxes_in_space(rows: FixedColumns, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    height, width, length, x, y, z, rotation = rows.matrix(
        _SIZE, ("height", "width", "length", "x", "y", "z", "rotation")
    ).T
    rows.refuse(
        kept & (np.minimum(np.minimum(height, width), length) < 0),
        lambda row: (
            "expected sizes of at least 0, "
            f"got {height[row]:g}, {width[row]:g}, {length[row]:g}: results without boxes in space "
            'are read with boxes="image"'
        ),
    )
    return np.stack([z, -x, height / 2 - y, length, width, height, -rotation - np.pi / 2], axis=1)
