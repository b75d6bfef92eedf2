"""Which of many are worth a look: no other is better in both of two things."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["front"]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of the points that no other dominates, in their order.

    One point dominates another if it is as good in both coordinates and better in one; more is
    better. Equal points don't dominate each other: both stay. A point with NaN is on no front.

    Parameters
    ----------
    points : sequence of (float, float)
        Such as accuracy and images per second.

    Examples
    --------
    >>> front([(0.7, 900.0), (0.8, 300.0), (0.75, 200.0), (0.8, 300.0)])
    [0, 1, 3]
    """
    there = [k for k, (a, b) in enumerate(points) if not (math.isnan(a) or math.isnan(b))]
    there.sort(key=lambda k: (-points[k][0], -points[k][1]))
    kept: list[int] = []
    best: float | None = None  # the second coordinate that all so far, better in the first, have
    for _, alike in itertools.groupby(there, key=lambda k: points[k][0]):
        equal = list(alike)
        highest = points[equal[0]][1]
        if best is None or highest > best:
            kept += [k for k in equal if points[k][1] == highest]
            best = highest
    return sorted(kept)
