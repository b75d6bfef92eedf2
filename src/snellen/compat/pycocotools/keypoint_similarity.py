"""Object keypoint similarity, as ``COCOeval.computeOks`` of pycocotools 2.0.11 has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["similarities"]


def similarities(truth: list[Any], pred: list[Any], sigmas: Any) -> NDArray[np.float64]:
    """Return the similarity of every detection with every truth object, (n_pred, n_truth).

    Where a truth object has no visible keypoint, what counts is how far those of the detection lie
    outside its box, made twice as wide on every side.
    """
    found = np.zeros((len(pred), len(truth)))
    variances = (sigmas * 2) ** 2
    none = np.zeros(len(sigmas))
    for j, each in enumerate(truth):
        numbers = np.array(each["keypoints"])
        truth_x, truth_y, seen = numbers[0::3], numbers[1::3], numbers[2::3] > 0
        n_seen = np.count_nonzero(seen)
        left, top, width, height = _numbers_of(each["bbox"])
        for i, other in enumerate(pred):
            points = np.array(other["keypoints"])
            x, y = points[0::3], points[1::3]
            if n_seen > 0:
                dx, dy = x - truth_x, y - truth_y
            else:
                dx = _outside(none, x, left - width, left + width * 2)
                dy = _outside(none, y, top - height, top + height * 2)
            squares = (dx**2 + dy**2) / variances / (each["area"] + np.spacing(1)) / 2
            if n_seen > 0:
                squares = squares[seen]
            found[i, j] = np.sum(np.exp(-squares)) / squares.shape[0]
    return found


def _numbers_of(box: Any) -> tuple[Any, Any, Any, Any]:
    return box[0], box[1], box[2], box[3]


def _outside(none: Any, at: Any, low: Any, high: Any) -> Any:
    return np.max((none, low - at), axis=0) + np.max((none, at - high), axis=0)
