"""CVAT's XML for images, version 1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.written_names import class_losses, class_texts, image_losses, image_texts

if TYPE_CHECKING:
    from snellen.writers.detections import Detections

__all__ = ["write_cvat_xml"]


def write_cvat_xml(data: Detections) -> Written:
    """Return a file with all labels, images and boxes; predictions have an attribute ``score``.

    Raises
    ------
    IdError, ClassError, InputError
        For images of one name, classes of one name, sizes that are not known, and boxes that are
        parts of them.
    """
    data.refuse_relative("CVAT")
    sizes = data.known_sizes("CVAT").tolist()
    names, images = class_texts(data), image_texts(data)
    numbers = box_numbers(data.boxes.xywh, "xyxy")
    shapes = _shapes(data, [quoteattr(name) for name in names], number_texts(numbers.values))
    labels = "".join(f"<label><name>{escape(name)}</name></label>" for name in names)
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
        lines += [shapes[row] for row in rows]
        lines.append("  </image>")
    document = "\n".join([*lines, "</annotations>", ""]).encode()
    losses = [
        *image_losses(data, images),
        *class_losses(data, names, listed=True),
        *box_losses(data, keeps=("occluded",), numbers=numbers.back),
    ]
    return Written({"": document}, losses)


def _shapes(data: Detections, labels: list[str], corners: list[str]) -> list[str]:
    occluded = data.yes_or_no("occluded")
    score = None if data.is_truth else number_texts(data.scores())
    shapes = []
    for row, label in enumerate(data.boxes.label.tolist()):
        left, top, right, bottom = corners[4 * row : 4 * row + 4]
        head = (
            f'    <box label={labels[label]} source="manual" occluded="{occluded[row]}" '
            f'xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}" z_order="0"'
        )
        if score is None:
            shapes.append(f"{head}></box>")
        else:
            shapes.append(f'{head}><attribute name="score">{score[row]}</attribute></box>')
    return shapes
