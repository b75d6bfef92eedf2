"""Numbers that an option may have."""

from __future__ import annotations

import math

from snellen.errors import InputError

__all__ = ["within"]


def within(
    name: str, value: float, low: float = 0.0, high: float = math.inf, *, above: bool = False
) -> float:
    """Return a number that is in a range: finite, at least `low`, and below `high`.

    Parameters
    ----------
    name : str
        Whose number it is, for the message.
    value : float
        The number.
    low, high : float
        The range.
    above : bool
        Whether `low` itself is outside.

    Raises
    ------
    InputError
        For a number outside, or NaN.

    Examples
    --------
    >>> within("momentum", 0.9, high=1.0)
    0.9
    """
    if (low < value if above else low <= value) and value < high:
        return value
    expected = f"{'above' if above else 'from'} {low:g}"
    if high < math.inf:
        expected += f" and below {high:g}"
    raise InputError(f"expected {name} {expected}, got {value:g}")
