"""CVAT's XML for images, version 1.1.

Read are images with their sizes, the names of labels, and of the shapes those of one kind: boxes
(upright, or all of them as turned boxes), polygons as masks, or points as keypoints; of each
``occluded``, and in predictions a ``score`` or ``confidence``, which is an attribute of the shape
or one of the label's. Other shapes are counted and left out. Not read are ``z_order``, ``source``,
groups and other attributes of labels. Videos (``<track>``) are refused.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.detection.oriented import corners_of_cxcywha
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.box_rows import KINDS, BoxRows, distinct, upright_of_corners
from snellen.readers.message_text import printable
from snellen.readers.outlines import Outlines
from snellen.readers.plain_xml import read_xml, xml_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.box_rows import ObjectKind

__all__ = ["read_cvat_xml", "shape_of", "shapes_of_kind"]

_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_SCORES: Final = ("score", "confidence")
_KIND_OF_SHAPE: Final[dict[str, ObjectKind]] = {
    "box": "box",
    "turned box": "oriented",
    "polygon": "mask",
    "points": "keypoints",
}


def read_cvat_xml(
    path: str | os.PathLike[str], *, truth: bool, kind: ObjectKind | None = None
) -> BoxRows:
    """Read the objects of a CVAT file.

    Parameters
    ----------
    path : path
        The file, plain or ``.gz``; or a folder that has ``annotations.xml``, as CVAT packs it.
    truth : bool
        Whether it is truth; predictions need a score for each object.
    kind : {"box", "mask", "keypoints", "oriented"}, optional
        Which shapes are read; without, upright boxes where there are any, else the one kind that
        there is.

    Returns
    -------
    BoxRows
        Objects in pixels; images are called by their names, and all of them are listed; the flag
        ``occluded``. How many shapes were left out is in the notes.

    Raises
    ------
    SchemaError, IdError, InputError
        With file, image, shape and field. See `read_xml` for what is refused.
    """
    place = os.fspath(path)
    file = f"{place}/annotations.xml" if os.path.isdir(place) else place  # noqa: PTH112
    root = read_xml(file, "annotations", "CVAT annotations")
    if root.find("track") is not None:
        raise SchemaError(
            "expected CVAT for images, got a video (<track>): export it as CVAT for images", file
        )
    images: list[str] = []
    sizes: list[tuple[int, int]] = []
    shapes: list[_Shape] = []
    for found in root.iterfind("image"):
        name = found.get("name") or ""
        if not name:
            raise SchemaError("expected a name of each image", f"{file} image {len(images) + 1}")
        where = f'{file} image "{name}"'
        sizes.append(_size(found, where))
        for number, element in enumerate(found):
            at = f"{where} {element.tag} {number + 1}"
            shapes.append(_Shape(element, shape_of(element, at), len(images), at))
        images.append(name)
    twice = [name for name, count in Counter(images).items() if count > 1]
    if twice:
        raise IdError(f'expected each image once, got "{twice[0]}" again', file)
    counts = Counter(shape.name for shape in shapes)
    kind = kind or _kind_of_shapes(counts, file)
    wanted = shapes_of_kind(kind)
    taken = [shape for shape in shapes if shape.name in wanted]
    others = ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items()) if name not in wanted)
    places = [shape.place for shape in taken]
    labels, label = distinct([_label(shape) for shape in taken])
    scores = None if truth else np.array([_score(shape) for shape in taken], np.float64)
    occluded = [int(shape.element.get("occluded") == "1") for shape in taken]
    return BoxRows(
        images=images,
        image=np.array([shape.image for shape in taken], np.int32),
        labels=labels,
        label=label,
        place=places.__getitem__,
        path=file,
        score=scores,
        sizes=np.array(sizes, np.int64).reshape(-1, 2),
        flags={"occluded": np.array(occluded, np.uint8)},
        classes=_listed(root, labels),
        notes=(f"{file}: {KINDS[kind]} are read, other shapes left out: {others}",) * bool(others),
        **_COLUMNS[kind](taken, places.__getitem__),
    )


class _Shape(NamedTuple):
    """A shape of an image."""

    element: Element
    name: str
    image: int
    place: str

    def numbers(self, fields: tuple[str, ...]) -> list[float]:
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


def shapes_of_kind(kind: str) -> tuple[str, ...]:
    """Return which shapes are objects of a kind; turned boxes are among upright ones as a rule."""
    if kind == "oriented":
        return ("box", "turned box")
    return tuple(name for name, each in _KIND_OF_SHAPE.items() if each == kind)


def _kind_of_shapes(counts: Counter[str], place: str) -> ObjectKind:
    """Return what is read of shapes where nobody said it.

    Raises
    ------
    InputError
        Where there are no upright boxes, and several other kinds.
    """
    having = [kind for name, kind in _KIND_OF_SHAPE.items() if counts[name]]
    if not having or counts["box"]:
        return "box"
    if len(having) > 1:
        listed = ", ".join(f"{counts[name]:,} {name}" for name in _KIND_OF_SHAPE if counts[name])
        asked = " or ".join(f'kind="{kind}"' for kind in having)
        raise InputError(
            f"expected shapes of one kind, got {listed}: say {asked} (--similarity)", place
        )
    return having[0]


# ---- Columns of each kind ------------------------------------------------------------------------


def _of_boxes(shapes: list[_Shape], place: Callable[[int], str]) -> dict[str, Any]:
    corners = np.array([shape.numbers(_CORNERS) for shape in shapes], np.float64).reshape(-1, 4)
    return {"xywh": as_xywh(corners, "xyxy", place)}


def _of_turned_boxes(shapes: list[_Shape], place: Callable[[int], str]) -> dict[str, Any]:
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
    # They turn about their centre, clockwise to the eye.
    centre = (box[:, :2] + box[:, 2:]) / 2
    turned = corners_of_cxcywha(
        np.concatenate([centre, upright[:, 2:], angle[:, None]], axis=1), "box", degrees=True
    )
    # Those of the others stay as they are, to the last digit.
    corners = np.where(angle[:, None] == 0, box[:, [0, 1, 2, 1, 2, 3, 0, 3]], turned)
    return {"xywh": upright_of_corners(corners, place), "corners": corners}


def _of_polygons(shapes: list[_Shape], place: Callable[[int], str]) -> dict[str, Any]:
    polygons: list[NDArray[np.float64]] = []
    for shape in shapes:
        points = shape.points()
        if len(points) < 3:
            raise SchemaError(
                f"expected three or more points of a polygon, got {len(points)}",
                f"{shape.place} points",
            )
        polygons.append(np.array(points))
    xy = np.concatenate([np.zeros((0, 2)), *polygons])
    begin = np.append(0, np.cumsum([len(each) for each in polygons], dtype=np.int64))
    outlines = Outlines(xy, begin)
    return {"xywh": as_xywh(outlines.corners(), "xyxy", place), "outlines": outlines}


def _of_points(shapes: list[_Shape], place: Callable[[int], str]) -> dict[str, Any]:
    found = [shape.points() for shape in shapes]
    n = len(found[0]) if found else 0
    for shape, points in zip(shapes, found, strict=True):
        if len(points) != n:
            raise SchemaError(
                f"expected {n} points, as the first shape has, got {len(points)}",
                f"{shape.place} points",
            )
    xy = np.array(found, np.float64).reshape(len(found), n, 2)
    visible = [1.0 if shape.element.get("occluded") == "1" else 2.0 for shape in shapes]
    flags = np.broadcast_to(np.reshape(visible, (-1, 1, 1)), (len(xy), n, 1))
    corners = np.zeros((len(xy), 4))
    if len(xy):
        corners = np.concatenate([xy.min(axis=1), xy.max(axis=1)], axis=1)
    return {
        "xywh": as_xywh(corners, "xyxy", place),
        "keypoints": np.concatenate([xy, flags], axis=2),
    }


_COLUMNS: Final[dict[str, Callable[[list[_Shape], Callable[[int], str]], dict[str, Any]]]] = {
    "box": _of_boxes,
    "oriented": _of_turned_boxes,
    "mask": _of_polygons,
    "keypoints": _of_points,
}


# ---- What all have -------------------------------------------------------------------------------


def _size(image: Element, place: str) -> tuple[int, int]:
    size = []
    for field in ("height", "width"):
        number = xml_number(image.get(field), field, place)
        if number < 1 or number != int(number):
            raise InputError(f"expected a whole number from 1, got {number:g}", f"{place} {field}")
        size.append(int(number))
    return size[0], size[1]


def _label(shape: _Shape) -> str:
    label = (shape.element.get("label") or "").strip()
    if not label:
        raise SchemaError(f"expected a label of each {shape.element.tag}", shape.place)
    return label


def _score(shape: _Shape) -> float:
    for field in _SCORES:
        text = shape.element.get(field)
        if text is None:
            attributes = shape.element.iterfind("attribute")
            text = next((each.text for each in attributes if each.get("name") == field), None)
        if text is not None:
            return xml_number(text, field, shape.place)
    raise SchemaError(
        f"expected a score of each {shape.element.tag} of predictions, there is none", shape.place
    )


def _listed(root: Element, labels: list[str]) -> Classes | None:
    """Return the classes that the file lists, and those of shapes; None where it lists none."""
    from snellen.classes import Classes

    listed = [(each.text or "").strip() for each in root.iterfind("meta//labels/label/name")]
    every = dict.fromkeys(name for name in (*listed, *labels) if name)
    return Classes(list(every)) if any(listed) else None
