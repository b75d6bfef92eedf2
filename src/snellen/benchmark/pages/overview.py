"""The head of a benchmark's page, and its picture: accuracy against images per second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.benchmark.grouped_table import shortened
from snellen.benchmark.pages.tables import short
from snellen.benchmark.quantities import three_digits
from snellen.benchmark.result_rows import FPS_KINDS
from snellen.report.charts import range_bar
from snellen.report.markup import element, figure, plain_value, text, words
from snellen.report.scatter import Point, scatter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.benchmark.result import BenchmarkResult

__all__ = ["head", "picture", "title"]

_FACTS = 14


def title(result: BenchmarkResult) -> str:
    """Return what was measured on what, as text that is not escaped."""
    n = len(result.models)
    of = result.data.get("data") or result.data.get("source")
    return f"{n} network{'' if n == 1 else 's'}" + (f" on {of}" if of else "")


def head(result: BenchmarkResult, *, linked: bool = False) -> str:
    """Return the heading, the numbers that matter, and what it was measured on."""
    n, n_classes = len(result.ids), len(result.classes)
    said = f"{n:,} images of {n_classes:,} classes"
    if result.left_out:
        said += f"; {len(result.left_out):,} left out"
    links = ""
    if linked:
        files = {"table.csv": "the tables as CSV", "result.json": "everything as JSON"}
        links = "; ".join(element("a", text(what), href=name) for name, what in files.items())
    return element(
        "header",
        element("h1", text(title(result)))
        + element("p", text(said) + (f" · {links}" if links else ""), class_="soft")
        + element("div", "".join(_tiles(result)), class_="tiles")
        + _facts({**result.data, **result.machine}),
    )


def _tiles(result: BenchmarkResult) -> list[str]:
    best = result.ranked[0]
    bar = between = ""
    interval = best.interval("accuracy")
    if interval is not None and not math.isnan(interval.low):
        bar = range_bar(best.top1, interval.low, interval.high)
        between = element("small", f"{figure(interval.low)} to {figure(interval.high)}")
    many = len(result.models) > 1
    accurate = "most accurate" if many else "top-1 accuracy"
    tiles = [_tile(accurate, figure(best.top1), bar + between, short(best.name, 30))]
    timed = [model for model in result.models if not math.isnan(result.fps(model))]
    if timed:
        fastest = max(timed, key=result.fps)
        speed = f"{three_digits(result.fps(fastest))}"
        unit = element("small", "images per second")
        tiles.append(_tile("fastest" if many else "speed", speed, unit, short(fastest.name, 30)))
    if timed and many:
        said = element("small", "no other is better in both")
        tiles.append(_tile("on the front", str(len(result.front)), said, ""))
    pairs = result.comparison.differences
    if pairs:
        sure = sum(result.comparison.is_significant(each) for each in pairs)
        said = element("small", f"of {len(pairs):,} can be claimed")
        tiles.append(_tile("differences", f"{sure:,}", said, ""))
    return tiles


def _tile(heading: str, value: str, more: str, name: str) -> str:
    parts = [element("small", heading), element("b", value), more]
    if name:
        parts.append(element("small", element("strong", name)))
    return element("div", "".join(parts), class_="tile")


def _facts(facts: Mapping[str, Any]) -> str:
    items = [
        element("li", f"{words(key)} {element('b', plain_value(value))}")
        for key, value in facts.items()
        if value not in (None, "", [], {})
    ]
    return element("ul", "".join(items[:_FACTS]), class_="facts") if items else ""


def picture(result: BenchmarkResult) -> str:
    """Return accuracy against speed with the front; nothing where there is nothing to compare."""
    if not result.fps_kind or len(result.models) == 1:
        return ""
    known = set(result.front)
    points = []
    for model in result.ranked:
        fps = result.fps(model)
        if math.isnan(fps) or math.isnan(model.top1):
            continue
        interval = model.interval("accuracy")
        low, high = (model.top1,) * 2 if interval is None else (interval.low, interval.high)
        said = f"{model.name}: {figure(model.top1)}, {three_digits(fps)} images/s"
        points.append(
            Point(
                fps,
                model.top1,
                shortened(model.name, 26),
                said,
                model.name in known,
                low,
                high,
            )
        )
    drawn = scatter(
        "Top-1 accuracy", points, x_label=FPS_KINDS[result.fps_kind], y_label="top-1 accuracy"
    )
    return element("h2", "Accuracy and speed") + drawn
