"""Texts out of files, as messages show them: in one line, without what acts on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import first_few
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["few", "printable"]

_WIDTH = 60


def few(values: Iterable[object], limit: int = 5) -> str:
    r"""Return the first values as a readable list, each in one line and not too long.

    Examples
    --------
    >>> few(["a\nb", "c"])
    'a\\nb, c'
    """
    return first_few((printable(value, _WIDTH) for value in values), limit)
