"""Distances of objects and hypotheses, NaN where a pair is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.motmetrics.failed_assertion import FailedAssertionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["boxiou", "iou_matrix", "norm2squared_matrix", "rect_min_max"]


def norm2squared_matrix(
    objs: ArrayLike, hyps: ArrayLike, max_d2: float = float("inf")
) -> NDArray[np.float64]:
    """Return squared Euclidean distances of points.

    Parameters
    ----------
    objs, hyps : array-like, shape (n, d) and (m, d)
    max_d2 : float
        The largest that is allowed.

    Returns
    -------
    ndarray, shape (n, m), float64
        Of shape (0, 0) where a side is empty.
    """
    truth, pred = (np.atleast_2d(np.asarray(each, float)) for each in (objs, hyps))
    if not (truth.size and pred.size):
        return np.empty((0, 0))
    if truth.shape[1] != pred.shape[1]:
        raise FailedAssertionError(
            f"expected points of {truth.shape[1]} numbers, got {pred.shape[1]}", "hyps"
        )
    distance: NDArray[np.float64] = np.sum((truth[:, None] - pred) ** 2, axis=-1)
    distance[distance > max_d2] = np.nan
    return distance


def rect_min_max(r: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both corners of boxes (x, y, width, height)."""
    corner = r[..., :2]
    return corner, corner + r[..., 2:]


def boxiou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the IoU of boxes (x, y, width, height) of shapes that go together."""
    (a_low, a_high), (b_low, b_high) = rect_min_max(a), rect_min_max(b)

    def area(low: NDArray[Any], high: NDArray[Any]) -> Any:
        return np.prod(np.maximum(high - low, 0), axis=-1)

    overlap = area(np.maximum(a_low, b_low), np.minimum(a_high, b_high))
    union = area(a_low, a_high) + area(b_low, b_high) - overlap
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(overlap == 0, np.zeros_like(overlap, np.float64), overlap / union)


def iou_matrix(objs: ArrayLike, hyps: ArrayLike, max_iou: float = 1.0) -> NDArray[Any]:
    """Return 1 - IoU of boxes.

    Parameters
    ----------
    objs, hyps : array-like, shape (n, 4) and (m, 4)
        x, y, width, height.
    max_iou : float
        The largest *distance* that is allowed.

    Returns
    -------
    ndarray, shape (n, m)
        Of shape (0, 0) where a side is empty.
    """
    truth, pred = _as_boxes("objs", objs), _as_boxes("hyps", hyps)
    if not (truth.size and pred.size):
        return np.empty((0, 0))
    if not (has_plain_numbers(truth) and has_plain_numbers(pred)):
        distance = 1 - boxiou(truth[:, None], pred)
        return np.where(distance > max_iou, np.nan, distance)
    truth_begin, pred_begin = (np.array([0, len(each)]) for each in (truth, pred))
    begin, columns, values = _core.box_distances(
        truth_begin,
        pred_begin,
        np.ascontiguousarray(truth),
        np.ascontiguousarray(pred),
        max_distance=max_iou,
    )
    matrix = np.full((len(truth), len(pred)), np.nan)
    matrix[np.repeat(np.arange(len(truth)), np.diff(begin)), columns] = values
    return matrix


def has_plain_numbers(boxes: NDArray[Any]) -> bool:
    """Return whether the kernel computes what NumPy would: finite numbers of 64 bits."""
    return boxes.dtype == np.float64 and bool(np.isfinite(boxes).all())


def _as_boxes(name: str, boxes: ArrayLike) -> NDArray[Any]:
    array = np.asarray(boxes)
    if not np.issubdtype(array.dtype, np.inexact):
        array = array.astype(np.float64)
    if array.size and array.shape[1:] != (4,):
        raise FailedAssertionError(f"expected boxes (n, 4), got shape {array.shape}", name)
    return array
