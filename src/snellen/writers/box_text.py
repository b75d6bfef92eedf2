"""Texts of boxes, one a picture, as the tools of J. Cartucho and R. Padilla read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.text_lines import joined, lines_of_images
from snellen.writers.written_names import class_losses, class_words, file_stems, image_losses

if TYPE_CHECKING:
    from snellen.detection.box_layouts import BoxLayout
    from snellen.writers.detections import Detections

__all__ = ["write_box_text"]

_FLAG: Final = "difficult"


def write_box_text(data: Detections, layout: BoxLayout = "xywh") -> Written:
    """Return a text for each image: class, of predictions the score, and four numbers.

    Raises
    ------
    IdError, ClassError, InputError
        For names that cells or files cannot have.
    """
    boxes = data.boxes
    words, changed = class_words(data, "the text")
    stems = file_stems(data, of_texts=True)
    numbers = box_numbers(boxes.xywh, layout)
    values = number_texts(numbers.values)
    cells = [[words[label] for label in boxes.label.tolist()]]
    if not data.is_truth:
        cells.append(number_texts(data.scores()))
    lines = joined(*cells, *(values[k::4] for k in range(4)))
    difficult = data.flag(_FLAG)
    if data.is_truth and difficult is not None:
        lines = [
            f"{line} {_FLAG}" if flag else line
            for line, flag in zip(lines, difficult.tolist(), strict=True)
        ]
    files = {
        f"{stem}.txt": text for stem, text in zip(stems, lines_of_images(data, lines), strict=True)
    }
    losses = [
        *image_losses(data, stems),
        *changed,
        *class_losses(data, words, listed=False),
        *box_losses(data, keeps=(_FLAG,) if data.is_truth else (), numbers=numbers.back),
    ]
    meaning = "relative" if data.relative else "absolute"
    notes = [
        f"texts don't say what their numbers are: read them with --format box-text --box {layout} "
        f"--{meaning}"
    ]
    return Written(files, losses, notes)
