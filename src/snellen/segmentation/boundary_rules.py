"""How wide border zones are, and how far apart contours may lie."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from snellen.errors import InputError, first_few

__all__ = ["BoundaryRules"]


@dataclasses.dataclass(frozen=True)
class BoundaryRules:
    """The parameters of `BoundaryQuality`, which describes them.

    Attributes
    ----------
    ratio, tolerance : float
    ignore_index : tuple of int
        The values whose pixels truth leaves out, ascending.

    Raises
    ------
    InputError
        For values that cannot be.
    """

    ratio: float
    tolerance: float
    ignore_index: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("ratio", "tolerance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(
                value, (int, float, np.integer, np.floating)
            ):
                raise InputError(f"expected a number, got {value!r}", name)
            object.__setattr__(self, name, value.item() if isinstance(value, np.generic) else value)
        if not 0 < self.ratio < 1:
            raise InputError(f"expected a share of the diagonal, got {self.ratio!r}", "ratio")
        is_share = 0 < self.tolerance < 1
        is_pixels = 0 <= self.tolerance < math.inf and self.tolerance == int(self.tolerance)
        if not (is_share or is_pixels):
            raise InputError(
                "expected a share of the diagonal below 1, or a whole number of pixels, got "
                f"{self.tolerance!r}",
                "tolerance",
            )
        object.__setattr__(self, "ignore_index", tuple(self.ignore_index))

    def __str__(self) -> str:
        """Return the rules in one line."""
        tolerance = (
            f"{100 * self.tolerance:g} % of the diagonal"
            if 0 < self.tolerance < 1
            else f"{self.tolerance:g} px"
        )
        ignored = ""
        if self.ignore_index:
            ignored = f", {first_few(self.ignore_index)} ignored"
        return (
            f"border zones of {100 * self.ratio:g} % of the diagonal, "
            f"contours within {tolerance}{ignored}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        return {**dataclasses.asdict(self), "ignore_index": list(self.ignore_index)}

    def zone_width(self, height: int, width: int) -> int:
        """Return the width of border zones in an image, in pixels.

        Rounded to the nearest whole number, a half to the even one, as boundary-iou-api does.
        """
        return max(1, round(self.ratio * math.sqrt(height**2 + width**2)))

    def contour_tolerance(self, height: int, width: int) -> int:
        """Return the tolerance of contours in an image, in pixels; a share is rounded up."""
        if not 0 < self.tolerance < 1:
            # No two pixels are further apart than this; the kernel counts in 64 bits.
            return min(int(self.tolerance), height + width)
        return math.ceil(self.tolerance * math.sqrt(height**2 + width**2))
