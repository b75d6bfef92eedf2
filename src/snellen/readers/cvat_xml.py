"""CVAT's XML for images, version 1.1.

Read are images with their sizes, the names of labels, and of the shapes those of one kind: boxes
(upright, or all of them as turned boxes), polygons and brushed masks as masks, or points and
skeletons as keypoints; of each ``occluded``, and in predictions a ``score`` or ``confidence``,
which is an attribute of the shape or one of the label's. Other shapes are counted and left out. Not
read are ``z_order``, ``source``, groups and other attributes of labels. Videos (``<track>``) are
refused.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.box_rows import KINDS, BoxRows, distinct
from snellen.readers.cvat_shapes import (
    Shape,
    columns_of_shapes,
    kind_of_shapes,
    shape_of,
    shapes_of_kind,
)
from snellen.readers.plain_xml import read_xml, xml_number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from snellen.classes import Classes
    from snellen.readers.box_rows import ObjectKind

__all__ = ["read_cvat_xml"]

_SCORES: Final = ("score", "confidence")


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
        there is. ``"box"``: upright boxes, and where there are none those around other shapes.

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
    shapes: list[Shape] = []
    for found in root.iterfind("image"):
        name = found.get("name") or ""
        if not name:
            raise SchemaError("expected a name of each image", f"{file} image {len(images) + 1}")
        where = f'{file} image "{name}"'
        size = _size(found, where)
        sizes.append(size)
        for number, element in enumerate(found):
            at = f"{where} {element.tag} {number + 1}"
            shapes.append(Shape(element, shape_of(element, at), len(images), size, at))
        images.append(name)
    twice = [name for name, count in Counter(images).items() if count > 1]
    if twice:
        raise IdError(f'expected each image once, got "{twice[0]}" again', file)
    counts = Counter(shape.name for shape in shapes)
    kind = kind or kind_of_shapes(counts, file)
    wanted = shapes_of_kind(kind, counts)
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
        **columns_of_shapes(kind, taken, _points_of_skeletons(root)),
    )


def _size(image: Element, place: str) -> tuple[int, int]:
    size = []
    for field in ("height", "width"):
        number = xml_number(image.get(field), field, place)
        if number < 1 or number != int(number):
            raise InputError(f"expected a whole number from 1, got {number:g}", f"{place} {field}")
        size.append(int(number))
    return size[0], size[1]


def _label(shape: Shape) -> str:
    label = (shape.element.get("label") or "").strip()
    if not label:
        raise SchemaError(f"expected a label of each {shape.element.tag}", shape.place)
    return label


def _score(shape: Shape) -> float:
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

    listed = [name for name, parent in _names_of_labels(root) if not parent]
    every = dict.fromkeys(name for name in (*listed, *labels) if name)
    return Classes(list(every)) if any(listed) else None


def _names_of_labels(root: Element) -> list[tuple[str, str]]:
    """Return the name of each label that the file lists, and that of the skeleton it is part of."""
    return [
        ((each.findtext("name") or "").strip(), (each.findtext("parent") or "").strip())
        for each in root.iterfind("meta//labels/label")
    ]


def _points_of_skeletons(root: Element) -> dict[str, list[str]]:
    """Return the names of the points of each skeleton that the file lists."""
    found: dict[str, dict[str, None]] = {}
    for name, parent in _names_of_labels(root):
        if parent:
            # A file may list the labels of a task and once more those of its project.
            found.setdefault(parent, {})[name] = None
    return {parent: list(names) for parent, names in found.items()}
