"""Labels of rows as classes: those of the rows themselves, of a list, or of truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

__all__ = ["classes_of_rows", "codes_in", "codes_of_none", "of_known_classes", "with_names"]


def classes_of_rows(
    rows: BoxRows, classes: Any, *, drop_unknown: bool
) -> tuple[Classes, NDArray[np.int32]]:
    """Return all classes, and the position of each label of rows among them."""
    if classes is not None:
        listed = ClassList.read(classes)
        return listed.classes, codes_in(rows, listed, "classes", drop_unknown=drop_unknown)
    known = rows.classes or Classes(np.array(list(rows.labels)) if rows.labels else [])
    return known, known.keys.codes(list(rows.labels))


def with_names(rows: BoxRows, written: str, of_truth: Classes, classes: Any) -> BoxRows:
    """Return rows whose labels are names where their numbers need not be those of truth's ids.

    Numbers of YOLO's texts and of plain ones count from 0, COCO's ids from 1 and with gaps: taking
    one for the other would give a number, and a wrong one.
    """
    own = rows.classes if classes is None else ClassList.read(classes).classes
    if own is not None and any(own.names) and any(of_truth.names):
        listed = ClassList.read(own)
        labels = LabelSet(rows.labels, rows.path, lambda k: _first(rows, k))
        names = own.display_names()
        named = [names[code] for code in listed.codes(labels)]
        # Two numbers of one name are one class.
        distinct_names, code = distinct(named)
        return rows._replace(labels=distinct_names, label=code[rows.label])
    ids = of_truth.keys
    counted = written in ("yolo", "box-text") and not ids.is_text and rows.labels
    if counted and ids.ids.tolist() != list(range(len(ids))):
        numbers = whole_numbers([str(label) for label in rows.labels])
        if numbers is not None:
            raise ClassError(
                f"expected names of classes, or truth whose classes are numbered from 0, got class "
                f"numbers ({few(sorted(numbers))}) for truth's ids ({few(ids.ids.tolist())}): say "
                "which number is which name with classes= (--classes)",
                rows.path,
            )
    return rows


def _first(rows: BoxRows, k: int) -> str:
    """Return where the first box of a label stands."""
    having = np.flatnonzero(rows.label == k)
    return rows.place(int(having[0])) if len(having) else rows.path


def codes_in(
    rows: BoxRows, listed: ClassList, what: str, *, drop_unknown: bool
) -> NDArray[np.int32]:
    """Return the position of each label in a list, -1 where it is not there or no box has it.

    Raises
    ------
    ClassError
        For a box of a class that is not listed, unless such are left out.
    """
    used = np.bincount(rows.label, minlength=len(rows.labels)) > 0
    if not drop_unknown:
        # What no box has is of no interest.
        codes = np.full(len(rows.labels), -1, np.int32)
        places = np.flatnonzero(used)
        labels = LabelSet(
            [rows.labels[k] for k in places], rows.path, lambda k: _first(rows, places[k])
        )
        try:
            codes[places] = listed.codes(labels)
        except ClassError as error:
            raise ClassError(
                f"{error.message}; drop_unknown (--drop-unknown) leaves such boxes out", error.place
            ) from None
        return codes
    found = [listed.code(label) for label in rows.labels]
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
