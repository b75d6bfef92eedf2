"""COCO annotation and results files to boxes."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.boxes import Boxes, refuse_unmeasurable
from snellen.errors import (
    ClassError,
    DataWarning,
    IdError,
    InputError,
    SchemaError,
    ShapeError,
    first_few,
)
from snellen.readers.coco_file import checked, read_raw_results, read_raw_truth
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    # Numbers, or positions in the texts beside them.
    IdColumn = tuple[NDArray[np.int64], list[str] | None]

__all__ = ["predicted_boxes", "read_coco_predictions", "read_coco_truth", "truth_boxes"]


def read_coco_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes:
    """Read the boxes of a COCO annotation file.

    Parameters
    ----------
    source : path, or mapping
        The file (plain JSON, or gzipped with a name that ends in ``.gz``), or what it holds.
    complete : bool
        Refuse annotations without ``id``, ``area`` or ``iscrowd``, as the reference does. Else
        area is width times height, and no box is a crowd, where the file does not say.
    drop_unknown : bool
        Leave out annotations of images or categories that the file does not list, with a
        `DataWarning`, instead of refusing them.

    Returns
    -------
    Boxes
        Truth boxes in file order; all images and all categories of the file.

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        The message names file, record and field.
    """
    if isinstance(source, (str, os.PathLike)):
        raw, place = read_raw_truth(source), os.fspath(source)
    else:
        place = "truth"
        raw = checked(_core.read_coco_truth(_encode(source)), place)
    return truth_boxes(raw, place, complete=complete, drop_unknown=drop_unknown)


def read_coco_predictions(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: Boxes,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes:
    """Read the boxes of a COCO results file.

    Parameters
    ----------
    source : path, sequence of mapping, or ndarray of shape (n, 7)
        The file (plain or ``.gz``), or its records, or rows of image id, left, top, width,
        height, score, category id (as pycocotools' ``loadRes`` takes them; areas are computed in
        the array's own precision, as there).
    truth : Boxes
        What `read_coco_truth` returned: its images and categories are those that count.
    complete : bool
        Refuse an empty list, as the reference does.
    drop_unknown : bool
        Leave out predictions of images or categories that truth does not list, with a
        `DataWarning`, instead of refusing them.

    Returns
    -------
    Boxes
        Scored boxes in file order.

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        The message names file, record and field.
    """
    if isinstance(source, np.ndarray):
        return _boxes_of_rows(source, truth, complete=complete, drop_unknown=drop_unknown)
    if isinstance(source, (str, os.PathLike)):
        raw, place = read_raw_results(source), os.fspath(source)
    else:
        place = "predictions"
        raw = checked(_core.read_coco_results(_encode(list(source))), place)
    return predicted_boxes(raw, truth, place, complete=complete, drop_unknown=drop_unknown)


def truth_boxes(
    raw: _core.CocoTruth, place: str, *, complete: bool = False, drop_unknown: bool = False
) -> Boxes:
    """Return the boxes of an annotation file that was read; see `read_coco_truth`."""
    images = Keys(_ids(raw.image_id()), "image id")
    category_ids, names = _ids(raw.category_id()), raw.category_name()
    try:
        classes = Classes(category_ids, names)
    except ClassError as error:
        raise ClassError(str(error), f"{place} $.categories") from None
    of_image = _Reference(images, raw.box_image_id(), IdError, "image", "images")
    of_class = _Reference(classes.keys, raw.box_category_id(), ClassError, "category", "categories")
    image, label = of_image.codes(), of_class.codes()
    xywh, area, crowd = raw.xywh(), raw.area(), raw.crowd()
    box_id = _annotation_ids(raw, place)
    refuse_unmeasurable(xywh, f"{place} $.annotations", ".bbox")

    lacks_area = np.isnan(area)
    if complete:
        _refuse_missing("area", lacks_area, place)
        _refuse_missing("iscrowd", crowd == 2, place)
        _refuse_missing("id", raw.box_has_id() == 0, place)
    if lacks_area.any():
        _warn(f"{lacks_area.sum()} boxes have no area: width times height is used", place)
        area = np.where(lacks_area, xywh[:, 2] * xywh[:, 3], area)
    crowd[crowd == 2] = 0

    known = _known_rows(
        [(of_image, image), (of_class, label)], f"{place} $.annotations", drop_unknown
    )
    boxes = Boxes(image, label, xywh, area, images, classes, crowd=crowd, id=box_id)
    return boxes if known is None else boxes[known]


def predicted_boxes(
    raw: _core.CocoResults,
    truth: Boxes,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes:
    """Return the boxes of a results file that was read; see `read_coco_predictions`."""
    return _predicted(
        truth,
        raw.image_id(),
        raw.category_id(),
        raw.xywh(),
        None,
        raw.score(),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    )


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
    image_id, category_id = rows[:, 0].astype(np.int64), rows[:, 6].astype(np.int64)
    for column, ids in ((0, image_id), (6, category_id)):
        if (ids != rows[:, column]).any():
            _refuse_cell(ids != rows[:, column], "a whole number", rows, column)
    for column in (3, 4):
        if (rows[:, column] < 0).any():
            _refuse_cell(rows[:, column] < 0, "a size of at least 0", rows, column)
    return _predicted(
        truth,
        (image_id, None),
        (category_id, None),
        rows[:, 1:5].astype(np.float64),
        # In the array's own precision: float32 rows have float32 areas in the reference.
        (rows[:, 3] * rows[:, 4]).astype(np.float64),
        rows[:, 5].astype(np.float64),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    )


def _refuse_cell(
    wrong: NDArray[np.bool_], expected: str, rows: NDArray[Any], column: int = 0
) -> NoReturn:
    """Raise an error that names the first wrong cell of all, or of one column."""
    row, *rest = np.argwhere(wrong)[0].tolist()
    at = (row, *(rest or [column]))
    raise InputError(f"expected {expected}, got {rows[at]}", f"predictions[{at[0]}, {at[1]}]")


def _predicted(
    truth: Boxes,
    image_column: IdColumn,
    label_column: IdColumn,
    xywh: NDArray[np.float64],
    area: NDArray[np.float64] | None,
    score: NDArray[np.float64],
    place: str,
    *,
    complete: bool,
    drop_unknown: bool,
) -> Boxes:
    if complete and not len(score):
        raise InputError(
            "expected at least one prediction: the reference refuses an empty list "
            "(protocol coco takes it)",
            place,
        )
    refuse_unmeasurable(xywh, f"{place} $", ".bbox")
    of_image = _Reference(truth.images, image_column, IdError, "image", "images")
    of_class = _Reference(truth.classes.keys, label_column, ClassError, "category", "categories")
    image, label = of_image.codes(), of_class.codes()
    known = _known_rows([(of_image, image), (of_class, label)], f"{place} $", drop_unknown)
    boxes = Boxes(image, label, xywh, area, truth.images, truth.classes, score=score)
    return boxes if known is None else boxes[known]


def _encode(records: Any) -> bytes:
    """Return records as JSON, so that one reader checks files and records alike."""
    import msgspec

    def plain(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        raise TypeError(f"a value of type {type(value).__name__}")

    try:
        return msgspec.json.encode(records, enc_hook=plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"expected records that JSON can hold, got {error}") from error


def _ids(column: IdColumn) -> NDArray[Any]:
    values, texts = column
    return values if texts is None else np.array(texts)[values]


def _annotation_ids(raw: _core.CocoTruth, place: str) -> NDArray[np.int64]:
    """Return the annotations' ids, refused where one comes twice; texts become 1, 2, 3, ….

    Only whether an id is 0 ever matters.
    """
    values, texts = raw.box_id()
    given = values[raw.box_has_id() != 0]
    ordered = np.sort(given)
    if (ordered[1:] == ordered[:-1]).any():
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        shown = first_few(twice.tolist() if texts is None else [texts[i] for i in twice])
        raise IdError(
            f"expected each annotation id once, got {len(twice)} that come again: {shown}; "
            "number the annotations anew",
            f"{place} $.annotations",
        )
    return values if texts is None else values + 1


def _refuse_missing(field: str, lacks: NDArray[np.bool_], place: str) -> None:
    if lacks.any():
        raise SchemaError(
            f'expected the key "{field}" in every record, {lacks.sum()} lack it '
            "(protocol coco does without)",
            f"{place} $.annotations[{int(np.argmax(lacks))}]",
        )


class _Reference(NamedTuple):
    """A column of ids that refers to a list of the annotation file."""

    keys: Keys
    column: IdColumn
    error: type[InputError]
    what: str  # "image"
    section: str  # "images"

    def codes(self) -> NDArray[np.int32]:
        """Return the position of each id in the list, -1 for those it lacks."""
        values, texts = self.column
        return self.keys.codes(values) if texts is None else self.keys.codes(texts)[values]

    def refuse(self, absent: NDArray[np.bool_], place: str) -> NoReturn:
        """Raise the error that names the ids which the list lacks."""
        unknown = np.unique(_ids(self.column)[absent]).tolist()
        listed = "texts" if self.keys.is_text else "numbers"
        differ = len(self.keys) and self.keys.is_text != isinstance(unknown[0], str)
        remedy = (
            f"that file's are {listed}, convert one side"
            if differ
            else "drop_unknown (--drop-unknown) leaves such records out"
        )
        shown = first_few(f'"{value}"' if isinstance(value, str) else value for value in unknown)
        raise self.error(
            f"expected {self.what} ids that the annotation file lists in {self.section}, got "
            f"{len(unknown)} unknown ones in {np.count_nonzero(absent)} records: {shown}; {remedy}",
            f"{place}[{int(np.argmax(absent))}]",
        )


def _known_rows(
    references: Sequence[tuple[_Reference, NDArray[np.int32]]], place: str, drop_unknown: bool
) -> NDArray[np.bool_] | None:
    """Return which rows refer to listed ids only; None where all do."""
    known: NDArray[np.bool_] | None = None
    for reference, codes in references:
        if not len(codes) or codes.min() >= 0:
            continue
        absent = codes < 0
        if not drop_unknown:
            reference.refuse(absent, place)
        known = ~absent if known is None else known & ~absent
    if known is not None:
        _warn(f"{np.count_nonzero(~known)} records of unknown images or categories left out", place)
    return known


def _warn(message: str, place: str) -> None:
    warnings.warn(f"{message} - at {place}", DataWarning, stacklevel=3)
