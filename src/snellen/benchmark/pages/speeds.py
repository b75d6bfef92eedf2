"""Where the time goes, on a benchmark's page: phases, latencies, batch sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from snellen.benchmark.grouped_table import shortened
from snellen.benchmark.quantities import TimeUnit
from snellen.report.axes import log_ticks, short_number
from snellen.report.charts import ticks
from snellen.report.log_lines import ColouredLine, log_lines
from snellen.report.markup import element, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["COLOURS", "speeds"]

# Of the most accurate networks; the others are grey.
COLOURS = tuple(f"var(--p{k})" for k in (0, 4, 1, 3, 2, 5, 6, 11))
_PHASES = {"read": 8, "decode": 2, "preprocess": 1, "inference": 0}
_SPOKEN = {"preprocess": "resize and scale"}
_SHOWN = 60  # networks
_FEW = 10
_APART = 11.0  # per cent of a scale between its numbers


def speeds(result: BenchmarkResult) -> str:
    """Return the pictures of all that was timed; nothing where nothing was."""
    ranked = result.ranked[:_SHOWN]
    split, latencies, batches = _split(ranked), _latencies(ranked), _batches(ranked)
    if len(ranked) <= _FEW and split and latencies:
        # Two short ones are as high as the third.
        split, latencies = element("div", split + latencies, class_="above"), ""
    elif batches:
        batches = element("div", batches, class_="wide")
    drawn = split + latencies + batches
    if not drawn:
        return ""
    return element("h2", "Where the time goes") + element("div", drawn, class_="both")


def _split(models: Sequence[MeasuredModel]) -> str:
    """Return the phases of an image as one bar a network."""
    found = [
        (model.name, model.speed.end_to_end)
        for model in models
        if model.speed is not None and model.speed.end_to_end is not None
    ]
    if not found:
        return ""
    wholes = [sum(getattr(each, name) for name in _PHASES) for _, each in found]
    most, unit = max(wholes), TimeUnit.of(wholes)
    rows = []
    for name, each in found:
        at, bars = 0.0, []
        for phase, colour in _PHASES.items():
            spent = getattr(each, phase)
            said = f"{_SPOKEN.get(phase, phase)}: {unit.shown(spent)} {unit.name}"
            place = f"left:{100 * at / most:.2f}%;width:{100 * spent / most:.2f}%"
            bars.append(
                element("i", style=f"{place};background:var(--p{colour})", title=f"{name}: {said}")
            )
            at += spent
        rows.append(_row(name, "".join(bars), f"{unit.shown(at)} {unit.name}"))
    legend = "".join(
        element(
            "span",
            element("i", class_="swatch", style=f"background:var(--p{colour})")
            + _SPOKEN.get(phase, phase),
        )
        for phase, colour in _PHASES.items()
    )
    top = unit.of_second * most
    marks = [(value, 100 * value / top) for value in ticks(0, top, 4)]
    return _figure(f"What an image takes, in {unit.name}", legend, rows, marks)


def _latencies(models: Sequence[MeasuredModel]) -> str:
    """Return, for each network, from the median to the 99th percentile of single images."""
    found = [
        (model.name, model.speed.latency)
        for model in models
        if model.speed is not None and model.speed.latency is not None
    ]
    if not found:
        return ""
    unit = TimeUnit.of(each.p50 for _, each in found)
    low = math.log(unit.of_second * min(each.p50 for _, each in found) / 1.15)
    high = math.log(unit.of_second * max(each.p99 for _, each in found) * 1.15)

    def place(seconds: float) -> float:
        return 100 * (math.log(unit.of_second * seconds) - low) / (high - low)

    rows = []
    for name, each in found:
        start, middle, end = place(each.p50), place(each.p90), place(each.p99)
        said = ", ".join(
            f"{key} {unit.shown(getattr(each, key))} {unit.name}" for key in ("p50", "p90", "p99")
        )
        bar = element(
            "i",
            style=f"left:{start:.2f}%;width:{max(end - start, 0.5):.2f}%",
            title=f"{name}: {said}",
        )
        bar += "".join(element("b", style=f"left:{each:.2f}%") for each in (start, middle, end))
        shown = f"{unit.shown(each.p50)} – {unit.shown(each.p99)}"
        rows.append(_row(name, bar, shown, "track spans"))
    marks = [
        (value, 100 * (math.log(value) - low) / (high - low))
        for value in log_ticks(math.exp(low), math.exp(high))
    ]
    legend = element("span", f"p50, p90, p99, in {unit.name}")
    return _figure("Latency, one image at a time", legend, rows, marks)


def _row(name: str, bars: str, value: str, track: str = "track") -> str:
    return (
        element("span", text(shortened(name, 22)), class_="who", title=name)
        + element("span", bars, class_=track)
        + element("span", text(value), class_="value")
    )


def _figure(
    heading: str, legend: str, rows: Sequence[str], marks: Sequence[tuple[float, float]]
) -> str:
    scale, last = "", -math.inf
    for value, place in marks:
        if place - last >= _APART:
            scale += element("span", short_number(value), style=f"left:{place:.2f}%")
            last = place
    body = "".join(rows) + element("span", class_="who") + element("span", scale, class_="scale")
    caption = element("figcaption", element("b", heading) + element("span", legend))
    return element(
        "figure", caption + element("div", body + element("span"), class_="rows"), class_="chart"
    )


def _batches(models: Sequence[MeasuredModel]) -> str:
    lines = []
    for place, model in enumerate(models):
        throughput = () if model.speed is None else model.speed.throughput
        coloured = place < len(COLOURS)
        points = sorted((each.batch_size, each.images_per_second) for each in throughput)
        if points:
            lines.append(
                ColouredLine(
                    shortened(model.name, 24),
                    COLOURS[place] if coloured else "var(--p7)",
                    [(float(size), fps) for size, fps in points],
                    in_legend=coloured,
                )
            )
    title = "Images per second of the network alone"
    return log_lines(title, lines, x_label="images of a batch")
