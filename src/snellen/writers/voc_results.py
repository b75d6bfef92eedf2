"""Results of the Pascal VOC devkit: a text a class, ``comp4_det_test_CLASS.txt``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import ClassError, InputError
from snellen.readers.message_text import printable
from snellen.readers.voc_results import class_of_results
from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.text_lines import joined, lines_of_labels
from snellen.writers.written_names import class_losses, class_texts, image_cells, image_losses

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.writers.detections import Detections

__all__ = ["file_names_of_classes", "write_voc_results"]


def write_voc_results(data: Detections) -> Written:
    """Return a text for each class, also for those without predictions.

    Raises
    ------
    IdError, ClassError, InputError
        Of truth, of names that cells or files cannot have, and of boxes that are parts of unknown
        sizes.
    """
    if data.is_truth:
        raise InputError(
            "expected predictions: results of the VOC devkit have scores, truth is written as "
            "voc-xml",
            data.place,
        )
    data.refuse_relative("the VOC devkit")
    names = class_texts(data)
    images = image_cells(data, "results")
    numbers = box_numbers(data.boxes.xywh, "xyxy")
    corners = number_texts(numbers.values)
    lines = joined(
        [images[image] for image in data.boxes.image.tolist()],
        number_texts(data.scores()),
        *(corners[k::4] for k in range(4)),
    )
    paths = file_names_of_classes(data, names, "comp4_det_test_CLASS.txt", class_of_results)
    losses = [
        *image_losses(data, images),
        *class_losses(data, names, listed=True),
        *box_losses(data, numbers=numbers.back),
    ]
    files = dict(zip(paths, lines_of_labels(data, lines), strict=True))
    return Written(files, losses)


def file_names_of_classes(
    data: Detections, names: list[str], pattern: str, class_of: Callable[[str], str | None]
) -> list[str]:
    """Return the name of each class's file, which says the class to its reader.

    Raises
    ------
    ClassError
        For a class that such a name cannot hold.
    """
    paths = []
    for name in names:
        path = pattern.replace("CLASS", name)
        if "/" in name or len(path.encode()) > 255 or class_of(path) != name:
            raise ClassError(
                f"expected names of classes that can be part of a file's name ({pattern}), got "
                f'"{printable(name, 60)}"',
                data.place,
            )
        paths.append(path)
    return paths
