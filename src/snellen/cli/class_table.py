"""The numbers of classes as a table of a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from snellen.result import Result

__all__ = ["print_per_class"]

_WIDE: Final = 10_000


def print_per_class(result: Result) -> None:
    """Print the numbers of each class as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    records = result.per_class()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in records[0] if records else ():
        table.add_column(column, justify="left" if column == "class" else "right", no_wrap=True)
    for record in records:
        table.add_row(*(_cell(value) for value in record.values()))
    # Rows stay whole, on a narrow terminal, too: it goes on in the next line, and a number without
    # its end is another number.
    Console(highlight=False, emoji=False, width=_WIDE).print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    # Names come from data: what would move the cursor or break the row is shown as its escape.
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value)))
