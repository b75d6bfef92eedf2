"""Derivatives by differences in float64, and whether a backward pass agrees with them.

The error of a central difference is about h²·f‴/6 + ε·|f|/h, with ε the rounding of float64. At a
kink, such as that of max(0, z) at 0, there are two derivatives, one on each side; what lies
between them is right. A kink near by is no longer in the way of a smaller h.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Difference", "Verdict", "compared"]

Verdict = Literal["right", "kink", "wrong", "undecided"]

# Sums of many terms are rounded at each; this is a generous multiple of one rounding.
ROUNDING = 64 * 2.0**-52
SMALLER = (0.5, 0.1, 0.01, 0.001)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A derivative by the backward pass, and by differences.

    Attributes
    ----------
    backward, differences : float
        The two.
    error : float
        Their difference by the larger of them, or by what rounding can be told from.
    verdict : str
        ``"right"``; ``"kink"``: right where the function has two derivatives, or with a smaller
        step; ``"wrong"``; ``"undecided"``: there is a kink, and no step small enough.
    """

    backward: float
    differences: float
    error: float
    verdict: Verdict


def compared(
    function: Callable[[float], float],
    backward: float,
    *,
    step: float,
    tolerance: float,
    here: float,
) -> Difference:
    """Compare a derivative at 0 with differences.

    Parameters
    ----------
    function : callable
        Of how far from here.
    backward : float
        What the backward pass says.
    step : float
        How far the differences go to either side.
    tolerance : float
        The largest relative error.
    here : float
        The function at 0.
    """
    gaps: list[float] = []
    for part in (1.0, *SMALLER):
        h = step * part
        above, below = function(h), function(-h)
        rounding = ROUNDING * max(abs(above), abs(below), abs(here)) / h
        central = (above - below) / (2 * h)
        scale = max(abs(backward), abs(central))
        if gaps and rounding > 0.01 * scale:
            break  # a smaller step tells nothing more
        error, agrees = _error(backward, central, rounding, tolerance)
        if agrees:
            return Difference(backward, central, error, "kink" if gaps else "right")
        right, left = (above - here) / h, (here - below) / h
        gaps.append(abs(right - left))
        found, noise = (central, error, min(left, right), max(left, right)), rounding
    central, error, low, high = found
    room = 1e-3 * max(abs(low), abs(high)) + 10 * noise
    if gaps[-1] > room and low - room <= backward <= high + room:
        return Difference(backward, central, error, "kink")
    # Where the function is smooth its sides agree, be it against the backward pass; where they
    # stay apart however small the step, this is a kink, and the backward pass outside of it.
    smooth = not gaps[-1] > 0.1 * abs(backward - central)
    stays = gaps[-1] > 0.6 * gaps[0]
    return Difference(backward, central, error, "wrong" if smooth or stays else "undecided")


def _error(
    backward: float, central: float, rounding: float, tolerance: float
) -> tuple[float, bool]:
    """Return the relative error, and whether it is within the tolerance and what rounding does."""
    if not math.isfinite(backward) or not math.isfinite(central):
        return math.inf, False
    apart, scale = abs(backward - central), max(abs(backward), abs(central))
    if apart <= tolerance * scale + rounding:
        # Of a derivative of 0 rounding alone is left, which is no relative error.
        return apart / max(scale, rounding / tolerance, 1e-300), True
    return apart / scale, False
