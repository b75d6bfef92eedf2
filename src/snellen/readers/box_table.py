"""A plain table of boxes: CSV and its like, Parquet, JSON lines, NPZ.

Read are the columns of the image, the class, the box (four numbers; of turned boxes five or eight,
see `oriented_columns`), the score (of predictions), and where they are there the area, crowds,
flags, the image's size, and the names of images and classes whose ids are whole numbers.
Columns are found by their names in any case; others are not read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.detection.box_layouts import BoxLayout, as_xywh
from snellen.errors import InputError, SchemaError, ShapeError
from snellen.readers.box_rows import BoxRows, upright_of_corners
from snellen.readers.box_text import found_layout, found_relative
from snellen.readers.column_names import CONFIDENCES, LABELS, first_of
from snellen.readers.message_text import few, printable
from snellen.readers.oriented_columns import (
    corners_of_columns,
    listed_corners,
    oriented_columns,
)
from snellen.readers.table import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.readers.oriented_columns import OrientedColumns
    from snellen.readers.table import Column, Table

__all__ = ["BOX_COLUMNS", "box_columns", "named_column", "read_box_table"]

BOX_COLUMNS: Final[tuple[tuple[BoxLayout, tuple[str, ...]], ...]] = (
    ("xyxy", ("xmin", "ymin", "xmax", "ymax")),
    ("xyxy", ("x_min", "y_min", "x_max", "y_max")),
    ("xyxy", ("x1", "y1", "x2", "y2")),
    ("xyxy", ("left", "top", "right", "bottom")),
    ("cxcywh", ("cx", "cy", "w", "h")),
    ("cxcywh", ("cx", "cy", "width", "height")),
    ("cxcywh", ("x_center", "y_center", "w", "h")),
    ("cxcywh", ("x_center", "y_center", "width", "height")),
    ("xywh", ("x", "y", "w", "h")),
    # Beside w and h width and height are the image's.
    ("xywh", ("xmin", "ymin", "w", "h")),
    ("xywh", ("left", "top", "w", "h")),
    ("xywh", ("x", "y", "width", "height")),
    ("xywh", ("xmin", "ymin", "width", "height")),
    ("xywh", ("left", "top", "width", "height")),
)
"""What columns of boxes are called, and what they are; the first that are all there count."""

_LISTED: Final = ("bbox", "box", "boxes")
_IMAGES: Final = (
    *("image", "image_id", "imageid", "image_name", "img", "file_name", "filename", "file"),
    *("image_path", "file_path", "filepath", "path"),
)
_SIZES: Final = (("image_height", "image_width"), ("img_height", "img_width"), ("height", "width"))
_FILES: Final = ("file_name", "filename", "image_name")
_NAMES: Final = ("class_name", "category_name", "label_name")
_CROWDS: Final = ("iscrowd", "crowd", "is_crowd")
_FLAGS: Final = {
    "difficult": ("difficult", "is_difficult"),
    "truncated": ("truncated", "is_truncated", "istruncated"),
    "occluded": ("occluded", "is_occluded", "isoccluded"),
    "group_of": ("group_of", "is_group_of", "isgroupof"),
}


def box_columns(names: Sequence[str]) -> tuple[BoxLayout | None, tuple[str, ...]] | None:
    """Return the columns of boxes among a table's, and what they are if their names say it.

    Examples
    --------
    >>> box_columns(["image", "XMin", "YMin", "XMax", "YMax", "class"])
    ('xyxy', ('XMin', 'YMin', 'XMax', 'YMax'))
    >>> box_columns(["image", "bbox.0", "bbox.1", "bbox.2", "bbox.3", "class"])
    (None, ('bbox.0', 'bbox.1', 'bbox.2', 'bbox.3'))
    """
    known = {name.lower(): name for name in names}
    for layout, columns in BOX_COLUMNS:
        if all(column in known for column in columns):
            return layout, tuple(known[column] for column in columns)
    for name in _LISTED:
        parts: list[str] = []
        while (part := f"{name}.{len(parts)}") in known:
            parts.append(known[part])
        if len(parts) > 3:
            return None, tuple(parts)
    return None


def read_box_table(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    layout: BoxLayout | None = None,
    relative: bool | None = None,
) -> BoxRows:
    """Read the boxes of a table.

    Parameters
    ----------
    path : path
        See `read_table`; the first row has the columns' names.
    truth : bool
        Whether it is truth; predictions need a column of scores.
    layout : {"xyxy", "xywh", "cxcywh"}, optional
        What the four numbers are; without, as the columns' names say (`BOX_COLUMNS`), or of a list
        ``bbox`` as `read_box_text` finds it. Of turned boxes their columns say it.
    relative : bool, optional
        Whether they are parts of the image's size; without, where all are from 0 to 1.

    Returns
    -------
    BoxRows
        Images in the order in which they come; those without boxes are not in a table. Images and
        classes are whole numbers if all are, else texts.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and column.
    """
    place = os.fspath(path)
    table = read_table(path, header=True)
    turned = oriented_columns(table.names, place)
    found = box_columns(table.names) if turned is None else (None, turned.names)
    if turned is None and found is not None and found[0] is None:
        turned = listed_corners(found[1], place)
    if found is None:
        raise SchemaError(
            "expected columns of boxes (x, y, w, h; xmin, ymin, xmax, ymax; cx, cy, w, h; or a "
            "list bbox of 4 numbers in each row; of turned boxes cx, cy, w, h and angle_degrees or "
            f"angle_radians; or x1, y1 … y4), got {few(table.names, 12)}",
            place,
        )
    of_names, columns = found
    # Not y, which of samples may be the class.
    others = [name for name in table.names if name not in columns]
    # Beside four corners width and height may be the box's.
    _, other_boxes = (box_columns(others) if turned else None) or (None, ())
    image_name = _named(table, others, _IMAGES, "images (image, image_id, file_name, …)")
    label_name = _named(table, others, LABELS, "classes (class, label, category_id, …)")
    box = _finite(table, columns)
    notes = []
    corners = None
    if turned is not None:
        corners, relative = _turned(table, turned, box, layout, relative)
        layout, xywh = "xywh", upright_of_corners(corners, table.place)
        notes = [f"{place}: {turned.described(box)}"]
        if relative:
            notes.append(f"{place}: corners are parts of the images' sizes")
    else:
        if relative is None:
            relative = found_relative(box)
            if relative:
                notes.append(f"{place}: boxes are from 0 to 1, parts of the images' sizes")
        layout = layout or of_names or found_layout(box, place, relative=relative)
        notes.append(f"{place}: boxes are {layout}, in columns {few(columns)}")
        xywh = as_xywh(box, layout, table.place)
    score = None
    if not truth:
        name = _named(table, others, CONFIDENCES, "scores (score, confidence, …)")
        score = _finite(table, (name,))[:, 0]
    image, label = named_column(table, image_name), named_column(table, label_name)
    crowd = first_of(_CROWDS, table.names) if truth else None
    area = first_of(("area",), table.names) if truth else None
    flags = {
        flag: _flag(table, column)
        for flag, usual in _FLAGS.items()
        if (column := first_of(usual, table.names)) is not None
    }
    file_names = _names_of(table, image, first_of(_FILES, others), "file")
    class_names = _names_of(table, label, first_of(_NAMES, others), "class")
    return BoxRows(
        images=image.values.tolist(),
        image=image.codes,
        labels=label.values.tolist(),
        label=label.codes,
        xywh=xywh,
        place=table.place,
        path=place,
        relative=relative,
        numbers=box if relative and corners is None else None,
        layout=layout,
        corners=corners,
        score=score,
        sizes=_sizes(table, image, (*columns, *other_boxes)),
        flags=flags,
        crowd=None if crowd is None else _flag(table, crowd),
        area=None if area is None else _area(table, area),
        classes=None if class_names is None else Classes(label.values, class_names),
        notes=tuple(notes),
        names=None if file_names is None else tuple(file_names),
    )


def _turned(
    table: Table,
    columns: OrientedColumns,
    numbers: NDArray[np.float64],
    layout: BoxLayout | None,
    relative: bool | None,
) -> tuple[NDArray[np.float64], bool]:
    """Return the corners of turned boxes, and whether they are parts of the images' sizes."""
    of_angles = columns.unit is not None
    if layout not in (None, "cxcywh" if of_angles else None):
        raise InputError(
            f"expected no layout of boxes (box=, --box) but what columns {few(columns.names, 8)} "
            f'are, got "{layout}"',
            table.path,
        )
    if not of_angles:
        if relative is None:
            relative = found_relative(numbers)
        return numbers, relative
    # In parts of a width and of a height a turned rectangle is none, and an angle another one.
    if relative or (relative is None and found_relative(numbers[:, :4])):
        raise InputError(
            "expected turned boxes in pixels, got centres and sizes that are parts of the images' "
            "sizes, where an angle says nothing: give the four corners (x1, y1 … x4, y4), or "
            "relative=False (--absolute) if they are pixels",
            table.path,
        )
    return corners_of_columns(numbers, columns, table.place), False


def named_column(table: Table, name: str) -> Column:
    """Return a column of names: whole numbers, or texts of which none is empty.

    Raises
    ------
    SchemaError
        For an empty cell; the first is named.
    """
    column = table[name]
    if column.kind == "number":
        column = column.text()
    if column.kind == "text":
        empty = np.array([not text.strip() for text in column.values.tolist()], np.bool_)
        if empty.any():
            row = int(np.argmax(empty[column.codes]))
            raise SchemaError(f'expected a name in column "{name}", got nothing', table.place(row))
    return column


def _named(table: Table, names: Sequence[str], usual: Sequence[str], what: str) -> str:
    name = first_of(usual, names)
    if name is None:
        raise SchemaError(f"expected a column of {what}, got {few(table.names, 12)}", table.path)
    return name


def _names_of(table: Table, ids: Column, name: str | None, what: str) -> list[str] | None:
    """Return the name of each id that is a whole number, where a column has them."""
    if name is None or ids.kind != "integer" or not table.n_rows:
        return None
    column = table[name].text()
    names = np.empty(ids.n_distinct, np.int64)
    # Of what is written to one place the last stays: the first row.
    names[ids.codes[::-1]] = column.codes[::-1]
    differs = names[ids.codes] != column.codes
    if differs.any():
        row = int(np.argmax(differs))
        first, second = (column.values[k] for k in (names[ids.codes[row]], column.codes[row]))
        raise SchemaError(
            f"expected one name of {what} {ids.values[ids.codes[row]]}, got "
            f'"{printable(first, 40)}" and "{printable(second, 40)}"',
            f'{table.place(row)} column "{name}"',
        )
    return [str(column.values[k]) for k in names.tolist()]


def _finite(table: Table, names: Sequence[str]) -> NDArray[np.float64]:
    if not table.n_rows:
        return np.zeros((0, len(names)))
    matrix = np.ascontiguousarray(table.matrix(names))
    wrong = ~np.isfinite(matrix)
    if wrong.any():
        row, k = np.argwhere(wrong)[0].tolist()
        raise InputError(
            f"expected a finite number, got {matrix[row, k]}",
            f'{table.place(row)} column "{names[k]}"',
        )
    return matrix


def _area(table: Table, name: str) -> NDArray[np.float64]:
    area = _finite(table, (name,))[:, 0]
    if len(area) and area.min() < 0:
        row = int(np.argmin(area))
        raise InputError(f"expected areas of at least 0, got {area[row]:g}", table.place(row))
    return area


def _flag(table: Table, name: str) -> NDArray[np.uint8]:
    values: Any = table[name].array()
    if values.dtype.kind not in "if":
        texts = np.char.lower(values)
        numbers = np.select([np.isin(texts, ("1", "true")), np.isin(texts, ("0", "false", ""))],
                            [1, 0], -1)  # fmt: skip
    else:
        numbers = np.where((values == 0) | (values == 1), values, -1)
    if (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        raise SchemaError(f'expected 0 or 1 in column "{name}"', table.place(row))
    flags: NDArray[np.uint8] = numbers.astype(np.uint8)
    return flags


def _sizes(table: Table, image: Column, of_boxes: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Return the size of each image, where two columns have it that are none of the boxes'."""
    known = {name.lower(): name for name in table.names if name not in of_boxes}
    pair = next((pair for pair in _SIZES if all(name in known for name in pair)), None)
    if pair is None or not table.n_rows:
        return None
    size = _finite(table, [known[name] for name in pair])
    wrong = ~((size >= 1) & (size < 2**31)) | (size != np.floor(size))
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise InputError("expected whole sizes of images, from 1", table.place(row))
    sizes = np.zeros((image.n_distinct, 2), np.int64)
    # Of what is written to one place the last stays: the first row.
    sizes[image.codes[::-1]] = size[::-1]
    differs = (sizes[image.codes] != size).any(axis=1)
    if differs.any():
        raise ShapeError(
            "expected one size of each image, got two", table.place(int(np.argmax(differs)))
        )
    return sizes
