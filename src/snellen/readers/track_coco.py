"""Videos in COCO's manner: COCO-VID, TAO, and YouTube-VIS.

Truth is one file with ``videos``, ``categories``, ``annotations`` and, where an annotation is an
object in a frame (COCO-VID, TAO), ``images``. In YouTube-VIS an annotation is an object in all
frames of a video.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from snellen.errors import IdError, SchemaError
from snellen.readers.track_coco_rows import (
    ShapeKind,
    VideoCategory,
    VideoLists,
    VideoRecord,
    best_of_images,
    classes_of,
    numbered_anew,
    rows_of_records,
    tracks_of_rows,
)
from snellen.readers.track_videos import in_videos
from snellen.readers.typed_json import decoded, read_typed_json
from snellen.state import Keys
from snellen.tracking.judged_classes import JudgedClasses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.tracking.tracks import Tracks


__all__ = ["VideoTruth", "read_video_predictions", "read_video_truth"]

# Days of film: a longer video is a mistake, and its frames would be listed one by one.
_LONGEST: Final = 10_000_000


class _Video(msgspec.Struct):
    id: int | str
    name: str | None = None
    file_names: list[str] | None = None
    length: int | None = None
    neg_category_ids: list[int | str] | None = None
    not_exhaustive_category_ids: list[int | str] | None = None


class _Image(msgspec.Struct):
    id: int | str
    video_id: int | str
    frame_index: int | None = None
    frame_id: int | None = None


class _Truth(msgspec.Struct):
    videos: list[_Video]
    categories: list[VideoCategory]
    annotations: list[VideoRecord]
    images: list[_Image] | None = None


class _Results(msgspec.Struct):
    annotations: list[VideoRecord]


@dataclasses.dataclass(frozen=True, eq=False)
class VideoTruth:
    """The truth of a file of videos, and what it takes to read predictions for it.

    Attributes
    ----------
    tracks : Tracks
        The objects of all videos. Sequences are the names of videos (``/`` becomes ``-``), their
        ids where they have none of their own. The extra column ``crowd`` is 1 for crowds, and
        ``area``, where YouTube-VIS has it, is the annotated one.
    judged : JudgedClasses or None
        Classes that are known to be absent from videos, and those of which there may be more, as
        TAO says it; None where the file does not: then all classes were looked for in all videos.
    lists : VideoLists
        What records refer to.
    """

    tracks: Tracks
    judged: JudgedClasses | None
    lists: VideoLists


def read_video_truth(
    path: str | os.PathLike[str],
    *,
    shape: ShapeKind | None = None,
    document: bytes | None = None,
) -> VideoTruth:
    """Read the truth of COCO-VID, TAO or YouTube-VIS.

    Parameters
    ----------
    path : path
        The file, JSON, plain or ``.gz``.
    shape : {"boxes", "masks"}, optional
        Whether boxes or masks (run lengths) are read; without, masks where an annotation is an
        object in all frames and has them, else boxes.
    document : bytes, optional
        What the file holds, where it was read already; `path` is then but a name.

    Returns
    -------
    VideoTruth
        Frames have the numbers of ``frame_index`` or ``frame_id``; in YouTube-VIS they count from
        0. Categories that a category of TAO lists as ``merged`` become that one.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and record.
    """
    place = os.fspath(path)
    what = "videos with annotations"
    content = (
        read_typed_json(place, _Truth, what)
        if document is None
        else decoded(document, _Truth, what, place)
    )
    classes, class_at = classes_of(content.categories, f"{place} $.categories")
    names = _video_names(content.videos, f"{place} $.videos")
    videos = Keys(names, "sequence id")
    order = videos.codes(names).tolist()
    video_at = dict(zip((video.id for video in content.videos), order, strict=True))
    by_video = content.images is None
    n_frames = [0] * len(videos)
    images: dict[int | str, tuple[int, int]] = {}
    if content.images is None:
        for k, video in enumerate(content.videos):
            n_frames[order[k]] = _length(video, f"{place} $.videos[{k}]")
        listed = [(code, t) for code, length in enumerate(n_frames) for t in range(length)]
    else:
        images = _images_of(content.images, video_at, f"{place} $.images")
        listed = list(images.values())
        for code, _ in listed:
            n_frames[code] += 1
    if shape is None:
        has_masks = any(each.segmentations is not None for each in content.annotations)
        shape = "masks" if by_video and has_masks else "boxes"
    lists = VideoLists(video_at, tuple(n_frames), images, class_at, by_video, shape)
    rows = rows_of_records(content.annotations, lists, f"{place} $.annotations", is_truth=True)
    tracks = tracks_of_rows(rows, shape, videos, classes, place)
    return VideoTruth(
        in_videos(
            tracks,
            videos,
            np.array(n_frames, np.int64),
            np.array(listed, np.int64).reshape(-1, 2),
        ),
        _judged(names, content.videos),
        lists,
    )


def read_video_predictions(
    path: str | os.PathLike[str],
    truth: VideoTruth,
    *,
    max_per_image: int | None = None,
    unique_ids: bool = False,
    drop_unknown: bool = False,
    document: bytes | None = None,
) -> Tracks:
    """Read predictions for videos: a list of records, as COCO's results are.

    Parameters
    ----------
    path : path
        The file, JSON, plain or ``.gz``. Records have ``image_id``, ``category_id``, ``bbox`` (or
        ``segmentation``), ``score`` and ``track_id`` (or ``instance_id``); of YouTube-VIS
        ``video_id``, ``category_id``, ``segmentations`` (or ``bboxes``) and ``score``, and their
        ids are 0, 1, 2, … by sequence and place in the file, as TrackEval numbers them.
    truth : VideoTruth
        What `read_video_truth` returned.
    max_per_image : int, optional
        Only so many objects of an image are kept, those of the highest scores; TAO keeps 300.
    unique_ids : bool
        Give an id that several videos use another one in each of them, as TrackEval does. It
        matters for ties, and for id 0 under strict rules of track mAP.
    drop_unknown : bool
        Leave out records of images, videos or categories that truth does not list, with a
        `DataWarning`, instead of refusing them.
    document : bytes, optional
        What the file holds, where it was read already; `path` is then but a name.

    Returns
    -------
    Tracks
        With the sequences and classes of truth.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and record.
    """
    place = os.fspath(path)
    kind: Any = list[VideoRecord] | _Results
    what = "predictions for videos"
    content = (
        read_typed_json(place, kind, what)
        if document is None
        else decoded(document, kind, what, place)
    )
    of_list = isinstance(content, list)
    records: list[VideoRecord] = content if of_list else content.annotations
    at = f"{place} $" if of_list else f"{place} $.annotations"
    lists, known = truth.lists, truth.tracks
    rows = rows_of_records(records, lists, at, is_truth=False, drop_unknown=drop_unknown)
    if max_per_image is not None and not lists.by_video:
        rows = best_of_images(rows, max_per_image)
    if unique_ids and not lists.by_video:
        rows = rows._replace(track=numbered_anew(rows, place))
    tracks = tracks_of_rows(rows, lists.shape, known.sequences, known.classes, place)
    return in_videos(tracks, known.sequences, known.n_frames, known.seen)


# ---- What a truth file lists --------------------------------------------------------------------


def _video_names(videos: Sequence[_Video], place: str) -> list[Any]:
    """Return what videos are called: their names, the folders of their files, or their ids."""
    ids = [video.id for video in videos]
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise IdError(f"expected each video id once, got {twice} again", place)
    folders = [
        video.file_names[0].split("/")[0] if video.file_names and "/" in video.file_names[0] else ""
        for video in videos
    ]
    named = [(video.name or "").replace("/", "-") for video in videos]
    return next(
        (each for each in (named, folders) if all(each) and len(set(each)) == len(ids)), ids
    )


def _length(video: _Video, place: str) -> int:
    if video.file_names is not None:
        return len(video.file_names)
    if video.length is None:
        raise SchemaError('expected the length of the video, "file_names" or "length"', place)
    if not 0 <= video.length <= _LONGEST:
        raise SchemaError(
            f"expected a length from 0 to {_LONGEST:,} frames, got {video.length}",
            f"{place}.length",
        )
    return video.length


def _images_of(
    images: Sequence[_Image], video_at: Mapping[int | str, int], place: str
) -> dict[int | str, tuple[int, int]]:
    """Return the video (position) and the number of each image."""
    found: dict[int | str, tuple[int, int]] = {}
    taken: dict[tuple[int, int], int] = {}
    for k, image in enumerate(images):
        number = image.frame_id if image.frame_index is None else image.frame_index
        if number is None:
            raise SchemaError(
                'expected the number of the frame, "frame_index" or "frame_id"', f"{place}[{k}]"
            )
        if image.video_id not in video_at:
            raise IdError(
                f"expected the id of a video that the file lists, got {image.video_id}",
                f"{place}[{k}].video_id",
            )
        if image.id in found:
            raise IdError(f"expected each image id once, got {image.id} again", f"{place}[{k}].id")
        frame = video_at[image.video_id], number
        if taken.setdefault(frame, k) != k:
            raise IdError(
                f"expected each frame of a video once, got frame {number} of video "
                f"{image.video_id} in images {taken[frame]} and {k}",
                f"{place}[{k}]",
            )
        found[image.id] = frame
    return found


def _judged(names: Sequence[Any], videos: Sequence[_Video]) -> JudgedClasses | None:
    negative = [video.neg_category_ids for video in videos]
    not_exhaustive = [video.not_exhaustive_category_ids for video in videos]
    if all(each is None for each in (*negative, *not_exhaustive)):
        return None
    return JudgedClasses(
        *(
            frozenset(
                (name, each)
                for name, of_video in zip(names, lists, strict=True)
                for each in of_video or ()
            )
            for lists in (negative, not_exhaustive)
        )
    )
