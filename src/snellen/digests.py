"""Check sums of units: equal where units hold equal rows, whatever the order of the rows."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["id_numbers", "unit_digests"]


def unit_digests(
    columns: Iterable[NDArray[Any]], unit: NDArray[Any], n_units: int
) -> NDArray[np.uint64]:
    """Return the check sum of each unit's rows.

    Parameters
    ----------
    columns : iterable of ndarray, shape (n,)
        What the rows hold: integers or float64.
    unit : ndarray, shape (n,), int
        The unit of each row, below `n_units`.
    n_units : int
        How many units there are.

    Examples
    --------
    >>> rows = np.array([7, 8, 8, 7, 9])
    >>> a, b, c = unit_digests([rows], np.array([0, 0, 1, 1, 2]), 3)
    >>> bool(a == b), bool(a == c)
    (True, False)
    """
    digest = np.full(len(unit), 0x9E3779B97F4A7C15, np.uint64)
    for column in columns:
        kind = np.float64 if column.dtype.kind == "f" else np.int64
        digest ^= np.ascontiguousarray(column, kind).view(np.uint64)
        # The finaliser of SplitMix64: what differs in one bit differs in half of them.
        digest = (digest ^ (digest >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        digest = (digest ^ (digest >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        digest ^= digest >> np.uint64(31)
    sums = np.zeros(n_units, np.uint64)
    np.add.at(sums, unit, digest)
    return sums


def id_numbers(ids: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number for each id: itself, or the check sum of a text."""
    if ids.dtype.kind != "U":
        return ids.astype(np.int64)
    return np.array([zlib.crc32(each.encode()) for each in ids.tolist()], np.int64)
