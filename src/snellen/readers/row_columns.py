"""The columns of rows whose images and classes are known: in pixels where sizes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.boxes import Boxes
from snellen.detection.oriented import OrientedBoxes, upright_around
from snellen.readers.box_rows import as_xywh, to_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.box_rows import BoxRows
    from snellen.state import Keys

__all__ = ["RowColumns", "columns_of_rows"]


class RowColumns(NamedTuple):
    """Columns of rows.

    Attributes
    ----------
    boxes : Boxes or OrientedBoxes
        The latter of rows that have corners.
    relative : bool
        Whether boxes are parts of the images' sizes still.
    notes : list of str
        What was taken for what, for people.
    """

    boxes: Boxes | OrientedBoxes
    relative: bool
    notes: list[str]


def columns_of_rows(
    rows: BoxRows,
    *,
    image: NDArray[np.int32],
    label: NDArray[np.int32],
    images: Keys,
    classes: Classes,
    sizes: NDArray[np.int64] | None,
    **columns: Any,
) -> RowColumns:
    """Return the boxes of rows.

    Parameters
    ----------
    rows : BoxRows
        The rows; their own images and labels are not looked at.
    image, label : ndarray, shape (n,), int32
        The positions of each box's image and class in `images` and `classes`.
    images, classes : Keys, Classes
        Those of all boxes.
    sizes : ndarray, shape (n_images, 2), int64, or None
        Height and width of each image, where all are known.
    **columns
        Other columns of `Boxes`.
    """
    relative = rows.relative and sizes is None
    scale = sizes[image][:, ::-1] if rows.relative and sizes is not None else None
    area = None if rows.area is None else np.ascontiguousarray(rows.area)
    places: dict[str, Any] = {"image": image, "label": label, "images": images, "classes": classes}
    if rows.corners is None:
        xywh = rows.xywh if scale is None else _in_pixels(rows, scale)
        return RowColumns(Boxes(xywh=xywh, area=area, **places, **columns), relative, [])
    corners = rows.corners if scale is None else to_pixels(rows.corners, np.tile(scale, 4))
    in_order, own_area, crossed = _core.order_corners(np.ascontiguousarray(corners))
    boxes = Boxes(
        xywh=upright_around(in_order), area=own_area if area is None else area, **places, **columns
    )
    notes = []
    if crossed.any():
        notes.append(
            f"{rows.path}: {np.count_nonzero(crossed):,} outlines that cross themselves, such as "
            f"that of {rows.place(int(np.argmax(crossed)))}: their corners are taken in the order "
            "around them"
        )
    return RowColumns(OrientedBoxes(boxes, in_order.reshape(-1, 4, 2)), relative, notes)


def _in_pixels(rows: BoxRows, scale: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return relative boxes in pixels; `scale` is width and height of each one's image."""
    numbers = rows.xywh if rows.numbers is None else rows.numbers
    return as_xywh(to_pixels(numbers, np.tile(scale, 2)), rows.layout, rows.place)
