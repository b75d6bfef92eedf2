"""How well each network knows each class, as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from snellen.benchmark.claims import counted
from snellen.benchmark.grouped_table import WIDE, Column, grouped_table, shortened
from snellen.table_text import number, printable

if TYPE_CHECKING:
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["class_text"]

_CLASSES = 50
_CLASS = 26  # letters
_BESIDE = 5  # networks with recall and F1; of more there is recall alone
_NAME = 14
_RECALL = 8  # letters of a column, with its gap


def class_text(result: BenchmarkResult) -> str:
    """Return recall and F1 of each class, those in which networks differ most first."""
    ranked = result.ranked
    both = len(ranked) <= _BESIDE
    room = WIDE - _CLASS - sum(map(len, ("images", "spread"))) - 4
    shown = ranked if both else ranked[: room // _RECALL]
    place = {model.name: k for k, model in enumerate(result.models)}
    spreads = result.class_spreads[:_CLASSES]
    columns = [Column("images", [number(each.n) for each in spreads])]
    if len(ranked) > 1:
        columns.append(Column("spread", [number(each.spread) for each in spreads]))
    heads = [shortened(printable(model.name), _NAME) for model in shown]
    if not both or len(set(heads)) < len(heads):
        heads = [str(k) for k in range(1, len(shown) + 1)]
    for model, name in zip(shown, heads, strict=True):
        k = place[model.name]
        recall = [number(each.recall[k]) for each in spreads]
        if both:
            f1 = [number(each.f1[k]) for each in spreads]
            columns += [Column("recall", recall, name), Column("F1", f1, name)]
        else:
            columns.append(Column(name, recall))
    names = [(shortened(printable(each.class_name), _CLASS), "") for each in spreads]
    what = "recall and F1" if both else "recall"
    order = (
        "those first in which networks differ most: spread is the highest F1 less the lowest"
        if len(ranked) > 1
        else "the lowest F1 first"
    )
    lines = [f"{what} of each class; {order}", "", *grouped_table(names, columns)]
    if "1" in heads:
        of = [f"{head}={printable(model.name)}" for head, model in zip(heads, shown, strict=True)]
        lines += textwrap.wrap(", ".join(of), WIDE, subsequent_indent="  ")
    left = []
    if len(result.class_spreads) > len(spreads):
        left.append(f"{len(result.class_spreads) - len(spreads):,} more classes")
    if len(ranked) > len(shown):
        left.append(counted(len(ranked) - len(shown), "more network"))
    if left:
        lines.append(f"… and {' and '.join(left)}: in the JSON")
    return "\n".join(lines)
