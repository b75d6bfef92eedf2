"""Axes of charts, even or logarithmic: where numbers lie, and the grid."""

from __future__ import annotations

import dataclasses
import math

from snellen.report.charts import ticks
from snellen.report.markup import text

__all__ = ["Axes", "log_ticks", "short_number"]


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high` for a logarithmic axis: 1, 2, 5, 10, 20, ….

    Of many powers of ten only these; of less than a factor of two evenly spaced ones.

    Examples
    --------
    >>> log_ticks(8, 300), log_ticks(1, 1e6)[:3], log_ticks(1.1, 1.9)
    ([10.0, 20.0, 50.0, 100.0, 200.0], [1.0, 10.0, 100.0], [1.2, 1.4, 1.6, 1.8])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1,) if last - first > 4 else (1, 2, 5)
    found = [
        value
        for power in range(first, last + 1)
        for value in (factor * 10.0**power for factor in factors)
        if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)
    ]
    return found if len(found) > 1 else ticks(low, high)


def short_number(value: float) -> str:
    """Return a number as an axis shows it.

    Examples
    --------
    >>> short_number(0.5), short_number(200.0), short_number(20000.0), short_number(5e6)
    ('0.5', '200', '20k', '5M')
    """
    for letter, size in (("M", 1e6), ("k", 1e4)):
        if abs(value) >= size:
            return f"{value / (1e6 if letter == 'M' else 1e3):g}{letter}"
    return f"{value:g}"


@dataclasses.dataclass(frozen=True)
class Axes:
    """A frame for drawings, with a number for each place.

    Parameters
    ----------
    width, height : float
        Of the drawing.
    x, y : (float, float)
        The lowest and the highest number.
    log_x, log_y : bool
        Whether equal factors are equally far apart.
    left, right, top, bottom : float
        Margins.
    """

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log_x: bool = False
    log_y: bool = False
    left: float = 58.0
    right: float = 16.0
    top: float = 14.0
    bottom: float = 44.0

    def across(self, x: float) -> float:
        """Return how far to the right a number lies."""
        room = self.width - self.left - self.right
        return self.left + _share(x, self.x, self.log_x) * room

    def down(self, y: float) -> float:
        """Return how far down a number lies."""
        room = self.height - self.top - self.bottom
        return self.height - self.bottom - _share(y, self.y, self.log_y) * room

    def drawn(self, x_label: str, y_label: str = "", x_ticks: list[float] | None = None) -> str:
        """Return grid, numbers and labels as SVG."""
        right, bottom = self.width - self.right, self.height - self.bottom
        parts = []
        for y in log_ticks(*self.y) if self.log_y else ticks(*self.y):
            at = self.down(y)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
                f'<text class="tick" x="{self.left - 8}" y="{at + 4:.1f}" text-anchor="end">'
                f"{short_number(y)}</text>"
            )
        if x_ticks is None:
            x_ticks = log_ticks(*self.x) if self.log_x else ticks(*self.x, 6)
        for x in x_ticks:
            at = self.across(x)
            parts.append(
                f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{self.top}" y2="{bottom}"/>'
                f'<text class="tick" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">'
                f"{short_number(x)}</text>"
            )
        parts.append(
            f'<line class="axis" x1="{self.left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
            f'<text class="label" x="{(self.left + right) / 2:.1f}" y="{self.height - 6}" '
            f'text-anchor="middle">{text(x_label)}</text>'
        )
        if y_label:
            middle = (self.top + bottom) / 2
            parts.append(
                f'<text class="label" transform="translate(14 {middle:.1f}) rotate(-90)" '
                f'text-anchor="middle">{text(y_label)}</text>'
            )
        return "".join(parts)


def _share(value: float, between: tuple[float, float], logarithmic: bool) -> float:
    low, high = between
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low) if high > low else 0.5
