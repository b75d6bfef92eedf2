"""Tables as lines of text: what `str()` of a result prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.result import Interval

__all__ = [
    "aligned_lines",
    "number",
    "p_value",
    "printable",
    "with_interval",
    "without_decimals",
]


def printable(text: object, width: int | None = None) -> str:
    r"""Return a text from data in one line: what would move the cursor is shown as its escape.

    Examples
    --------
    >>> printable("a\tb"), printable("Labrador retriever", 10)
    ('a\\tb', 'Labrador …')
    """
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    return shown if width is None or len(shown) <= width else f"{shown[: width - 1]}…"


def number(value: float | int, digits: int = 4) -> str:
    """Return a number as tables show it; ``-`` where it is undefined."""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.{digits}f}"
    return f"{value:,}"


def without_decimals(value: object) -> str | None:
    """Return a value that has no decimals as tables show it; None of a finite float, which has.

    Examples
    --------
    >>> [without_decimals(value) for value in (1234, float("nan"), "a", None, 0.5)]
    ['1,234', '–', 'a', '–', None]
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return printable(value)
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return None


def p_value(value: float, name: str = "") -> str:
    """Return a p-value as sentences and tables show it, with its name in front; no p is 0.

    Examples
    --------
    >>> p_value(0.03125), p_value(3.2e-9), p_value(0.5, "p"), p_value(0.0, "adjusted p")
    ('0.0312', '3.2e-09', 'p = 0.5000', 'adjusted p < 1e-300')
    """
    sign, shown = "=", f"{value:.1e}" if value < 0.0001 else f"{value:.4f}"
    if math.isnan(value):
        shown = "-"
    elif value < 1e-300:
        sign, shown = "<", "1e-300"
    if name:
        return f"{name} {sign} {shown}"
    return shown if sign == "=" else f"{sign} {shown}"


def with_interval(value: float, interval: Interval | None, digits: int = 4) -> str:
    """Return a number, and where it lies with which confidence.

    Examples
    --------
    >>> from snellen.result import Interval
    >>> with_interval(0.8, Interval(0.7, 0.9, 0.95, "Wilson", "sample"))
    '0.8000 (0.7000 to 0.9000)'
    """
    shown = number(value, digits)
    if interval is None or math.isnan(interval.low):
        return shown
    return f"{shown} ({number(interval.low, digits)} to {number(interval.high, digits)})"


def aligned_lines(rows: Sequence[Sequence[str]], *, left: int = 1, gap: str = "  ") -> list[str]:
    """Return rows of cells in columns; the first `left` columns to the left, others to the right.

    Examples
    --------
    >>> aligned_lines([["", "n"], ["cat", "12"]])
    ['      n', 'cat  12']
    """
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        gap.join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
