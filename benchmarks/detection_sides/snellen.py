"""Snellen, by its Python functions; from files it is measured as its command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import AveragePrecision, Boxes, read_coco_predictions, read_coco_truth
from snellen.readers.lvis import read_lvis_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen import AveragePrecisionResult

PROTOCOL = "coco-strict"  # the reference's rules, to the last bit
# By the kinds of the other sides: what is read, and the rules.
KINDS: dict[str, tuple[Any, str]] = {
    "bbox": ("box", PROTOCOL),
    "segm": ("mask", PROTOCOL),
    "keypoints": ("keypoints", "coco-keypoints-strict"),
    "lvis": ("box", "lvis-strict"),
}


def twelve(result: AveragePrecisionResult) -> Sequence[float]:
    """Return the headline numbers, -1 where undefined: the reference's word for it."""
    return [-1.0 if math.isnan(number) else number for number in result.metrics.values()]


def numbers(truth: str, predictions: str, kind: str = "bbox") -> tuple[Any, Sequence[float]]:
    """Return the precision array and the headline numbers."""
    what, protocol = KINDS[kind]
    known: Any = (read_lvis_truth if kind == "lvis" else read_coco_truth)(truth, kind=what)
    found = read_coco_predictions(predictions, known, complete=kind != "lvis")
    result = AveragePrecision(protocol=protocol).update(known, found).compute()
    return result.precision, twelve(result)


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on columns; the truth's ``Boxes`` are there already."""
    known = read_coco_truth(truth)
    columns = {
        "image_id": rows[:, 0].astype(np.int64),
        "score": np.ascontiguousarray(rows[:, 5]),
        "label": rows[:, 6].astype(np.int64),
    }
    box = np.ascontiguousarray(rows[:, 1:5])

    def work() -> Sequence[float]:
        found = Boxes.from_xywh(box, image_ids=known.images.ids, classes=known.classes, **columns)
        result = AveragePrecision(protocol=PROTOCOL).update(known, found).compute()
        print(result)
        return twelve(result)

    return work
