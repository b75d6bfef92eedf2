"""Near pairs of hashes: all of them, without comparing every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import InputError, ShapeError
from snellen.splits.image_hash import HASH_BITS, to_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_PARTS", "NearPairs", "near_pairs"]

MOST_PARTS = 64


class NearPairs(NamedTuple):
    """What is near what, a row a hash.

    Attributes
    ----------
    group : ndarray of int32, shape (n,)
        The first row that a chain of near pairs leads to; the row itself where it is alone.
    nearest : ndarray of int32, shape (n, n_parts)
        The nearest other row of each part, of equally near ones the first; −1 where none is near.
    distance : ndarray of int16, shape (n, n_parts)
        In how many bits it differs; −1 where none is near.
    n_pairs : ndarray of int64, shape (n_parts, n_parts)
        How many pairs are near, by the parts of the two, the lower part first.
    """

    group: NDArray[np.int32]
    nearest: NDArray[np.int32]
    distance: NDArray[np.int16]
    n_pairs: NDArray[np.int64]


def near_pairs(
    hashes: NDArray[np.uint64], part: NDArray[np.int32], n_parts: int, distance: int
) -> NearPairs:
    """Find every pair of hashes that differ in few bits.

    The search is exact; the work grows with the number of rows and of near pairs, the memory with
    the number of rows (times that of parts) alone.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n, 4)
    part : ndarray of int32, shape (n,)
        The part that each row is in, from 0.
    n_parts : int
        At most 64.
    distance : int
        In how many of the 256 bits the hashes of a pair may differ: 0 to 255.

    Raises
    ------
    InputError
        For other distances or numbers of parts.
    ShapeError
        Where the columns do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> hashes = np.array([[0, 0, 0, 0], [7, 0, 0, 0], [2**64 - 1, 0, 0, 0]], np.uint64)
    >>> found = near_pairs(hashes, np.array([0, 1, 1], np.int32), 2, 3)
    >>> found.group.tolist(), found.nearest.tolist(), found.distance.tolist()
    ([0, 0, 2], [[-1, 1], [0, -1], [-1, -1]], [[-1, 3], [3, -1], [-1, -1]])
    """
    if type(distance) is not int or not 0 <= distance < HASH_BITS:
        raise InputError(
            f"expected a whole number from 0 to {HASH_BITS - 1}, got {distance!r}", "distance"
        )
    if not 0 <= n_parts <= MOST_PARTS:
        raise InputError(f"expected at most {MOST_PARTS} parts, got {n_parts}", "part")
    hashes = to_hashes(hashes)
    if part.shape != (len(hashes),):
        raise ShapeError(f"expected shape ({len(hashes)},), got {part.shape}", "part")
    codes = np.ascontiguousarray(part, np.int32)
    return NearPairs(*_core.near_duplicates(hashes, codes, n_parts, distance))
