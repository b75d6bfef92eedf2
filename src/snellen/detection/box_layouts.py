"""What the four numbers of a box are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from snellen import _core
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["LAYOUTS", "BoxLayout", "as_xywh", "listed_numbers", "to_pixels"]

BoxLayout: TypeAlias = Literal["xyxy", "xywh", "cxcywh"]
"""Two corners; the corner at left and top and the size; the centre and the size."""

LAYOUTS: Final = ("xyxy", "xywh", "cxcywh")

_TWO_ROUNDINGS: Final = 2.0**-51

_NUMBERS: Final = {
    "xyxy": "left, top, right, bottom",
    "xywh": "left, top, width, height",
    "cxcywh": "centre x, centre y, width, height",
}


def as_xywh(
    box: NDArray[np.float64], layout: BoxLayout, place: Callable[[int], str]
) -> NDArray[np.float64]:
    """Return boxes as left, top, width, height.

    Parameters
    ----------
    box : ndarray, shape (n, 4)
        Finite numbers in the order of `layout`.
    layout : {"xyxy", "xywh", "cxcywh"}
        What they are.
    place : callable
        Where a row stands, for messages.

    Raises
    ------
    InputError
        For a layout that is none, for a negative size, and for sizes or corners beyond float64; the
        first is named.
    """
    if layout not in LAYOUTS:
        raise InputError(f"expected {', '.join(LAYOUTS)}, got {layout!r}", "box_format")
    with np.errstate(over="ignore"):  # what is infinite is refused below
        if layout == "xyxy":
            xywh = np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], axis=1)
        elif layout == "cxcywh":
            xywh = np.concatenate([box[:, :2] - box[:, 2:] / 2, box[:, 2:]], axis=1)
        else:
            xywh = np.ascontiguousarray(box)
    negative = (xywh[:, 2:] < 0).any(axis=1)
    if negative.any():
        row = int(np.argmax(negative))
        least = (
            "right and bottom of at least left and top"
            if layout == "xyxy"
            else "a width and height of at least 0"
        )
        raise InputError(
            f"expected {least} ({_NUMBERS[layout]}), got {listed_numbers(box[row])}", place(row)
        )
    row = _core.first_unmeasurable(xywh)
    if row < len(xywh):
        raise InputError(
            "expected corners and an area within the range of float64, got "
            f"{listed_numbers(box[row])}",
            place(row),
        )
    return xywh


def listed_numbers(numbers: NDArray[np.float64]) -> str:
    """Return numbers as errors write them: all that tells them apart."""
    return " ".join(f"{number:.17g}" for number in numbers)


def to_pixels(parts: NDArray[np.float64], extent: NDArray[Any]) -> NDArray[np.float64]:
    """Return parts of a width or height in pixels.

    Not every whole pixel is the product of a float64 and the width. What is off a whole or a half
    pixel (the centre of a box on whole ones) by no more than two roundings is that pixel: so boxes
    on whole pixels come back whole from files with enough digits, whoever wrote them.

    Examples
    --------
    >>> to_pixels(np.array([29 / 107, 0.3]), np.array([107.0])), 29 / 107 * 107
    (array([29. , 32.1]), 28.999999999999996)
    """
    with np.errstate(over="ignore", invalid="ignore"):  # infinite ones are refused later
        pixels: NDArray[np.float64] = parts * extent
        whole = np.rint(pixels * 2) / 2
        near = np.abs(pixels - whole) <= _TWO_ROUNDINGS * np.abs(pixels)
    return np.where(near, whole, pixels)
