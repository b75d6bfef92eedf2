"""How much of a surface runs between pixels: by which of the pixels around a corner are inside.

The surface runs midway between the inside and the outside. Around a corner of 4 pixels it consists
of line segments, around one of 8 voxels of triangles, as in marching cubes (W. E. Lorensen,
H. E. Cline 1987), all derived here:

* It crosses every edge between an inside and an outside pixel, in the middle.
* On a face of four voxels, two crossings are joined. Of four crossings each joins the one across
  the corner that is in the minority of all eight (of the inside, where there is no minority): it is
  cut off.
* The joined crossings are closed polygons. One that is not flat is cut into triangles so that the
  area is the largest, where pixels are as high as wide.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["surface_elements"]

# Positions of pixels around a corner, and of crossings between them, in halves of a pixel.
Place = tuple[int, ...]
Vector = tuple[float, ...]


@functools.lru_cache(maxsize=64)
def surface_elements(spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the length (area) of the surface around a corner, for all sets of pixels around it.

    Parameters
    ----------
    spacing : tuple of two or three float
        The distance between pixels along each axis.

    Returns
    -------
    ndarray, shape (16,) or (256,)
        By the set of pixels inside: bit i stands for the pixel that lies before or behind the
        corner along the axes as the bits of i say, the last axis lowest.

    Examples
    --------
    >>> around = surface_elements((2.0, 1.0))
    >>> float(around[0b1010]), float(around[0b1100])  # to the right of the corner, and below it
    (2.0, 1.0)
    """
    found = np.zeros(1 << (1 << len(spacing)))
    for code, vectors in enumerate(_segments() if len(spacing) == 2 else _triangles()):
        for vector in vectors:  # one after the other: the order decides the last bit
            found[code] += _size(spacing, vector)
    found.flags.writeable = False
    return found


def _size(spacing: Sequence[float], vector: Vector) -> float:
    """Return the length of a segment; the area of a triangle, from its normal."""
    if len(spacing) == 2:
        y, x = (each * step for each, step in zip(vector, spacing, strict=True))
        return math.sqrt(y * y + x * x)
    z, y, x = (
        each * spacing[a] * spacing[b]
        for each, (a, b) in zip(vector, ((1, 2), (0, 2), (0, 1)), strict=True)
    )
    return math.sqrt(z * z + y * y + x * x)


@functools.cache
def _segments() -> list[list[Vector]]:
    """Return the vectors of the line segments for each of 16 sets of pixels."""
    return [
        [
            tuple((b - a) / 2 for a, b in zip(*pair, strict=True))
            for pair in _joined(_inside(2, code), cut_off=True, face=(None, None))
        ]
        for code in range(16)
    ]


@functools.cache
def _triangles() -> list[list[Vector]]:
    """Return the normals, as long as the area, of the triangles for each of 256 sets of voxels."""
    found = []
    for code in range(256):
        inside = _inside(3, code)
        normals = []
        for polygon in _polygons(inside, cut_off=sum(inside.values()) <= 4):
            ways = [[_normal(*triangle) for triangle in way] for way in _cut(polygon)]
            normals += ways[int(np.argmax([_total(way) for way in ways]))]
        found.append(normals)
    return found


def _total(normals: list[Vector]) -> float:
    return math.fsum(_size((1.0, 1.0, 1.0), normal) for normal in normals)


def _inside(n_axes: int, code: int) -> dict[Place, bool]:
    """Return whether each pixel around the corner, at 0 or 2 along each axis, is inside."""
    places = itertools.product((0, 2), repeat=n_axes)
    return {place: bool(code >> i & 1) for i, place in enumerate(places)}


def _joined(
    inside: dict[Place, bool], *, cut_off: bool, face: tuple[int | None, ...]
) -> Iterator[tuple[Place, Place]]:
    """Yield pairs of crossings that are joined on a face: four pixels, given by what is fixed."""
    ring = [
        _filled(face, (0, 0)),
        _filled(face, (0, 2)),
        _filled(face, (2, 2)),
        _filled(face, (2, 0)),
    ]
    sides = [(ring[i - 1], ring[i]) for i in range(4)]  # side i is followed by pixel i
    middle = [_middle(*side) for side in sides]
    crossed = [i for i, (a, b) in enumerate(sides) if inside[a] != inside[b]]
    if len(crossed) == 2:
        yield middle[crossed[0]], middle[crossed[1]]
    elif crossed:
        for i in range(4):
            if inside[ring[i]] == cut_off:
                yield middle[i], middle[(i + 1) % 4]


def _filled(face: tuple[int | None, ...], within: tuple[int, int]) -> Place:
    rest = iter(within)
    return tuple(next(rest) if fixed is None else fixed for fixed in face)


def _middle(a: Place, b: Place) -> Place:
    return tuple((x + y) // 2 for x, y in zip(a, b, strict=True))


def _polygons(inside: dict[Place, bool], *, cut_off: bool) -> Iterator[list[Place]]:
    """Yield the closed polygons that the joined crossings of all six faces make."""
    beside: dict[Place, list[Place]] = {}
    for axis, at in itertools.product(range(3), (0, 2)):
        face = tuple(at if each == axis else None for each in range(3))
        for a, b in _joined(inside, cut_off=cut_off, face=face):
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    while beside:
        polygon = [next(iter(beside))]
        while polygon[-1] in beside:
            # Every crossing lies on two faces, and so is joined to two others.
            following = beside.pop(polygon[-1])
            polygon += [each for each in following if each in beside][:1]
        yield polygon


def _cut(polygon: list[Place]) -> Iterator[list[tuple[Place, Place, Place]]]:
    """Yield all ways to cut a polygon into triangles."""
    if len(polygon) < 3:
        yield []
        return
    first, *between, last = polygon
    for i, tip in enumerate(between):
        for before in _cut([first, *between[: i + 1]]):
            for behind in _cut([*between[i:], last]):
                yield [(first, tip, last), *before, *behind]


def _normal(a: Place, b: Place, c: Place) -> Vector:
    u = [(y - x) / 2 for x, y in zip(a, b, strict=True)]
    v = [(y - x) / 2 for x, y in zip(a, c, strict=True)]
    return (
        (u[1] * v[2] - u[2] * v[1]) / 2,
        (u[2] * v[0] - u[0] * v[2]) / 2,
        (u[0] * v[1] - u[1] * v[0]) / 2,
    )
