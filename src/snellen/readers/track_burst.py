"""BURST files: masks of TAO's videos, sequence by sequence and frame by frame."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from snellen.errors import ClassError, IdError, SchemaError
from snellen.readers.track_coco_rows import (
    ObjectRows,
    VideoCategory,
    best_of_images,
    classes_of,
    tracks_of_rows,
)
from snellen.readers.track_videos import in_videos, number_ids
from snellen.readers.typed_json import read_typed_json
from snellen.state import Keys
from snellen.tracking.judged_classes import JudgedClasses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.classes import Classes
    from snellen.tracking.tracks import Tracks

__all__ = ["BURST_DISTRACTORS", "BurstTruth", "read_burst_predictions", "read_burst_truth"]

BURST_DISTRACTORS: Final = frozenset(
    (
        *(20, 63, 108, 180, 188, 204, 212, 247, 303, 403, 407, 415, 490, 504, 507, 513, 529, 567),
        *(569, 588, 672, 691, 702, 708, 711, 720, 736, 737, 798, 813, 815, 827, 831, 851, 877, 883),
        *(912, 971, 976, 1130, 1133, 1134, 1169, 1184, 1220),
    )
)
"""The categories of TAO that are not evaluated."""

_WHAT: Final = "BURST sequences"


class _Mask(msgspec.Struct):
    rle: str
    category_id: int | None = None
    score: float | None = None


class _Sequence(msgspec.Struct):
    dataset: str
    seq_name: str
    annotated_image_paths: list[str]
    segmentations: list[dict[str, _Mask]]
    width: int | None = None
    height: int | None = None
    track_category_ids: dict[str, int] | None = None
    neg_category_ids: list[int] = []
    not_exhaustive_category_ids: list[int] = []


class _Burst(msgspec.Struct):
    sequences: list[_Sequence]
    split: str | None = None
    categories: list[VideoCategory] | None = None


class _Categories(msgspec.Struct):
    categories: list[VideoCategory]


@dataclasses.dataclass(frozen=True, eq=False)
class BurstTruth:
    """The truth of a BURST file, and what it takes to read predictions for it.

    Attributes
    ----------
    tracks : Tracks
        The masks of all sequences, which are called as TrackEval calls them:
        ``split-dataset-name``.
    judged : JudgedClasses
        Classes that are known to be absent from sequences, and those of which there may be more.
    frames : mapping
        The position of the sequence and the number of each image, by data set, name and path.
    sizes : mapping
        Height and width of the images of each sequence, by data set and name.
    class_at : mapping
        The position of each category among the classes.
    """

    tracks: Tracks
    judged: JudgedClasses
    frames: Mapping[tuple[str, str, str], tuple[int, int]]
    sizes: Mapping[tuple[str, str], tuple[int, int]]
    class_at: Mapping[int | str, int]


class _Row(NamedTuple):
    video: int
    frame: int
    label: int
    track: str
    mask: bytes
    score: float
    place: str


def read_burst_truth(
    path: str | os.PathLike[str], *, categories: str | os.PathLike[str] | None = None
) -> BurstTruth:
    """Read the annotations of BURST.

    Parameters
    ----------
    path : path
        The file, JSON, plain or ``.gz``.
    categories : path, optional
        A JSON list of TAO's categories, or a file that has it under ``categories``: names, and
        which are merged. Without, those of the file itself; without these, categories have no
        names and none is merged.

    Returns
    -------
    BurstTruth
        Objects of `BURST_DISTRACTORS` are left out, as TrackEval leaves them out. Frames have the
        numbers that end the names of their images.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and record.
    """
    place = os.fspath(path)
    content = read_typed_json(place, _Burst, _WHAT)
    classes, class_at = _classes(content, place, categories)
    names = [
        "-".join(part for part in (content.split, each.dataset, each.seq_name) if part).replace(
            "/", "-"
        )
        for each in content.sequences
    ]
    videos = Keys.once_each(names, "sequence id", f"{place} $.sequences")
    codes = videos.codes(names).tolist()
    frames: dict[tuple[str, str, str], tuple[int, int]] = {}
    sizes: dict[tuple[str, str], tuple[int, int]] = {}
    rows: list[_Row] = []
    for k, (each, code) in enumerate(zip(content.sequences, codes, strict=True)):
        at = f"{place} $.sequences[{k}]"
        if each.height is None or each.width is None:
            raise SchemaError('expected the keys "height" and "width"', at)
        size = sizes[each.dataset, each.seq_name] = each.height, each.width
        for t, image in enumerate(each.annotated_image_paths):
            number = re.search(r"(\d+)\.\w+$", image)
            if number is None:
                raise SchemaError(
                    f'expected an image whose name ends with its number, got "{image}"',
                    f"{at}.annotated_image_paths[{t}]",
                )
            frames[each.dataset, each.seq_name, image] = code, int(number[1])
        for image, track, mask, where in _masks_of(each, at):
            label = _label(each, track, mask, where)
            if label in BURST_DISTRACTORS:
                continue
            rows.append(
                _Row(
                    *frames[each.dataset, each.seq_name, image],
                    _class_code(class_at, label, where),
                    track,
                    _json(size, mask.rle),
                    1.0,
                    where,
                )
            )
    tracks = tracks_of_rows(_as_rows(rows, is_truth=True), "masks", videos, classes, place)
    listed = np.array(list(frames.values()), np.int64).reshape(-1, 2)
    if len(set(frames.values())) < len(frames):
        raise IdError("expected each frame of a sequence once, got images of equal number", place)
    n_frames = np.bincount(listed[:, 0], minlength=len(videos)).astype(np.int64)
    return BurstTruth(
        in_videos(tracks, videos, n_frames, listed),
        JudgedClasses(
            *(
                frozenset(
                    (name, label)
                    for name, each in zip(names, content.sequences, strict=True)
                    for label in getattr(each, field)
                )
                for field in ("neg_category_ids", "not_exhaustive_category_ids")
            )
        ),
        frames,
        sizes,
        class_at,
    )


def read_burst_predictions(
    path: str | os.PathLike[str],
    truth: BurstTruth,
    *,
    exemplar_guided: bool = False,
    max_per_image: int | None = None,
) -> Tracks:
    """Read predictions for BURST.

    Parameters
    ----------
    path : path
        The file, JSON, plain or ``.gz``, in the structure of the annotations; a mask may have a
        ``score`` (else it is 1) and a ``category_id``.
    truth : BurstTruth
        What `read_burst_truth` returned. Images that it does not list are left out: predictions
        may have more frames.
    exemplar_guided : bool
        Whether track ids are those of truth, whose categories they then have; others are left out.
    max_per_image : int, optional
        Only so many objects of an image are kept, those of the highest scores; BURST keeps 300.

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and record.
    """
    place = os.fspath(path)
    content = read_typed_json(place, _Burst, _WHAT)
    known = truth.tracks
    guide = {
        (code, str(known.track_name(track))): label
        for code, track, label in zip(
            known.sequence.tolist(), known.track.tolist(), known.label.tolist(), strict=True
        )
    }
    rows: list[_Row] = []
    for k, each in enumerate(content.sequences):
        owner = each.dataset, each.seq_name
        if owner not in truth.sizes:
            raise IdError(
                f"expected a sequence that truth lists, got {each.seq_name} of {each.dataset}",
                f"{place} $.sequences[{k}]",
            )
        for image, track, mask, where in _masks_of(each, f"{place} $.sequences[{k}]"):
            frame = truth.frames.get((*owner, image))
            if frame is None:
                continue
            if exemplar_guided:
                code = guide.get((frame[0], track))
                if code is None:
                    continue
            else:
                code = _class_code(truth.class_at, _label(each, track, mask, where), where)
            score = 1.0 if mask.score is None else mask.score
            rows.append(
                _Row(*frame, code, track, _json(truth.sizes[owner], mask.rle), score, where)
            )
    found = _as_rows(rows, is_truth=False)
    if max_per_image is not None:
        found = best_of_images(found, max_per_image)
    tracks = tracks_of_rows(found, "masks", known.sequences, known.classes, place)
    return in_videos(tracks, known.sequences, known.n_frames, known.seen)


def _classes(
    content: _Burst, place: str, categories: str | os.PathLike[str] | None
) -> tuple[Classes, dict[int | str, int]]:
    if categories is not None:
        place = os.fspath(categories)
        kind: Any = list[VideoCategory] | _Categories
        found = read_typed_json(place, kind, "categories")
        return classes_of(found if isinstance(found, list) else found.categories, place)
    if content.categories is not None:
        return classes_of(content.categories, f"{place} $.categories")
    ids = {
        label
        for each in content.sequences
        for label in (
            *(each.track_category_ids or {}).values(),
            *each.neg_category_ids,
            *each.not_exhaustive_category_ids,
        )
    }
    return classes_of([VideoCategory(label) for label in sorted(ids)], place)


def _masks_of(sequence: _Sequence, place: str) -> list[tuple[str, str, _Mask, str]]:
    """Return image, track, mask and place of each object."""
    if len(sequence.segmentations) != len(sequence.annotated_image_paths):
        raise SchemaError(
            f"expected the masks of {len(sequence.annotated_image_paths)} images, got those of "
            f"{len(sequence.segmentations)}",
            f"{place}.segmentations",
        )
    return [
        (image, track, mask, f"{place}.segmentations[{t}].{track}")
        for t, (image, masks) in enumerate(
            zip(sequence.annotated_image_paths, sequence.segmentations, strict=True)
        )
        for track, mask in masks.items()
    ]


def _label(sequence: _Sequence, track: str, mask: _Mask, place: str) -> int:
    if mask.category_id is not None:
        return mask.category_id
    label = (sequence.track_category_ids or {}).get(track)
    if label is None:
        raise SchemaError(f'expected track {track} among "track_category_ids"', place)
    return label


def _class_code(class_at: Mapping[int | str, int], label: int, place: str) -> int:
    if label not in class_at:
        raise ClassError(f"expected a category that is listed, got {label}", place)
    return class_at[label]


def _json(size: tuple[int, int], rle: str) -> bytes:
    return msgspec.json.encode({"size": size, "counts": rle})


def _as_rows(rows: Sequence[_Row], *, is_truth: bool) -> ObjectRows:
    return ObjectRows(
        np.array([row.video for row in rows], np.int64),
        np.array([row.frame for row in rows], np.int64),
        np.array([row.label for row in rows], np.int64),
        number_ids([row.track for row in rows]),
        np.arange(len(rows)),
        [row.mask for row in rows],
        None if is_truth else np.array([row.score for row in rows], np.float64),
        {},
        lambda k: rows[k].place,
    )
