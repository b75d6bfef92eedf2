"""Classes on a benchmark's page: in which networks differ, and what is taken for what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from snellen.benchmark.pages.tables import short
from snellen.report.charts import heat_map
from snellen.report.markup import element, figure, table, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["class_table", "confusions"]

_LISTED = 30  # classes
_BESIDE = 8  # networks
_DRAWN = 30  # classes: of more the most confused pairs are listed
_CLASS = 30  # letters
_PAIRS = 12


def class_table(result: BenchmarkResult) -> str:
    """Return F1 and recall of each class and network, the largest differences first."""
    spreads = result.class_spreads
    if len(spreads) < 2:
        return ""
    ranked = result.ranked[:_BESIDE]
    place = {model.name: k for k, model in enumerate(result.models)}
    many = len(result.models) > 1
    rows = []
    for each in spreads[:_LISTED]:
        cells = [
            element("td", short(each.class_name, _CLASS), class_="class", title=each.class_name),
            figure(each.n),
            *([figure(each.spread)] if many else []),
        ]
        f1 = [each.f1[place[model.name]] for model in ranked]
        recall = [each.recall[place[model.name]] for model in ranked]
        cells += [_bar(*values) for values in zip(f1, recall, strict=True)]
        rows.append(cells)
    head = ["class", "images", *(["spread"] if many else []), *(_head(model) for model in ranked)]
    said = "F1, and recall below it." + (
        " Spread is the highest F1 less the lowest, over all networks; the largest come first."
        if many
        else " The lowest F1 comes first."
    )
    more = []
    if len(spreads) > _LISTED:
        more.append(f"{len(spreads) - _LISTED:,} more classes")
    if len(result.models) > _BESIDE:
        more.append(f"{len(result.models) - _BESIDE:,} more networks")
    rest = element("p", f"… and {' and '.join(more)}: in the JSON.", class_="soft") if more else ""
    heading = "Classes in which they differ" if many else "Each class"
    return element("h2", heading) + element("p", said, class_="soft") + table(head, rows) + rest


def _head(model: MeasuredModel) -> str:
    return element("th", short(model.name, 18), title=model.name)


def _bar(f1: float, recall: float) -> str:
    bar = "" if math.isnan(f1) else element("i", style=f"--v:{100 * f1:.1f}%")
    return element("td", figure(f1) + bar + element("small", figure(recall)), class_="bar")


def confusions(result: BenchmarkResult, folders: Mapping[str, str]) -> str:
    """Return what each network takes for what: counts, and shares of the true class.

    Parameters
    ----------
    result : BenchmarkResult
        What was found.
    folders : mapping of str to str
        Of each network, where its ``confusion.csv`` and ``classes.csv`` are; empty for nowhere.
    """
    ranked = result.ranked
    parts = []
    for k, model in enumerate(ranked[:_BESIDE]):
        summary = element("summary", f"{short(model.name)}: top-1 {figure(model.top1)}")
        body = _matrices(model) if len(result.classes) <= _DRAWN else _most_confused(model)
        if model.name in folders:
            body += _links(folders[model.name])
        parts.append(element("details", summary + body, open="" if not k else None))
    if len(ranked) > _BESIDE:
        more = f"… and {len(ranked) - _BESIDE:,} more networks: in their folders' CSV."
        parts.append(element("p", more, class_="soft"))
    said = "Rows are true classes, columns predicted ones; strong is a large share of the row."
    drawn = element("p", said, class_="soft") if len(result.classes) <= _DRAWN else ""
    return element("h2", "What is taken for what") + drawn + "".join(parts)


def _links(folder: str) -> str:
    links = "; ".join(
        element("a", what, href=quote(f"{folder}/{name}"))
        for name, what in (
            ("confusion.csv", "all pairs of classes as CSV"),
            ("classes.csv", "all numbers of each class as CSV"),
        )
    )
    return element("p", links, class_="soft")


def _matrices(model: MeasuredModel) -> str:
    n = model.n_classes
    matrix = model.confusion.matrix
    names = list(model.classes[:n])
    counts = [list(map(int, row[:n])) for row in matrix[:n]]
    elsewhere = [int(row[n:].sum()) for row in matrix[:n]]
    if any(elsewhere):
        names.append("another class")
        counts = [[*row, more] for row, more in zip(counts, elsewhere, strict=True)]
        counts.append([0] * len(names))
    absolute = element("div", element("h3", "Images") + heat_map(names, counts))
    shares = element(
        "div", element("h3", "Per cent of the true class") + heat_map(names, counts, shares=True)
    )
    return element("div", absolute + shares, class_="both")


def _most_confused(model: MeasuredModel) -> str:
    rows = [
        [
            text(each["truth"]),
            text(each["prediction"]),
            figure(each["n"]),
            f"{100 * each['share_of_truth']:.1f} %",
        ]
        for each in model.confusion.most_confused(_PAIRS)
    ]
    return table(["true", "predicted", "images", "of the class"], rows, left=2)
