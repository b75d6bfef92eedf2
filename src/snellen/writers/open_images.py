"""Open Images: a table of boxes as parts of the picture's size."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.writers.box_losses import box_losses, cut_to_images
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Written
from snellen.writers.written_names import class_losses, class_texts, image_losses, image_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.writers.detections import Detections

__all__ = ["table_text", "write_open_images"]

_FLAGS: Final = {
    "occluded": "IsOccluded",
    "truncated": "IsTruncated",
    "group_of": "IsGroupOf",
    "depiction": "IsDepiction",
    "inside": "IsInside",
}
_MARGIN: Final = 0.01


def write_open_images(data: Detections) -> Written:
    """Return a table of truth, with flags, or of predictions, with scores.

    Crowds are groups (``IsGroupOf``).

    Raises
    ------
    IdError, ClassError, InputError
        For images of one name, classes of one name, and sizes that are not known.
    """
    boxes = data.boxes
    names, images = class_texts(data), image_texts(data)
    size = None if data.relative else data.sizes_of_rows("Open Images")
    extent = np.ones((len(boxes), 2)) if size is None else size[:, ::-1].astype(np.float64)
    last = boxes.xywh[:, :2] + boxes.xywh[:, 2:]
    beyond = (boxes.xywh[:, :2] < -_MARGIN * extent) | (last > (1 + _MARGIN) * extent)
    # Of predictions readers take any.
    out: NDArray[np.bool_] = np.any(beyond, axis=1) & data.is_truth
    xywh, cut = cut_to_images(boxes.xywh, extent, out)
    numbers = box_numbers(xywh, "xyxy", size)
    corners = number_texts(numbers.values)
    columns: dict[str, list[Any]] = {
        "ImageID": [images[image] for image in boxes.image.tolist()],
        "LabelName": [names[label] for label in boxes.label.tolist()],
        "XMin": corners[0::4], "XMax": corners[2::4],
        "YMin": corners[1::4], "YMax": corners[3::4],
    }  # fmt: skip
    if not data.is_truth:
        columns["Score"] = number_texts(data.scores())
    if data.is_truth:
        for flag, column in _FLAGS.items():
            columns[column] = data.yes_or_no(flag)
    back = np.where(out[:, None], boxes.xywh, numbers.back)
    losses = [
        *image_losses(data, images, only_with_boxes=True),
        *class_losses(data, names, listed=False),
        *box_losses(data, keeps=("crowds", *_FLAGS), numbers=back),
        *cut,
    ]
    notes = ["the sizes of images are those of the pictures: --images names them when it is read"]
    return Written({"": table_text(columns).encode()}, losses, notes)


def table_text(columns: dict[str, list[Any]], delimiter: str = ",") -> str:
    """Return columns as delimited text, with their names in the first line."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
