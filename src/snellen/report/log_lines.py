"""Lines over logarithmic axes: how a number grows with sizes that double."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from snellen.report.axes import Axes, short_number
from snellen.report.markup import element, text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ColouredLine", "log_lines"]


class ColouredLine(NamedTuple):
    """A line of a chart.

    Attributes
    ----------
    label : str
        What it is.
    colour : str
        Of CSS.
    points : sequence of (float, float)
        From left to right, all above 0.
    in_legend : bool
        Whether the legend names it; it is named where one points, in any case.
    """

    label: str
    colour: str
    points: Sequence[tuple[float, float]]
    in_legend: bool = True


_WIDTH, _HEIGHT = 520.0, 320.0


def log_lines(title: str, lines: Sequence[ColouredLine], *, x_label: str) -> str:
    """Return a chart with its heading and legend; nothing where no two points are.

    Parameters
    ----------
    title : str
        What is drawn.
    lines : sequence of ColouredLine
        The first are drawn on top.
    x_label : str
        What is to the right.
    """
    xs = sorted({x for line in lines for x, _ in line.points})
    ys = [y for line in lines for _, y in line.points]
    if len(xs) < 2:
        return ""
    axes = Axes(
        _WIDTH,
        _HEIGHT,
        (xs[0] / 1.1, xs[-1] * 1.1),
        (min(ys) / 1.15, max(ys) * 1.15),
        log_x=True,
        log_y=True,
    )
    parts = [axes.drawn(x_label, x_ticks=xs if len(xs) <= 10 else None)]
    for line in reversed(lines):
        places = [(axes.across(x), axes.down(y)) for x, y in line.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(
            f'<path class="line" style="stroke:{text(line.colour)}" d="M{path}">'
            f"<title>{text(line.label)}</title></path>"
        )
        for (x, y), (size, value) in zip(places, line.points, strict=True):
            said = f"{line.label}: {value:,.4g} at {short_number(size)}"
            parts.append(
                f'<circle class="dot" style="fill:{text(line.colour)}" cx="{x:.1f}" cy="{y:.1f}" '
                f'r="3"><title>{text(said)}</title></circle>'
            )
    drawing = element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"{title} by {x_label}",
    )
    legend = "".join(
        element(
            "span",
            element("i", class_="swatch", style=f"background:{line.colour}") + text(line.label),
        )
        for line in lines
        if line.in_legend
    )
    heading = element("figcaption", element("b", text(title)) + element("span", legend))
    return element("figure", heading + drawing, class_="chart")
