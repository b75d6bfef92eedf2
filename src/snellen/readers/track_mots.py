"""Masks of MOTS20 and KITTI MOTS: text files, one for each sequence, one mask a line.

``frame id class height width mask``, separated by blanks; the mask is COCO's compressed run
lengths. Classes: 1 car, 2 pedestrian, 10 a region to ignore. Ids are 1000 times the class and the
number of the object; any others are taken as they are.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError, ShapeError
from snellen.readers.table import read_bytes
from snellen.rle_masks import RleMasks
from snellen.tracking.mask_pairs import refuse_overlaps
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FIRST_FRAME", "MOTS_CLASSES", "decode_mots", "read_mots"]

MOTS_CLASSES: Final = {1: "car", 2: "pedestrian"}
FIRST_FRAME: Final = {"mots20": 1, "kitti-mots": 0}
"""The number of a sequence's first frame, by layout."""

_REGION: Final = 10
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_mots(
    path: str | os.PathLike[str],
    *,
    side: Literal["truth", "pred"],
    layout: Literal["mots20", "kitti-mots"] = "mots20",
    sequence: int | str | None = None,
    n_frames: int | None = None,
) -> Tracks:
    """Read the masks of a sequence.

    Parameters
    ----------
    path : path
        A text file; packed where its name ends in ``.gz``.
    side : {"truth", "pred"}
        Regions to ignore are of truth; in a prediction they are left out, with a warning.
    layout : {"mots20", "kitti-mots"}
        Frames are numbered from 1 in MOTS20, from 0 in KITTI MOTS.
    sequence : int or str, optional
        The id of the sequence; the file's name without its ending where not given.
    n_frames : int, optional
        How many frames the sequence has; others are refused.

    Returns
    -------
    Tracks
        With `RleMasks`, ``region`` (1 for regions to ignore, whose track and label mean nothing)
        and the classes `MOTS_CLASSES`.

    Raises
    ------
    SchemaError, InputError, ShapeError, IdError, ClassError
        For lines that cannot be read, other classes and frames, masks of different sizes in a
        frame, ids that come twice in a frame, and masks that share pixels, which the format
        forbids; with file and line.
    """
    place = os.fspath(path)
    if sequence is None:
        sequence = os.path.basename(place).removesuffix(".gz").rsplit(".", 1)[0]  # noqa: PTH119  # a path may be text
    return decode_mots(
        read_bytes(place), place, side=side, layout=layout, sequence=sequence, n_frames=n_frames
    )


def decode_mots(
    data: bytes,
    place: str,
    *,
    side: Literal["truth", "pred"],
    layout: Literal["mots20", "kitti-mots"] = "mots20",
    sequence: int | str,
    n_frames: int | None = None,
) -> Tracks:
    r"""Return the masks of a sequence whose file is in memory.

    Parameters
    ----------
    data : bytes
        The text.
    place : str
        What errors call it.
    side, layout, sequence, n_frames
        See `read_mots`.

    Raises
    ------
    SchemaError, InputError, ShapeError, IdError, ClassError
        See `read_mots`.

    Examples
    --------
    >>> tracks = decode_mots(b"1 2001 2 2 2 22\n", "a.txt", side="truth", sequence="a")
    >>> tracks.track.tolist(), tracks.shape.boxes().tolist()
    ([2001], [[1, 0, 1, 2]])
    """
    text = data[len(_BYTE_ORDER_MARK) :] if data.startswith(_BYTE_ORDER_MARK) else data
    rows = _core.read_mots(text)
    fault = rows.fault()
    if fault is not None:
        message, number = fault
        raise SchemaError(message, f"{place} line {number}")
    frame, line, label = rows.frame(), rows.line(), rows.label()
    _check_frames(frame, line, FIRST_FRAME[layout], n_frames, place)
    _check_classes(label, line, place)
    order = np.argsort(frame, kind="stable")
    frame, line, label, track = (column[order] for column in (frame, line, label, rows.id()))
    runs, offset = rows.masks()
    masks = RleMasks(runs, offset, rows.size())
    if (order != np.arange(len(order))).any():
        masks = masks[order]
    numbers, begin = _frames(frame)
    region = (label == _REGION).astype(np.uint8)
    _check_sizes(masks.size, frame, line, place)
    _check_ids(track, frame, line, region, place)
    refuse_overlaps(masks, begin, track, frame=numbers, region=region, place=place)
    if side == "pred" and region.any():
        warnings.warn(
            f"{int(region.sum()):,} masks of class {_REGION} are left out: regions to ignore are "
            f"read of truth - at {place}",
            DataWarning,
            stacklevel=2,
        )
        kept = region == 0
        frame, track, label, masks = frame[kept], track[kept], label[kept], masks[kept]
        region = region[kept]
    first = FIRST_FRAME[layout]
    # A region is of no class; it has to have one.
    known = np.where(region == 1, min(MOTS_CLASSES), label)
    return Tracks.from_masks(
        masks,
        track_id=track,
        frame=frame,
        sequence=sequence,
        label=known,
        region=region if side == "truth" else None,
        classes=Classes.of(MOTS_CLASSES),
        n_frames=n_frames,
        frames=None if n_frames is None else np.arange(first, first + n_frames),
    )


def _frames(frame: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of frames, and where the rows of each begin; rows are in their order."""
    first = np.flatnonzero(np.append(True, frame[1:] != frame[:-1])[: len(frame)])
    return frame[first], np.append(first, len(frame)).astype(np.int64)


def _at(place: str, line: NDArray[np.int64], row: Any) -> str:
    return f"{place} line {line[row]}"


def _check_frames(
    frame: NDArray[np.int64],
    line: NDArray[np.int64],
    first: int,
    n_frames: int | None,
    place: str,
) -> None:
    early = frame < first
    if early.any():
        row = np.argmax(early)
        hint = (
            ": KITTI MOTS, whose frames begin at 0, is a layout of its own"
            if frame[row] == 0
            else ""
        )
        raise InputError(
            f"expected frames from {first} on, got {frame[row]}{hint}", _at(place, line, row)
        )
    if n_frames is None:
        return
    late = frame >= first + n_frames
    if late.any():
        row = np.argmax(late)
        raise InputError(
            f"expected frames {first} to {first + n_frames - 1} of a sequence of {n_frames}, got "
            f"{frame[row]}",
            _at(place, line, row),
        )


def _check_classes(label: NDArray[np.int64], line: NDArray[np.int64], place: str) -> None:
    known = label == _REGION
    for class_id in MOTS_CLASSES:
        known |= label == class_id
    if not known.all():
        row = np.argmin(known)
        names = ", ".join(f"{class_id} ({name})" for class_id, name in MOTS_CLASSES.items())
        raise ClassError(
            f"expected class {names} or {_REGION} (region to ignore), got {label[row]}",
            _at(place, line, row),
        )


def _check_sizes(
    size: NDArray[np.int32], frame: NDArray[np.int64], line: NDArray[np.int64], place: str
) -> None:
    other = (frame[1:] == frame[:-1]) & (size[1:] != size[:-1]).any(axis=1)
    if other.any():
        row = int(np.argmax(other)) + 1
        sizes = [f"{height} × {width}" for height, width in size[row - 1 : row + 1].tolist()]
        raise ShapeError(
            f"expected masks of one size in frame {frame[row]}, got {sizes[0]} (line "
            f"{line[row - 1]}) and {sizes[1]}",
            _at(place, line, row),
        )


def _check_ids(
    track: NDArray[np.int64],
    frame: NDArray[np.int64],
    line: NDArray[np.int64],
    region: NDArray[np.uint8],
    place: str,
) -> None:
    rows = np.flatnonzero(region == 0)
    order = rows[np.lexsort((track[rows], frame[rows]))]
    again = (track[order][1:] == track[order][:-1]) & (frame[order][1:] == frame[order][:-1])
    if again.any():
        k = int(np.argmax(again))
        earlier, row = order[k], order[k + 1]
        more = int(again.sum()) - 1
        others = f"; {more:,} more repeat" if more else ""
        raise IdError(
            f"expected each id once a frame, got {track[row]} twice in frame {frame[row]} (also "
            f"line {line[earlier]}){others}",
            _at(place, line, row),
        )
