"""The numbers of boxes as files have them, chosen so that readers make the same boxes of them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.box_layouts import BoxLayout

__all__ = ["BoxNumbers", "box_numbers", "number_texts", "part_numbers"]

_FARTHEST: Final = 2


class BoxNumbers(NamedTuple):
    """Four numbers of each box, and what readers make of them.

    Attributes
    ----------
    values : ndarray, shape (n, 4), float64
        The numbers in the order of the layout: of x, of y, of x, of y.
    back : ndarray, shape (n, 4), float64
        Left, top, width and height as they are read.
    """

    values: NDArray[np.float64]
    back: NDArray[np.float64]


def box_numbers(
    xywh: NDArray[np.float64], layout: BoxLayout, size: NDArray[np.int64] | None = None
) -> BoxNumbers:
    """Return boxes in a layout, in pixels or as parts of the images' sizes.

    Of a corner or a part not every float64 is left over when it is subtracted or multiplied again.
    The numbers nearby are tried; where one of them gives the box to the last bit, it is taken.

    Parameters
    ----------
    xywh : ndarray, shape (n, 4), float64
    layout : {"xyxy", "xywh", "cxcywh"}
    size : ndarray, shape (n, 2), optional
        Height and width of each box's image; the numbers are then parts of them.

    Examples
    --------
    >>> box = np.array([[0.1, 0.0, 0.7, 1.0]])
    >>> numbers = box_numbers(box, "xyxy")
    >>> bool((numbers.back == box).all())
    True
    """
    values = np.empty((len(xywh), 4))
    back = np.empty((len(xywh), 4))
    for axis in (0, 1):
        scale = None if size is None else size[:, 1 - axis].astype(np.float64)
        left, extent = np.ascontiguousarray(xywh[:, axis]), np.ascontiguousarray(xywh[:, axis + 2])
        first, second = _found(left, extent, layout, scale)
        values[:, axis], values[:, axis + 2] = first, second
        back[:, axis], back[:, axis + 2] = _read(first, second, layout, scale)
    return BoxNumbers(values, back)


def part_numbers(numbers: NDArray[np.float64], extent: NDArray[np.float64]) -> BoxNumbers:
    """Return pixels as parts of a width or height; of those nearby the one that gives the pixel.

    Parameters
    ----------
    numbers : ndarray, float64
    extent : ndarray
        What they are parts of, of a shape that goes with that of `numbers`.
    """
    parts = numbers / extent
    for steps in (1, -1, 2, -2):
        moved = _moved(numbers / extent, steps)
        better = (parts * extent != numbers) & (moved * extent == numbers)
        parts = np.where(better, moved, parts)
    return BoxNumbers(parts, parts * extent)


def number_texts(numbers: NDArray[np.float64]) -> list[str]:
    """Return the shortest text of each number that is read as the same float64.

    Examples
    --------
    >>> number_texts(np.array([10.0, 0.1, -2.5]))
    ['10', '0.1', '-2.5']
    """
    return [
        text[:-2] if text.endswith(".0") else text for text in map(repr, numbers.ravel().tolist())
    ]


def _steps(layout: BoxLayout, *, scaled: bool) -> list[tuple[int, int, int]]:
    """Return how far the size, the left end and the other number are moved, the nearest first."""
    near = range(-_FARTHEST, _FARTHEST + 1) if scaled else range(1)
    ends = range(1) if layout == "xywh" else range(-1, 2)
    return sorted(itertools.product(near, near, ends), key=lambda step: sum(map(abs, step)))


def _found(
    left: NDArray[np.float64],
    extent: NDArray[np.float64],
    layout: BoxLayout,
    scale: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.empty(len(left)), np.empty(len(left))
    open_rows = np.arange(len(left))
    for number, (of_extent, of_left, of_end) in enumerate(_steps(layout, scaled=scale is not None)):
        wanted_left, wanted_extent = left[open_rows], extent[open_rows]
        by = None if scale is None else scale[open_rows]
        here = _moved(wanted_left if by is None else wanted_left / by, of_left)
        wide = _moved(wanted_extent if by is None else wanted_extent / by, of_extent)
        if layout == "xyxy":
            one, two = here, _moved(here + wide, of_end)
        elif layout == "cxcywh":
            one, two = _moved(here + wide / 2, of_end), wide
        else:
            one, two = here, wide
        read_left, read_extent = _read(one, two, layout, by)
        same = (read_left == wanted_left) & (read_extent == wanted_extent)
        # The first are the nearest; they stay where none gives the same.
        taken = np.ones(len(open_rows), np.bool_) if number == 0 else same
        first[open_rows[taken]], second[open_rows[taken]] = one[taken], two[taken]
        open_rows = open_rows[~same]
        if not len(open_rows):
            break
    return first, second


def _moved(numbers: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the float64 so many places above or below each number."""
    towards = np.inf if steps > 0 else -np.inf
    for _ in range(abs(steps)):
        numbers = np.nextafter(numbers, towards)
    return numbers


def _read(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    layout: BoxLayout,
    scale: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return left and width as the readers compute them: `as_xywh`, then times the size."""
    left, extent = first, second
    if layout == "xyxy":
        extent = second - first
    elif layout == "cxcywh":
        left = first - second / 2
    return (left, extent) if scale is None else (left * scale, extent * scale)
