"""What each network is and how it was run, on a benchmark's page; settings, notes, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.benchmark.pages.tables import short
from snellen.report.markup import element, listed, plain_value, table, text, words

if TYPE_CHECKING:
    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["left_out", "networks", "notes", "settings", "versions"]

_LISTED = 50  # images


def networks(result: BenchmarkResult) -> str:
    """Return how each network was run: what was done to images, where, with which libraries."""
    rows = [_row(model) for model in result.ranked]
    head = ["network", "source", "images", "runs on", "versions", "scores and classes"]
    said = "Each network gets images as its authors prepared them."
    made = table(head, rows, left=len(head))
    return (
        element("h2", "How they were run")
        + element("p", said, class_="soft")
        + element("div", made, class_="facts-table")
    )


def _row(model: MeasuredModel) -> list[str]:
    facts = model.facts
    where, libraries = "–", "–"
    if facts is not None:
        threads = f"{facts.threads} thread{'' if facts.threads == 1 else 's'}"
        runtime = f"{facts.runtime}: " if facts.runtime else ""
        where = text(f"{runtime}{facts.device}, {facts.dtype}, {threads}")
        libraries = text(", ".join(f"{name} {each}" for name, each in facts.versions.items()))
    prepared = "–"
    if model.preprocessing is not None:
        layout = model.preprocessing.layout.replace("_", " ")
        prepared = text(f"{model.preprocessing}; {layout}")
    rule = f"{model.scores}; {model.class_rule}" if model.class_rule else model.scores
    return [
        element("td", short(model.name), title=model.name),
        element("code", text(model.source)),
        prepared,
        where,
        libraries or "–",
        text(rule),
    ]


def settings(result: BenchmarkResult) -> str:
    """Return what was asked for; nothing where that is not known."""
    if not result.settings:
        return ""
    rows = [
        element("div", element("dt", words(key)) + element("dd", plain_value(value)))
        for key, value in result.settings.items()
    ]
    return element("h2", "Settings") + element("dl", "".join(rows), class_="settings")


def notes(result: BenchmarkResult) -> str:
    """Return what is to be known of the benchmark and of each network."""
    said = [text(each) for each in result.notes]
    for note, names in result.model_notes.items():
        every = 1 < len(names) == len(result.models)
        of = "all networks" if every else ", ".join(map(short, names))
        said.append(f"{element('b', of)}: {text(note)}")
    return element("h2", "Notes") + listed(said) if said else ""


def left_out(result: BenchmarkResult) -> str:
    """Return which images were left out, and why."""
    if not result.left_out:
        return ""
    rows = [[element("code", text(name)), text(reason)] for name, reason in result.left_out]
    rest = ""
    if len(rows) > _LISTED:
        rest = element("p", f"… and {len(rows) - _LISTED:,} more: in the JSON.", class_="soft")
    n = f"{len(rows):,} image{'' if len(rows) == 1 else 's'} left out"
    return element("h2", n) + table(["image", "why"], rows[:_LISTED], left=2) + rest


def versions(result: BenchmarkResult) -> str:
    """Return the versions of all libraries, each once."""
    from snellen import __version__

    found = {"snellen": {str(__version__)}}
    for model in result.models:
        for name, each in ({} if model.facts is None else model.facts.versions).items():
            found.setdefault(name, set()).add(str(each))
    return ", ".join(
        f"{text(name)} {text(' / '.join(sorted(each)))}" for name, each in found.items()
    )
