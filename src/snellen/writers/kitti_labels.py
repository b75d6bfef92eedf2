"""KITTI's object labels: a text a picture, in ``label_2``; results in ``data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.readers.kitti_labels import DONT_CARE
from snellen.writers.box_losses import box_losses
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Loss, Written
from snellen.writers.text_lines import joined, lines_of_images
from snellen.writers.written_names import class_losses, class_words, file_stems, image_losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.writers.detections import Detections

__all__ = ["write_kitti_labels"]

_ANGLE: Final = "-10"
# Height, width and length; x, y and z; the angle: KITTI's numbers for those that are not known.
_IN_SPACE: Final = "-1 -1 -1 -1000 -1000 -1000 -10"
_MOST_OCCLUDED: Final = 3


def write_kitti_labels(data: Detections) -> Written:
    """Return a text for each image; boxes in space are written as not known.

    Raises
    ------
    IdError, ClassError, InputError
        For names that cells or files cannot have, and boxes that are parts of unknown sizes.
    """
    data.refuse_relative("KITTI")
    boxes = data.boxes
    words, changed = class_words(data, "KITTI")
    stems = file_stems(data, of_texts=True)
    numbers = box_numbers(boxes.xywh, "xyxy")
    corners = number_texts(numbers.values)
    truncated, occluded = (_level(data, flag) for flag in ("truncated", "occluded"))
    score = [] if data.is_truth else [number_texts(data.scores())]
    lines = joined(
        [words[label] for label in boxes.label.tolist()],
        list(map(str, np.minimum(truncated, 1).tolist())),
        list(map(str, np.minimum(occluded, _MOST_OCCLUDED).tolist())),
        [_ANGLE] * len(boxes),
        *(corners[k::4] for k in range(4)),
        [_IN_SPACE] * len(boxes),
        *score,
    )
    folder = "label_2" if data.is_truth else "data"
    files = {
        f"{folder}/{stem}.txt": text
        for stem, text in zip(stems, lines_of_images(data, lines), strict=True)
    }
    crowd = np.zeros(len(boxes), np.bool_) if boxes.crowd is None else boxes.crowd > 0
    is_area = np.array([word == DONT_CARE for word in words], np.bool_)[boxes.label]
    n_crowds = int(np.count_nonzero(crowd != is_area)) if data.is_truth else 0
    losses = [
        *image_losses(data, stems),
        *changed,
        *class_losses(data, words, listed=False),
        *box_losses(
            data,
            keeps=("truncated", "occluded", "crowds"),
            levels=_MOST_OCCLUDED,
            numbers=numbers.back,
        ),
    ]
    if n_crowds:
        losses.append(Loss("crowds", n_crowds, f"crowd flags: {DONT_CARE} areas alone are crowds"))
    return Written(files, losses)


def _level(data: Detections, flag: str) -> NDArray[np.int64]:
    """Return how far a flag is true: 0 where nothing is said of it, -1 of predictions."""
    values = data.flag(flag)
    if data.is_truth and values is not None:
        return values.astype(np.int64)
    return np.full(len(data.boxes), 0 if data.is_truth else -1, np.int64)
