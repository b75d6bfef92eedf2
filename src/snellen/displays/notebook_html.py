"""What a notebook shows of a result."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from snellen.displays.headline import protocol_line
from snellen.displays.tables import TextTable, cell, shown
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.result import Result

__all__ = ["MOST_CLASSES", "notebook_html", "notebook_table"]

MOST_CLASSES = 50
_MOST_REASONS = 8
_NAME = "snellen-result"
# Lines and text have the notebook's own colour, in the light and in the dark.
_STYLE = (
    f".{_NAME} table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}"
    f".{_NAME} th,.{_NAME} td{{padding:2px 14px 2px 0;border:0;text-align:left;"
    "background:none;color:currentColor;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}"
    f".{_NAME} td.n,.{_NAME} th.n{{text-align:right}}"
    f".{_NAME} p{{margin:4px 0}}.{_NAME} .soft{{opacity:.75}}"
)


def notebook_html(result: Result) -> str:
    """Return the headline numbers with intervals, the protocol, and at most 50 classes.

    Everything from data is escaped; the style is that of its own elements only.
    """
    parts = [f"<style>{_STYLE}</style>"]
    parts.append(f"<p><b>{_text(type(result).__name__)}</b></p>")
    intervals = result.intervals
    head = ["metric", "value"]
    if intervals:
        head.append(f"{100 * next(iter(intervals.values())).level:g} % interval")
    rows = []
    for name, value in result.metrics.items():
        row = [name, shown(value, 4)]
        if intervals:
            interval = intervals.get(name)
            bounds = () if interval is None else (interval.low, interval.high)
            row.append(" to ".join(shown(bound, 4) for bound in bounds))
        rows.append(row)
    parts.append(_table(TextTable(head, rows, [False, True, True][: len(head)])))
    if protocol := protocol_line(result):
        parts.append(f'<p class="soft">protocol: {_text(protocol)}</p>')
    parts += [f'<p class="soft">{_text(line)}</p>' for line in result.interval_lines()[:1]]
    parts += _reasons(result)
    parts.append(_classes(result))
    return f'<div class="{_NAME}">{"".join(parts)}</div>'


def notebook_table(title: str, table: TextTable, lines: Sequence[str]) -> str:
    """Return a table with a title and lines below it; everything is escaped."""
    below = "".join(f"<p>{_text(line)}</p>" for line in lines)
    body = f"<style>{_STYLE}</style><p><b>{_text(title)}</b></p>{_table(table)}{below}"
    return f'<div class="{_NAME}">{body}</div>'


def _text(value: object) -> str:
    return escape(printable(value))


def _table(table: TextTable) -> str:
    kinds = [' class="n"' if number else "" for number in table.numbers]
    head = "".join(
        f'<th scope="col"{kind}>{_text(cell)}</th>'
        for cell, kind in zip(table.head, kinds, strict=True)
    )
    rows = "".join(
        f'<tr><th scope="row">{_text(row[0])}</th>'
        + "".join(
            f"<td{kind}>{_text(cell)}</td>" for cell, kind in zip(row[1:], kinds[1:], strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _reasons(result: Result) -> list[str]:
    reasons = [f"{each.metric}: {each.reason}" for each in result.undefined]
    if not reasons:
        return []
    lines = "".join(f"<li>{_text(reason)}</li>" for reason in reasons[:_MOST_REASONS])
    if len(reasons) > _MOST_REASONS:
        lines += f"<li>{len(reasons) - _MOST_REASONS} more</li>"
    return [f"<details><summary>{len(reasons)} undefined</summary><ul>{lines}</ul></details>"]


def _classes(result: Result) -> str:
    records = result.per_class()
    keys = list(records[0]) if records else []
    what = next((key for key in keys if key != "id"), "class")
    what = "class" if what == "name" else what
    n = len(records)
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    summary = f"{n:,} {_text(what if n == 1 else plural)}"
    if not records:
        return f"<p>{summary}</p>"
    numbers = [any(isinstance(record[key], (int, float)) for record in records) for key in keys]
    rows = [[cell(key, record[key], 4) for key in keys] for record in records[:MOST_CLASSES]]
    more = ""
    if n > MOST_CLASSES:
        more = (
            f"<p>{n - MOST_CLASSES:,} more: <code>.per_class()</code>, <code>.to_frame()</code></p>"
        )
    table = _table(TextTable(keys, rows, numbers))
    return f"<details><summary>{summary}</summary>{table}{more}</details>"
