"""YOLO labels and predictions: a text a picture, a line an object.

A line is the class number, then centre x, centre y, width and height as parts of the picture's
width and height; of predictions also the confidence (``save_conf=True`` of Ultralytics). Read are
boxes. Lines of other kinds, polygons, poses and oriented boxes, are told apart and refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.errors import ClassError, IdError, SchemaError
from snellen.readers.box_rows import BoxRows, as_xywh
from snellen.readers.image_heads import image_sizes
from snellen.readers.message_text import few, printable
from snellen.readers.text_rows import TextRows, read_documents, text_files
from snellen.readers.yolo_files import description_around, find_yolo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.readers.yolo_description import YoloDescription

__all__ = ["read_yolo_predictions", "read_yolo_truth"]

_FIELDS: Final = ("centre x", "centre y", "width", "height")
_BOX: Final = 5
_SCORED: Final = 6
_ORIENTED: Final = 9
# A box may stand out of its picture by the rounding of what wrote it; of predictions by more.
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
        Relative boxes. Images are called by their paths below their folder without the ending;
        those without labels have no boxes. Sizes are those of the images where there are any. Class
        ids are the numbers.

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
    return rows._replace(sizes=sizes, notes=tuple(notes))


def read_yolo_predictions(path: str | os.PathLike[str]) -> BoxRows:
    """Read the boxes of YOLO predictions: a folder of texts, or a text.

    Parameters
    ----------
    path : path
        The folder, or one that has ``labels``; or a text.

    Returns
    -------
    BoxRows
        Relative boxes with scores; images are those that have a text, class ids are the numbers.

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
    width = _BOX if is_truth else _SCORED
    what = "YOLO labels" if is_truth else "YOLO predictions"
    try:
        rows = TextRows(place, paths, documents, widths=(width,), what=what)
    except SchemaError as error:
        is_pose = description is not None and description.has_keypoints
        raise _fault(paths, documents, width, is_pose=is_pose) or error from None
    class_id = rows.whole(0, "class")
    rows.refuse(class_id < 0, lambda row: f"expected class numbers from 0 on, got {class_id[row]}")
    box = rows.matrix(1, _FIELDS)
    most = _MOST_OF_TRUTH if is_truth else _MOST_OF_PREDICTIONS
    # Of negative sizes another message says more.
    beyond: NDArray[np.bool_] = (box[:, :2].min(axis=1, initial=0) < 1 - most) | (
        box.max(axis=1, initial=0) > most
    )
    rows.refuse(
        beyond,
        lambda row: (
            f"expected {', '.join(_FIELDS)} as parts of the image's size, 0 to 1, got "
            f"{' '.join(f'{number:g}' for number in box[row])}: are these pixels? "
            'Such texts are read with format="box-text"'
        ),
    )
    xywh = as_xywh(box, "cxcywh", rows.place)
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
        score=None if is_truth else rows.numbers(_SCORED - 1, "confidence"),
        classes=classes,
    )


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


def _fault(
    paths: Sequence[str], documents: Sequence[bytes], width: int, *, is_pose: bool
) -> SchemaError | None:
    """Return what is wrong with the first line of another width; None where there is none."""
    for path, document in zip(paths, documents, strict=True):
        for number, line in enumerate(document.decode("utf-8", "replace").split("\n")):
            cells = line.split()
            if not cells or len(cells) == width:
                continue
            where = f"{path} line {number + 1}"
            if not all(map(_core.is_number, cells)):
                return SchemaError(
                    f'expected {width} numbers, got "{printable(line, 60)}": is this a text of '
                    "labels?",
                    where,
                )
            return SchemaError(_wrong_width(len(cells), width, is_pose=is_pose), where)
    return None


def _wrong_width(n: int, width: int, *, is_pose: bool) -> str:
    numbers = f"class, {', '.join(_FIELDS)}"
    asked = f"expected 5 numbers ({numbers})"
    if width == _SCORED:
        asked = f"expected 6 numbers ({numbers}, confidence)"
    got = f"got {n}"
    if n == _BOX:
        return f"{asked}, {got}: predictions need scores (Ultralytics: save_conf=True)"
    if n == _SCORED:
        return f"{asked}, {got}: are these predictions? Truth has no scores"
    scored = n - 1 if width == _SCORED else n
    if n < _BOX:
        return f"{asked}, {got}: was the line cut off?"
    if n == _ORIENTED or scored == _ORIENTED:
        return (
            f"{asked}, {got}: this is an oriented box (or a polygon of 4 points); evaluate its "
            "upright box by writing the least and greatest x and y as one"
        )
    if is_pose or scored % 2 == 0:
        return f"{asked}, {got}: this is a pose; its box is the first 5 numbers of the line"
    return (
        f"{asked}, {got}: this is a polygon of {(scored - 1) // 2} points; its box is that of the "
        "least and greatest x and y"
    )
