"""Points with names as SVG: what is best in two things lies on a line, and no two names overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from snellen.report.axes import Axes
from snellen.report.markup import element, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Point", "scatter"]


class Point(NamedTuple):
    """A point of a picture.

    Attributes
    ----------
    x, y : float
        Where it lies; x above 0.
    label : str
        What it is; short.
    said : str
        What is shown when it is pointed at.
    strong : bool
        Whether it is on the front.
    low, high : float
        Where y lies with confidence; equal to y without.
    """

    x: float
    y: float
    label: str
    said: str
    strong: bool
    low: float
    high: float


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


_WIDTH, _HEIGHT = 1080.0, 500.0
_LETTER, _LINE = 6.7, 15.0  # of a name
_DOT = 5.0
# Where a name may stand: how far to the right of its dot, and below; and which end is at it.
_NEAR = (
    (9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"), (0, 20, "middle"), (8, -8, "start"),
    (8, 16, "start"), (-8, -8, "end"), (-8, 16, "end"),
)  # fmt: skip
_FAR = tuple(
    (factor * right, factor * down, end)
    for factor in (2.2, 3.4, 4.6, 6.0)
    for right, down, end in ((8, -8, "start"), (8, 12, "start"), (-8, -8, "end"), (-8, 12, "end"))
)


def scatter(title: str, points: Sequence[Point], *, x_label: str, y_label: str) -> str:
    """Return the points over a logarithmic axis; what lies beyond the front is shaded.

    A name that finds no room is left out, but for those on the front, which are the last to go.

    Parameters
    ----------
    title : str
        What is drawn.
    points : sequence of Point
        The most important first.
    x_label, y_label : str
        What is to the right, and upwards: more is better.
    """
    if not points:
        return ""
    axes = _axes(points)
    parts = [axes.drawn(x_label, y_label), _front(points, axes)]
    boxes = [
        _Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT)
        for x, y in ((axes.across(each.x), axes.down(each.y)) for each in points)
    ]
    names = []
    n_hidden = 0
    for point in sorted(points, key=lambda each: not each.strong):
        drawn = _named(point, axes, boxes)
        n_hidden += not drawn
        names.append(drawn)
    dots = [_dot(each, axes) for each in sorted(points, key=lambda each: each.strong)]
    drawing = element(
        "svg",
        "".join([*parts, *names, *dots]),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"{title}: {y_label} by {x_label}",
    )
    hidden = f"{n_hidden} names find no room: point at the dots. " if n_hidden else ""
    legend = element("i", class_="swatch front") + text(
        f"on the front: no other is better in both. {hidden}".rstrip()
    )
    heading = element("figcaption", element("b", text(title)) + element("span", legend))
    scrolled = element("div", drawing, class_="scroll picture", tabindex="0")
    return element("figure", heading + scrolled, class_="chart")


def _axes(points: Sequence[Point]) -> Axes:
    low, high = min(each.low for each in points), max(each.high for each in points)
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    slow, fast = min(each.x for each in points), max(each.x for each in points)
    factor = max((fast / slow) ** 0.06, 1.06)
    return Axes(
        _WIDTH, _HEIGHT, (slow / factor, fast * factor**2), (low - room, high + room), log_x=True
    )


def _front(points: Sequence[Point], axes: Axes) -> str:
    """Return the stairs below which everything is beaten, shaded."""
    best = sorted((each.x, each.y) for each in points if each.strong)
    if not best:
        return ""
    left = axes.left
    path = [f"M{left:.1f} {axes.down(best[0][1]):.1f}"]
    for (x, _), (_, after) in zip(best, [*best[1:], (0.0, axes.y[0])], strict=True):
        path.append(f"H{axes.across(x):.1f}V{axes.down(after):.1f}")
    stairs = "".join(path)
    return f'<path class="beaten" d="{stairs}H{left:.1f}Z"/><path class="stairs" d="{stairs}"/>'


def _dot(point: Point, axes: Axes) -> str:
    x, y = axes.across(point.x), axes.down(point.y)
    kind = "strong" if point.strong else "weak"
    bar = ""
    if point.high > point.low:
        bar = (
            f'<line class="sure {kind}" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{axes.down(point.high):.1f}" y2="{axes.down(point.low):.1f}"/>'
        )
    return (
        f'{bar}<circle class="point {kind}" cx="{x:.1f}" cy="{y:.1f}" '
        f'r="{_DOT:g}"><title>{text(point.said)}</title></circle>'
    )


def _named(point: Point, axes: Axes, taken: list[_Box]) -> str:
    """Return a name where there is room, and take the room; nothing where there is none."""
    x, y = axes.across(point.x), axes.down(point.y)
    own = _Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT)
    for right, down, end, box in _candidates(point.label, x, y, far=point.strong):
        inside = box.left >= axes.left and box.right <= axes.width - 2
        if not inside or box.top < 0 or box.bottom > axes.height - axes.bottom:
            continue
        if any(box.meets(other) for other in taken if other != own):
            continue
        taken.append(box)
        line = ""
        if abs(right) > 9 or abs(down) > 20:
            line = (
                f'<line class="leader" x1="{x:.1f}" y1="{y:.1f}" x2="{x + right:.1f}" '
                f'y2="{y + down - 4:.1f}"/>'
            )
        kind = "strong" if point.strong else "weak"
        return (
            f'{line}<text class="name {kind}" x="{x + right:.1f}" y="{y + down:.1f}" '
            f'text-anchor="{end}">{text(point.label)}</text>'
        )
    return ""


def _candidates(
    label: str, x: float, y: float, *, far: bool
) -> Iterator[tuple[float, float, str, _Box]]:
    width = _LETTER * len(label) + 4
    for right, down, end in (*_NEAR, *(_FAR if far else ())):
        left = x + right - {"start": 0.0, "middle": width / 2, "end": width}[end]
        baseline = y + down
        yield right, down, end, _Box(left, baseline - _LINE + 3, left + width, baseline + 3)
