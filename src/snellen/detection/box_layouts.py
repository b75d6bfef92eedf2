"""What the four numbers of a box are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from snellen import _core
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["LAYOUTS", "BoxLayout", "as_xywh", "listed_numbers"]

BoxLayout: TypeAlias = Literal["xyxy", "xywh", "cxcywh"]
"""Two corners; the corner at left and top and the size; the centre and the size."""

LAYOUTS: Final = ("xyxy", "xywh", "cxcywh")

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
