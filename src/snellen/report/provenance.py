"""How a run was made: the command, the versions, the machine, the data."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from snellen.report.markup import element, plain_value, spoken, table, text

if TYPE_CHECKING:
    from snellen.report.run_view import RunView
    from snellen.run.stored_run import DataDigest

__all__ = ["provenance"]

_LONG = 200


def provenance(view: RunView) -> str:
    """Return what the record of a run says."""
    record = view.record
    when = " · ".join(
        each
        for each in (
            f"made {record.began.replace('T', ' ').replace('Z', ' UTC')}" if record.began else "",
            f"in {record.seconds:.1f} s" if record.seconds else "",
        )
        if each
    )
    command = element("pre", element("code", text(shlex.join(record.command))), tabindex=0)
    return (
        (element("p", text(when), class_="soft") if when else "")
        + (element("h3", "Command") + command if record.command else "")
        + _data(record.data)
        + element(
            "div",
            _settings("Versions", record.versions)
            + _settings("Machine", record.machine)
            + _settings("Options", record.config),
            class_="made",
        )
        + _folded("The protocol in full", view.result.protocol)
    )


def _data(data: list[DataDigest]) -> str:
    if not data:
        return ""
    rows = [
        (
            text(each.role),
            element("code", text(each.name)) + (f" ({each.files:,} files)" if each.files else ""),
            f"{each.bytes:,}",
            element("td", _digest(each)),
        )
        for each in data
    ]
    head = ("what for", "file", "bytes", element("th", "SHA-256"))
    return element("h3", "Data") + table(head, rows, left=2)


def _digest(data: DataDigest) -> str:
    if not data.sha256:
        return "–"
    of = text(f" of {data.of}") if data.of != "content" else ""
    return element("code", text(data.sha256[:16]), title=data.sha256) + of


def _settings(title: str, values: Any) -> str:
    lines = _lines(values)
    return element("div", element("h3", title) + lines) if lines else ""


def _folded(title: str, values: Any) -> str:
    lines = _lines(values)
    return element("details", element("summary", title) + lines) if lines else ""


def _lines(values: Any) -> str:
    known = {
        str(name): value
        for name, value in dict(values).items()
        if value not in (None, "", [], {}, ())
    }
    if not known:
        return ""
    lines = "".join(
        element("div", element("dt", text(spoken(name))) + element("dd", _short(value)))
        for name, value in known.items()
    )
    return element("dl", lines, class_="settings")


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and len(value) > 12:
        first, last = plain_value(value[:3]), plain_value(value[-1])
        return f"{first}, … {last} ({len(value):,})"
    shown = plain_value(value)
    return shown if len(shown) <= 20 * _LONG else f"{text(str(value)[:_LONG])}…"
