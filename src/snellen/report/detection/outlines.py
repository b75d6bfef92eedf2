"""Outlines of objects as SVG paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["mask_outline", "polygon_outline"]

_SIDE: Final = 64
"""Squares along the longer side of a mask: a thumbnail shows no more."""


def polygon_outline(corners: NDArray[np.float64]) -> str:
    """Return the path around corners, (n, 2).

    Examples
    --------
    >>> polygon_outline(np.array([[0, 0], [9.5, 0], [9, 4]]))
    'M0 0L9.5 0L9 4Z'
    """
    return "M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in corners.tolist()) + "Z"


def mask_outline(mask: NDArray[np.bool_], box: Iterable[float]) -> str:
    """Return the path along the edges of a mask's pixels, holes too (fill rule: even-odd).

    Parameters
    ----------
    mask : ndarray, shape (height, width), bool
        The mask, of the whole image.
    box : (left, top, width, height)
        The box around it, in pixels. A mask of more than 64 pixels along a side is looked at on a
        grid of squares of 2, 3, … pixels.

    Examples
    --------
    >>> mask_outline(np.array([[0, 1, 1], [0, 0, 1]], bool), (1, 0, 2, 2))
    'M1 0L3 0L3 2L2 2L2 1L1 1Z'
    """
    left, top, width, height = (int(value) for value in box)
    part = mask[top : top + height, left : left + width]
    if not part.any():
        return ""
    step = -(-max(part.shape) // _SIDE)
    inside = np.pad(part[step // 2 :: step, step // 2 :: step], 1)
    rings = _rings(inside)
    limits = (left + part.shape[1], top + part.shape[0])
    return "".join(
        "M"
        + "L".join(
            f"{min(left + step * x, limits[0])} {min(top + step * y, limits[1])}" for x, y in ring
        )
        + "Z"
        for ring in rings
    )


def _rings(inside: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Return the corners of the edges between inside and outside, ring by ring.

    Edges go round with the inside at their right hand; where two squares touch at a corner only,
    the ring turns right, so that each keeps its own.
    """
    centre = inside[1:-1, 1:-1]
    ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for outside, start, end in (
        (inside[:-2, 1:-1], (0, 0), (1, 0)),
        (inside[1:-1, 2:], (1, 0), (1, 1)),
        (inside[2:, 1:-1], (1, 1), (0, 1)),
        (inside[1:-1, :-2], (0, 1), (0, 0)),
    ):
        rows, columns = np.nonzero(centre & ~outside)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            ways.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    rings = []
    for first in list(ways):
        while ways.get(first):
            rings.append(_ring(ways, first))
    return rings


def _ring(ways: dict[tuple[int, int], list[tuple[int, int]]], first: Any) -> Any:
    corners = []
    at, direction = first, (0, 0)
    while True:
        choices = ways[at]
        # To the right of (dx, dy), with y downwards, is (-dy, dx).
        right = (at[0] - direction[1], at[1] + direction[0])
        after = right if right in choices else choices[0]
        choices.remove(after)
        turned = (after[0] - at[0], after[1] - at[1])
        if turned != direction:
            corners.append(at)
        at, direction = after, turned
        if at == first:
            break
    # The ring may have begun in the middle of an edge.
    if len(corners) > 1 and direction == (
        _sign(corners[1][0] - corners[0][0]),
        _sign(corners[1][1] - corners[0][1]),
    ):
        del corners[0]
    return corners


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
