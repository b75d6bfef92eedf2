"""The numbers of boxes as files have them, chosen so that readers make the same boxes of them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.detection.box_layouts import to_pixels

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
        better = (to_pixels(parts, extent) != numbers) & (to_pixels(moved, extent) == numbers)
        parts = np.where(better, moved, parts)
    return BoxNumbers(parts, to_pixels(parts, extent))


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


def _steps(layout: BoxLayout, *, scaled: bool) -> list[tuple[int, int]]:
    """Return how far the first and the second number are moved, the nearest first."""
    near, still = range(-_FARTHEST, _FARTHEST + 1), range(1)
    if scaled:
        return sorted(itertools.product(near, near), key=lambda step: sum(map(abs, step)))
    # Of pixels the left end, or the size, is in the file as it is.
    moved = {"xyxy": (still, near), "cxcywh": (near, still), "xywh": (still, still)}
    return sorted(itertools.product(*moved[layout]), key=lambda step: sum(map(abs, step)))


def _found(
    left: NDArray[np.float64],
    extent: NDArray[np.float64],
    layout: BoxLayout,
    scale: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = left, extent
    if layout == "xyxy":
        second = left + extent
    elif layout == "cxcywh":
        first = left + extent / 2
    if scale is not None:
        first, second = first / scale, second / scale
    found = first.copy(), second.copy()
    open_rows = np.arange(len(left))
    for of_first, of_second in _steps(layout, scaled=scale is not None):
        one, two = _moved(first[open_rows], of_first), _moved(second[open_rows], of_second)
        read_left, read_extent = _read(
            one, two, layout, None if scale is None else scale[open_rows]
        )
        # The nearest stay where none gives the same.
        same = (read_left == left[open_rows]) & (read_extent == extent[open_rows])
        found[0][open_rows[same]], found[1][open_rows[same]] = one[same], two[same]
        open_rows = open_rows[~same]
        if not len(open_rows):
            break
    return found


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
    """Return left and width as the readers compute them: times the size, then `as_xywh`."""
    if scale is not None:
        first, second = to_pixels(first, scale), to_pixels(second, scale)
    if layout == "xyxy":
        return first, second - first
    if layout == "cxcywh":
        return first - second / 2, second
    return first, second
