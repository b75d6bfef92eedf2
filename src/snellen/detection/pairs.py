"""Pairs of predictions and truth as columns: who is best, who gets whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_pairs", "pair_rows", "taken_in_turn"]

# Of fewer pairs, and of those that wait for others round after round, one after the other is sooner
# done.
_FEW: Final = 500
_ROUNDS: Final = 30


def pair_rows(begin: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of predictions of each pair, from where the pairs of each row begin."""
    return np.repeat(np.arange(len(begin) - 1), np.diff(begin))


def best_pairs(
    row: NDArray[np.int64], value: NDArray[np.float64], n_rows: int
) -> NDArray[np.int64]:
    """Return, for each row, the position of its pair of the greatest value; -1 where it has none.

    Parameters
    ----------
    row : ndarray, ascending
        The row of each pair.
    value : ndarray of the same shape
        Of equal values the first is taken.
    n_rows : int

    Examples
    --------
    >>> best_pairs(np.array([0, 0, 2, 2]), np.array([0.5, 0.5, 0.1, 0.9]), 3)
    array([ 0, -1,  3])
    """
    best = np.full(n_rows, -1, np.int64)
    if not len(row):
        return best
    start = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    greatest = np.maximum.reduceat(value, start)
    size = np.diff(np.append(start, len(row)))
    at = np.flatnonzero(value == np.repeat(greatest, size))
    # Written from the last to the first, so that the first of equal ones stays.
    best[row[at[::-1]]] = at[::-1]
    return best


def taken_in_turn(
    row: NDArray[np.int64], truth: NDArray[np.int32], n_rows: int, n_truth: int
) -> NDArray[np.int64]:
    """Go through pairs in their order and let each row take the first truth that is still free.

    Returns
    -------
    ndarray, shape (n_rows,), int64
        The position of the pair by which each row got its truth; -1 where it got none.

    Examples
    --------
    >>> taken_in_turn(np.array([1, 1, 0]), np.array([0, 1, 0]), 2, 2)
    array([-1,  0])
    """
    got = np.full(n_rows, -1, np.int64)
    taken = np.zeros(n_truth, np.bool_)
    left = np.arange(len(row))
    for _ in range(_ROUNDS):
        if len(left) < _FEW:
            break
        # A pair that is the first one of its row and of its truth waits for no other.
        sure = left[_is_first(row[left], n_rows) & _is_first(truth[left], n_truth)]
        got[row[sure]] = sure
        taken[truth[sure]] = True
        left = left[(got[row[left]] < 0) & ~taken[truth[left]]]
    for at, r, t in zip(left.tolist(), row[left].tolist(), truth[left].tolist(), strict=True):
        if got[r] < 0 and not taken[t]:
            got[r], taken[t] = at, True
    return got


def _is_first(value: NDArray[Any], n: int) -> NDArray[np.bool_]:
    """Return which values, below n, did not occur before."""
    at = np.arange(len(value))
    first = np.empty(n, np.int64)
    # Written from the last to the first, so that the first of equal ones stays.
    first[value[::-1]] = at[::-1]
    found: NDArray[np.bool_] = first[value] == at
    return found
