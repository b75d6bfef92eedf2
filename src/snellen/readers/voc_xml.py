"""Pascal VOC annotations: an XML file a picture.

Read are the size, and of each object ``name``, ``bndbox``, ``difficult``, ``truncated``,
``occluded`` and, in predictions, ``score`` or ``confidence``. Not read are ``pose``, ``part``
(boxes of parts of a person), ``segmented`` and what is said of the picture's source. An image is
called by its file's path below the folder, without ``.xml``: ``filename`` is often of another copy.

Coordinates stay as written. In VOC's own files they are pixels counted from 1, both ends inside, so
that a box is as wide as ``xmax - xmin + 1``; that 1 is the protocol's matter and is not added here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.box_layouts import as_xywh
from snellen.errors import InputError, SchemaError
from snellen.readers.box_rows import BoxRows, distinct
from snellen.readers.image_files import files_below
from snellen.readers.plain_xml import read_xml, xml_number, xml_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["read_voc_xml"]

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_FLAGS: Final = ("difficult", "truncated", "occluded")
_SCORES: Final = ("score", "confidence")


def read_voc_xml(path: str | os.PathLike[str], *, truth: bool) -> BoxRows:
    """Read the boxes of Pascal VOC annotations.

    Parameters
    ----------
    path : path
        A folder of XML files, or one that has them in ``Annotations``; or a single file.
    truth : bool
        Whether it is truth; predictions need a ``score`` or ``confidence`` in each object.

    Returns
    -------
    BoxRows
        Boxes in pixels, left and top as written, width and height ``xmax - xmin`` and ``ymax -
        ymin``; the flags ``difficult``, ``truncated`` and ``occluded`` (0 where they are absent);
        sizes where all files have them. A file without objects is an image without boxes.

    Raises
    ------
    SchemaError, InputError
        With file, object and field. See `read_xml` for what is refused.
    """
    place = os.fspath(path)
    images: list[str] = []
    image: list[int] = []
    names: list[str] = []
    corners: list[list[float]] = []
    flags: dict[str, list[int]] = {flag: [] for flag in _FLAGS}
    scores: list[float] = []
    sizes: list[tuple[int, int] | None] = []
    places: list[str] = []
    for name, file in _files(place).items():
        root = read_xml(file, "annotation", "Pascal VOC annotations")
        sizes.append(_size(root, file))
        for number, found in enumerate(root.iterfind("object")):
            where = f"{file} object {number + 1}"
            names.append(xml_text(found, "name", where))
            box = found.find("bndbox")
            if box is None:
                kinds = [child.tag for child in found if child.tag in ("robndbox", "polygon")]
                got = f"<{kinds[0]}>" if kinds else "none"
                raise SchemaError(f"expected a box in <bndbox>, got {got}", where)
            corners.append([xml_number(box.findtext(each), each, where) for each in _CORNERS])
            for flag in _FLAGS:
                flags[flag].append(_flag(found.findtext(flag), flag, where))
            if not truth:
                scores.append(_score(found, where))
            image.append(len(images))
            places.append(where)
        images.append(name)
    labels, label = distinct(names)
    corner = np.array(corners, np.float64).reshape(-1, 4)
    known = [size for size in sizes if size is not None]
    return BoxRows(
        images=images,
        image=np.array(image, np.int32),
        labels=labels,
        label=label,
        xywh=as_xywh(corner, "xyxy", places.__getitem__),
        place=places.__getitem__,
        path=place,
        score=None if truth else np.array(scores, np.float64),
        sizes=np.array(known, np.int64).reshape(-1, 2) if len(known) == len(images) else None,
        flags={flag: np.array(values, np.uint8) for flag, values in flags.items()},
    )


def _files(place: str) -> dict[str, str]:
    if os.path.isfile(place):  # noqa: PTH113
        return {os.path.basename(place).rpartition(".")[0]: place}  # noqa: PTH119
    if os.path.isdir(f"{place}/Annotations"):  # noqa: PTH112
        place = f"{place}/Annotations"
    elif not os.path.isdir(place):  # noqa: PTH112
        raise InputError("expected a folder of Pascal VOC annotations, there is none", place)
    found = {
        name[: -len(".xml")]: path
        for name, path in files_below(place)
        if name.lower().endswith(".xml")
    }
    if not found:
        raise InputError("expected Pascal VOC annotations (.xml), there are none", place)
    return found


def _size(root: Element, file: str) -> tuple[int, int] | None:
    """Return height and width; None where they are not said, or as 0."""
    found = root.find("size")
    if found is None:
        return None
    size = []
    for field in ("height", "width"):
        text = found.findtext(field)
        number = 0.0 if text is None else xml_number(text, f"size {field}", file)
        if number < 0 or number != int(number):
            raise InputError(
                f"expected a whole number of pixels, got {number:g}", f"{file} size {field}"
            )
        size.append(int(number))
    return (size[0], size[1]) if min(size) > 0 else None


def _flag(text: str | None, flag: str, place: str) -> int:
    found = (text or "").strip().lower()
    if found in ("", "0", "false", "unspecified"):
        return 0
    if found in ("1", "true"):
        return 1
    raise SchemaError(f'expected 0 or 1, got "{found[:40]}"', f"{place} {flag}")


def _score(found: Element, place: str) -> float:
    for field in _SCORES:
        text = found.findtext(field)
        if text is not None:
            return xml_number(text, field, place)
    raise SchemaError("expected a <score> in each object of predictions, there is none", place)
