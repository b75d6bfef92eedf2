"""What `LayerStatistics` recorded, as charts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from snellen.training.inspection.html import N_COLOURS, details, escape, table, verdict
from snellen.training.inspection.line_chart import legend, line_chart

if TYPE_CHECKING:
    from snellen.training.inspection.layer_statistics import LayerStatistics

__all__ = ["statistics_charts"]

_CHARTS = (
    ("gradient_rms", "Gradients of the weights", "root mean square", True),
    ("update_ratio", "Updates against weights", "|update| / |weight|", True),
    ("std", "Outputs", "deviation", True),
    ("dead", "Dead units", "share", False),
)


def statistics_charts(statistics: LayerStatistics) -> str:
    """Return a chart of each number by layer, and what is wrong, as HTML."""
    by_layer = statistics.of_layers()
    if not by_layer:
        return "<p class='soft'>Nothing was recorded.</p>"
    findings = statistics.findings()
    parts = [
        verdict(
            "By the stated rules:" if findings else "Nothing is unusual by the stated rules.",
            not findings,
            findings,
        )
    ]
    charts = []
    for column, title, unit, log in _CHARTS:
        series = {
            layer: ([r["step"] for r in records], [r[column] for r in records])
            for layer, records in by_layer.items()
            if any(math.isfinite(record[column]) for record in records)
        }
        if not series:
            continue
        names = list(series)
        # As many lines in a chart as there are colours.
        for first in range(0, len(names), N_COLOURS):
            few = {name: series[name] for name in names[first : first + N_COLOURS]}
            part = "" if len(names) <= N_COLOURS else f" ({first + 1} to {first + len(few)})"
            charts.append(
                "<div class='card'>"
                + line_chart(
                    few,
                    title=title + part,
                    x_label="step",
                    y_label=unit,
                    log_y=log,
                    width=500,
                    height=260,
                    named=False,
                )
                + legend(list(few))
                + "</div>"
            )
    parts.append(f"<div class='pairs'>{''.join(charts)}</div>")
    s = statistics
    lines = statistics.table().splitlines()
    parts.append(details("Medians", f"<pre class='small'>{escape(chr(10).join(lines))}</pre>"))
    parts.append(
        details(
            "Rules",
            table(
                [
                    ("rule", "limit"),
                    ("gradient vanishes: by the largest layer's, below", f"{s.vanishing:g}"),
                    ("gradient explodes: norm by that of the weights, above", f"{s.exploding:g}"),
                    ("weights barely move: update by weight, below", f"{s.barely:g}"),
                    ("weights jump: update by weight, above", f"{s.jumping:g}"),
                    ("output nearly constant: deviation below", f"{s.activations[0]:g}"),
                    ("output explodes: deviation above", f"{s.activations[1]:g}"),
                    ("dead: 0 for all samples of so many recorded steps", str(s.window)),
                    ("dying: share of dead units, from", f"{s.dying:g}"),
                ]
            ),
        )
    )
    return "".join(parts)
