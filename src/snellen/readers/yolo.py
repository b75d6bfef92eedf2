"""YOLO labels and predictions: a text a picture, a line an object.

A line is the class number, then centre x, centre y, width and height as parts of the picture's
width and height; or, of an oriented box, the class number and its four corners x1 y1 … x4 y4, parts
too. Predictions have the confidence behind (``save_conf=True`` of Ultralytics). Lines of other
kinds, polygons and poses, are told apart and refused; so are upright and oriented boxes in one data
set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.classes import Classes
from snellen.detection.box_layouts import as_xywh
from snellen.errors import ClassError, IdError, SchemaError
from snellen.readers.box_rows import BoxRows, upright_of_corners
from snellen.readers.image_heads import image_sizes
from snellen.readers.message_text import few
from snellen.readers.text_rows import TextRows, read_documents, text_files
from snellen.readers.yolo_faults import line_fault, widths_of_lines
from snellen.readers.yolo_files import description_around, find_yolo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.readers.yolo_description import YoloDescription

__all__ = ["read_yolo_predictions", "read_yolo_truth"]

_FIELDS: Final = ("centre x", "centre y", "width", "height")
_CORNERS: Final = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
_BOX: Final = 5
_ORIENTED: Final = 9
# A box may stand out of its picture by the rounding of what wrote it; predictions, and the corners
# of oriented boxes, by more.
_MOST_OF_TRUTH: Final = 1.01
_MOST_OF_PREDICTIONS: Final = 2.0


def read_yolo_truth(path: str | os.PathLike[str], *, drop_unknown: bool = False) -> BoxRows:
    """Read the boxes of YOLO labels.

    Parameters
    ----------
    path : path
        ``data.yaml`` (of it the part ``val``); a folder that has one, or has ``images`` and
        ``labels``; a folder of labels, whose images are looked for in the folder of the same path
        with ``images`` for ``labels``, and its ``data.yaml`` around it; or a text.
    drop_unknown : bool
        Leave out labels without an image instead of refusing them.

    Returns
    -------
    BoxRows
        Relative boxes, oriented where lines have four corners. Images are called by their paths
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
        names, sizes = list(labels), None
        notes.append(f"{place}: no images, so that boxes stay parts of sizes that are not known")
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
        sizes = image_sizes(list(found.images.values()))
    rows = _read(place, names, labels, found.description, is_truth=True)
    return rows._replace(sizes=sizes, notes=(*notes, *rows.notes))


def read_yolo_predictions(path: str | os.PathLike[str]) -> BoxRows:
    """Read the boxes of YOLO predictions: a folder of texts, or a text.

    Parameters
    ----------
    path : path
        The folder, or one that has ``labels``; or a text.

    Returns
    -------
    BoxRows
        Relative boxes with scores, oriented where lines have four corners; images are those that
        have a text, class ids are the numbers.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and field; predictions without scores are refused.
    """
    place = os.fspath(path)
    labels = text_files(place, ("labels",))
    description = description_around(place)
    return _read(place, list(labels), labels, description, is_truth=False)


def _read(
    place: str,
    names: Sequence[str],
    labels: Mapping[str, str],
    description: YoloDescription | None,
    *,
    is_truth: bool,
) -> BoxRows:
    having = [k for k, name in enumerate(names) if name in labels]
    paths = [labels[names[k]] for k in having]
    documents = read_documents(paths)
    scored = 0 if is_truth else 1
    is_pose = description is not None and description.has_keypoints
    widths = widths_of_lines(is_truth=is_truth, is_pose=is_pose)
    what = "YOLO labels" if is_truth else "YOLO predictions"
    try:
        rows = TextRows(place, paths, documents, widths=widths, what=what)
    except SchemaError as error:
        raise line_fault(paths, documents, is_truth=is_truth, is_pose=is_pose) or error from None
    class_id = rows.whole(0, "class")
    rows.refuse(class_id < 0, lambda row: f"expected class numbers from 0 on, got {class_id[row]}")
    notes: tuple[str, ...] = ()
    corners = None
    if rows.width == _ORIENTED + scored:
        corners = _parts(rows, _CORNERS, slice(None), _MOST_OF_PREDICTIONS)
        xywh = upright_of_corners(corners, rows.place)
        notes = (f"{place}: {rows.width} numbers a line: oriented boxes, by their four corners",)
    else:
        # Of negative sizes another message says more.
        most = _MOST_OF_TRUTH if is_truth else _MOST_OF_PREDICTIONS
        xywh = as_xywh(_parts(rows, _FIELDS, slice(2), most), "cxcywh", rows.place)
    numbers = np.unique(class_id)
    classes = _classes(description, class_id, rows)
    return BoxRows(
        images=list(names),
        image=np.array(having, np.int32)[rows.file] if having else np.zeros(0, np.int32),
        labels=numbers.tolist(),
        label=np.searchsorted(numbers, class_id).astype(np.int32),
        xywh=xywh,
        place=rows.place,
        path=place,
        relative=True,
        score=None if is_truth else rows.numbers(rows.width - 1, "confidence"),
        corners=corners,
        classes=classes,
        notes=notes,
    )


def _parts(
    rows: TextRows, fields: tuple[str, ...], with_least: slice, most: float
) -> NDArray[np.float64]:
    """Return the numbers behind the class, checked to be parts of an image's size.

    None may be above `most`, and those that `with_least` takes not below 1 − `most`.
    """
    numbers = rows.matrix(1, fields)
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
    description: YoloDescription | None, class_id: NDArray[np.int64], rows: TextRows
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
            rows.place(row),
        )
    return Classes(list(names), list(names.values()))
