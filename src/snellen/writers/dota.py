"""DOTA: oriented boxes as four points, a text a picture; results a text a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.oriented import OrientedBoxes
from snellen.readers.dota import class_of_task
from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.text_lines import joined, lines_of_images, lines_of_labels
from snellen.writers.voc_results import file_names_of_classes
from snellen.writers.written_names import (
    class_losses,
    class_texts,
    class_words,
    file_stems,
    image_cells,
    image_losses,
)

if TYPE_CHECKING:
    from snellen.writers.detections import Detections

__all__ = ["write_dota"]

_FLAG: Final = "difficult"
_MOST_DIFFICULT: Final = 2
# Of left, top, right, bottom the points in order around the box.
_AROUND: Final = [0, 1, 2, 1, 2, 3, 0, 3]


def write_dota(data: Detections) -> Written:
    """Return a text for each image in ``labelTxt``, of predictions ``Task1_CLASS.txt``.

    Upright boxes are written as their corners.

    Raises
    ------
    IdError, ClassError, InputError
        For names that cells or files cannot have, and boxes that are parts of unknown sizes.
    """
    data.refuse_relative("DOTA")
    boxes = data.boxes
    back = None
    if isinstance(data.columns, OrientedBoxes):
        points = np.asarray(data.columns.corners, np.float64).reshape(len(boxes), 8)
    else:
        numbers = box_numbers(boxes.xywh, "xyxy")
        points, back = numbers.values[:, _AROUND], numbers.back
    texts = number_texts(points)
    cells = [texts[k::8] for k in range(8)]
    kept = ("oriented", _FLAG) if data.is_truth else ("oriented",)
    losses = box_losses(data, keeps=kept, levels=_MOST_DIFFICULT, numbers=back)
    if not data.is_truth:
        names, images = class_texts(data), image_cells(data, "results")
        image = [images[code] for code in boxes.image.tolist()]
        lines = joined(image, number_texts(data.scores()), *cells)
        paths = file_names_of_classes(data, names, "Task1_CLASS.txt", class_of_task)
        files = dict(zip(paths, lines_of_labels(data, lines), strict=True))
        losses += [*image_losses(data, images), *class_losses(data, names, listed=True)]
        return Written(files, losses)
    words, changed = class_words(data, "DOTA")
    stems = file_stems(data, of_texts=True)
    level = data.flag(_FLAG)
    difficult = np.zeros(len(boxes), np.uint8) if level is None else level
    label = [words[code] for code in boxes.label.tolist()]
    lines = joined(*cells, label, list(map(str, np.minimum(difficult, _MOST_DIFFICULT).tolist())))
    files = {
        f"labelTxt/{stem}.txt": text
        for stem, text in zip(stems, lines_of_images(data, lines), strict=True)
    }
    losses += [*image_losses(data, stems), *changed, *class_losses(data, words, listed=False)]
    return Written(files, losses)
