"""Where names stand beside points, so that they do not lie on each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["name_places"]

# A picture has room for about so many letters beside each other, and lines below each other.
_LETTERS, _LINES = 62, 22
_PLACES = ("top center", "bottom center", "middle right", "middle left")


def name_places(points: Sequence[tuple[float, float, int]], *, beside: bool = False) -> list[str]:
    """Return where each name stands: ``"top center"``, ``"bottom center"``, ``"middle right"``, ….

    One after the other takes the first place that is free of points and of names before it, and
    inside the picture; where none is, the first.

    Parameters
    ----------
    points : sequence of (float, float, int)
        Where each point is, as shares of the width and the height, and how many letters its name
        has; without a name it is only in the way.
    beside : bool
        Whether right and left come before above and below.

    Examples
    --------
    >>> name_places([(0.5, 0.5, 8), (0.5, 0.52, 8)])
    ['bottom center', 'top center']
    """
    order = (*_PLACES[2:], *_PLACES[:2]) if beside else _PLACES
    dots = [
        (_LETTERS * x - 1, _LETTERS * x + 1, _LINES * y - 0.4, _LINES * y + 0.4)
        if math.isfinite(x + y)
        else None
        for x, y, _ in points
    ]
    taken: list[tuple[float, float, float, float]] = []
    found = []
    for k, (x, y, letters) in enumerate(points):
        if not letters or dots[k] is None:
            found.append(order[0])
            continue
        boxes = [_box(_LETTERS * x, _LINES * y, letters, place) for place in order]
        others = [dot for j, dot in enumerate(dots) if dot is not None and j != k]
        taken_by = (*others, *taken)
        free = 0
        for n, box in enumerate(boxes):
            inside = box[0] >= 0 and box[1] <= _LETTERS
            if inside and not any(_meet(box, other) for other in taken_by):
                free = n
                break
        taken.append(boxes[free])
        found.append(order[free])
    return found


def _box(x: float, y: float, letters: int, place: str) -> tuple[float, float, float, float]:
    if place == "top center":
        return x - letters / 2, x + letters / 2, y + 0.5, y + 1.5
    if place == "bottom center":
        return x - letters / 2, x + letters / 2, y - 1.5, y - 0.5
    if place == "middle right":
        return x + 1, x + 1 + letters, y - 0.5, y + 0.5
    return x - 1 - letters, x - 1, y - 0.5, y + 0.5


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
