"""Pictures and tables of a comparison, for papers and notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.displays import Bars, BarsDisplay, Words
from snellen.displays.tables import TABLES, TextTable, no_table, shown
from snellen.table_text import p_value, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.statistics.comparison_result import ClassDifference, Comparison, Difference

__all__ = ["comparison_displays", "comparison_table"]


def comparison_displays(found: Comparison) -> tuple[BarsDisplay, ...]:
    """Return the differences of numbers and, of each pair of runs, those of classes."""
    pairs = dict.fromkeys((each.first, each.second) for each in found.class_differences)
    return (_numbers(found), *(_classes(found, *pair, k) for k, pair in enumerate(pairs)))


def _numbers(found: Comparison) -> BarsDisplay:
    # Errors in units of the data would stand beside shares, on an axis that suits neither.
    metrics = list(dict.fromkeys(each.metric for each in found.differences))
    drawn = [
        metric
        for metric in metrics
        if all(0 <= runs[metric] <= 1 or math.isnan(runs[metric]) for runs in found.values.values())
    ] or metrics[:1]
    others = [metric for metric in metrics if metric not in drawn]
    rows = [each for each in found.differences if each.metric in drawn]
    one_pair = len({(each.first, each.second) for each in rows}) == 1
    between = f": {rows[0].second} less {rows[0].first}" if one_pair else ""
    claims = [claim for each, claim in zip(found.differences, found.claims(), strict=False)
              if found.is_significant(each)]  # fmt: skip
    return _bars(
        rows,
        [
            each.metric if one_pair else f"{each.metric}: {each.second} less {each.first}"
            for each in rows
        ],
        Words(
            name="differences",
            title=f"Differences{between}",
            about="Each bar is the difference of a number of two runs, with its interval: where "
            "that leaves out 0, chance alone hardly makes it.",
            finding=f"{claims[0]}." if claims else "No difference can be claimed.",
            protocol=_rules(found),
            note=f"In other units, in the table only: {', '.join(others)}." if others else "",
        ),
    )


def _classes(found: Comparison, first: str, second: str, place: int) -> BarsDisplay:
    rows = [
        each for each in found.class_differences if (each.first, each.second) == (first, second)
    ]
    sign = -1 if found.class_metric in found.lower_is_better else 1
    rows.sort(
        key=lambda each: (math.isnan(each.difference), sign * each.difference, each.class_name)
    )
    sure = sum(found.is_significant(each) for each in rows)
    return _bars(
        rows,
        [printable(each.class_name) for each in rows],
        Words(
            name=f"class_differences_{place + 1}" if place else "class_differences",
            title=f"{found.class_metric} of classes: {second} less {first}",
            about="Each bar is a class, the greatest loss first.",
            finding=f"{sure:,} of {len(rows):,} differences can be claimed.",
            protocol=_rules(found),
        ),
    )


def _bars(
    rows: Sequence[Difference] | Sequence[ClassDifference],
    names: Sequence[str],
    words: Words,
) -> BarsDisplay:
    return BarsDisplay(
        words=words,
        categories=tuple(names),
        bars=(
            Bars(
                "difference",
                np.array([each.difference for each in rows], np.float64),
                np.array([each.interval.low for each in rows], np.float64),
                np.array([each.interval.high for each in rows], np.float64),
            ),
        ),
        value_label="difference",
    )


def _rules(found: Comparison) -> str:
    return (
        f"{100 * found.level:g} % intervals by paired bootstrap of {found.n_units:,} "
        f"{found.unit}s, {found.replicates:,} replicates; p-values adjusted by Holm"
    )


def comparison_table(found: Comparison, what: str, digits: int = 3) -> TextTable:
    """Return the differences of numbers or of classes as texts.

    Raises
    ------
    InputError
        For another table.
    """
    if what not in TABLES:
        raise no_table(what)
    of_classes = what == "classes"
    rows: Sequence[Any] = found.class_differences if of_classes else found.differences
    key = f"class ({found.class_metric})" if of_classes else "metric"
    several = len(found.names) > 2
    runs = ["first", "second"] if several else list(found.names)
    head = [
        key,
        *(["runs"] if several else []),
        *runs,
        f"difference [{100 * found.level:g} % interval]",
        "adjusted p",
    ]
    body = [
        [
            printable(each.class_name if of_classes else each.metric),
            *([f"{each.first}, {each.second}"] if several else []),
            shown(each.value_first, digits),
            shown(each.value_second, digits),
            shown(each.difference, digits, each.interval),
            p_value(each.adjusted_p),
        ]
        for each in rows
    ]
    texts = 2 if several else 1
    return TextTable(head, body, [k >= texts for k in range(len(head))])
