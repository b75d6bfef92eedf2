"""What COCO objects of every kind have: images, classes, ids, scores, as columns that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.boxes import Boxes, refuse_unmeasurable
from snellen.errors import (
    ClassError,
    IdError,
    InputError,
    SchemaError,
    first_few,
)
from snellen.readers.left_out import warn
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    # Numbers, or positions in the texts beside them.
    IdColumn = tuple[NDArray[np.int64], list[str] | None]

__all__ = ["ObjectRows", "predicted_rows", "refuse_missing", "truth_rows"]

# Of marks of objects, beside 0 and 1.
_ABSENT, _NO_MARK = 2, 3


class ObjectRows(NamedTuple):
    """The objects of a file, some of which may have been left out.

    Attributes
    ----------
    boxes : Boxes
        Of the objects that are left; sides and areas are NaN where the file has none.
    known : ndarray of bool, or None
        Which records of the file are left; None where all are.
    place : str
        Where the records stand, for messages.
    image_ids : ndarray or None
        Of truth: the ids of the images in the order of the file.
    """

    boxes: Boxes
    known: NDArray[np.bool_] | None
    place: str
    image_ids: NDArray[Any] | None = None

    def kept(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return the rows of a column of all records that are left."""
        return column if self.known is None else column[self.known]

    def record(self, row: int) -> str:
        """Return where the record of a row that is left stands."""
        number = row if self.known is None else int(np.flatnonzero(self.known)[row])
        return f"{self.place}[{number}]"

    def refuse_first(self, wrong: NDArray[np.bool_], message: str, field: str = "") -> None:
        """Refuse rows, with the place of the first; ``{n}`` in the message is their number."""
        if wrong.any():
            place = self.record(int(np.argmax(wrong))) + field
            raise SchemaError(message.replace("{n}", f"{np.count_nonzero(wrong):,}"), place)

    def refuse_without_box(self) -> None:
        """Refuse rows without a box, where the first record has one."""
        self.refuse_first(
            np.isnan(self.boxes.xywh[:, 0]),
            'expected the key "bbox" in every record, as the first has it, {n} lack it '
            "(protocol coco does without)",
        )


def truth_rows(
    raw: _core.CocoTruth,
    place: str,
    *,
    complete: bool,
    drop_unknown: bool,
    with_ignored: bool = False,
) -> ObjectRows:
    """Return the objects of an annotation file that was read; see `read_coco_truth`.

    `with_ignored`: read ``ignore``, too, which COCO's annotations may have, and its rules do not
    look at.
    """
    image_ids = _ids(raw.image_id())
    images = Keys(image_ids, "image id")
    category_ids, names = _ids(raw.category_id()), raw.category_name()
    try:
        classes = Classes(category_ids, names)
    except ClassError as error:
        raise ClassError(str(error), f"{place} $.categories") from None
    of_image = _Reference(images, raw.box_image_id(), IdError, "image", "images")
    of_class = _Reference(classes.keys, raw.box_category_id(), ClassError, "category", "categories")
    image, label = of_image.codes(), of_class.codes()
    xywh, area, crowd = raw.xywh(), raw.area(), raw.crowd()
    # A column can be taken once.
    has_id = raw.box_has_id() != 0
    records = f"{place} $.annotations"
    box_id = _annotation_ids(raw.box_id(), has_id, records)
    _refuse_unmeasurable(xywh, records)
    if complete:
        refuse_missing("area", np.isnan(area), records)
        refuse_missing("iscrowd", crowd == _ABSENT, records)
        refuse_missing("id", ~has_id, records)
    crowd[crowd == _ABSENT] = 0
    known = _known_rows([(of_image, image), (of_class, label)], records, drop_unknown)
    ignored = _ignored(raw.ignored(), records) if with_ignored else None
    boxes = Boxes(
        image, label, xywh, area, images, classes, crowd=crowd, id=box_id, ignored=ignored
    )
    return ObjectRows(boxes if known is None else boxes[known], known, records, image_ids)


def _ignored(mark: NDArray[np.uint8], records: str) -> NDArray[np.uint8] | None:
    """Return which objects are ignored; None where no record says."""
    if (mark == _NO_MARK).any():
        row = int(np.argmax(mark == _NO_MARK))
        raise SchemaError("expected 0, 1, true or false", f"{records}[{row}].ignore")
    if (mark == _ABSENT).all():
        return None
    mark[mark == _ABSENT] = 0
    return mark


def predicted_rows(
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
) -> ObjectRows:
    """Return scored objects; see `read_coco_predictions`."""
    if complete and not len(score):
        raise InputError(
            "expected at least one prediction: the reference refuses an empty list "
            "(protocol coco takes it)",
            place,
        )
    _refuse_unmeasurable(xywh, f"{place} $")
    of_image = _Reference(truth.images, image_column, IdError, "image", "images")
    of_class = _Reference(truth.classes.keys, label_column, ClassError, "category", "categories")
    image, label = of_image.codes(), of_class.codes()
    known = _known_rows([(of_image, image), (of_class, label)], f"{place} $", drop_unknown)
    boxes = Boxes(image, label, xywh, area, truth.images, truth.classes, score=score)
    return ObjectRows(boxes if known is None else boxes[known], known, f"{place} $")


def refuse_missing(field: str, lacks: NDArray[np.bool_], records: str) -> None:
    """Refuse what the reference does not do without."""
    if lacks.any():
        raise SchemaError(
            f'expected the key "{field}" in every record, {lacks.sum()} lack it '
            "(protocol coco does without)",
            f"{records}[{int(np.argmax(lacks))}]",
        )


def _refuse_unmeasurable(xywh: NDArray[np.float64], records: str) -> None:
    # Of masks and poses there may be no box; it is NaN then.
    row = _core.first_unmeasurable(xywh)
    if row < len(xywh) and np.isnan(xywh[row]).any():
        if np.isnan(xywh).all():
            return
        xywh = np.nan_to_num(xywh, nan=0)
    refuse_unmeasurable(xywh, records, ".bbox")


def _ids(column: IdColumn) -> NDArray[Any]:
    values, texts = column
    return values if texts is None else np.array(texts)[values]


def _annotation_ids(column: IdColumn, given: NDArray[np.bool_], records: str) -> NDArray[np.int64]:
    """Return the annotations' ids, refused where one comes twice; texts become 1, 2, 3, ….

    Only whether an id is 0 ever matters.
    """
    values, texts = column
    ordered = np.sort(values[given])
    if (ordered[1:] == ordered[:-1]).any():
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        shown = first_few(twice.tolist() if texts is None else [texts[i] for i in twice])
        raise IdError(
            f"expected each annotation id once, got {len(twice)} that come again: {shown}; "
            "number the annotations anew",
            records,
        )
    return values if texts is None else values + 1


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
        warn(f"{np.count_nonzero(~known)} records of unknown images or categories left out", place)
    return known
