"""Numbers of a benchmark as people read them: large counts, times in one unit, three digits."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TimeUnit", "byte_size", "magnitude", "three_digits"]


def three_digits(value: Any) -> str:
    """Return a number with three digits, or the whole number; what is undefined is a dash.

    Examples
    --------
    >>> [three_digits(each) for each in (0.01234, 1.5, 15.25, 1234.5, float("nan"), None)]
    ['0.0123', '1.50', '15.2', '1,234', '-', '-']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.9995 or not value else f"{value:#.3g}"


def magnitude(value: Any, *, binary: bool = False) -> str:
    """Return a large count with a letter for its size; what is unknown is a dash.

    Examples
    --------
    >>> magnitude(950), magnitude(25_557_032), magnitude(3 * 2**30, binary=True), magnitude(None)
    ('950', '25.6 M', '3.00 GiB', '-')
    """
    if value is None:
        return "-"
    step, letters = (1024, ("B", "KiB", "MiB", "GiB", "TiB")) if binary else (1000, " kMGT")
    size = 0
    shown = float(value)
    while shown >= 999.5 and size < 4:
        shown, size = shown / step, size + 1
    digits = f"{value:,}" if not size else three_digits(shown)
    return f"{digits} {letters[size]}".rstrip()


def byte_size(value: Any) -> str:
    """Return a number of bytes in KiB, MiB, …; what is unknown is a dash."""
    return magnitude(value, binary=True)


class TimeUnit(NamedTuple):
    """What times are shown in: all of a table alike.

    Attributes
    ----------
    name : str
        ``"µs"``, ``"ms"`` or ``"s"``.
    of_second : float
        How many make a second.
    """

    name: str
    of_second: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> TimeUnit:
        """Return the unit in which a middle one of some times is from 1 to 1,000.

        Examples
        --------
        >>> TimeUnit.of([0.0002, 0.03, 0.04]).name, TimeUnit.of([0.0002, 0.0003, 0.04]).name
        ('ms', 'µs')
        """
        there = [each for each in seconds if not math.isnan(each)]
        middle = median(there) if there else 0.0
        if middle < 1e-3:
            return cls("µs", 1e6)
        return cls("ms", 1e3) if middle < 1 else cls("s", 1.0)

    def shown(self, seconds: float) -> str:
        """Return a time as a number of this unit: three digits, hundredths at the least.

        Examples
        --------
        >>> ms = TimeUnit("ms", 1e3)
        >>> [ms.shown(each) for each in (0.0012345, 0.0345, 1.2, 0.0000002, 0.0, float("nan"))]
        ['1.23', '34.5', '1,200', '<0.01', '0.00', '-']
        """
        value = seconds * self.of_second
        if 0 < value < 0.005:
            return "<0.01"
        return f"{value:.2f}" if value < 0.9995 else three_digits(value)
