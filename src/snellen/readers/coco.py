"""COCO annotation and results files to boxes, masks and keypoints."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, overload

import numpy as np

from snellen import _core
from snellen.arrays import is_array, to_numpy
from snellen.errors import InputError, ShapeError
from snellen.readers.coco_file import checked, read_raw_truth
from snellen.readers.coco_records import as_json, with_texts
from snellen.readers.coco_results import predicted, read_results
from snellen.readers.coco_rows import predicted_rows, truth_rows
from snellen.readers.left_out import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks
    from snellen.detection.poses import Poses

__all__ = [
    "CocoKind",
    "read_coco_predictions",
    "read_coco_truth",
    "truth_boxes",
]

CocoKind: TypeAlias = Literal["box", "mask", "keypoints"]
"""What is read of objects: ``bbox``, ``segmentation`` or ``keypoints``."""

_KINDS = ("box", "mask", "keypoints")


@overload
def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["box"] = "box",
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes: ...
@overload
def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["mask"],
    complete: bool = False,
    drop_unknown: bool = False,
) -> Masks: ...
@overload
def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["keypoints"],
    complete: bool = False,
    drop_unknown: bool = False,
) -> Poses: ...
@overload
def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: CocoKind,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes | Masks | Poses: ...
def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: CocoKind = "box",
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes | Masks | Poses:
    """Read the boxes, masks or keypoints of a COCO annotation file.

    Parameters
    ----------
    source : path, or mapping
        The file (plain JSON, or gzipped with a name that ends in ``.gz``), or what it holds.
    kind : {"box", "mask", "keypoints"}
        What is read of each object beside its image, class, area …
    complete : bool
        Refuse annotations without ``id``, ``area`` or ``iscrowd``, and keypoints without ``bbox``
        or ``num_keypoints``, as the reference does. Else area is width times height, or of masks
        the number of their pixels, no object is a crowd, and keypoints are counted, where the file
        does not say.
    drop_unknown : bool
        Leave out annotations of images or categories that the file does not list, with a
        `DataWarning`, instead of refusing them.

    Returns
    -------
    Boxes, Masks or Poses
        Truth in file order; all images and all categories of the file.

        Masks: polygons, of which several are joined to one object, are filled as pycocotools fills
        them, which needs ``height`` and ``width`` of their images; run lengths may be text or
        lists. Polygons of less than three vertices have no pixels: beside others they are left
        out, with a `DataWarning`. Boxes are those of the file, else those around the masks.

        Keypoints: any number K, the same for all objects. Objects whose ``num_keypoints`` is 0 are
        ignored. Boxes that the file does not have are those around labelled keypoints. Images may
        have a ``crowdIndex``, as CrowdPose's.

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        The message names file, record and field.
    """
    _check_kind(kind)
    if isinstance(source, (str, os.PathLike)):
        raw, place = read_raw_truth(source, kind), os.fspath(source)
    else:
        place = "truth"
        plain = source
        if kind == "mask" and isinstance(source, Mapping) and "annotations" in source:
            plain = {**source, "annotations": with_texts(source["annotations"])}
        raw = checked(_core.read_coco_truth(as_json(plain), kind), place)
    if kind == "mask":
        from snellen.readers.coco_masks import truth_masks

        return truth_masks(raw, place, complete=complete, drop_unknown=drop_unknown)
    if kind == "keypoints":
        from snellen.readers.coco_poses import truth_poses

        return truth_poses(raw, place, complete=complete, drop_unknown=drop_unknown)
    return truth_boxes(raw, place, complete=complete, drop_unknown=drop_unknown)


@overload
def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Boxes,
    *,
    kind: Literal["box"] | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes: ...
@overload
def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Masks,
    *,
    kind: Literal["mask"] | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Masks: ...
@overload
def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Poses,
    *,
    kind: Literal["keypoints"] | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Poses: ...
@overload
def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Boxes | Masks | Poses,
    *,
    kind: CocoKind | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes | Masks | Poses: ...
def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Boxes | Masks | Poses,
    *,
    kind: CocoKind | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes | Masks | Poses:
    """Read the boxes, masks or keypoints of a COCO results file.

    Parameters
    ----------
    source : path, sequence of mapping, or array of shape (n, 7)
        The file (plain or ``.gz``), or its records, or, of boxes, rows of image id, left, top,
        width, height, score, category id (as pycocotools' ``loadRes`` takes them; areas are
        computed in the array's own precision, as there); of NumPy, or a tensor.
    truth : Boxes, Masks or Poses
        What `read_coco_truth` returned: its images and categories are those that count.
    kind : {"box", "mask", "keypoints"}, optional
        What is read of each object; that of truth where not given.
    complete : bool
        Do as the reference does: refuse an empty list, and where the first record has a ``bbox``,
        take the area of each object from its ``bbox``, of masks and keypoints too. That puts
        objects into other size ranges than their masks would; tools that write results leave the
        boxes of masks out for that reason. A record without ``segmentation`` has then its box as
        mask. Where the first has no ``bbox`` and a ``segmentation``, keypoints have the box and
        the area of their masks.
    drop_unknown : bool
        Leave out predictions of images or categories that truth does not list, with a
        `DataWarning`, instead of refusing them.

    Returns
    -------
    Boxes, Masks or Poses
        Scored objects in file order.

        Boxes: where the first record has no ``bbox``, those of its masks, with the masks' areas, or
        those around its keypoints.

        Masks: areas are the numbers of their pixels, boxes those of the file, else those around
        the masks. They must be of the size of their image in truth, where that is known. Polygons
        are taken as in truth.

        Keypoints: area and box are those of the smallest box around all keypoints.

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        The message names file, record and field.
    """
    kind = truth.kind if kind is None else kind
    _check_kind(kind)
    if is_array(source):
        if kind != "box":
            raise InputError(
                "expected a path or records, got an array: rows of numbers are of boxes alone",
                "predictions",
            )
        return _boxes_of_rows(
            to_numpy(source, "predictions"), truth.boxes, complete=complete,
            drop_unknown=drop_unknown,
        )  # fmt: skip
    results = read_results(source, kind)
    found = predicted(results, truth, complete=complete, drop_unknown=drop_unknown)
    # Where a record has no box, its mask or its keypoints have one.
    return found.boxes if kind == "box" else found


def truth_boxes(
    raw: _core.CocoTruth,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
    with_ignored: bool = False,
) -> Boxes:
    """Return the boxes of an annotation file that was read; see `read_coco_truth`."""
    boxes = truth_rows(
        raw, place, complete=complete, drop_unknown=drop_unknown, with_ignored=with_ignored
    ).boxes
    assert boxes.area is not None
    lacks_area = np.isnan(boxes.area)
    if not lacks_area.any():
        return boxes
    warn(f"{lacks_area.sum()} boxes have no area: width times height is used", place)
    own_area = boxes.xywh[:, 2] * boxes.xywh[:, 3]
    return dataclasses.replace(boxes, area=np.where(lacks_area, own_area, boxes.area))


def _boxes_of_rows(
    rows: NDArray[Any], truth: Boxes, *, complete: bool, drop_unknown: bool
) -> Boxes:
    place = "predictions"
    if rows.ndim != 2 or rows.shape[1] != 7:
        raise ShapeError(
            "expected rows of 7 numbers: image id, left, top, width, height, score, category id; "
            f"got an array of shape {rows.shape}",
            place,
        )
    if rows.dtype.kind not in "iuf":
        raise InputError(f"expected numbers, got {rows.dtype}", place)
    if not np.isfinite(rows).all():
        _refuse_cell(~np.isfinite(rows), "a finite number", rows)
    with np.errstate(invalid="ignore"):  # what no int64 holds is none of it, and refused
        image_id, category_id = rows[:, 0].astype(np.int64), rows[:, 6].astype(np.int64)
    for column, ids in ((0, image_id), (6, category_id)):
        if (ids != rows[:, column]).any():
            _refuse_cell(ids != rows[:, column], "a whole number", rows, column)
    for column in (3, 4):
        if (rows[:, column] < 0).any():
            _refuse_cell(rows[:, column] < 0, "a size of at least 0", rows, column)
    # In the array's own precision: float32 rows have float32 areas in the reference.
    with np.errstate(over="ignore"):  # infinite ones are refused with the rest
        area = rows[:, 3] * rows[:, 4]
    return predicted_rows(
        truth,
        (image_id, None),
        (category_id, None),
        rows[:, 1:5].astype(np.float64),
        area.astype(np.float64),
        rows[:, 5].astype(np.float64),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    ).boxes


def _refuse_cell(
    wrong: NDArray[np.bool_], expected: str, rows: NDArray[Any], column: int = 0
) -> NoReturn:
    """Raise an error that names the first wrong cell of all, or of one column."""
    row, *rest = np.argwhere(wrong)[0].tolist()
    at = (row, *(rest or [column]))
    raise InputError(f"expected {expected}, got {rows[at]}", f"predictions[{at[0]}, {at[1]}]")


def _check_kind(kind: str) -> None:
    if kind not in _KINDS:
        raise InputError(f"expected {', '.join(_KINDS)}, got {kind!r}", "kind")
