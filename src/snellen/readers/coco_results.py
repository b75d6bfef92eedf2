"""Results of COCO: what their first record has, and objects of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen import _core
from snellen.errors import InputError
from snellen.readers.coco_file import (
    checked,
    kind_of_results,
    masks_of_results,
    read_raw_results,
)
from snellen.readers.coco_records import as_json, with_texts
from snellen.readers.coco_rows import predicted_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks
    from snellen.detection.poses import Poses

__all__ = ["Results", "predicted", "predicted_boxes", "read_results"]

_KEYS = {"box": "bbox", "mask": "segmentation", "keypoints": "keypoints"}


class Results(NamedTuple):
    """Results that were read.

    Attributes
    ----------
    kind : str
        What was read of each object.
    raw : CocoResults
        That.
    masks : callable
        Reads the masks of the same objects, where the first has one; else returns None.
    place : str
        For messages.
    """

    kind: str
    raw: _core.CocoResults
    masks: Callable[[], _core.CocoResults | None]
    place: str


def read_results(source: Any, kind: str) -> Results:
    """Read results; of boxes that the first record lacks its masks, else its keypoints.

    Raises
    ------
    SchemaError, InputError
        For what are no results.
    """
    if isinstance(source, (str, os.PathLike)):
        place = os.fspath(source)
        of_file = kind_of_results(place) if kind == "box" else kind
        return Results(
            of_file, read_raw_results(source, of_file), lambda: masks_of_results(place), place
        )
    place = "predictions"
    if isinstance(source, (Mapping, bytes)) or not isinstance(source, Iterable):
        raise InputError(
            "expected a path, a list of records, or an array of shape (n, 7), got "
            f"{type(source).__name__}",
            place,
        )
    records = list(source)
    of_records: str = kind
    if kind == "box":
        of_records = next((name for name in _KEYS if _has(records, _KEYS[name])), "box")

    def read(name: str) -> _core.CocoResults:
        plain = with_texts(records) if name == "mask" else records
        return checked(_core.read_coco_results(as_json(plain), name), place)

    def masks() -> _core.CocoResults | None:
        return read("mask") if _has(records, "segmentation") else None

    return Results(of_records, read(of_records), masks, place)


def _has(records: Sequence[Any], key: str) -> bool:
    """Return whether the first record has a key; of boxes an empty one is none."""
    if not records or not isinstance(records[0], Mapping) or key not in records[0]:
        return False
    return key != "bbox" or not isinstance(records[0][key], list) or bool(records[0][key])


def predicted(
    results: Results, truth: Boxes | Masks | Poses, *, complete: bool, drop_unknown: bool
) -> Boxes | Masks | Poses:
    """Return the objects of results that were read; see `read_coco_predictions`."""
    kind, raw, masks, place = results
    if kind == "mask":
        from snellen.readers.coco_masks import predicted_masks

        return predicted_masks(raw, truth, place, complete=complete, drop_unknown=drop_unknown)
    if kind == "keypoints":
        from snellen.readers.coco_poses import predicted_poses

        return predicted_poses(
            raw, truth, place, complete=complete, drop_unknown=drop_unknown, masks=masks
        )
    return predicted_boxes(raw, truth.boxes, place, complete=complete, drop_unknown=drop_unknown)


def predicted_boxes(
    raw: _core.CocoResults,
    truth: Boxes,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes:
    """Return the boxes of a results file that was read; see `read_coco_predictions`."""
    return predicted_rows(
        truth,
        raw.image_id(),
        raw.category_id(),
        raw.xywh(),
        None,
        raw.score(),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    ).boxes
