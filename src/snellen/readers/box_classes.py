"""Labels of rows as classes: those of the rows themselves, of a list, or of truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError
from snellen.readers.box_rows import distinct
from snellen.readers.class_list import ClassList, LabelSet, whole_numbers
from snellen.readers.left_out import warn
from snellen.readers.message_text import few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.readers.box_rows import BoxRows

__all__ = [
    "Labels",
    "are_of_predictions",
    "classes_of_rows",
    "codes_in",
    "codes_of_none",
    "of_known_classes",
    "with_names",
]


def classes_of_rows(
    rows: BoxRows, written: str, classes: Any, *, drop_unknown: bool
) -> tuple[Classes, NDArray[np.int32]]:
    """Return all classes, and the position of each label of rows among them."""
    if classes is not None:
        listed = ClassList.read(classes)
        labels = Labels(rows, _what_are(rows, written))
        return listed.classes, codes_in(labels, listed, "classes", drop_unknown=drop_unknown)
    known = rows.classes or Classes(np.array(list(rows.labels)) if rows.labels else [])
    return known, known.keys.codes(list(rows.labels))


class Labels(NamedTuple):
    """Rows, and what their labels are where it is known: ``"ids"`` or ``"names"``."""

    rows: BoxRows
    are: Literal["ids", "names"] | None


def _what_are(rows: BoxRows, written: str) -> Literal["ids"] | None:
    """Return what the labels of a file are; whole numbers in a table may be names."""
    return "ids" if rows.classes is not None or written in ("yolo", "coco") else None


def with_names(
    rows: BoxRows, written: str, of_truth: Classes, classes: Any, format_of_truth: str
) -> Labels:
    """Return rows whose labels are names where their numbers need not be those of truth's ids.

    Numbers of YOLO's texts and of plain ones count from 0, COCO's ids from 1 and with gaps: taking
    one for the other would give a number, and a wrong one.
    """
    own = rows.classes if classes is None else ClassList.read(classes).classes
    labels = Labels(rows, _what_are(rows, written))
    if own is not None and own.same_as(of_truth):
        return labels
    ids = of_truth.keys
    numbers = whole_numbers([str(label) for label in rows.labels]) if rows.labels else None
    # Ids that are texts are names, unless they are numbers, too.
    is_named = any(of_truth.names) or (
        ids.is_text and numbers is not None and whole_numbers(ids.ids.tolist()) is None
    )
    if own is not None and any(own.names) and is_named:
        listed = ClassList.read(own)
        of_rows = LabelSet(rows.labels, rows.path, lambda k: _first(rows, k), are=labels.are)
        names = own.display_names()
        # Two numbers of one name are one class.
        named, code = distinct([names[k] for k in listed.codes(of_rows)])
        return Labels(rows._replace(labels=named, label=code[rows.label]), "names")
    if numbers is not None:
        _check_numbers(rows, numbers, written, of_truth, format_of_truth)
    return labels


def _check_numbers(
    rows: BoxRows, numbers: list[int], written: str, of_truth: Classes, format_of_truth: str
) -> None:
    """Refuse class numbers that cannot be truth's ids, and say where they may be others.

    Raises
    ------
    ClassError
        For numbers beside names, numbers that count otherwise than truth's.
    """
    remedy = "say which number is which name with classes= (--classes)"
    ids = of_truth.keys
    counts = written in ("yolo", "box-text") or (written == "coco" and ids.is_text)
    if counts and not _may_be_ids(numbers, of_truth):
        wanted = "" if ids.is_text else ", or truth whose classes are numbered from 0"
        raise ClassError(
            f"expected names of classes{wanted}, got class numbers ({few(sorted(numbers))}) for "
            f"truth's ids ({few(ids.ids.tolist())}): {remedy}",
            rows.path,
        )
    used = sorted(numbers[k] for k in np.unique(rows.label).tolist())
    if written != "coco" or format_of_truth != "yolo" or not used or used[0] < 1:
        return
    if not any(of_truth.names):
        remedy += ", beside truth whose data.yaml names its classes"
    if used[-1] == len(ids):
        raise ClassError(
            f"expected class numbers from 0 to {len(ids) - 1}, as truth has them, got {used[0]} "
            f"to {used[-1]}: do they count from 1, as those of Ultralytics' predictions.json? "
            f"Then {remedy}",
            rows.path,
        )
    warn(
        "class numbers of predictions are taken to count from 0, as truth's do, though none is 0 "
        f"({few(used)}): if they count from 1, as those of Ultralytics' predictions.json, {remedy}",
        rows.path,
    )


def _may_be_ids(numbers: list[int], of_truth: Classes) -> bool:
    """Return whether numbers from 0 may be truth's ids."""
    ids = of_truth.keys.ids.tolist()
    if ids == list(range(len(ids))):
        return True
    known = {*ids, *of_truth.names}
    return of_truth.keys.is_text and any(str(number) in known for number in numbers)


def are_of_predictions(truth: str, of_truth: str, of_predictions: str) -> bool:
    """Return whether a list of classes beside two files is that of predictions.

    So it is where truth names its classes and predictions are COCO's numbers, or truth is COCO's.
    """
    if of_truth == "coco":
        return True
    if of_truth != "yolo" or of_predictions != "coco":
        return False
    from snellen.readers.yolo_files import find_yolo

    description = find_yolo(truth).description
    return description is not None and bool(description.names)


def _first(rows: BoxRows, k: int) -> str:
    """Return where the first box of a label stands."""
    having = np.flatnonzero(rows.label == k)
    return rows.place(int(having[0])) if len(having) else rows.path


def codes_in(
    labels: Labels, listed: ClassList, what: str, *, drop_unknown: bool
) -> NDArray[np.int32]:
    """Return the position of each label in a list, -1 where it is not there or no box has it.

    Raises
    ------
    ClassError
        For a box of a class that is not listed, unless such are left out.
    """
    rows, are = labels
    used = np.bincount(rows.label, minlength=len(rows.labels)) > 0
    if not drop_unknown:
        # What no box has is of no interest.
        codes = np.full(len(rows.labels), -1, np.int32)
        places = np.flatnonzero(used)
        of_boxes = LabelSet(
            [rows.labels[k] for k in places],
            rows.path,
            lambda k: _first(rows, places[k]),
            are=are,
        )
        try:
            codes[places] = listed.codes(of_boxes)
        except ClassError as error:
            raise ClassError(
                f"{error.message}; drop_unknown (--drop-unknown) leaves such boxes out", error.place
            ) from None
        return codes
    found = [listed.code(label, are=are) for label in rows.labels]
    codes = np.array([-1 if code is None else code for code in found], np.int32)
    lost = codes[rows.label] < 0 if len(codes) else np.zeros(0, np.bool_)
    if lost.any():
        names = [rows.labels[k] for k in np.flatnonzero((codes < 0) & used)]
        warn(
            f"{np.count_nonzero(lost):,} boxes of {len(names):,} classes that {what} does not have "
            f"left out: {few(names)}",
            rows.path,
        )
    return codes


def codes_of_none(rows: BoxRows, *, drop_unknown: bool) -> NDArray[np.int32]:
    """Return the codes of labels for truth without classes, which knows none."""
    if len(rows.label):
        if not drop_unknown:
            raise ClassError(
                "expected predictions of classes that truth has, which has no objects and lists no "
                "classes: classes (--classes) names them, drop_unknown (--drop-unknown) leaves all "
                "predictions out",
                rows.path,
            )
        warn(f"{len(rows.label):,} boxes left out, as truth has no classes", rows.path)
    return np.full(len(rows.labels), -1, np.int32)


def of_known_classes(rows: BoxRows, code_of_label: NDArray[np.int32]) -> BoxRows:
    """Return the rows whose labels have a code."""
    if not len(code_of_label) or code_of_label.min() >= 0:
        return rows
    return rows.taken(code_of_label[rows.label] >= 0)
