"""How sure networks are, and how often they are right then: on a benchmark's page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.benchmark.pages.tables import short
from snellen.report.markup import element, figure

if TYPE_CHECKING:
    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["calibration"]

_SHOWN = 12  # networks
_SIZE, _MARGIN = 180.0, 24.0


def calibration(result: BenchmarkResult) -> str:
    """Return a reliability diagram of each network that gave scores."""
    scored = [model for model in result.ranked if "calibration" in model.result.parts]
    if not scored:
        return ""
    said = (
        "Accuracy (upwards) by confidence (to the right): on the diagonal a network is right as "
        "often as it says. Strong columns hold many images. ECE is the mean distance."
    )
    drawn = "".join(_diagram(model) for model in scored[:_SHOWN])
    rest = ""
    if len(scored) > _SHOWN:
        more = f"… and {len(scored) - _SHOWN:,} more networks: their ECE is in the table above."
        rest = element("p", more, class_="soft")
    return (
        element("h2", "How sure they are")
        + element("p", said, class_="soft")
        + element("div", drawn, class_="dials")
        + rest
    )


def _diagram(model: MeasuredModel) -> str:
    part: Any = model.result.parts["calibration"]
    bins = part.reliability()
    most = max((each["n"] for each in bins), default=0) or 1
    size = _SIZE - _MARGIN - 4

    def across(x: float) -> float:
        return _MARGIN + x * size

    def down(y: float) -> float:
        return 4 + (1 - y) * size

    parts = [
        f'<line class="grid" x1="{_MARGIN}" x2="{across(1):.1f}" y1="{down(value):.1f}" '
        f'y2="{down(value):.1f}"/>'
        f'<text class="tick" x="{_MARGIN - 5}" y="{down(value) + 4:.1f}" '
        f'text-anchor="end">{value:g}</text>'
        f'<text class="tick" x="{across(value):.1f}" y="{_SIZE - 5}" '
        f'text-anchor="middle">{value:g}</text>'
        for value in (0.0, 0.5, 1.0)
    ]
    for each in bins:
        if not each["n"] or math.isnan(each["accuracy"]):
            continue
        left, right = across(each["low"]), across(each["high"])
        strength = 0.15 + 0.85 * math.sqrt(each["n"] / most)
        said = (
            f"confidence {each['low']:.2f} to {each['high']:.2f}: {each['n']:,} images, "
            f"{figure(each['accuracy'])} right, {figure(each['mean_confidence'])} expected"
        )
        parts.append(
            f'<rect class="column" x="{left + 0.5:.1f}" y="{down(each["accuracy"]):.1f}" '
            f'width="{right - left - 1:.1f}" height="{each["accuracy"] * size:.1f}" '
            f'fill-opacity="{strength:.2f}"><title>{said}</title></rect>'
        )
    parts.append(
        f'<line class="diagonal" x1="{across(0)}" y1="{down(0)}" x2="{across(1)}" y2="{down(1)}"/>'
    )
    drawing = element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {_SIZE:g} {_SIZE:g}",
        role="img",
        aria_label=f"accuracy by confidence of {model.name}",
    )
    numbers = (
        f"ECE {figure(model.number('ece'))}, confidence {figure(model.number('mean_confidence'))}, "
        f"accuracy {figure(model.top1)}"
    )
    caption = element("b", short(model.name, 24), title=model.name) + element("small", numbers)
    return element("figure", element("figcaption", caption) + drawing, class_="chart")
