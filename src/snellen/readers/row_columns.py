"""The columns of rows whose images and classes are known: in pixels where sizes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.box_layouts import as_xywh, to_pixels
from snellen.detection.boxes import Boxes
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes, upright_around
from snellen.detection.poses import Poses, without_labels_ignored
from snellen.errors import InputError
from snellen.readers.box_rows import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.candidates import Objects
    from snellen.readers.box_rows import BoxRows
    from snellen.readers.outlines import Outlines
    from snellen.state import Keys

__all__ = ["RowColumns", "columns_of_rows"]


class RowColumns(NamedTuple):
    """Columns of rows.

    Attributes
    ----------
    boxes : Boxes, Masks, Poses or OrientedBoxes
        As rows have outlines, keypoints, corners, or none of them.
    relative : bool
        Whether boxes are parts of the images' sizes still.
    notes : list of str
        What was taken for what, for people.
    outlines : Outlines or None
        Of masks the polygons, in pixels.
    """

    boxes: Objects
    relative: bool
    notes: list[str]
    outlines: Outlines | None = None


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
    """Return the objects of rows.

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

    Raises
    ------
    InputError
        For masks, and keypoints that are parts, of images whose sizes are not known.
    """
    relative = rows.relative and sizes is None
    if sizes is None and (rows.kind == "mask" or (rows.kind == "keypoints" and relative)):
        raise InputError(
            f"expected the sizes of images, which {KINDS[rows.kind]} need, they are not known: "
            "name the folder of pictures (images=, --images)",
            rows.path,
        )
    extent = None if sizes is None else sizes[image][:, ::-1]
    scale = extent if rows.relative else None
    area = None if rows.area is None else np.ascontiguousarray(rows.area)
    columns |= {"image": image, "label": label, "images": images, "classes": classes}
    if rows.corners is not None:
        return _oriented(rows, rows.corners, scale, relative, area=area, **columns)
    xywh = rows.xywh if scale is None else _in_pixels(rows, scale)
    if rows.outlines is not None and extent is not None:
        outlines = rows.outlines if scale is None else rows.outlines.in_pixels(scale)
        rle = outlines.masks(extent[:, ::-1], rows.place)
        area = rle.areas().astype(np.float64) if area is None else area
        boxes = Boxes(xywh=xywh, area=area, **columns)
        return RowColumns(Masks(boxes, rle, sizes), relative, [], outlines)
    boxes = Boxes(xywh=xywh, area=area, **columns)
    if rows.keypoints is None:
        return RowColumns(boxes, relative, [])
    points = np.array(rows.keypoints, np.float64)
    if scale is not None:
        points[:, :, :2] = to_pixels(points[:, :, :2], scale[:, None])
    return RowColumns(Poses(without_labels_ignored(boxes, points), points), relative, [])


def _oriented(
    rows: BoxRows,
    corners: NDArray[np.float64],
    scale: NDArray[np.int64] | None,
    relative: bool,
    *,
    area: NDArray[np.float64] | None,
    **columns: Any,
) -> RowColumns:
    if scale is not None:
        corners = to_pixels(corners, np.tile(scale, 4))
    in_order, own_area, crossed = _core.order_corners(np.ascontiguousarray(corners))
    boxes = Boxes(xywh=upright_around(in_order), area=own_area if area is None else area, **columns)
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
