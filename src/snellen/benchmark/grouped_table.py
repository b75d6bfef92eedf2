"""Tables of text whose columns stand in groups, the best of each marked, no wider than a screen."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BEST", "WIDE", "Column", "grouped_table", "shortened"]

WIDE = 120
BEST = "•"
_NAME = 16  # letters that a name gets at least
_GAP = 2


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    head : str
        Its heading.
    cells : list of str
        One a row; ``-`` where nothing is known. A column of these alone is left out.
    group : str
        What stands over it and its neighbours of the same group; ``""`` for nothing.
    needed : bool
        Or left out where the table is too wide, the last first.
    best : sequence of bool
        Which cells are the best, and marked; empty for none.
    """

    head: str
    cells: list[str]
    group: str = ""
    needed: bool = True
    best: Sequence[bool] = ()


def shortened(name: str, room: int) -> str:
    """Return a name in so many characters: what is cut is its middle, for names differ at the end.

    Examples
    --------
    >>> shortened("keras_applications_efficientnet_b0", 16)
    'keras_a…ntnet_b0'
    """
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}…{name[len(name) - end :]}"


def grouped_table(names: Sequence[tuple[str, str]], columns: Sequence[Column]) -> list[str]:
    r"""Return lines no wider than `WIDE`: columns that are not needed go, names are cut.

    Parameters
    ----------
    names : sequence of (str, str)
        Of each row, and the signs behind it.
    columns : sequence of Column
        To the right of the names.

    Examples
    --------
    >>> columns = [
    ...     Column("read", ["1", "2"], "µs"),
    ...     Column("infer", ["30", "4"], "µs", best=[False, True]),
    ...     Column("MACs", ["5 M", "6 M"]),
    ... ]
    >>> print("\n".join(grouped_table([("a", "*"), ("b", "")], columns)))
          ---- µs ---
          read  infer  MACs
    a  *     1     30   5 M
    b        2      4•  6 M
    """
    marks = max((len(mark) for _, mark in names), default=0)
    beside = _GAP + marks if marks else 0
    chosen = [each for each in columns if any(cell.strip() != "-" for cell in each.cells)]
    wanted = min(max((len(name) for name, _ in names), default=0), 2 * _NAME)

    def left(of: Sequence[Column]) -> int:
        return WIDE - len(BEST) - beside - sum(_GAP + width for width in _widths(of))

    while left(chosen) < wanted and not all(each.needed for each in chosen):
        last = max(k for k, each in enumerate(chosen) if not each.needed)
        chosen = chosen[:last] + chosen[last + 1 :]
    room = max(_NAME, left(chosen))
    shown = [shortened(name, room) for name, _ in names]
    first = max(map(len, shown), default=0)
    widths = _widths(chosen)
    gap = " " * _GAP
    begin = " " * (first + beside)
    lines = []
    if any(each.group for each in chosen):
        lines.append(gap.join([begin, *itertools.starmap(_spanned, _groups(chosen, widths))]))
    heads = (each.head.rjust(width) for each, width in zip(chosen, widths, strict=True))
    lines.append(gap.join([begin, *heads]))
    for k, (name, (_, mark)) in enumerate(zip(shown, names, strict=True)):
        line = name.ljust(first) + (gap + mark.ljust(marks) if marks else "") + gap
        for each, width in zip(chosen, widths, strict=True):
            sign = BEST if each.best and each.best[k] else ""
            line += each.cells[k].rjust(width) + sign.ljust(_GAP)
        lines.append(line)
    return [line.rstrip() for line in lines]


def _spanned(group: str, widths: Sequence[int]) -> str:
    """Return a group's name over its columns."""
    width = sum(widths) + _GAP * (len(widths) - 1)
    if not group:
        return " " * width
    named = f" {group} "
    return named.center(width, "-") if width >= len(named) + 2 else group.center(width)


def _groups(columns: Sequence[Column], widths: Sequence[int]) -> list[tuple[str, list[int]]]:
    """Return each group with the widths of its columns; a column without one is by itself."""
    found = []
    numbered = enumerate(zip(columns, widths, strict=True))
    for _, run in itertools.groupby(numbered, key=lambda at: at[1][0].group or at[0]):
        members = [each for _, each in run]
        found.append((members[0][0].group, [width for _, width in members]))
    return found


def _widths(columns: Sequence[Column]) -> list[int]:
    """Return the width of each column: of what is in it, and of its share of the group's name."""
    own = [max(len(each.head), *map(len, each.cells)) for each in columns]
    widths = []
    for group, part in _groups(columns, own):
        missing = len(group) - sum(part) - _GAP * (len(part) - 1)
        extra, more = divmod(max(0, missing), len(part))
        widths += [width + extra + (k < more) for k, width in enumerate(part)]
    return widths
