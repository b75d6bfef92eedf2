"""Pascal VOC annotations: an XML file a picture, in ``Annotations``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.written_names import (
    class_losses,
    class_texts,
    file_stems,
    image_losses,
    image_texts,
)

if TYPE_CHECKING:
    from snellen.writers.detections import Detections

__all__ = ["write_voc_xml"]

_FLAGS: Final = ("truncated", "difficult", "occluded")
_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")


def write_voc_xml(data: Detections) -> Written:
    """Return an XML file for each image; predictions have a ``score`` in each object.

    Coordinates are those of the boxes: no 1 is added, as none is taken away when they are read.

    Raises
    ------
    IdError, ClassError, InputError
        For names that files cannot have, and boxes that are parts of unknown sizes.
    """
    data.refuse_relative("Pascal VOC")
    names = class_texts(data)
    stems = file_stems(data, of_texts=False)
    texts = image_texts(data)
    numbers = box_numbers(data.boxes.xywh, "xyxy")
    objects = _objects(data, [escape(name) for name in names], number_texts(numbers.values))
    sizes = None if data.sizes is None else data.sizes.tolist()
    files = {}
    for image, (stem, rows) in enumerate(zip(stems, data.rows_of_images(), strict=True)):
        lines = ["<annotation>", f"  <filename>{escape(texts[image])}</filename>"]
        if sizes is not None:
            height, width = sizes[image]
            lines.append(f"  <size><width>{width}</width><height>{height}</height></size>")
        lines += [objects[row] for row in rows]
        files[f"Annotations/{stem}.xml"] = "\n".join([*lines, "</annotation>", ""]).encode()
    losses = [
        *image_losses(data, stems),
        *class_losses(data, names, listed=False),
        *box_losses(data, keeps=_FLAGS, numbers=numbers.back),
    ]
    return Written(files, losses)


def _objects(data: Detections, names: list[str], corners: list[str]) -> list[str]:
    # Tools expect the first two; the third is of newer files.
    flags = {flag: data.yes_or_no(flag) for flag in _FLAGS if data.is_truth}
    if not any(flags.get(_FLAGS[2], ())):
        flags.pop(_FLAGS[2], None)
    score = None if data.is_truth else number_texts(data.scores())
    objects = []
    for row, label in enumerate(data.boxes.label.tolist()):
        box = "".join(
            f"<{tag}>{text}</{tag}>"
            for tag, text in zip(_CORNERS, corners[4 * row : 4 * row + 4], strict=True)
        )
        said = "".join(f"<{flag}>{values[row]}</{flag}>" for flag, values in flags.items())
        if score is not None:
            said += f"<score>{score[row]}</score>"
        objects.append(
            f"  <object><name>{names[label]}</name>{said}<bndbox>{box}</bndbox></object>"
        )
    return objects
