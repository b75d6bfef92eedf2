"""The curves of a run's page: loss, accuracy and learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.report.charts import Line, line_chart
from snellen.report.markup import element, figure, spoken, table, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["best_epoch", "curves"]

_NO_CURVES = frozenset(("epoch", "step", "learning_rate", "seconds", "samples"))
_MOST_STEPS = 600  # points of a curve over steps: more cannot be seen


def best_epoch(run: Mapping[str, Any]) -> int | None:
    """Return the epoch whose weights are kept, from 1: as the run says, else by validation loss."""
    said = run.get("best_epoch")
    if said is not None:
        return int(said)
    losses = [
        (row["val_loss"], row["epoch"])
        for row in run.get("history", ())
        if isinstance(row.get("val_loss"), (int, float)) and math.isfinite(row["val_loss"])
    ]
    return int(min(losses)[1]) if losses else None


def curves(run: Mapping[str, Any]) -> str:
    """Return a chart of each number of the history, and of the learning rate over steps.

    A single epoch is no curve: its numbers are a table.
    """
    history = run.get("history") or []
    steps = run.get("step_rows") or []
    if not history and not steps:
        return ""
    best = best_epoch(run)
    marked = None if best is None else (float(best), f"best: epoch {best}")
    names = dict.fromkeys(
        name.removeprefix("val_") for row in history for name in row if name not in _NO_CURVES
    )
    charts = []
    for name in names:
        lines = [
            Line("training", "training", _points(history, "epoch", name)),
            Line("validation", "validation", _points(history, "epoch", f"val_{name}")),
        ]
        title = spoken(name)
        title = title[:1].upper() + title[1:]
        charts.append(line_chart(title, lines, x_label="epoch", marked=marked))
    losses = [Line("", "training", _thinned(_points(steps, "step", "loss")))]
    charts.append(line_chart("Loss by step", losses, x_label="step"))
    rates = _points(steps or history, "step", "learning_rate")
    rate = Line("", "rate", _thinned(rates), stepped=not steps)
    charts.append(line_chart("Learning rate", [rate], x_label="step", from_zero=True))
    whole = "".join(charts)
    single = _single(history[0], [*names]) if len(history) == 1 else ""
    if not whole and not single:
        return ""
    drawn = element("div", whole, class_="charts") if whole else ""
    return element("h2", "Curves" if whole else "The one epoch") + single + drawn


def _single(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the numbers of the only epoch."""
    if not names:
        return ""
    rows = [[words(name), figure(row.get(name)), figure(row.get(f"val_{name}"))] for name in names]
    return table(["of the one epoch", "training", "validation"], rows)


def _points(rows: Sequence[Mapping[str, Any]], across: str, name: str) -> list[tuple[float, float]]:
    """Return a column over another; what a row lacks is left out, what is undefined is a gap."""
    return [
        (float(row[across]), math.nan if row[name] is None else float(row[name]))
        for row in rows
        if name in row and across in row
    ]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most so many points as can be seen: of each stretch the lowest and the highest."""
    if len(points) <= _MOST_STEPS:
        return points
    size = math.ceil(len(points) / (_MOST_STEPS // 2))
    kept = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        finite = [point for point in stretch if math.isfinite(point[1])]
        if not finite:
            kept.append(stretch[0])
            continue
        ends = {min(finite, key=_height), max(finite, key=_height)}
        kept += sorted(ends)
    return kept


def _height(point: tuple[float, float]) -> float:
    return point[1]
