"""How often each pair (truth value, pred value) of pixel values occurs: what all is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.arrays import tensor_pair_counts
from snellen.errors import InputError
from snellen.segmentation.label_maps import label_maps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ValuePairs", "count_value_pairs"]


class ValuePairs(NamedTuple):
    """The pairs that occur in each of N images, ascending by truth, then pred.

    A colour's value is R + 256 G + 65536 B.

    Attributes
    ----------
    start : ndarray, shape (N + 1,), int64
        Rows of image i are ``start[i]:start[i + 1]``.
    truth, pred : ndarray, shape (P,), int64
        The values.
    count : ndarray, shape (P,), int64
        How many pixels of the image have both.
    """

    start: NDArray[np.int64]
    truth: NDArray[np.int64]
    pred: NDArray[np.int64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # a tuple's own count is not missed


def count_value_pairs(
    truth: ArrayLike,
    pred: ArrayLike,
    *,
    colours: bool | tuple[bool, bool] | None = None,
) -> ValuePairs:
    """Return how often each pair of values occurs in each image.

    Work and memory go with the number of runs and of pairs; tensors on a device are counted there,
    and only the rows come to the host.

    Parameters
    ----------
    truth, pred : array-like
        Maps of labels, one-hot, scores, or colours: see `label_maps`.
    colours : bool or (bool, bool), optional
        Whether the sides (truth, pred) are colours.

    Raises
    ------
    ShapeError, InputError
        For what `label_maps` refuses, and for values of 2^63 or more.

    Examples
    --------
    >>> from snellen.segmentation.value_pairs import count_value_pairs
    >>> pairs = count_value_pairs([[7, 7, 8]], [[7, 8, 8]])
    >>> list(zip(pairs.truth.tolist(), pairs.pred.tolist(), pairs.count.tolist()))
    [(7, 7, 1), (7, 8, 1), (8, 8, 1)]
    """
    maps = label_maps(truth, pred, colours=colours)
    if not isinstance(maps.truth, np.ndarray):
        return ValuePairs(*tensor_pair_counts(_tensor_rows(maps.truth), _tensor_rows(maps.pred)))
    try:
        return ValuePairs(*_core.value_pairs(_rows(maps.truth), _rows(maps.pred)))
    except ValueError as error:
        raise InputError(str(error)) from None


def _rows(maps: NDArray[Any]) -> NDArray[Any]:
    """Return maps as (N, n_pixels), colours as (N, n_pixels, 3)."""
    shape = (len(maps), maps.shape[1] * maps.shape[2], *maps.shape[3:])
    return np.ascontiguousarray(maps).reshape(shape)


def _tensor_rows(maps: Any) -> Any:
    """Return a tensor's maps as (N, n_pixels), a colour as its value."""
    if maps.ndim == 4:
        wide = maps.int()
        maps = wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]
    return maps.reshape(len(maps), maps.shape[1] * maps.shape[2])
