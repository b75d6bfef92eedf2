"""Bars: a number of each of several things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snellen.displays.display import Display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Bars", "BarsDisplay", "HistogramDisplay"]


@dataclass(frozen=True, eq=False)
class Bars:
    """A number of each category.

    Attributes
    ----------
    label : str
        What the number is.
    values : ndarray, shape (n,), float64
        One a category; NaN where undefined.
    low, high : ndarray, shape (n,), float64, or None
        The bounds of its interval, where there is one; NaN where undefined.
    """

    label: str
    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class BarsDisplay(Display):
    """Bars of categories, side by side or stacked.

    Attributes
    ----------
    categories : tuple of str
        From top to bottom where they lie, else from left to right.
    bars : tuple of Bars
        Of one or several numbers.
    value_label : str
        What the axis of values is.
    lying : bool
        Whether bars go to the right, so that long names can be read.
    stacked : bool
        Whether the bars of a category stand on each other.
    value_range : (float, float) or None
        What the axis shows; None: from 0, or all.
    """

    categories: tuple[str, ...]
    bars: tuple[Bars, ...]
    value_label: str
    lying: bool = True
    stacked: bool = False
    value_range: tuple[float, float] | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class HistogramDisplay(Display):
    """How many values lie between edges.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,), float64
        Ascending.
    counts : tuple of Bars
        Of one or several groups, n values each, drawn over each other.
    x_label, y_label : str
        What the axes are.
    """

    edges: NDArray[np.float64]
    counts: tuple[Bars, ...]
    x_label: str
    y_label: str = "count"
