"""Numbers and names as values that JSON can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["plain", "plain_number", "reach", "row_of", "rows_of", "unique"]


def plain(values: ArrayLike) -> list[float | None]:
    """Return numbers as a list; None where one is no finite number.

    Examples
    --------
    >>> plain([0.5, float("nan"), float("inf")])
    [0.5, None, None]
    """
    return [value if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


def plain_number(value: float) -> float | None:
    """Return a number; None where it is no finite one."""
    return float(value) if math.isfinite(value) else None


def row_of(values: ArrayLike, n: int, what: str) -> NDArray[np.float64]:
    """Return n numbers as an array.

    Raises
    ------
    ShapeError
        Where they are not n in one row.
    """
    row = np.asarray(values, np.float64)
    if row.shape != (n,):
        raise ShapeError(f"expected {n} numbers, one each, got shape {row.shape}", what)
    return row


def reach(
    values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far bounds are below and above values; 0 where there are none."""
    below, above = values - low, high - values
    known = np.isfinite(below) & np.isfinite(above)
    return np.where(known, below, 0.0).clip(0), np.where(known, above, 0.0).clip(0)


def unique(names: Iterable[str]) -> list[str]:
    """Return names that differ: to a repeated one its number is added.

    Examples
    --------
    >>> unique(["a", "b", "a", "a (2)"])
    ['a', 'b', 'a (2)', 'a (2) (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        free, number = name, 1
        while free in found:
            number += 1
            free = f"{name} ({number})"
        found[free] = None
    return list(found)


def rows_of(columns: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """Return columns as records."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
