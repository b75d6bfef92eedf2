"""The shapes of CVAT's XML for images, and the columns of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.detection.oriented import corners_of_cxcywha
from snellen.errors import InputError, SchemaError
from snellen.readers.box_rows import upright_of_corners
from snellen.readers.cvat_pixels import Crop, mask_of_crop
from snellen.readers.message_text import few, printable
from snellen.readers.outlines import Outlines
from snellen.readers.plain_xml import xml_number
from snellen.readers.point_names import PointNames
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from snellen.readers.box_rows import ObjectKind

__all__ = [
    "Shape",
    "columns_of_shapes",
    "corners_of_turned",
    "kind_of_shapes",
    "shape_of",
    "shapes_of_kind",
]

_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_KIND_OF_SHAPE: Final[dict[str, ObjectKind]] = {
    "box": "box",
    "turned box": "oriented",
    "polygon": "mask",
    "mask": "mask",
    "points": "keypoints",
    "skeleton": "keypoints",
}
_FEWEST: Final = 3


class Shape(NamedTuple):
    """A shape of an image.

    Attributes
    ----------
    element : Element
        What the file says of it.
    name : str
        What it is, see `shape_of`.
    image : int
        The position of its image.
    size : (int, int)
        Height and width of the image.
    place : str
        For messages.
    """

    element: Element
    name: str
    image: int
    size: tuple[int, int]
    place: str

    def numbers(self, fields: tuple[str, ...]) -> list[float]:
        """Return the numbers of some fields."""
        return [xml_number(self.element.get(field), field, self.place) for field in fields]

    def points(self) -> list[list[float]]:
        """Return the points that are written ``x,y;x,y``."""
        points = []
        for text in (self.element.get("points") or "").split(";"):
            cells = text.split(",")
            if len(cells) != 2:
                raise SchemaError(
                    f'expected points as x,y;x,y;…, got "{printable(text, 40)}"',
                    f"{self.place} points",
                )
            points.append([xml_number(cell, "points", self.place) for cell in cells])
        return points


def shape_of(element: Element, place: str) -> str:
    """Return what a shape is called: its tag, or ``"turned box"``."""
    if element.tag != "box":
        return element.tag
    turned = element.get("rotation") and xml_number(element.get("rotation"), "rotation", place)
    return "turned box" if turned else "box"


def shapes_of_kind(kind: str, names: Collection[str] = ("box",)) -> tuple[str, ...]:
    """Return which shapes are objects of a kind; turned boxes are among upright ones as a rule.

    Where none of a file's shapes, called `names`, is an upright box, all have boxes around them.
    """
    if kind == "box" and "box" not in names:
        return tuple(_KIND_OF_SHAPE)
    if kind == "oriented":
        return ("box", "turned box")
    return tuple(name for name, each in _KIND_OF_SHAPE.items() if each == kind)


def kind_of_shapes(counts: Counter[str], place: str) -> ObjectKind:
    """Return what is read of shapes where nobody said it.

    Raises
    ------
    InputError
        Where there are no upright boxes, and several other kinds.
    """
    having = list(dict.fromkeys(kind for name, kind in _KIND_OF_SHAPE.items() if counts[name]))
    if not having or counts["box"]:
        return "box"
    if len(having) > 1:
        listed = ", ".join(f"{counts[name]:,} {name}" for name in _KIND_OF_SHAPE if counts[name])
        asked = " or ".join(f'kind="{kind}"' for kind in having)
        raise InputError(
            f"expected shapes of one kind, got {listed}: say {asked} (--similarity, --kind)", place
        )
    return having[0]


# ---- Columns of each kind ------------------------------------------------------------------------


def _of_boxes(shapes: list[Shape], place: Callable[[int], str]) -> dict[str, Any]:
    corners = np.array([shape.numbers(_CORNERS) for shape in shapes], np.float64).reshape(-1, 4)
    return {"xywh": as_xywh(corners, "xyxy", place)}


def _of_turned_boxes(shapes: list[Shape], place: Callable[[int], str]) -> dict[str, Any]:
    box = np.array([shape.numbers(_CORNERS) for shape in shapes], np.float64).reshape(-1, 4)
    upright = as_xywh(box, "xyxy", place)
    angle = np.array(
        [
            xml_number(shape.element.get("rotation"), "rotation", shape.place)
            if shape.name == "turned box"
            else 0.0
            for shape in shapes
        ]
    )
    corners = corners_of_turned(box, upright[:, 2:], angle)
    return {"xywh": upright_of_corners(corners, place), "corners": corners}


def corners_of_turned(
    box: NDArray[np.float64], size: NDArray[np.float64], angle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the corners (n, 8) of boxes that are turned about their centre.

    Parameters
    ----------
    box : ndarray, shape (n, 4)
        Left, top, right, bottom, as if it were not turned.
    size : ndarray, shape (n, 2)
        Width and height.
    angle : ndarray, shape (n,)
        In degrees, clockwise to the eye.
    """
    centre = (box[:, :2] + box[:, 2:]) / 2
    turned = corners_of_cxcywha(
        np.concatenate([centre, size, angle[:, None]], axis=1), "box", degrees=True
    )
    # Those that are not turned stay as they are, to the last digit.
    found: NDArray[np.float64] = np.where(
        angle[:, None] == 0, box[:, [0, 1, 2, 1, 2, 3, 0, 3]], turned
    )
    return found


def _of_masks(shapes: list[Shape], place: Callable[[int], str]) -> dict[str, Any]:
    polygons: list[NDArray[np.float64]] = []
    pixels: list[RleMasks] = []
    number = np.full(len(shapes), -1, np.int64)
    for row, shape in enumerate(shapes):
        if shape.name == "mask":
            number[row] = len(pixels)
            pixels.append(mask_of_crop(_crop(shape), shape.size, shape.place))
            polygons.append(np.zeros((0, 2)))
            continue
        points = shape.points()
        if len(points) < _FEWEST:
            raise SchemaError(
                f"expected three or more points of a polygon, got {len(points)}",
                f"{shape.place} points",
            )
        polygons.append(np.array(points))
    xy = np.concatenate([np.zeros((0, 2)), *polygons])
    begin = np.append(0, np.cumsum([len(each) for each in polygons], dtype=np.int64))
    outlines = Outlines(xy, begin)
    if pixels:
        outlines = outlines._replace(pixels=RleMasks.joined(pixels), place=number)
    return {"xywh": as_xywh(outlines.corners(), "xyxy", place), "outlines": outlines}


def _crop(shape: Shape) -> Crop:
    """Return the pixels of a mask."""
    text = (shape.element.get("rle") or "").strip()
    runs = [_whole(cell, "rle", shape.place) for cell in text.split(",")] if text else []
    left, top, width, height = (
        _whole(shape.element.get(field), field, shape.place)
        for field in ("left", "top", "width", "height")
    )
    return Crop(runs, left, top, width, height)


def _whole(text: str | None, field: str, place: str) -> int:
    number = xml_number(text, field, place)
    if number != int(number):
        raise InputError(f"expected a whole number, got {number:g}", f"{place} {field}")
    return int(number)


def _of_points(
    shapes: list[Shape], place: Callable[[int], str], order: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    names = {label: list(listed) for label, listed in order.items()}
    found = [
        _of_skeleton(shape, names) if shape.name == "skeleton" else _visible(shape)
        for shape in shapes
    ]
    n = len(found[0]) if found else 0
    for shape, points in zip(shapes, found, strict=True):
        if len(points) != n:
            raise SchemaError(
                f"expected {n} points, as the first shape has, got {len(points)}",
                f"{shape.place} points",
            )
    keypoints = np.array(found, np.float64).reshape(len(found), n, 3)
    labelled = keypoints[:, :, 2:] > 0
    none = ~labelled.any(axis=1)
    first = np.where(labelled, keypoints[:, :, :2], np.inf).min(axis=1, initial=np.inf)
    last = np.where(labelled, keypoints[:, :, :2], -np.inf).max(axis=1, initial=-np.inf)
    corners = np.where(none, 0.0, np.concatenate([first, last], axis=1))
    code_of_label = {label: code for code, label in enumerate(names)}
    code = [code_of_label[_label(shape)] if shape.name == "skeleton" else -1 for shape in shapes]
    orders = tuple(tuple(each) for each in names.values())
    return {
        "xywh": as_xywh(corners, "xyxy", place),
        "keypoints": keypoints,
        "point_names": PointNames(orders, np.array(code, np.int32)),
    }


def _label(shape: Shape) -> str:
    return (shape.element.get("label") or "").strip()


def _visible(shape: Shape) -> list[list[float]]:
    """Return the points of a shape, which are all seen or all hidden."""
    visibility = 1.0 if shape.element.get("occluded") == "1" else 2.0
    return [[*point, visibility] for point in shape.points()]


def _of_skeleton(shape: Shape, names: dict[str, list[str]]) -> list[list[float]]:
    """Return the points of a skeleton in the order of their names; those that lack are unlabelled.

    The order is the first skeleton's where the file does not list the names.
    """
    found: dict[str, list[float]] = {}
    for number, element in enumerate(shape.element.iterfind("points")):
        name = element.get("label") or ""
        place = f"{shape.place} points {number + 1}"
        points = Shape(element, "points", shape.image, shape.size, place).points()
        if len(points) != 1 or name in found:
            got = f'"{printable(name, 40)}" again' if name in found else f"{len(points)} points"
            raise SchemaError(f"expected one point of each name in a skeleton, got {got}", place)
        seen = 1.0 if element.get("occluded") == "1" else 2.0
        found[name] = [*points[0], 0.0 if element.get("outside") == "1" else seen]
    order = names.setdefault(_label(shape), list(found))
    unknown = found.keys() - set(order)
    if unknown:
        raise SchemaError(
            f"expected points of a skeleton called {few(order)}, got "
            f'"{printable(min(unknown), 40)}"',
            shape.place,
        )
    return [found.get(name, [0.0, 0.0, 0.0]) for name in order]


_COLUMNS: Final[dict[str, Callable[[list[Shape], Callable[[int], str]], dict[str, Any]]]] = {
    "box": _of_boxes,
    "oriented": _of_turned_boxes,
    "mask": _of_masks,
}


def columns_of_shapes(
    kind: ObjectKind, shapes: list[Shape], order: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return the columns of `BoxRows` that shapes of a kind fill.

    Parameters
    ----------
    kind : {"box", "mask", "keypoints", "oriented"}
    shapes : list of Shape
        All of that kind; for boxes of any, whose upright boxes are taken.
    order : mapping of str to sequence of str
        Of labels of skeletons the names of their points, as the file lists them.

    Raises
    ------
    SchemaError, InputError
        With the shape and the field.
    """
    places = [shape.place for shape in shapes]
    if kind == "keypoints":
        return _of_points(shapes, places.__getitem__, order)
    kinds = [_KIND_OF_SHAPE[shape.name] for shape in shapes]
    if kind == "box" and any(each != "box" for each in kinds):
        xywh = np.empty((len(shapes), 4))
        for own in dict.fromkeys(kinds):
            rows = [row for row, each in enumerate(kinds) if each == own]
            xywh[rows] = columns_of_shapes(own, [shapes[row] for row in rows], order)["xywh"]
        return {"xywh": xywh}
    return _COLUMNS[kind](shapes, places.__getitem__)
