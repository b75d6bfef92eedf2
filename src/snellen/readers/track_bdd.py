"""BDD100K box tracking files: frames with labels, as Scalabel writes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, SchemaError, did_you_mean
from snellen.readers.message_text import printable
from snellen.readers.track_rows import made_of_rows
from snellen.readers.track_videos import in_videos, number_ids
from snellen.readers.typed_json import decoded, read_typed_json
from snellen.state import Keys
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BDD_CLASSES", "BDD_DISTRACTORS", "BDD_EVALUATED", "read_bdd_tracks"]

BDD_CLASSES: Final = Classes(
    range(1, 12),
    [
        *("pedestrian", "rider", "other person", "car", "bus", "truck", "train", "trailer"),
        *("other vehicle", "motorcycle", "bicycle"),
    ],
)
"""The categories."""

BDD_DISTRACTORS: Final = ("other person", "trailer", "other vehicle")
"""The categories whose truth is an area to be ignored."""

BDD_EVALUATED: Final = tuple(name for name in BDD_CLASSES.names if name not in BDD_DISTRACTORS)
"""The categories that the benchmark evaluates."""

# Names of the first release.
_FORMER_NAMES: Final = {"person": "pedestrian", "motor": "motorcycle", "bike": "bicycle"}
_IDS: Final = {
    **{name: k for k, name in enumerate(BDD_CLASSES.names, 1)},
    **{former: BDD_CLASSES.names.index(name) + 1 for former, name in _FORMER_NAMES.items()},
}
_WHAT: Final = "BDD100K tracking labels"


class _Box(msgspec.Struct, gc=False):
    x1: float
    y1: float
    x2: float
    y2: float


class _Attributes(msgspec.Struct, gc=False):
    # In capitals as TrackEval has them, else as Scalabel writes them.
    Crowd: bool | None = None
    crowd: bool | None = None
    Occluded: bool | None = None
    occluded: bool | None = None
    Truncated: bool | None = None
    truncated: bool | None = None


class _Label(msgspec.Struct, gc=False):
    id: int | str
    category: str
    box2d: _Box
    attributes: _Attributes | None = None
    score: float | None = None


class _Frame(msgspec.Struct):
    labels: list[_Label] | None = None
    frameIndex: int | None = None  # noqa: N815 - the format's name
    index: int | None = None
    videoName: str | None = None  # noqa: N815
    video_name: str | None = None


class _Frames(msgspec.Struct):
    frames: list[_Frame]


def read_bdd_tracks(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    sequence: int | str | None = None,
    document: bytes | None = None,
) -> Tracks:
    """Read BDD100K box tracking labels or results: of one video, or of many.

    Parameters
    ----------
    path : path
        The file, plain or ``.gz``: a list of frames, or an object with ``frames``. A frame has
        ``frameIndex`` (or ``index``), ``videoName`` and ``labels``; a label has ``id``,
        ``category``, ``box2d`` (``x1, y1, x2, y2``), and may have ``attributes`` and ``score``.
    truth : bool
        Whether it holds truth: crowds and the categories of `BDD_DISTRACTORS` are areas to be
        ignored then, and there are truncation and occlusion.
    sequence : int or str, optional
        The id of the sequence, where frames don't name their video; the file's name without.
    document : bytes, optional
        What the file holds, where it was read already; `path` is then but a name.

    Returns
    -------
    Tracks
        Classes are `BDD_CLASSES`; the sequences are all videos of the file. Ids are texts, or
        numbers where all of them say numbers.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and record.

    Notes
    -----
    Coordinates are as they are: left, top, right, bottom (TrackEval reads them so too). A video has
    so many frames as the file lists of it.
    """
    place = os.fspath(path)
    kind: Any = list[_Frame] | _Frames
    content = (
        read_typed_json(place, kind, _WHAT)
        if document is None
        else decoded(document, kind, _WHAT, place)
    )
    frames: list[_Frame] = content.frames if isinstance(content, _Frames) else content
    numbers = [_number(frame, k, place) for k, frame in enumerate(frames)]
    alone = os.path.basename(place).split(".")[0] if sequence is None else sequence  # noqa: PTH119
    names = [frame.videoName or frame.video_name or alone for frame in frames]
    videos = Keys(names if names else [alone], "sequence id")
    video_of_frame = videos.codes(names)
    _refuse_repeated(names, numbers, place)

    of_frame = np.repeat(
        np.arange(len(frames)), [len(frame.labels or ()) for frame in frames]
    ).astype(np.int64)
    labels = [label for frame in frames for label in frame.labels or ()]

    def where(row: int) -> str:
        at = int(of_frame[row])
        return f"{place} $[{at}].labels[{row - int(np.searchsorted(of_frame, at))}]"

    box = np.array(
        [(each.x1, each.y1, each.x2, each.y2) for each in (label.box2d for label in labels)],
        np.float64,
    ).reshape(-1, 4)
    label_id = _label_ids(labels, where)
    wrong = ~((box[:, 2] >= box[:, 0]) & (box[:, 3] >= box[:, 1]))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"expected right and bottom of at least left and top, got {box[row].tolist()}",
            where(row),
        )
    ids = number_ids([label.id for label in labels])
    columns: dict[str, Any] = {
        "frame": np.array(numbers, np.int64)[of_frame],
        "track_id": ids,
        "sequence": videos.ids[video_of_frame[of_frame]],
        "label": label_id,
        "classes": BDD_CLASSES,
    }
    region = np.zeros(len(labels), np.bool_)
    if truth:
        attributes = [label.attributes or _Attributes() for label in labels]
        distractors = [_IDS[name] for name in BDD_DISTRACTORS]
        crowd = np.array([bool(each.Crowd or each.crowd) for each in attributes], np.bool_)
        region = crowd | np.isin(label_id, distractors)
        columns["region"] = region
        columns["extra"] = {
            "occlusion": [float(bool(a.Occluded or a.occluded)) for a in attributes],
            "truncation": [float(bool(a.Truncated or a.truncated)) for a in attributes],
        }
    elif any(label.score is not None for label in labels):
        columns["score"] = _scores(labels, where)
    tracks = made_of_rows(
        lambda: Tracks.from_xyxy(box, **columns),
        place,
        where,
        track=Keys(ids, "track id").codes(ids),
        frame=columns["frame"],
        sequence=video_of_frame[of_frame],
        area=np.where(region, np.arange(1, len(labels) + 1), 0),
    )
    return in_videos(
        tracks,
        videos,
        np.bincount(video_of_frame, minlength=len(videos)),
        np.stack([video_of_frame, np.array(numbers, np.int64)], axis=1),
    )


def _number(frame: _Frame, k: int, place: str) -> int:
    number = frame.index if frame.frameIndex is None else frame.frameIndex
    if number is None:
        raise SchemaError('expected the number of the frame, "frameIndex"', f"{place} $[{k}]")
    return number


def _refuse_repeated(names: list[Any], numbers: list[int], place: str) -> None:
    first: dict[tuple[Any, int], int] = {}
    for k, frame in enumerate(zip(names, numbers, strict=True)):
        if first.setdefault(frame, k) != k:
            raise IdError(
                f"expected each frame of a video once, got frame {frame[1]} of {frame[0]} in "
                f"records {first[frame]} and {k}",
                f"{place} $[{k}]",
            )


def _label_ids(labels: list[_Label], where: Any) -> NDArray[np.int64]:
    ids = np.array([_IDS.get(label.category.lower(), 0) for label in labels], np.int64)
    if len(ids) and not ids.all():
        row = int(np.argmin(ids))
        name = labels[row].category
        raise ClassError(
            f"expected a category of BDD100K ({', '.join(BDD_CLASSES.names)}), "
            f'got "{printable(name, 60)}".{did_you_mean(name.lower(), BDD_CLASSES.names)}',
            f"{where(row)}.category",
        )
    return ids


def _scores(labels: list[_Label], where: Any) -> NDArray[np.float64]:
    for row, label in enumerate(labels):
        if label.score is None:
            raise SchemaError('expected a "score", as other labels have it', where(row))
    return np.array([label.score for label in labels], np.float64)
