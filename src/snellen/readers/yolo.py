"""YOLO labels and predictions: a text a picture, a line an object.

A line is the class number, then centre x, centre y, width and height as parts of the picture's
width and height, and of a pose x and y, or x, y and visibility, of each keypoint; or, of an
oriented box, the class number and its four corners x1 y1 … x4 y4, or of a mask the points of its
outline, parts too. Predictions have the confidence behind (``save_conf=True`` of Ultralytics).
Which of them lines are, `yolo_lines` says; they cannot be mixed in one data set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.detection.box_layouts import as_xywh
from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.box_rows import BoxRows, upright_of_corners
from snellen.readers.image_heads import image_sizes, picture_names
from snellen.readers.message_text import few
from snellen.readers.outlines import Outlines
from snellen.readers.text_rows import (
    NumberRows,
    TextRows,
    cells_of_lines,
    read_documents,
    text_files,
)
from snellen.readers.yolo_faults import line_fault
from snellen.readers.yolo_files import description_around, find_yolo
from snellen.readers.yolo_lines import BOX, LineForm, expected_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.readers.box_rows import ObjectKind
    from snellen.readers.yolo_description import YoloDescription
    from snellen.readers.yolo_lines import Expected

__all__ = ["read_yolo_predictions", "read_yolo_truth"]

_FIELDS: Final = ("centre x", "centre y", "width", "height")
_CORNERS: Final = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
_FEWEST_POINTS: Final = 3
# A box may stand out of its picture by the rounding of what wrote it; predictions, the corners of
# oriented boxes and polygons, by more.
_MOST_OF_TRUTH: Final = 1.01
_MOST_OF_OTHERS: Final = 2.0


def read_yolo_truth(
    path: str | os.PathLike[str], *, kind: ObjectKind | None = None, drop_unknown: bool = False
) -> BoxRows:
    """Read the objects of YOLO labels.

    Parameters
    ----------
    path : path
        ``data.yaml`` (of it the part ``val``); a folder that has one, or has ``images`` and
        ``labels``; a folder of labels, whose images are looked for in the folder of the same path
        with ``images`` for ``labels``, and its ``data.yaml`` around it; or a text.
    kind : str, optional
        What lines are, where they and ``data.yaml`` do not show it.
    drop_unknown : bool
        Leave out labels without an image instead of refusing them.

    Returns
    -------
    BoxRows
        Relative boxes, or objects of other kinds. Images are called by their paths
        below their folder without the ending; those without labels have no boxes. Sizes are those
        of the images where there are any. Class ids are the numbers.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field.
    """
    place = os.fspath(path)
    found = find_yolo(place)
    notes = list(found.notes)
    labels = dict(found.labels)
    if found.images is None:
        names, sizes, files = list(labels), None, None
        notes.append(f"{place}: no images beside the labels")
    else:
        names = list(found.images)
        strays = [name for name in labels if name not in found.images]
        if strays and not drop_unknown:
            raise IdError(
                f"expected an image for each text of labels, got {len(strays):,} without one: "
                f"{few(strays)}; drop_unknown (--drop-unknown) leaves them out",
                labels[strays[0]],
            )
        if strays:
            notes.append(f"{place}: {len(strays):,} texts of labels without an image left out")
        without = sum(name not in labels for name in names)
        if without:
            notes.append(f"{place}: {without:,} images have no labels: they hold no object")
        sizes, files = image_sizes(list(found.images.values())), picture_names(found.images)
    expected = expected_lines(kind, found.description, is_truth=True)
    rows = _read(place, names, labels, found.description, expected)
    beside = dict(rows.beside)
    if found.images is not None:
        beside["images"] = tuple(found.images.values())
    return rows._replace(sizes=sizes, names=files, notes=(*notes, *rows.notes), beside=beside)


def read_yolo_predictions(
    path: str | os.PathLike[str], *, kind: ObjectKind | None = None, n_keypoints: int = 0
) -> BoxRows:
    """Read the objects of YOLO predictions: a folder of texts, or a text.

    Parameters
    ----------
    path : path
        The folder, or one that has ``labels``; or a text.
    kind : str, optional
        What lines are: that of truth.
    n_keypoints : int
        How many keypoints truth has.

    Returns
    -------
    BoxRows
        Relative boxes, or objects of other kinds, with scores; images are those that have a text,
        class ids are the numbers.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field; predictions without scores are refused.
    """
    place = os.fspath(path)
    labels = text_files(place, ("labels",))
    description = description_around(place)
    expected = expected_lines(kind, description, is_truth=False, n_keypoints=n_keypoints)
    return _read(place, list(labels), labels, description, expected)


def _read(
    place: str,
    names: Sequence[str],
    labels: Mapping[str, str],
    description: YoloDescription | None,
    expected: Expected,
) -> BoxRows:
    having = [k for k, name in enumerate(names) if name in labels]
    paths = [labels[names[k]] for k in having]
    documents = read_documents(paths)
    cells = np.concatenate([np.zeros(0, np.int64), *map(cells_of_lines, documents)])
    form = expected.form(set(np.unique(cells[cells > 0]).tolist()))
    if form is None:
        fault = line_fault(paths, documents, expected)
        if fault is not None:
            raise fault
    lines = _polygons if form is not None and form.kind == "mask" else _fixed
    try:
        found = lines(place, paths, documents, form or LineForm("box"), is_truth=expected.is_truth)
    except SchemaError as error:
        raise line_fault(paths, documents, expected) or error from None
    class_id, file, where = found.class_id, found.file, found.columns["place"]
    wrong = class_id < 0
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"expected class numbers from 0 on, got {class_id[row]}", where(row))
    ids = np.unique(class_id)
    beside = {"labels": paths}
    if description is not None:
        beside["description"] = [description.place]
    return BoxRows(
        images=list(names),
        image=np.array(having, np.int32)[file] if having else np.zeros(0, np.int32),
        labels=ids.tolist(),
        label=np.searchsorted(ids, class_id).astype(np.int32),
        path=place,
        relative=True,
        classes=_classes(description, class_id, where),
        beside=beside,
        **found.columns,
    )


class _Lines(NamedTuple):
    """The lines of all texts."""

    file: NDArray[np.int32]
    class_id: NDArray[np.int64]
    columns: dict[str, Any]


def _fixed(
    place: str,
    paths: Sequence[str],
    documents: Sequence[bytes],
    form: LineForm,
    *,
    is_truth: bool,
) -> _Lines:
    """Return lines of as many numbers each: boxes, oriented boxes, poses."""
    what = "YOLO labels" if is_truth else "YOLO predictions"
    width = form.width + (not is_truth)
    rows = TextRows(place, paths, documents, widths=(width,), what=what)
    class_id = rows.whole(0, "class")
    columns: dict[str, Any] = {"place": rows.place, "layout": "cxcywh"}
    if form.kind == "oriented":
        corners = _parts(rows.matrix(1, _CORNERS), _CORNERS, rows, slice(None), _MOST_OF_OTHERS)
        columns["corners"] = corners
        columns["xywh"] = upright_of_corners(corners, rows.place)
        columns["layout"] = "xywh"
        columns["notes"] = (
            f"{place}: {rows.width} numbers a line: oriented boxes, by their four corners",
        )
    else:
        # Of negative sizes another message says more.
        most = _MOST_OF_TRUTH if is_truth else _MOST_OF_OTHERS
        numbers = _parts(rows.matrix(1, _FIELDS), _FIELDS, rows, slice(2), most)
        columns["numbers"] = numbers
        columns["xywh"] = as_xywh(numbers, "cxcywh", rows.place)
    if form.kind == "keypoints":
        columns["keypoints"] = _keypoints(rows, form, is_truth=is_truth)
        columns["notes"] = (
            f"{place}: {rows.width} numbers a line: poses of {form.n_keypoints} keypoints"
            + (", whose areas are those of their boxes" if is_truth else ""),
        )
    if not is_truth:
        columns["score"] = rows.numbers(rows.width - 1, "confidence")
    return _Lines(rows.file, class_id, columns)


def _keypoints(rows: TextRows, form: LineForm, *, is_truth: bool) -> NDArray[np.float64]:
    """Return x, y and visibility of each keypoint."""
    n_keypoints, of_each = form.n_keypoints, form.of_each
    fields = [f"{name} of keypoint {k + 1}" for k in range(n_keypoints) for name in "xyv"[:of_each]]
    found = rows.matrix(BOX, tuple(fields)).reshape(rows.n_rows, n_keypoints, of_each)
    if of_each == 2:
        # Ultralytics has -1 for what is not labelled.
        labelled = (found >= 0).all(axis=2, keepdims=True)
        return np.concatenate([found, np.where(labelled, 2.0, 0.0)], axis=2)
    visible = found[:, :, 2]
    if is_truth:
        wrong = (visible != 0) & (visible != 1) & (visible != 2)
        rows.refuse(
            wrong.any(axis=1),
            lambda row: (
                "expected 0, 1 or 2 as the visibility of each keypoint, got "
                f"{visible[row][wrong[row]][0]:g}"
            ),
        )
    return found


def _polygons(
    place: str,
    paths: Sequence[str],
    documents: Sequence[bytes],
    form: LineForm,  # noqa: ARG001  # as `_fixed`
    *,
    is_truth: bool,
) -> _Lines:
    """Return lines of any number of points each."""
    rows = NumberRows(place, paths, documents, what="YOLO polygons")
    number, first, end = rows.number, rows.begin[:-1], rows.begin[1:]
    n = len(first)
    class_id = number[first]
    rows.refuse_rows(
        class_id != np.floor(class_id),
        lambda row: f"expected a whole number as class, got {class_id[row]:g}",
    )
    rows.refuse_rows(
        np.abs(class_id) >= 2**31,
        lambda row: f"expected class numbers below 2^31, got {class_id[row]:g}",
    )
    is_point = np.ones(len(number), np.bool_)
    is_point[first] = False
    columns: dict[str, Any] = {"place": rows.row_place, "layout": "xyxy"}
    if not is_truth:
        is_point[end - 1] = False
        columns["score"] = number[end - 1]
    lengths = (end - first - (1 if is_truth else 2)) // 2
    begin = np.append(0, np.cumsum(lengths, dtype=np.int64))
    outlines = Outlines(number[is_point].reshape(-1, 2), begin)
    corners = outlines.corners()
    beyond = (corners.min(axis=1, initial=0) < 1 - _MOST_OF_OTHERS) | (
        corners.max(axis=1, initial=0) > _MOST_OF_OTHERS
    )
    rows.refuse_rows(
        beyond,
        lambda row: (
            "expected points as parts of the image's size, 0 to 1, got x from "
            f"{corners[row, 0]:g} to {corners[row, 2]:g} and y from {corners[row, 1]:g} to "
            f"{corners[row, 3]:g}: are these pixels?"
        ),
    )
    notes = [f"{place}: polygons: masks of the pixels inside"]
    without = np.count_nonzero(lengths < _FEWEST_POINTS)
    if without:
        notes.append(
            f"{place}: {without:,} outlines of less than three points: masks without a pixel"
        )
    columns |= {
        "outlines": outlines,
        "numbers": corners,
        "xywh": as_xywh(corners, "xyxy", rows.row_place),
        "notes": tuple(notes) if n else (),
    }
    return _Lines(rows.file, class_id.astype(np.int64), columns)


def _parts(
    numbers: NDArray[np.float64],
    fields: tuple[str, ...],
    rows: TextRows,
    with_least: slice,
    most: float,
) -> NDArray[np.float64]:
    """Return the numbers behind the class, checked to be parts of an image's size.

    None may be above `most`, and those that `with_least` takes not below 1 − `most`.
    """
    beyond: NDArray[np.bool_] = (numbers[:, with_least].min(axis=1, initial=0) < 1 - most) | (
        numbers.max(axis=1, initial=0) > most
    )
    rows.refuse(
        beyond,
        lambda row: (
            f"expected {', '.join(fields)} as parts of the image's size, 0 to 1, got "
            f"{' '.join(f'{number:g}' for number in numbers[row])}: are these pixels?"
            + (' Such texts are read with format="box-text"' if len(fields) == 4 else "")
        ),
    )
    return numbers


def _classes(
    description: YoloDescription | None,
    class_id: NDArray[np.int64],
    place: Callable[[int], str],
) -> Classes | None:
    if description is None or not description.names:
        return None
    names = description.names
    unknown = ~np.isin(class_id, list(names))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ClassError(
            f"expected the numbers of {len(names)} classes ({min(names)} to {max(names)}) that "
            f"{description.place} names, got {class_id[row]}",
            place(row),
        )
    return Classes(list(names), list(names.values()))
