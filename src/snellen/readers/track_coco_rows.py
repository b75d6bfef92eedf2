"""Objects in frames out of the records of COCO-VID, TAO and YouTube-VIS; see `track_coco`."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError, first_few
from snellen.readers.track_rows import made_of_rows
from snellen.readers.track_videos import number_ids
from snellen.state import Keys
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "ObjectRows",
    "ShapeKind",
    "VideoCategory",
    "VideoLists",
    "VideoRecord",
    "best_of_images",
    "classes_of",
    "masks_of",
    "numbered_anew",
    "rows_of_records",
    "tracks_of_rows",
]

ShapeKind = Literal["boxes", "masks"]
_ABSENT = msgspec.Raw(b"")


# Left, top, width, height.
_Box = tuple[float, float, float, float]


class VideoRecord(msgspec.Struct, gc=False):
    """An object in a frame (``image_id``), or in all frames of a video (``video_id``)."""

    category_id: int | str
    id: int | str | None = None
    image_id: int | str | None = None
    video_id: int | str | None = None
    track_id: int | str | None = None
    instance_id: int | str | None = None
    bbox: _Box | None = None
    score: float | None = None
    iscrowd: int | bool | None = None
    # Masks stay as they are written until they are asked for.
    segmentation: msgspec.Raw = _ABSENT
    segmentations: list[msgspec.Raw] | None = None
    bboxes: list[_Box | None] | None = None
    areas: list[float | None] | None = None


class _Part(msgspec.Struct):
    id: int | str


class VideoCategory(msgspec.Struct):
    """A category, and those of TAO that are merged into it."""

    id: int | str
    name: str = ""
    merged: list[_Part] = []


@dataclasses.dataclass(frozen=True)
class VideoLists:
    """What records refer to, by their ids.

    Attributes
    ----------
    videos : mapping
        The position of each video.
    n_frames : tuple of int
        How many frames each has.
    images : mapping
        The position of each image's video, and the number of its frame; none where a record is an
        object in all frames.
    classes : mapping
        The position of each category, that of another where it is merged into it.
    by_video : bool
        Whether a record is an object in all frames of its video.
    shape : {"boxes", "masks"}
        What objects are.
    """

    videos: Mapping[int | str, int]
    n_frames: tuple[int, ...]
    images: Mapping[int | str, tuple[int, int]]
    classes: Mapping[int | str, int]
    by_video: bool
    shape: ShapeKind


class ObjectRows(NamedTuple):
    """Objects in frames, as columns; n rows.

    Attributes
    ----------
    video, frame, label : ndarray, int64
        Position of the video, number of the frame, position of the class.
    track : ndarray, int64 or str
        The ids of objects.
    record : ndarray, int64
        The record that each row comes from.
    shape : ndarray of shape (n, 4), or list of bytes
        Left, top, width, height; or the JSON of a mask.
    score : ndarray, float64, or None
        None for truth.
    extra : dict of str to ndarray
        More columns.
    place : callable
        Where a record stands, for messages.
    """

    video: NDArray[np.int64]
    frame: NDArray[np.int64]
    label: NDArray[np.int64]
    track: NDArray[Any]
    record: NDArray[np.int64]
    shape: Any
    score: NDArray[np.float64] | None
    extra: dict[str, NDArray[np.float64]]
    place: Callable[[int], str]

    def at(self, rows: NDArray[np.int64]) -> ObjectRows:
        """Return some rows in an order."""
        shape = self.shape
        return ObjectRows(
            self.video[rows],
            self.frame[rows],
            self.label[rows],
            self.track[rows],
            self.record[rows],
            shape[rows] if isinstance(shape, np.ndarray) else [shape[k] for k in rows.tolist()],
            None if self.score is None else self.score[rows],
            {name: column[rows] for name, column in self.extra.items()},
            self.place,
        )

    def where(self, row: int) -> str:
        """Return where a row's record stands."""
        return self.place(int(self.record[row]))


def rows_of_records(
    records: Sequence[VideoRecord],
    lists: VideoLists,
    place: str,
    *,
    is_truth: bool,
    drop_unknown: bool = False,
) -> ObjectRows:
    """Return the objects in frames that records are.

    Parameters
    ----------
    records : sequence of VideoRecord
        Of truth, or of predictions.
    lists : VideoLists
        What they refer to.
    place : str
        Where they stand, for messages.
    is_truth : bool
        Whether they are truth; predictions must have scores.
    drop_unknown : bool
        Leave out records of images, videos or categories that are not listed, with a
        `DataWarning`, instead of refusing them.

    Raises
    ------
    SchemaError, ClassError, IdError
        The message names the record.
    """
    if not is_truth:
        _refuse_missing([each.score is None for each in records], "score", place)
    key = "video_id" if lists.by_video else "image_id"
    owners = [each.video_id if lists.by_video else each.image_id for each in records]
    _refuse_missing([each is None for each in owners], key, place)
    known: Mapping[Any, Any] = lists.videos if lists.by_video else lists.images
    listed = np.ones(len(records), np.bool_)
    for error, field, ids, table in (
        (IdError, key, owners, known),
        (ClassError, "category_id", [each.category_id for each in records], lists.classes),
    ):
        absent = np.fromiter((each not in table for each in ids), np.bool_, len(ids))
        if absent.any() and not drop_unknown:
            _refuse_absent(error, field, ids, absent, place)
        listed &= ~absent
    if not listed.all():
        warnings.warn(
            f"{np.count_nonzero(~listed)} records of images, videos or categories that truth does "
            f"not list left out - at {place}",
            DataWarning,
            stacklevel=3,
        )
    numbers = np.flatnonzero(listed)
    kept = [records[k] for k in numbers.tolist()]
    make = _rows_by_video if lists.by_video else _rows_by_frame
    return make(kept, numbers, lists, place, is_truth)


def _rows_by_frame(
    records: Sequence[VideoRecord],
    numbers: NDArray[np.int64],
    lists: VideoLists,
    place: str,
    is_truth: bool,
) -> ObjectRows:
    ids = [each.track_id if each.track_id is not None else each.instance_id for each in records]
    _refuse_missing([each is None for each in ids], "track_id", place, numbers)
    images: Any = [lists.images[each.image_id] for each in records if each.image_id is not None]
    video_frame = np.array(images, np.int64).reshape(-1, 2)
    shape: Any
    if lists.shape == "boxes":
        _refuse_missing([each.bbox is None for each in records], "bbox", place, numbers)
        shape = _boxes([each.bbox for each in records], lambda k: f"{place}[{numbers[k]}].bbox")
    else:
        _refuse_missing(
            [_is_null(each.segmentation) for each in records], "segmentation", place, numbers
        )
        shape = [bytes(each.segmentation) for each in records]
    return ObjectRows(
        video_frame[:, 0],
        video_frame[:, 1],
        _labels(records, lists),
        number_ids([each for each in ids if each is not None]),
        numbers,
        shape,
        None if is_truth else _scores(records),
        {"crowd": _crowds(records)} if is_truth else {},
        lambda k: f"{place}[{k}]",
    )


def _rows_by_video(
    records: Sequence[VideoRecord],
    numbers: NDArray[np.int64],
    lists: VideoLists,
    place: str,
    is_truth: bool,
) -> ObjectRows:
    video = np.array([lists.videos[each.video_id or 0] for each in records], np.int64)
    key = "segmentations" if lists.shape == "masks" else "bboxes"
    row: list[int] = []
    frame: list[int] = []
    shapes: list[Any] = []
    for k, (each, of) in enumerate(zip(records, video.tolist(), strict=True)):
        listed = getattr(each, key)
        if listed is None:
            raise SchemaError(f'expected the key "{key}"', f"{place}[{numbers[k]}]")
        if len(listed) != lists.n_frames[of]:
            raise SchemaError(
                f"expected one for each of the video's {lists.n_frames[of]} frames, got "
                f"{len(listed)}",
                f"{place}[{numbers[k]}].{key}",
            )
        for t, shape in enumerate(listed):
            if not _is_null(shape):
                row.append(k)
                frame.append(t)
                shapes.append(shape)
    rows = np.array(row, np.int64)
    track: NDArray[Any]
    extra: dict[str, NDArray[np.float64]] = {}
    if is_truth:
        _refuse_missing([each.id is None for each in records], "id", place, numbers)
        track = number_ids([each.id for each in records if each.id is not None])
        extra["crowd"] = _crowds(records)[rows]
        areas = [each.areas or [] for each in records]
        given = [
            areas[k][t] if t < len(areas[k]) else None for k, t in zip(row, frame, strict=True)
        ]
        if given and None not in given:
            extra["area"] = np.array(given, np.float64)
    else:
        # Records have no ids: 0, 1, 2, … by video and place.
        track = np.empty(len(records), np.int64)
        track[np.argsort(video, kind="stable")] = np.arange(len(records))
    return ObjectRows(
        video[rows],
        np.array(frame, np.int64),
        _labels(records, lists)[rows],
        track[rows],
        numbers[rows],
        [bytes(each) for each in shapes]
        if lists.shape == "masks"
        else _boxes(shapes, lambda k: f"{place}[{numbers[row[k]]}].{key}[{frame[k]}]"),
        None if is_truth else _scores(records)[rows],
        extra,
        lambda k: f"{place}[{k}]",
    )


def _labels(records: Sequence[VideoRecord], lists: VideoLists) -> NDArray[np.int64]:
    return np.array([lists.classes[each.category_id] for each in records], np.int64)


def _scores(records: Sequence[VideoRecord]) -> NDArray[np.float64]:
    return np.array([each.score for each in records], np.float64)


def _crowds(records: Sequence[VideoRecord]) -> NDArray[np.float64]:
    return np.array([bool(each.iscrowd) for each in records], np.float64)


def _boxes(boxes: Sequence[Any], place: Callable[[int], str]) -> NDArray[np.float64]:
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    wrong = (rows[:, 2] < 0) | (rows[:, 3] < 0)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise InputError(
            f"expected a width and height of at least 0, got {rows[k, 2]:g} and {rows[k, 3]:g}",
            place(k),
        )
    return rows


def _refuse_undecodable(document: bytes, place: str) -> None:
    try:
        msgspec.json.decode(document)
    except UnicodeDecodeError:
        raise SchemaError("expected UTF-8, got other bytes", place) from None
    except msgspec.DecodeError as error:
        message = str(error).partition(" - at ")[0]
        raise SchemaError(
            f"expected a mask as run lengths (size, counts), got: {message}", place
        ) from None


def masks_of(written: Sequence[bytes], place: Callable[[int], str]) -> Any:
    """Return masks that are written as JSON: run lengths with their sizes.

    Parameters
    ----------
    written : sequence of bytes
        The JSON of each.
    place : callable
        Where each stands, for messages.

    Raises
    ------
    SchemaError
        For polygons, and for run lengths that are none.
    """
    from snellen.rle_masks import RleMasks

    try:
        decoded = msgspec.json.decode(b"[" + b",".join(written) + b"]")
    except (UnicodeDecodeError, msgspec.DecodeError):
        # What was left as it is written was not looked at before.
        for k, each in enumerate(written):
            _refuse_undecodable(each, place(k))
        raise
    for k, mask in enumerate(decoded):
        if not isinstance(mask, dict):
            got = "polygons: convert them" if isinstance(mask, list) else "something else"
            raise SchemaError(f"expected a mask as run lengths (size, counts), got {got}", place(k))
    try:
        return RleMasks.from_coco(decoded)
    except SchemaError as error:
        # It names the position: mask[17] character 3.
        number, _, rest = error.place.removeprefix("mask[").partition("]")
        raise SchemaError(error.message, f"{place(int(number))} mask{rest}") from None


def _is_null(shape: Any) -> bool:
    if isinstance(shape, msgspec.Raw):
        return bytes(shape) in (b"", b"null")
    return shape is None


def _refuse_missing(
    missing: Sequence[bool], key: str, place: str, numbers: NDArray[np.int64] | None = None
) -> None:
    if any(missing):
        k = missing.index(True)
        raise SchemaError(
            f'expected the key "{key}" in every record, {sum(missing)} lack it',
            f"{place}[{k if numbers is None else numbers[k]}]",
        )


def _refuse_absent(
    error: type[InputError],
    field: str,
    ids: Sequence[Any],
    absent: NDArray[np.bool_],
    place: str,
) -> None:
    what = field.removesuffix("_id")
    unknown = {ids[k]: None for k in np.flatnonzero(absent).tolist()}
    shown = first_few(f'"{each}"' if isinstance(each, str) else each for each in unknown)
    raise error(
        f"expected {what} ids that the truth file lists, got {len(unknown)} unknown ones in "
        f"{np.count_nonzero(absent)} records: {shown}; drop_unknown (--drop-unknown) leaves such "
        "records out",
        f"{place}[{int(np.argmax(absent))}].{field}",
    )


def classes_of(
    categories: Sequence[VideoCategory], place: str
) -> tuple[Classes, dict[int | str, int]]:
    """Return the classes, and the position of each category among them.

    Raises
    ------
    ClassError, IdError
        For a category that comes twice, and one that is merged into another that is, too.
    """
    merged = {part.id: each.id for each in categories for part in each.merged}
    kept = [each for each in categories if each.id not in merged]
    ids = [each.id for each in kept]
    try:
        classes = Classes(ids, [each.name for each in kept])
    except (ClassError, IdError) as error:
        raise error.within(place) from None
    at = dict(zip(ids, classes.keys.codes(ids).tolist(), strict=True))
    for part, whole in merged.items():
        if whole in merged or whole not in at:
            raise ClassError(
                f"expected {part} to be merged into a category that is none of another, "
                f"got {whole}",
                place,
            )
        at[part] = at[whole]
    return classes, at


def tracks_of_rows(
    rows: ObjectRows, shape: ShapeKind, videos: Keys, classes: Classes, path: str
) -> Tracks:
    """Return rows as tracks.

    Raises
    ------
    SchemaError, IdError, InputError
        For masks that are none, and ids that come twice in a frame; the record is named.
    """
    columns: dict[str, Any] = {
        "frame": rows.frame,
        "track_id": rows.track,
        "sequence": videos.ids[rows.video],
        "label": classes.keys.ids[rows.label],
        "classes": classes,
        "score": rows.score,
        "extra": rows.extra,
    }
    made: Any = rows.shape if shape == "boxes" else masks_of(rows.shape, rows.where)
    make = Tracks.from_xywh if shape == "boxes" else Tracks.from_masks
    return made_of_rows(
        lambda: make(made, **columns),
        path,
        rows.where,
        track=Keys(rows.track, "track id").codes(rows.track),
        frame=rows.frame,
        video=rows.video,
    )


def best_of_images(rows: ObjectRows, most: int) -> ObjectRows:
    """Return at most so many rows of each image; where there are more, the best, best first."""
    assert rows.score is not None
    image = _images_as_they_come(rows)
    crowded = np.bincount(image)[image] > most if len(image) else np.zeros(0, np.bool_)
    order = np.lexsort((np.where(crowded, -rows.score, 0), image))
    rank = np.arange(len(order)) - np.searchsorted(image[order], image[order])
    return rows.at(order[rank < most])


def numbered_anew(rows: ObjectRows, place: str) -> NDArray[np.int64]:
    """Return ids of which each is in one video alone; new ones follow the largest."""
    if rows.track.dtype.kind == "U":
        raise IdError("expected whole numbers as track ids, to number some anew", place)
    pairs = list(zip(rows.track.tolist(), rows.video.tolist(), strict=True))
    first: dict[int, int] = {}
    shared = {track for track, video in pairs if first.setdefault(track, video) != video}
    start = max([0, *first]) + 1
    anew: dict[tuple[int, int], int] = {}
    ids = np.array(rows.track, np.int64)
    for row in np.argsort(_images_as_they_come(rows), kind="stable").tolist():
        if pairs[row][0] in shared:
            ids[row] = anew.setdefault(pairs[row], start + len(anew))
    return ids


def _images_as_they_come(rows: ObjectRows) -> NDArray[np.int64]:
    """Return the number of each row's image, by first appearance."""
    known: dict[tuple[int, int], int] = {}
    pairs = zip(rows.video.tolist(), rows.frame.tolist(), strict=True)
    return np.array([known.setdefault(each, len(known)) for each in pairs], np.int64)
