"""A plain table of boxes: CSV, TSV, Parquet."""

from __future__ import annotations

import importlib
import io
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.oriented import OrientedBoxes
from snellen.errors import InputError, MissingExtraError
from snellen.readers.box_text import found_relative
from snellen.readers.image_files import ending
from snellen.readers.oriented_columns import CORNERS
from snellen.writers.box_losses import box_losses, turned_areas_differ
from snellen.writers.detections import Loss, Written, areas_differ
from snellen.writers.open_images import table_text
from snellen.writers.written_names import (
    class_losses,
    image_losses,
    image_texts,
    refuse_control,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.state import Keys
    from snellen.writers.detections import Detections

__all__ = ["TABLES", "write_box_table"]

TABLES: Final = (".csv", ".tsv", ".parquet")
"""The endings of tables that can be written."""

_FLAGS: Final = ("difficult", "truncated", "occluded")
_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}


def write_box_table(data: Detections, name: str) -> Written:
    """Return a table, a row an object, of the kind that a file's name says.

    Of turned boxes the four corners are written, which are what they are to the last bit.

    Parameters
    ----------
    data : Detections
    name : str
        The file: ``.csv``, ``.tsv`` or ``.parquet``.

    Raises
    ------
    IdError, InputError
        For another ending, and names that no table can hold.
    MissingExtraError
        For Parquet without pyarrow.
    """
    kind = ending(name)
    if kind not in TABLES:
        raise InputError(
            f"expected a name that says the kind of table, with {', '.join(TABLES)} at its end",
            name,
        )
    columns = _columns(data)
    ids: list[Any] = data.boxes.images.ids.tolist()
    classes: list[Any] = data.boxes.classes.keys.ids.tolist()
    if kind == ".parquet":
        document = _parquet(columns)
    else:
        document = table_text(columns, _DELIMITERS[kind]).encode()
        ids = _as_cells(ids, data.boxes.image)
        classes = _as_cells(classes, data.boxes.label)
    losses = [
        *_renumbered("image_ids", "images", data.boxes.images, ids),
        *_renumbered("class_ids", "classes", data.boxes.classes.keys, classes),
        *image_losses(data, ids, only_with_boxes=True),
        *class_losses(
            data, classes, data.boxes.classes.names if _has_names(data) else None, listed=False
        ),
        *box_losses(
            data,
            keeps=("oriented", *(("areas", "crowds", *_FLAGS) if data.is_truth else _FLAGS)),
        ),
    ]
    notes = []
    if data.relative != found_relative(_numbers(data)):
        meaning = "--relative" if data.relative else "--absolute"
        notes.append(f"numbers don't show what they are parts of: read the table with {meaning}")
    return Written({"": document}, losses, notes)


def _as_cells(ids: list[Any], used: NDArray[np.int32]) -> list[Any]:
    """Return ids as they are read from a text: as numbers, if all that occur are whole ones."""
    if not all(_is_whole(ids[code]) for code in np.unique(used).tolist()):
        return ids
    return [int(each) if _is_whole(each) else each for each in ids]


def _is_whole(value: Any) -> bool:
    found = re.fullmatch(r"[+-]?[0-9]+", str(value)) is not None
    return found and -(2**63) <= int(value) < 2**63


def _renumbered(what: str, called: str, keys: Keys, as_read: list[Any]) -> list[Loss]:
    """Return the loss of texts that are numbers when they are read: 7 of 007."""
    n = sum(str(one) != str(other) for one, other in zip(keys.ids.tolist(), as_read, strict=True))
    return [Loss(what, n, f"names of {called} that are read as numbers: 7 for 007")] if n else []


def _columns(data: Detections) -> dict[str, list[Any]]:
    boxes = data.boxes
    images, labels = boxes.image.tolist(), boxes.label.tolist()
    names = image_texts(data)
    class_names = boxes.classes.display_names()
    refuse_control(class_names, "classes", data.place)

    def of_each(values: list[Any], codes: list[int]) -> list[Any]:
        return [values[code] for code in codes]

    columns: dict[str, list[Any]] = {"image_id": of_each(boxes.images.ids.tolist(), images)}
    if data.names is not None and not boxes.images.is_text:
        columns["file_name"] = of_each(names, images)
    columns["label"] = of_each(boxes.classes.keys.ids.tolist(), labels)
    if _has_names(data):
        columns["class_name"] = of_each(class_names, labels)
    names_of_numbers = CORNERS if data.kind == "oriented" else "xywh"
    columns |= dict(zip(names_of_numbers, _numbers(data).T.tolist(), strict=True))
    if boxes.score is not None:
        columns["score"] = boxes.score.tolist()
    own = data.columns
    differ = turned_areas_differ(own) if isinstance(own, OrientedBoxes) else areas_differ(boxes)
    if data.is_truth and differ.any() and boxes.area is not None:
        columns["area"] = boxes.area.tolist()
    if data.is_truth and boxes.crowd is not None and boxes.crowd.any():
        columns["iscrowd"] = boxes.crowd.tolist()
    for flag in _FLAGS:
        values = data.yes_or_no(flag)
        if any(values):
            columns[flag] = values
    if data.sizes is not None:
        for k, name in enumerate(("image_height", "image_width")):
            columns[name] = of_each(data.sizes[:, k].tolist(), images)
    return columns


def _numbers(data: Detections) -> NDArray[np.float64]:
    """Return the numbers of each box: left, top, width, height, or four corners."""
    if isinstance(data.columns, OrientedBoxes):
        return np.asarray(data.columns.corners, np.float64).reshape(len(data.boxes), len(CORNERS))
    return data.boxes.xywh


def _has_names(data: Detections) -> bool:
    """Return whether classes are numbers and have names: readers look for these of numbers only."""
    classes = data.boxes.classes
    return any(classes.names) and not classes.keys.is_text


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    try:
        # By name: both ship without types.
        pa = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()
