"""CVAT's XML for images, version 1.1.

Read are images with their sizes, the names of labels, and boxes: corners, ``occluded``, and in
predictions a ``score`` or ``confidence``, which is an attribute of the box or one of the label's.
Polygons, masks, points, cuboids, tags and turned boxes are counted and left out. Not read are
``z_order``, ``source``, groups and other attributes of labels. Videos (``<track>``) are refused.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.box_rows import BoxRows, distinct
from snellen.readers.plain_xml import read_xml, xml_number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from snellen.classes import Classes

__all__ = ["read_cvat_xml"]

_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_SCORES: Final = ("score", "confidence")


def read_cvat_xml(path: str | os.PathLike[str], *, truth: bool) -> BoxRows:
    """Read the boxes of a CVAT file.

    Parameters
    ----------
    path : path
        The file, plain or ``.gz``; or a folder that has ``annotations.xml``, as CVAT packs it.
    truth : bool
        Whether it is truth; predictions need a score for each box.

    Returns
    -------
    BoxRows
        Boxes in pixels; images are called by their names, and all of them are listed; the flag
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
    image: list[int] = []
    names: list[str] = []
    corners: list[list[float]] = []
    occluded: list[int] = []
    scores: list[float] = []
    places: list[str] = []
    others: Counter[str] = Counter()
    for found in root.iterfind("image"):
        name = found.get("name") or ""
        if not name:
            raise SchemaError("expected a name of each image", f"{file} image {len(images) + 1}")
        where = f'{file} image "{name}"'
        sizes.append(_size(found, where))
        for number, shape in enumerate(found):
            at = f"{where} {shape.tag} {number + 1}"
            if shape.tag != "box":
                others[shape.tag] += 1
                continue
            if shape.get("rotation") and xml_number(shape.get("rotation"), "rotation", at):
                others["turned box"] += 1
                continue
            names.append(_label(shape, at))
            corners.append([xml_number(shape.get(each), each, at) for each in _CORNERS])
            occluded.append(int(shape.get("occluded") == "1"))
            if not truth:
                scores.append(_score(shape, at))
            image.append(len(images))
            places.append(at)
        images.append(name)
    twice = [name for name, count in Counter(images).items() if count > 1]
    if twice:
        raise IdError(f'expected each image once, got "{twice[0]}" again', file)
    labels, label = distinct(names)
    left_out = ", ".join(f"{count:,} {kind}" for kind, count in sorted(others.items()))
    return BoxRows(
        images=images,
        image=np.array(image, np.int32),
        labels=labels,
        label=label,
        xywh=as_xywh(np.array(corners, np.float64).reshape(-1, 4), "xyxy", places.__getitem__),
        place=places.__getitem__,
        path=file,
        score=None if truth else np.array(scores, np.float64),
        sizes=np.array(sizes, np.int64).reshape(-1, 2),
        flags={"occluded": np.array(occluded, np.uint8)},
        classes=_listed(root, labels),
        notes=(f"{file}: shapes that are no upright boxes left out: {left_out}",) if others else (),
    )


def _size(image: Element, place: str) -> tuple[int, int]:
    size = []
    for field in ("height", "width"):
        number = xml_number(image.get(field), field, place)
        if number < 1 or number != int(number):
            raise InputError(f"expected a whole number from 1, got {number:g}", f"{place} {field}")
        size.append(int(number))
    return size[0], size[1]


def _label(shape: Element, place: str) -> str:
    label = (shape.get("label") or "").strip()
    if not label:
        raise SchemaError("expected a label of each box", place)
    return label


def _score(shape: Element, place: str) -> float:
    for field in _SCORES:
        text = shape.get(field)
        if text is None:
            attributes = shape.iterfind("attribute")
            text = next((each.text for each in attributes if each.get("name") == field), None)
        if text is not None:
            return xml_number(text, field, place)
    raise SchemaError("expected a score of each box of predictions, there is none", place)


def _listed(root: Element, labels: list[str]) -> Classes | None:
    """Return the classes that the file lists, and those of boxes; None where it lists none."""
    from snellen.classes import Classes

    listed = [(each.text or "").strip() for each in root.iterfind("meta//labels/label/name")]
    every = dict.fromkeys(name for name in (*listed, *labels) if name)
    return Classes(list(every)) if any(listed) else None
