"""Snellen from the same (n, 7) array that the other sides take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detection_sides.snellen import PROTOCOL, twelve
from snellen import AveragePrecision, read_coco_predictions, read_coco_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``Boxes`` are there already."""
    known = read_coco_truth(truth)

    def work() -> Sequence[float]:
        found = read_coco_predictions(rows, known)
        result = AveragePrecision(protocol=PROTOCOL).update(known, found).compute()
        print(result)
        return twelve(result)

    return work
