"""Lines: a number by another, of several things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snellen.displays.display import Display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Line", "LinesDisplay", "Mark"]


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a display.

    Attributes
    ----------
    label : str
        What it is.
    x, y : ndarray, shape (n,), float64
        Its points from left to right; where y is NaN there is a gap.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of y, where they are known.
    stepped : bool
        Whether a value holds until the next.
    muted : bool
        Whether it is one of many in the background, drawn grey and without an entry in the legend.
    right : bool
        Whether its values are read on the axis at the right.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    stepped: bool = False
    muted: bool = False
    right: bool = False


@dataclass(frozen=True)
class Mark:
    """A point that is pointed out.

    Attributes
    ----------
    label : str
        What it is: ``"highest F1: 0.62 from score 0.31"``.
    x, y : float
        Where it is.
    """

    label: str
    x: float
    y: float


@dataclass(eq=False, repr=False, kw_only=True)
class LinesDisplay(Display):
    """Lines over one axis.

    Attributes
    ----------
    lines : tuple of Line
        The first are drawn last, above the others.
    x_label, y_label, right_label : str
        What the axes are; `right_label` is empty without an axis at the right.
    x_range, y_range : (float, float) or None
        What the axes show; None: all.
    marks : tuple of Mark
        Points that are pointed out.
    diagonal : bool
        Whether the line of equal x and y is drawn, to be compared with.
    log_x : bool
        Whether x is drawn by its logarithm.
    """

    lines: tuple[Line, ...]
    x_label: str
    y_label: str
    right_label: str = ""
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()
    diagonal: bool = False
    log_x: bool = False
