"""What a page of results consists of, before it is HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays import Display, MatrixDisplay, Words

__all__ = ["Column", "Facts", "RunParts", "Table"]


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    key : str
        The name in records and in files that are downloaded.
    title : str
        What stands above it.
    digits : int or None
        How many decimals numbers have; None: whole numbers, or text.
    about : str
        What it is, where the title does not say it.
    """

    key: str
    title: str
    digits: int | None = None
    about: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """A table that can be sorted, searched and downloaded.

    Attributes
    ----------
    words : Words
        What is said about it.
    columns : sequence of Column
        The first names the row.
    records : sequence of dict
        One a row, by the columns' keys; None or NaN where undefined. In the order that is shown
        first.
    """

    words: Words
    columns: Sequence[Column]
    records: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Facts:
    """A few sentences between figures, such as what to look at next.

    Attributes
    ----------
    title : str
        The heading.
    lines : tuple of str
        A sentence each.
    """

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class RunParts:
    """What the page shows of one run beside its headline numbers and its gallery; all may be empty.

    Attributes
    ----------
    facts : Facts or None
        What to look at first: shown under the headline numbers.
    confusion : MatrixDisplay or None
        The confusion matrix; clicking a cell filters the gallery.
    curves, errors, slices, own : tuple of Display or Table
        Curves; the error breakdown; slices; what only this task has.
    classes : Table or None
        One row a class.
    """

    facts: Facts | None = None
    confusion: MatrixDisplay | None = None
    curves: tuple[Display | Table, ...] = ()
    errors: tuple[Display | Table, ...] = ()
    slices: tuple[Display | Table, ...] = ()
    classes: Table | None = None
    own: tuple[Display | Table, ...] = ()
