"""Several runs side by side: their numbers, their classes, their curves, their confusions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from snellen.displays import Bars, BarsDisplay, LinesDisplay, Words
from snellen.report.confusion import confusion_card, largest_count
from snellen.report.data_table import cards
from snellen.report.markup import element, figure, table, text
from snellen.report.parts import Column, Table
from snellen.report.run_differences import RunDifference, RunDifferences, run_differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays import Display, Line
    from snellen.report.run_view import RunView

__all__ = ["comparison", "headline_comparison"]

_MOST_BARS = 40
_MOST_LINES = 4  # of a run, where they are drawn over those of another


def headline_comparison(views: Sequence[RunView]) -> str:
    """Return the headline numbers of all runs, with what each differs from the first one."""
    if len(views) < 2:
        return ""
    found = [run_differences(views[0], view) for view in views[1:]]
    head = ["", *(text(view.name) for view in views)]
    rows = []
    for name, value in views[0].result.metrics.items():
        cells = [text(name), figure(value)]
        for each in found:
            cells.append(_difference_cell(each.numbers.get(name), name in each.lower_is_better))
        rows.append(cells)
    return table(head, rows) + "".join(
        element("p", text(line), class_="rules") for line in dict.fromkeys(f.about for f in found)
    )
