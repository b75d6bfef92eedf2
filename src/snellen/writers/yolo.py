"""YOLO: a text a picture with boxes, polygons, poses or turned boxes; and ``data.yaml``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError
from snellen.writers.box_losses import box_losses, cut_to_images
from snellen.writers.box_numbers import box_numbers, number_texts, part_numbers
from snellen.writers.detections import Loss, Written
from snellen.writers.text_lines import joined, lines_of_images
from snellen.writers.written_names import class_losses, file_stems, image_losses, refuse_control

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.writers.detections import Detections

__all__ = ["write_yolo"]

_TASKS: Final = {"mask": "segment", "keypoints": "pose", "oriented": "obb"}
_MARGIN_OF_TRUTH: Final = 0.01
_MARGIN_OF_PREDICTIONS: Final = 1.0


def write_yolo(data: Detections) -> Written:
    """Return ``data.yaml`` and a text for each image in ``labels``.

    Class numbers count from 0 in the order of ids. Of masks the polygons are written, where they
    are known; else the corners of the box.

    Raises
    ------
    IdError, InputError
        For names of images that files cannot have, and sizes that are not known.
    """
    boxes = data.boxes
    ids = boxes.classes.keys.ids.tolist()
    names = boxes.classes.display_names()
    refuse_control(names, "classes", data.place)
    stems = file_stems(data, of_texts=True)
    size = None if data.relative else data.sizes_of_rows("YOLO")
    losses = [
        *image_losses(data, stems),
        *class_losses(data, list(range(len(ids))), names, listed=True),
    ]
    numbers = None
    if data.kind == "oriented" or data.kind == "mask":
        cells, back, more = _outlines(data, size)
        losses += [*box_losses(data, keeps=(data.kind,), numbers=back), *more]
    else:
        cells, numbers, more = _boxes(data, size)
        losses += [*box_losses(data, keeps=("keypoints",), numbers=numbers), *more]
    score = [] if data.is_truth else [number_texts(data.scores())]
    lines = joined(list(map(str, boxes.label.tolist())), cells, *score)
    files = {
        f"labels/{stem}.txt": text
        for stem, text in zip(stems, lines_of_images(data, lines), strict=True)
    }
    files["data.yaml"] = _description(data, names)
    notes = [
        "the sizes of images are those of the pictures: put these in the folder images, beside "
        "labels, under the same names"
    ]
    return Written(files, losses, notes)


def _boxes(
    data: Detections, size: NDArray[np.int64] | None
) -> tuple[list[str], NDArray[np.float64], list[Loss]]:
    """Return centre and size of each box, and the keypoints behind them."""
    extent = np.ones((len(data.boxes), 2)) if size is None else size[:, ::-1].astype(np.float64)
    margin = _MARGIN_OF_TRUTH if data.is_truth else _MARGIN_OF_PREDICTIONS
    xywh = data.boxes.xywh
    part = np.concatenate([xywh[:, :2] + xywh[:, 2:] / 2, xywh[:, 2:]], axis=1) / np.tile(extent, 2)
    out = (part[:, :2].min(axis=1, initial=0) < -margin) | (
        part.max(axis=1, initial=0) > 1 + margin
    )
    xywh, losses = cut_to_images(xywh, extent, out)
    numbers = box_numbers(xywh, "cxcywh", size)
    cells = _lines(numbers.values)
    if isinstance(data.columns, Poses):
        points = np.array(data.columns.keypoints, np.float64)
        points[:, :, :2] = part_numbers(points[:, :, :2], extent[:, None]).values
        cells = joined(cells, _lines(points.reshape(len(points), -1)))
    # What was cut is told as such.
    return cells, np.where(out[:, None], data.boxes.xywh, numbers.back), losses


def _outlines(
    data: Detections, size: NDArray[np.int64] | None
) -> tuple[list[str], NDArray[np.float64] | None, list[Loss]]:
    """Return the polygon of each object, as parts of the image's size, and corners as read."""
    boxes = data.boxes
    extent = np.ones((len(boxes), 2)) if size is None else size[:, ::-1].astype(np.float64)
    if isinstance(data.columns, OrientedBoxes):
        parts = part_numbers(np.asarray(data.columns.corners, np.float64), extent[:, None])
        n = len(boxes)
        return _lines(parts.values.reshape(n, -1)), parts.back.reshape(n, -1), []
    polygons = data.polygons or [[]] * len(boxes)
    if len(polygons) != len(boxes):
        raise InputError(
            f"expected polygons of {len(boxes):,} objects, got {len(polygons):,}", data.place
        )
    x, y, w, h = boxes.xywh.T
    corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1).reshape(-1, 4, 2)
    cells = []
    n_without = n_parts = 0
    for row, of_object in enumerate(polygons):
        n_without += not of_object
        n_parts += len(of_object) > 1
        outline: Any = max(of_object, key=_area_of) if of_object else corners[row]
        numbers = part_numbers(np.asarray(outline, np.float64), extent[row])
        cells.append(" ".join(number_texts(numbers.values)))
    losses = [
        Loss("masks", n_without, "masks without polygons: the corners of their boxes instead"),
        Loss("mask_parts", n_parts, "masks of several polygons: the largest stays"),
    ]
    return cells, None, [loss for loss in losses if loss.n]


def _area_of(polygon: Any) -> float:
    x, y = np.asarray(polygon, np.float64).T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))


def _lines(numbers: NDArray[np.float64]) -> list[str]:
    """Return the numbers of each row, parted by blanks."""
    n, width = numbers.shape
    texts = number_texts(numbers)
    return [" ".join(texts[row * width : (row + 1) * width]) for row in range(n)]


def _description(data: Detections, names: list[str]) -> bytes:
    lines = ["train: images", "val: images"]
    if data.kind in _TASKS:
        # A polygon of four points may be an oriented box.
        lines.append(f"task: {_TASKS[data.kind]}")
    if isinstance(data.columns, Poses):
        lines.append(f"kpt_shape: [{data.columns.keypoints.shape[1]}, 3]")
    lines.append("names:")
    # JSON's texts are YAML's too.
    lines += [f"  {k}: {json.dumps(name, ensure_ascii=False)}" for k, name in enumerate(names)]
    return "\n".join([*lines, ""]).encode()
