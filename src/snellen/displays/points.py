"""Points: two numbers of each of several things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snellen.displays.display import Display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Points", "PointsDisplay", "Span", "SpansDisplay"]


@dataclass(frozen=True, eq=False)
class Points:
    """Points of one kind.

    Attributes
    ----------
    label : str
        What they are.
    x, y : ndarray, shape (n,), float64
        Where they are.
    names : tuple of str
        What each is; empty where they have no names.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of y, where there are some.
    joined : bool
        Whether a line goes through them, from left to right: a front.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    names: tuple[str, ...] = ()
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    joined: bool = False


@dataclass(eq=False, repr=False, kw_only=True)
class PointsDisplay(Display):
    """Points over two axes.

    Attributes
    ----------
    points : tuple of Points
        Of several kinds.
    x_label, y_label : str
        What the axes are.
    log_x : bool
        Whether x is drawn by its logarithm.
    level : float or None
        Where a horizontal line stands to compare with, such as 0 for residuals.
    diagonal : bool
        Whether the line of equal x and y is drawn.
    named : bool
        Whether names are written beside the points.
    """

    points: tuple[Points, ...]
    x_label: str
    y_label: str
    log_x: bool = False
    level: float | None = None
    diagonal: bool = False
    named: bool = False


@dataclass(frozen=True)
class Span:
    """A stretch of time.

    Attributes
    ----------
    row : str
        Whose it is: the line that it is drawn on.
    start, end : float
        When; an event has equal ones.
    kind : str
        What it is; kinds have colours, and an event a mark.
    label : str
        What is said of it.
    """

    row: str
    start: float
    end: float
    kind: str
    label: str = ""


@dataclass(eq=False, repr=False, kw_only=True)
class SpansDisplay(Display):
    """Stretches of time on lines below each other.

    Attributes
    ----------
    spans : tuple of Span
        In any order; rows stand in the order in which they come.
    x_label, row_label : str
        What the axes are.
    """

    spans: tuple[Span, ...]
    x_label: str
    row_label: str
