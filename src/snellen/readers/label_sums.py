"""Rows of values and their pixels, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["added_up", "narrow"]


def narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the fewest bytes that hold them all: label values mostly need one.

    Examples
    --------
    >>> [narrow(np.array(some)).dtype.name for some in ([0, 255], [-1, 255], [2**40])]
    ['uint8', 'int16', 'int64']
    """
    if not len(values):
        return values
    extremes = (np.min_scalar_type(int(values.min())), np.min_scalar_type(int(values.max())))
    # A sign and 64 bits without one have floats in common.
    if max(each.itemsize for each in extremes) == 8:
        return values
    return values.astype(np.result_type(*extremes), copy=False)


def added_up(
    *keys: NDArray[Any], counts: NDArray[np.int64]
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Return each combination of keys once, ascending by the first, the second, …, and its sum.

    Examples
    --------
    >>> truth, pred, n = np.array([[7, 0, 7], [1, 2, 1], [5, 6, 9]])
    >>> (truth, pred), n = added_up(truth, pred, counts=n)
    >>> truth.tolist(), pred.tolist(), n.tolist()
    ([0, 7], [2, 1], [6, 14])
    """
    # Numbers of one or two bytes are sorted by their digits: ten times sooner.
    narrowed = [narrow(key) for key in keys]
    order = np.lexsort(narrowed[::-1])
    is_first = np.zeros(len(order), np.bool_)
    is_first[:1] = True
    for key in narrowed:
        ordered = key[order]
        is_first[1:] |= ordered[1:] != ordered[:-1]
    first = np.flatnonzero(is_first)
    sums = np.add.reduceat(counts[order], first) if len(first) else counts[:0]
    return [key[order[first]] for key in keys], sums
