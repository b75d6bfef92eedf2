"""Charts as SVG; their colours are those of the page's style, so that they are dark with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from snellen.report.markup import element, figure, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Line", "heat_map", "line_chart", "range_bar", "ticks"]


class Line(NamedTuple):
    """A line of a chart.

    Attributes
    ----------
    label : str
        What it is; empty where the heading says it.
    style : str
        Its class in the page's style: ``"training"``, ``"validation"``, ``"rate"``.
    points : sequence of (float, float)
        From left to right; where y is no number there is a gap.
    stepped : bool
        Whether a value holds until the next.
    """

    label: str
    style: str
    points: Sequence[tuple[float, float]]
    stepped: bool = False


_WIDTH, _HEIGHT = 480.0, 270.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 14.0, 40.0
_DOTS = 40  # as many points are drawn as dots, too


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return round numbers from `low` to `high`: about n, 1, 2 or 5 times a power of ten apart.

    Examples
    --------
    >>> ticks(0.13, 0.94)
    [0.2, 0.4, 0.6, 0.8]
    >>> ticks(1, 10)
    [2.0, 4.0, 6.0, 8.0, 10.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    apart = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / apart - 1e-9), math.floor(high / apart + 1e-9)
    # Rounded, for 3 * 0.1 is not 0.3.
    places = max(0, -math.floor(math.log10(apart)))
    return [round(k * apart, places) for k in range(first, last + 1)]


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_label: str,
    marked: tuple[float, str] | None = None,
    from_zero: bool = False,
) -> str:
    """Return a chart of lines with its heading and legend; nothing where no two points are.

    Parameters
    ----------
    title : str
        What is drawn.
    lines : sequence of Line
        The first are drawn first.
    x_label : str
        What is to the right.
    marked : (float, str), optional
        Where a vertical line stands, and what it says.
    from_zero : bool
        Whether the axis upwards begins at 0.
    """
    lines = [line for line in lines if any(math.isfinite(y) for _, y in line.points)]
    if len({x for line in lines for x, y in line.points if math.isfinite(y)}) < 2:
        return ""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points if math.isfinite(y)]
    left, right = min(xs), max(xs)
    low, high = (min(0.0, *ys) if from_zero else min(ys)), max(ys)
    room = (high - low or abs(high) or 1.0) * 0.06
    low, high = low - (0.0 if from_zero else room), high + room

    def across(x: float) -> float:
        return _LEFT + (x - left) / (right - left) * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    across_at = ticks(left, right, 6)
    if all(x == int(x) for x in xs):
        across_at = [x for x in across_at if x == int(x)]
    parts = _frame(
        [(across(x), _short(x)) for x in across_at],
        [(up(y), f"{y:g}") for y in ticks(low, high)],
        x_label,
    )
    if marked is not None and left <= marked[0] <= right:
        parts.append(_mark(across(marked[0]), marked[1]))
    parts += [_drawn(line, across, up, marked, x_label) for line in lines]
    drawing = element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=" ".join([title, *(line.label for line in lines), f"by {x_label}"]),
    )
    legend = "".join(
        element("span", element("i", class_=f"swatch {line.style}") + text(line.label))
        for line in lines
        if line.label
    )
    heading = element("figcaption", element("b", text(title)) + element("span", legend))
    return element("figure", heading + drawing, class_="chart")


def _frame(
    across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]], x_label: str
) -> list[str]:
    """Return grid, numbers and axis of a chart; of each number its place and text."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    return [
        *(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 8}" y="{place + 4:.1f}" '
            f'text-anchor="end">{said}</text>'
            for place, said in up
        ),
        *(
            f'<text class="tick" x="{place:.1f}" y="{bottom + 18}" '
            f'text-anchor="middle">{said}</text>'
            for place, said in across
        ),
        f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
        f'<text class="label" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 5}" '
        f'text-anchor="middle">{text(x_label)}</text>',
    ]


def _mark(x: float, says: str) -> str:
    """Return a vertical line, with what it says at the side where there is room."""
    at_right = x > _WIDTH * 0.6
    return (
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text class="marked" x="{x + (-6 if at_right else 6):.1f}" y="{_TOP + 10}" '
        f'text-anchor="{"end" if at_right else "start"}">{text(says)}</text>'
    )


def _drawn(
    line: Line,
    across: Callable[[float], float],
    up: Callable[[float], float],
    marked: tuple[float, str] | None,
    x_label: str,
) -> str:
    path, pen_down, before = [], False, 0.0
    dots = []
    alone = len(line.points) <= _DOTS
    for x, y in line.points:
        if not math.isfinite(y):
            pen_down = False
            continue
        right, height = across(x), up(y)
        if pen_down and line.stepped:
            path.append(f"L{right:.1f} {before:.1f}")
        path.append(f"{'L' if pen_down else 'M'}{right:.1f} {height:.1f}")
        pen_down, before = True, height
        best = marked is not None and marked[0] == x
        if alone or best:
            said = f"{line.label} {x_label} {x:g}: {figure(float(y))}".lstrip()
            dots.append(
                f'<circle class="dot {line.style}" cx="{right:.1f}" cy="{height:.1f}" '
                f'r="{4.5 if best else 2.5}"><title>{text(said)}</title></circle>'
            )
    return f'<path class="line {line.style}" d="{"".join(path)}"/>{"".join(dots)}'


def _short(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def range_bar(value: float, low: float, high: float) -> str:
    """Return a value between 0 and 1 and its interval as a small bar."""
    start, end, at = (100 * min(max(each, 0.0), 1.0) for each in (low, high, value))
    return (
        '<svg class="range" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ground" width="100" height="8"/>'
        f'<rect class="value" width="{at:.2f}" height="8"/>'
        f'<rect class="between" x="{start:.2f}" width="{max(end - start, 0.4):.2f}" height="8"/>'
        "</svg>"
    )


_CELL, _SMALL_CELL = 44.0, 14.0
_COUNTED = 20  # classes: of more the counts are not written


def heat_map(
    names: Sequence[str], counts: Sequence[Sequence[float]], *, shares: bool = False
) -> str:
    """Return a confusion matrix: rows are true classes, columns predicted ones.

    A cell is as strong as its share of its row; what is right has one colour, mistakes another.

    Parameters
    ----------
    names : sequence of str
        The K classes.
    counts : sequence of K sequences of K float
        The samples, or sums of their weights.
    shares : bool
        Whether cells say how many in a hundred of their row they are, in place of counts.
    """
    n = len(names)
    written = n <= _COUNTED
    cell = _CELL if written else _SMALL_CELL
    size = 12.0 if written else 10.5
    longest = max((len(name) for name in names), default=0)
    margin = min(16 + 0.56 * size * longest, 150.0)
    width, height = margin + n * cell + 2, margin + n * cell + 4
    most = int((margin - 10) / (0.56 * size))
    shown = [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]
    # Numbers are to be read on every cell.
    depth = 0.56 if written else 0.94
    parts = []
    sized = f'style="font-size:{size}px"'
    for k, name in enumerate(shown):
        middle = margin + (k + 0.5) * cell
        place = f"translate({middle + 4:.1f} {margin - 8:.1f}) rotate(-90)"
        parts.append(
            f'<text class="tick" {sized} x="{margin - 8:.1f}" y="{middle + 4:.1f}" '
            f'text-anchor="end">{text(name)}</text>'
            f'<text class="tick" {sized} text-anchor="start" '
            f'transform="{place}">{text(name)}</text>'
        )
    for row, values in enumerate(counts):
        total = sum(values)
        for column, value in enumerate(values):
            if not value:
                continue
            share = value / total
            kind = "right" if row == column else "wrong"
            x, y = margin + column * cell, margin + row * cell
            # The root: a few mistakes among many samples are to be seen.
            strength = math.sqrt(share)
            said = f"{names[row]} → {names[column]}: {value:,.6g} ({100 * share:.1f} %)"
            parts.append(
                f'<rect class="{kind}" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{cell - 2}" '
                f'height="{cell - 2}" rx="2" fill-opacity="{0.06 + depth * strength:.3f}">'
                f"<title>{text(said)}</title></rect>"
            )
            if written:
                parts.append(
                    f'<text class="cell" x="{x + cell / 2:.1f}" y="{y + cell / 2 + 4:.1f}" '
                    f'text-anchor="middle">{_cell(100 * share if shares else value)}</text>'
                )
    parts.append(
        f'<rect class="frame" x="{margin:.1f}" y="{margin:.1f}" width="{n * cell:.1f}" '
        f'height="{n * cell:.1f}"/>'
    )
    drawing = element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"min-width:{0.85 * width:.0f}px;max-width:{1.2 * width:.0f}px",
        role="img",
        aria_label=f"confusion matrix of {n} classes",
    )
    return element("div", drawing, class_="scroll", tabindex="0")


def _cell(value: float) -> str:
    if value >= 100_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
