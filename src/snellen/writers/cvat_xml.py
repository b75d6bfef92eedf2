"""CVAT's XML for images, version 1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from snellen.detection.poses import Poses
from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import number_texts
from snellen.writers.cvat_shapes import shapes_of, written_points
from snellen.writers.detections import Written
from snellen.writers.written_names import class_losses, class_texts, image_losses, image_texts

if TYPE_CHECKING:
    from snellen.writers.cvat_shapes import Shape
    from snellen.writers.detections import Detections

__all__ = ["write_cvat_xml"]


def write_cvat_xml(data: Detections) -> Written:
    """Return a file with all labels, images and shapes; predictions have an attribute ``score``.

    Boxes are boxes, also turned ones; masks are polygons, where one is known, else brushed masks;
    keypoints are skeletons, whose points are called as they are, or 1, 2, 3, ….

    Raises
    ------
    IdError, ClassError, InputError
        For images of one name, classes of one name, sizes that are not known, and boxes that are
        parts of them.
    """
    data.refuse_relative("CVAT")
    sizes = data.known_sizes("CVAT").tolist()
    names, images = class_texts(data), image_texts(data)
    found = shapes_of(data)
    labels = "".join(_label(data, code, escape(name)) for code, name in enumerate(names))
    lines_of_shapes = _lines(data, found.texts, [quoteattr(name) for name in names])
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<annotations>",
        "  <version>1.1</version>",
        f"  <meta><task><labels>{labels}</labels></task></meta>",
    ]
    for image, rows in enumerate(data.rows_of_images()):
        height, width = sizes[image]
        lines.append(
            f'  <image id="{image}" name={quoteattr(images[image])} width="{width}" '
            f'height="{height}">'
        )
        lines += [lines_of_shapes[row] for row in rows]
        lines.append("  </image>")
    document = "\n".join([*lines, "</annotations>", ""]).encode()
    losses = [
        *image_losses(data, images),
        *class_losses(data, names, listed=True),
        *box_losses(data, keeps=("occluded", "point_names", data.kind), numbers=found.back),
        *found.losses,
    ]
    return Written({"": document}, losses, found.notes)


def _label(data: Detections, code: int, name: str) -> str:
    """Return what the file says of a label."""
    if not isinstance(data.columns, Poses):
        return f"<label><name>{name}</name></label>"
    points = "".join(
        f"<label><name>{escape(point)}</name><type>points</type><parent>{name}</parent></label>"
        for point in written_points(data, data.columns, code)
    )
    return f"<label><name>{name}</name><type>skeleton</type></label>{points}"


def _lines(data: Detections, shapes: list[Shape], labels: list[str]) -> list[str]:
    """Return the line of each shape."""
    occluded = data.yes_or_no("occluded")
    score = None if data.is_truth else number_texts(data.scores())
    lines = []
    for row, label in enumerate(data.boxes.label.tolist()):
        tag, cells, inner = shapes[row]
        if score is not None:
            inner += f'<attribute name="score">{score[row]}</attribute>'
        lines.append(
            f'    <{tag} label={labels[label]} source="manual" occluded="{occluded[row]}" {cells}'
            f'z_order="0">{inner}</{tag}>'
        )
    return lines
