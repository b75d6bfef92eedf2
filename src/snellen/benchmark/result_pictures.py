"""Pictures and tables of a benchmark, for papers and notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, Words
from snellen.displays.tables import TABLES, TextTable, no_table, shown
from snellen.report.model_speeds import accuracy_over_speed
from snellen.result import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.benchmark.result import BenchmarkResult
    from snellen.displays import Display

__all__ = ["benchmark_displays", "benchmark_table"]

# What stands in a paper's table; the CSV has every number.
_COLUMNS: Final = {
    "model": "name",
    "top-1": "top1",
    "top-5": "top5",
    "F1": "f1_macro",
    "images/s": "end_to_end_fps",
    "network alone": "best_fps",
    "latency (ms)": "latency_p50_ms",
    "parameters": "parameters",
    "MACs": "macs",
}
_COARSE: Final = ("end_to_end_fps", "best_fps", "latency_p50_ms")


def benchmark_displays(result: BenchmarkResult) -> tuple[Display, ...]:
    """Return quality against speed, where speed was measured, and the accuracy of all networks."""
    speeds = accuracy_over_speed(result.to_dict())
    accuracy = _accuracy(result)
    return (accuracy,) if speeds is None else (speeds, accuracy)


def _accuracy(result: BenchmarkResult) -> BarsDisplay:
    rows = result.table()
    best = rows[0]
    return BarsDisplay(
        words=Words(
            name="top1",
            title="Top-1 accuracy",
            about="Each bar is a network: the share of images whose most likely class is right.",
            finding=f"Best is {best['name']}: {shown(best['top1'])}."
            if not math.isnan(best["top1"])
            else "No accuracy is defined.",
            protocol=f"{len(result.ids):,} images, {len(result.classes):,} classes; "
            f"{100 * result.level:g} % intervals, Wilson",
        ),
        categories=tuple(str(row["name"]) for row in rows),
        bars=(
            Bars(
                "top1",
                *(
                    np.array([row[key] for row in rows], np.float64)
                    for key in ("top1", "top1_low", "top1_high")
                ),
            ),
        ),
        value_label="top1",
        value_range=(0.0, 1.0),
    )


def benchmark_table(result: BenchmarkResult, what: str, digits: int = 3) -> TextTable:
    """Return the networks, or the recall of each class by each of them, as texts.

    Raises
    ------
    InputError
        For another table.
    """
    if what not in TABLES:
        raise no_table(what)
    if what == "classes":
        names = [model.name for model in result.models]
        body = [
            [each.class_name, *(shown(float(value), digits) for value in each.recall)]
            for each in result.class_spreads
        ]
        return TextTable(["class (recall)", *names], body, [False, *(True for _ in names)])
    rows = result.table()
    columns = {
        title: key
        for title, key in _COLUMNS.items()
        if key == "name" or any(_known(row[key]) for row in rows)
    }
    body = [
        [
            shown(row[key], 1 if key in _COARSE else digits, _interval(result, row, key))
            for key in columns.values()
        ]
        for row in rows
    ]
    return TextTable(list(columns), body, [key != "name" for key in columns.values()])


def _known(value: Any) -> bool:
    return value is not None and not math.isnan(value)


def _interval(result: BenchmarkResult, row: Mapping[str, Any], key: str) -> Interval | None:
    if f"{key}_low" not in row:
        return None
    low, high = row[f"{key}_low"], row[f"{key}_high"]
    return Interval(low, high, result.level, "", "image")
