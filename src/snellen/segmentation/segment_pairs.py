"""How often each pair (truth segment, predicted segment) occurs in the pixels of images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.arrays import device_of, to_numpy
from snellen.errors import InputError, ShapeError
from snellen.segmentation.value_pairs import count_value_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

__all__ = ["SegmentPairs", "boundary_width", "count_segments"]


class SegmentPairs(NamedTuple):
    """The pairs of segment ids that share pixels, of one image or many.

    Attributes
    ----------
    start : ndarray, shape (N + 1,), int64
        The rows of image i are ``start[i]`` to ``start[i + 1]``.
    truth, pred : ndarray, shape (P,), int64
        Segment ids: 0, and what is below, is no segment.
    count : ndarray, shape (P,), int64
        In how many pixels both meet.
    near_truth, near_pred, near_both : ndarray, shape (P,), int64, or None
        In how many of these pixels the border of the truth segment is near, that of the predicted
        one, and both; None where boundaries don't matter.
    """

    start: Whole
    truth: Whole
    pred: Whole
    count: Whole  # type: ignore[assignment]  # not a tuple's count: rows are not searched for
    near_truth: Whole | None = None
    near_pred: Whole | None = None
    near_both: Whole | None = None

    @property
    def image(self) -> Whole:
        """The position of the image of each row, (P,)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @classmethod
    def joined(cls, parts: Iterable[SegmentPairs]) -> SegmentPairs:
        """Return the pairs of the images of all parts, one after the other."""
        every = list(parts)
        sizes = [np.diff(part.start) for part in every]
        start = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]))
        if not every:
            return cls(start, *(np.zeros(0, np.int64),) * 3)
        columns: list[Any] = [
            None if column[0] is None else np.concatenate(column)
            for column in zip(*(part[1:] for part in every), strict=True)
        ]
        return cls(start, *columns)


def boundary_width(height: int, width: int, ratio: float) -> int:
    """Return how many pixels from its border a segment's boundary reaches: a part of the diagonal.

    Halves are rounded to the even number, as in the reference.
    """
    return max(1, round(ratio * math.sqrt(height**2 + width**2)))


def count_segments(truth: Any, pred: Any, *, boundary_ratio: float | None = None) -> SegmentPairs:
    """Count the pairs of segment ids of one image.

    Parameters
    ----------
    truth, pred : array-like, shape (H, W) of whole numbers, or (H, W, 3) of uint8
        Label maps: segment ids, or their colours, R + 256 G + 65536 B. Ids that are tensors on a
        device are counted there, unless boundaries are.
    boundary_ratio : float, optional
        Count what is near the segments' borders, too: within this part of the image's diagonal.

    Raises
    ------
    ShapeError
        For maps of different sizes, or of other shapes.
    InputError
        For maps that hold no whole numbers.
    """
    if boundary_ratio is None and _on_a_device(truth, pred):
        return SegmentPairs(*count_value_pairs(truth, pred))
    sides = [_label_map(truth, "truth"), _label_map(pred, "pred")]
    if sides[0].shape[:2] != sides[1].shape[:2]:
        shown = [f"{side.shape[1]} x {side.shape[0]}" for side in sides]
        raise ShapeError(
            f"expected truth and prediction of one size, got {shown[0]} and {shown[1]} pixels"
        )
    if boundary_ratio is None:
        return SegmentPairs(*_counted(*sides))
    height, width = sides[0].shape[:2]
    reach = boundary_width(height, width, boundary_ratio)
    return _with_boundaries(*(_marked(segment_ids(side), reach) for side in sides))


def segment_ids(values: NDArray[Any]) -> NDArray[Any]:
    """Return a label map of whole numbers; colours are R + 256 G + 65536 B."""
    if values.ndim == 2:
        return values
    wide = values.astype(np.int32)
    ids: NDArray[Any] = wide[..., 0] + (wide[..., 1] << 8) + (wide[..., 2] << 16)
    return ids


def _marked(ids: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return, for each pixel, twice its id, and one more where the segment's border is near."""
    if ids.dtype == np.int32 and ids.min() >= -(1 << 30) and ids.max() < 1 << 30:
        return 2 * ids + _core.near_border(np.ascontiguousarray(ids), reach)
    # Only whether neighbours are equal matters to the kernel, which takes narrow numbers.
    place = np.unique(ids, return_inverse=True)[1].reshape(ids.shape).astype(np.int32)
    return 2 * ids.astype(np.int64) + _core.near_border(place, reach)


def _with_boundaries(truth: NDArray[Any], pred: NDArray[Any]) -> SegmentPairs:
    _, t, p, count = _counted(truth, pred)
    (ids_t, near_t), (ids_p, near_p) = ((side >> 1, side & 1) for side in (t, p))
    # Up to four rows a pair, which lie apart.
    order = np.lexsort((ids_p, ids_t))
    ids_t, ids_p = ids_t[order], ids_p[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (ids_t[1:] != ids_t[:-1]) | (ids_p[1:] != ids_p[:-1])
    first = np.flatnonzero(new)
    sums = [
        np.add.reduceat((count * near)[order], first)
        for near in (1, near_t, near_p, near_t & near_p)
    ]
    start = np.array([0, len(first)])
    return SegmentPairs(start, ids_t[first], ids_p[first], *sums)


def _on_a_device(*sides: Any) -> bool:
    """Return whether label maps are counted where they lie: tensors of ids, not on the host."""
    return any(device_of(side) is not None for side in sides) and all(
        getattr(side, "ndim", 0) == 2 for side in sides
    )


def _label_map(value: Any, side: str) -> NDArray[Any]:
    array = to_numpy(value, side)
    colours = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    if not colours and array.ndim != 2:
        raise ShapeError(
            "expected a label map of shape (H, W), or colours of uint8 and shape (H, W, 3), got "
            f"{array.dtype} of shape {array.shape}",
            side,
        )
    if array.dtype.kind not in "biu":
        raise InputError(f"expected whole numbers, got {array.dtype}", side)
    if not array.size:
        raise ShapeError(f"expected pixels, got an array of shape {array.shape}", side)
    return array


def _counted(truth: NDArray[Any], pred: NDArray[Any]) -> tuple[Whole, Whole, Whole, Whole]:
    def row(side: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(side).reshape(1, -1, *side.shape[2:])

    try:
        found: tuple[Whole, Whole, Whole, Whole] = _core.value_pairs(row(truth), row(pred))
    except ValueError as error:  # values of 2^63 and more
        raise InputError(str(error)) from None
    return found
