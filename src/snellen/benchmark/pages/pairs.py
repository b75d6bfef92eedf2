"""Every pair of networks on a benchmark's page: how they differ, and whether that is real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.benchmark.claims import claims
from snellen.benchmark.grouped_table import shortened
from snellen.report.markup import element, listed, text
from snellen.table_text import p_value

if TYPE_CHECKING:
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["pairs"]

_WRITTEN = 12  # networks: of more, numbers are shown where one points
_CELL, _SMALL_CELL = 80.0, 15.0


def pairs(result: BenchmarkResult) -> str:
    """Return the matrix of differences; nothing of a single network."""
    comparison = result.comparison
    names = comparison.names
    said_of = claims(comparison)
    if said_of is None:
        return ""
    written = len(names) <= _WRITTEN
    cell = _CELL if written else _SMALL_CELL
    shown = [shortened(name, 24) for name in names]
    margin = 18 + 6.6 * max(len(name) for name in shown)
    width, height = margin + len(names) * cell + 2, margin + len(names) * cell + 2
    if written:
        height = len(names) * cell + 30 + 8
    top = 30.0 if written else margin
    parts = []
    for k, name in enumerate(shown):
        middle = (k + 0.5) * cell
        parts.append(
            f'<text class="tick" x="{margin - 8:.1f}" y="{top + middle + 4:.1f}" '
            f'text-anchor="end">{text(name)}</text>'
        )
        if written:
            parts.append(
                f'<text class="tick" x="{margin + middle:.1f}" y="{top - 8:.1f}" '
                f'text-anchor="middle">{text(shortened(name, 10))}</text>'
            )
        else:
            parts.append(
                f'<text class="tick" transform="translate({margin + middle + 4:.1f} '
                f'{top - 6:.1f}) rotate(-90)">{text(name)}</text>'
            )
    place = {name: k for k, name in enumerate(names)}
    for found in comparison.differences:
        for row, column, sign in (
            (place[found.first], place[found.second], -1.0),
            (place[found.second], place[found.first], 1.0),
        ):
            # Of a row's network against a column's.
            points = 100 * sign * found.difference
            sure = comparison.is_significant(found)
            kind = "unsure" if not sure else "sure-better" if points > 0 else "sure-worse"
            strength = 1.0 if not sure else 0.2 + min(0.42, abs(points) / 24)
            low, high = (100 * each for each in (found.interval.low, found.interval.high))
            if sign < 0:
                low, high = -high, -low
            said = (
                f"{names[row]} against {names[column]}: {_signed(points)} points "
                f"({_signed(low)} to {_signed(high)}), {p_value(found.adjusted_p, 'adjusted p')}"
            )
            x, y = margin + column * cell, top + row * cell
            parts.append(
                f'<rect class="{kind}" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{cell - 2:g}" '
                f'height="{cell - 2:g}" rx="3" fill-opacity="{strength:.2f}">'
                f"<title>{text(said)}</title></rect>"
            )
            if written:
                centre = x + cell / 2
                parts.append(
                    f'<text class="cell" x="{centre:.1f}" y="{y + cell / 2:.1f}" '
                    f'text-anchor="middle">{_signed(points)}</text>'
                    f'<text class="p" x="{centre:.1f}" y="{y + cell / 2 + 15:.1f}" '
                    f'text-anchor="middle">{text(p_value(found.adjusted_p, "p"))}</text>'
                )
    drawing = element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"min-width:{0.8 * width:.0f}px;max-width:{1.15 * width:.0f}px",
        role="img",
        aria_label=f"differences of {len(names)} networks",
    )
    beside = element("div", drawing, class_="scroll pairs", tabindex="0")
    beside += listed(text(each) for each in said_of.sentences)
    n = len(comparison.differences)
    level = f"{100 * (1 - result.level):g} %"
    said = (
        "The network of the row against that of the column, in points of top-1 accuracy. Coloured: "
        f"the difference can be claimed (McNemar's exact test, adjusted by Holm over {n:,} "
        f"pair{'' if n == 1 else 's'}, p up to {level}). Grey: it can't."
    )
    return (
        element("h2", "Which differences are real")
        + element("p", said, class_="soft")
        + element("div", beside, class_="both" if written else None)
    )


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "−")
