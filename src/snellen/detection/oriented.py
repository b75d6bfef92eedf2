"""Oriented boxes as columns, one row an object, and their IoU."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np

from snellen import _core
from snellen.arrays import to_finite, to_numpy
from snellen.detection.boxes import Boxes, refuse_unmeasurable
from snellen.detection.image_records import columns_of_images, field_of, records_of
from snellen.errors import InputError, ShapeError
from snellen.image_ids import ImageBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes

__all__ = [
    "FARTHEST",
    "OrientedBoxes",
    "are_upright",
    "corners_of_cxcywha",
    "oriented_iou",
    "upright_around",
]

FARTHEST: Final = 1e100
"""The greatest coordinate: products of three lengths stay within float64's range."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OrientedBoxes:
    """Truth or predicted boxes that are turned, of many images.

    Made by `from_corners`, `from_cxcywha`, `from_images`, or a reader; all of them check what they
    are given. The plain constructor checks nothing.

    Attributes
    ----------
    boxes : Boxes
        What is known of each object: image, class, area, score …; the boxes themselves are upright
        ones around the turned ones.
    corners : ndarray, shape (n, 4, 2), float64
        The corners x, y in pixels, in order around the box.
    """

    kind: ClassVar[Literal["oriented"]] = "oriented"
    boxes: Boxes
    corners: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice) -> OrientedBoxes:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        return OrientedBoxes(self.boxes[rows], self.corners[rows])

    def __repr__(self) -> str:
        return repr(self.boxes).replace("Boxes", "OrientedBoxes", 1)

    @classmethod
    def from_corners(
        cls, corners: ArrayLike, *, area: ArrayLike | None = None, **columns: Any
    ) -> OrientedBoxes:
        """Make boxes from their four corners.

        Parameters
        ----------
        corners : array-like, shape (n, 4, 2) or (n, 8)
            x and y of the corners in pixels, in order around the box, in either direction, from any
            of them on. Four corners whose outline crosses itself are in a wrong order: two of them
            are exchanged. A corner may point inwards; common areas are exact then, too.
        area : array-like, shape (n,), optional
            Square pixels: what decides the size bucket; the box's own area where not given.
        **columns
            Those of `Boxes.from_xywh`: ``image_id``, ``label``, ``score``, ``crowd``, ``id``,
            ``ignored``, ``image_ids``, ``classes``.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            For other shapes, lengths that differ, ids or classes that are not listed, values that
            are not finite.

        Examples
        --------
        A square that stands on a corner, its diagonals 4 long:

        >>> corners = [[2, 0], [4, 2], [2, 4], [0, 2]]
        >>> diamond = OrientedBoxes.from_corners([corners], image_id=[1], label=[1])
        >>> diamond.boxes.area, diamond.boxes.xywh
        (array([8.]), array([[0., 0., 4., 4.]]))
        """
        numbers = _corner_numbers(corners, "corners")
        _refuse_far(numbers, "corners", "corners")
        in_order, own_area, _ = _core.order_corners(numbers)
        upright = upright_around(in_order)
        refuse_unmeasurable(upright, "corners")
        boxes = Boxes.from_xywh(upright, area=own_area if area is None else area, **columns)
        return cls(boxes, in_order.reshape(-1, 4, 2))

    @classmethod
    def from_cxcywha(
        cls, box: ArrayLike, *, degrees: bool = False, **columns: Any
    ) -> OrientedBoxes:
        """Make boxes from centre, width, height and angle.

        Parameters
        ----------
        box : array-like, shape (n, 5)
            Centre x, centre y, width, height (at least 0), and the angle by which the box is
            turned about its centre: from the x axis towards the y axis, which is clockwise to the
            eye, as y grows downwards. In radians.
        degrees : bool
            Whether angles are degrees; of these quarter turns are exact.
        **columns
            Those of `from_corners`.

        Notes
        -----
        OpenCV, MMRotate and Ultralytics turn this way. Their conventions differ in which of the
        names of a rectangle they use: (w, h, a), (h, w, a + 90°) and (w, h, a ± 180°) are the same
        rectangle. ``oc`` takes the one with 0° < a <= 90°, ``le90`` the one with w >= h and
        -90° <= a < 90°, ``le135`` that with w >= h and -45° <= a < 135°. So all of them are read
        alike. Detectron2 turns the other way: give −a.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            As `from_corners`, and for negative sizes.

        Examples
        --------
        >>> one = {"image_id": [1], "label": [1], "degrees": True}
        >>> oc = OrientedBoxes.from_cxcywha([[50, 50, 20, 40, 60]], **one)
        >>> le90 = OrientedBoxes.from_cxcywha([[50, 50, 40, 20, -30]], **one)
        >>> le135 = OrientedBoxes.from_cxcywha([[50, 50, 40, 20, -30]], **one)
        >>> oriented_iou(oc, le90).round(15), oriented_iou(oc, le135).round(15)
        (array([[1.]]), array([[1.]]))
        """
        return cls.from_corners(corners_of_cxcywha(box, "box", degrees=degrees), **columns)

    @classmethod
    def from_images(
        cls,
        records: Sequence[Mapping[str, Any]],
        *,
        image_id: ArrayLike,
        degrees: bool = False,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    ) -> OrientedBoxes:
        """Make boxes from one mapping of arrays for each image.

        Parameters
        ----------
        records : sequence of mapping
            For each image ``boxes``, as centre, width, height, angle (n, 5) or as corners
            (n, 8) or (n, 4, 2), and ``labels`` (n,); predictions also ``scores`` (n,), truth may
            have ``area``, ``iscrowd`` and ``ignored`` (n,). Arrays of any kind, on any device.
        image_id : array-like
            The id of each image.
        degrees : bool
            Whether angles are degrees.
        classes : mapping of id to name, or sequence of names, optional
            All classes.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            As `from_cxcywha`, and for fields that some images have and others do not.

        Examples
        --------
        >>> OrientedBoxes.from_images(
        ...     [{"boxes": [[5, 5, 4, 2, 0.3]], "labels": [1]}, {"boxes": [], "labels": []}],
        ...     image_id=["a", "b"],
        ... )
        OrientedBoxes(1 truth boxes, 2 images, 1 classes)
        """
        records = records_of(records, "records")
        ids = ImageBatch.of(image_id, len(records)).ids
        corners = []
        for i, record in enumerate(records):
            name = f"boxes of image {i}"
            box = to_numpy(field_of(record, "boxes", i), name)
            if box.ndim == 2 and box.shape[1] == 5:
                corners.append(corners_of_cxcywha(box, name, degrees=degrees))
            else:
                corners.append(_corner_numbers(box, name, or_else="(n, 5), "))
        sizes = [len(each) for each in corners]
        return cls.from_corners(
            np.concatenate(corners) if corners else np.zeros((0, 8)),
            image_id=np.repeat(ids, sizes),
            image_ids=ids,
            classes=classes,
            **columns_of_images(records, sizes),
        )


def oriented_iou(pred: OrientedBoxes, truth: OrientedBoxes) -> NDArray[np.float64]:
    """Return the IoU of every box of one table with every box of another.

    Images and classes are not looked at. Against a crowd region the union is the predicted box
    alone. A box without an area has 0 with all boxes.

    Returns
    -------
    ndarray, shape (len(pred), len(truth)), float64

    Examples
    --------
    Two squares of side 2 about one centre, one of them turned by 45°: they have a regular octagon
    of area 8 (√2 − 1) in common, so that IoU is 1 / √2.

    >>> one = {"image_id": [1], "label": [1], "degrees": True}
    >>> upright = OrientedBoxes.from_cxcywha([[0, 0, 2, 2, 0]], **one)
    >>> turned = OrientedBoxes.from_cxcywha([[0, 0, 2, 2, 45]], **one)
    >>> oriented_iou(upright, turned).round(6)
    array([[0.707107]])
    """
    crowd = truth.boxes.crowd
    return _core.oriented_iou(
        np.ascontiguousarray(pred.corners.reshape(-1, 8)),
        np.ascontiguousarray(truth.corners.reshape(-1, 8)),
        np.zeros(len(truth), np.uint8) if crowd is None else crowd,
    )


def corners_of_cxcywha(box: ArrayLike, name: str, *, degrees: bool = False) -> NDArray[np.float64]:
    """Return the corners (n, 8) of centre, width, height, angle; see `from_cxcywha`."""
    numbers = to_finite(box, name, width=5)
    centre, size, angle = numbers[:, :2], numbers[:, 2:4], numbers[:, 4]
    negative = (size < 0).any(axis=1)
    if negative.any():
        row = int(np.argmax(negative))
        raise InputError(
            f"expected a width and height of at least 0, got {size[row, 0]:g} and {size[row, 1]:g}",
            f"{name}[{row}]",
        )
    # Sums of greater ones may be beyond float64.
    _refuse_far(numbers[:, :4], "centre, width and height", name)
    cos, sin = _turn_of_degrees(angle) if degrees else (np.cos(angle), np.sin(angle))
    along = np.stack([cos, sin], axis=1) * (size[:, :1] / 2)
    across = np.stack([-sin, cos], axis=1) * (size[:, 1:] / 2)
    corners = [
        centre - along - across,
        centre + along - across,
        centre + along + across,
        centre - along + across,
    ]
    return np.concatenate(corners, axis=1)


def _turn_of_degrees(
    angle: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cosine and sine; 0, 1 and −1 of quarter turns."""
    turn = np.remainder(angle, 360.0)
    quarter = np.round(turn / 90.0)
    rest = np.deg2rad(turn - 90.0 * quarter)
    cos, sin = np.cos(rest), np.sin(rest)
    which = quarter.astype(np.int64) % 4
    return (
        np.choose(which, [cos, -sin, -cos, sin]),
        np.choose(which, [sin, cos, -sin, -cos]),
    )


def upright_around(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return left, top, width, height of the upright boxes around corners (n, 8)."""
    points = corners.reshape(-1, 4, 2)
    least = np.minimum(
        np.minimum(points[:, 0], points[:, 1]), np.minimum(points[:, 2], points[:, 3])
    )
    most = np.maximum(
        np.maximum(points[:, 0], points[:, 1]), np.maximum(points[:, 2], points[:, 3])
    )
    return np.concatenate([least, most - least], axis=1)


def are_upright(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which boxes (n, 4, 2), corners in order around them, are not turned at all.

    Examples
    --------
    >>> are_upright(np.array([[[2, 1], [2, 4], [0, 4], [0, 1]], [[1, 0], [2, 1], [1, 2], [0, 1]]]))
    array([ True, False])
    """
    least, most = corners.min(axis=1, keepdims=True), corners.max(axis=1, keepdims=True)
    at_corner = ((corners == least) | (corners == most)).all(axis=(1, 2))
    # Each side goes along one axis.
    along = (corners == np.roll(corners, -1, axis=1)).any(axis=2).all(axis=1)
    found: NDArray[np.bool_] = at_corner & along
    return found


def _corner_numbers(corners: ArrayLike, name: str, or_else: str = "") -> NDArray[np.float64]:
    """Return corners as finite numbers (n, 8)."""
    array = to_numpy(corners, name, np.float64)
    if array.size and array.shape[1:] not in ((8,), (4, 2)):
        raise ShapeError(f"expected shape {or_else}(n, 4, 2) or (n, 8), got {array.shape}", name)
    return to_finite(array.reshape(-1, 8), name, width=8)


def _refuse_far(numbers: NDArray[np.float64], what: str, name: str) -> None:
    far = (np.abs(numbers) > FARTHEST).any(axis=1)
    if far.any():
        row = int(np.argmax(far))
        raise InputError(
            f"expected {what} within ±{FARTHEST:g}, got {numbers[row].tolist()}", f"{name}[{row}]"
        )
