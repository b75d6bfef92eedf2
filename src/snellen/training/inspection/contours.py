"""Contour lines of a surface on a grid, by marching squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["contour_lines", "contour_segments"]

# The edges of a cell: bottom, right, top, left. Which corners are above the level says between
# which of them a line runs; the bits are bottom left 1, bottom right 2, top right 4, top left 8.
_LINES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((2, 0),),
    11: ((2, 1),),
    12: ((1, 3),),
    13: ((1, 0),),
    14: ((0, 3),),
}
# Two opposite corners are above: the middle says whether they are one hill or two.
_APART = {5: ((3, 0), (1, 2)), 10: ((0, 1), (2, 3))}
_JOINED = {5: ((3, 2), (1, 0)), 10: ((0, 3), (2, 1))}


def contour_segments(z: NDArray[np.float64], level: float) -> NDArray[np.int64]:
    """Return the pieces of a contour line as pairs of grid edges.

    Parameters
    ----------
    z : ndarray, shape (rows, columns)
        Heights; cells with one that is no finite number are left out.
    level : float
        The height of the line.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        The edges that each piece joins. Edge ``i`` below ``rows·(columns − 1)`` lies along row
        ``i // (columns − 1)``; the others lie between two rows, counted in the same way.
    """
    rows, columns = z.shape
    above = z > level
    low_left, low_right = above[:-1, :-1], above[:-1, 1:]
    high_right, high_left = above[1:, 1:], above[1:, :-1]
    case = low_left * 1 + low_right * 2 + high_right * 4 + high_left * 8
    corners = np.stack([z[:-1, :-1], z[:-1, 1:], z[1:, 1:], z[1:, :-1]])
    case = np.where(np.isfinite(corners).all(0), case, 0)
    with np.errstate(invalid="ignore"):
        middle = corners.mean(0) > level

    n_along = rows * (columns - 1)
    i, j = np.indices(case.shape)
    edges = np.stack(
        [
            i * (columns - 1) + j,
            n_along + i * columns + j + 1,
            (i + 1) * (columns - 1) + j,
            n_along + i * columns + j,
        ]
    )
    found = []
    for number in (*_LINES, 5, 10):
        cells = case == number
        if number in _LINES:
            picked = [(cells, line) for line in _LINES[number]]
        else:
            picked = [(cells & middle, line) for line in _JOINED[number]]
            picked += [(cells & ~middle, line) for line in _APART[number]]
        found += [np.stack([edges[a][where], edges[b][where]], 1) for where, (a, b) in picked]
    return np.concatenate(found).astype(np.int64)


def contour_lines(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], level: float
) -> list[NDArray[np.float64]]:
    """Return the lines at one height.

    Parameters
    ----------
    x, y : ndarray, shape (columns,), (rows,)
        Where the grid's columns and rows are.
    z : ndarray, shape (rows, columns)
        Heights.
    level : float
        The height of the lines.

    Returns
    -------
    list of ndarray, shape (n, 2)
        The points of each line; a closed one ends where it begins.
    """
    rows, columns = z.shape
    if rows < 2 or columns < 2:
        return []
    pairs = contour_segments(z, level)
    neighbours: dict[int, list[int]] = {}
    for a, b in pairs.tolist():
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    lines = []
    # Open lines from their ends first, then what is left: rings.
    for start in [*(edge for edge, others in neighbours.items() if len(others) == 1), *neighbours]:
        if not neighbours[start]:
            continue
        line, here = [start], start
        while neighbours[here]:
            following = neighbours[here].pop()
            neighbours[following].remove(here)
            line.append(following)
            here = following
        lines.append(_points(np.array(line), x, y, z, level))
    return lines


def _points(
    edges: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
    level: float,
) -> NDArray[np.float64]:
    """Return where the level lies on each edge, on the straight line between its ends."""
    rows, columns = z.shape
    n_along = rows * (columns - 1)
    along = edges < n_along
    first = np.where(along, edges // (columns - 1), (edges - n_along) // columns)
    second = np.where(along, edges % (columns - 1), (edges - n_along) % columns)
    to_row, to_column = np.where(along, first, first + 1), np.where(along, second + 1, second)
    here, there = z[first, second], z[to_row, to_column]
    part: NDArray[Any] = (level - here) / (there - here)
    return np.stack(
        [
            x[second] + part * (x[to_column] - x[second]),
            y[first] + part * (y[to_row] - y[first]),
        ],
        1,
    )
