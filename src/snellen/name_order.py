"""The order in which people read names."""

from __future__ import annotations

import re

__all__ = ["reading_order"]


def reading_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return what names are sorted by: numbers in them count as numbers.

    Examples
    --------
    >>> sorted(["10 to 19", "5 to 9", "20 or more"], key=reading_order)
    ['5 to 9', '10 to 19', '20 or more']
    """
    return [(int(n or 0), text) for n, text in re.findall(r"(\d*)(\D*)", name)], name
