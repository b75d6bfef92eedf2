"""How a run was set up, on its page: time, network, what was chosen, the description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.training.callbacks.progress import duration
from snellen.training.choices import Choice
from snellen.training.description import Description
from snellen.training.pages.markup import (
    element,
    figure,
    listed,
    plain_value,
    table,
    text,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["choices", "network", "notes", "settings", "time_spent"]

_PHASES = ("data", "forward", "backward", "update", "validation", "checkpoint", "callbacks")


def time_spent(run: Mapping[str, Any]) -> str:
    """Return where the time went, as one bar in the order of a step."""
    seconds = {
        str(name): float(value) for name, value in (run.get("seconds") or {}).items() if value > 0
    }
    whole = sum(seconds.values())
    if not whole:
        return ""
    others = [name for name in seconds if name not in _PHASES and name != "other"]
    order = [name for name in (*_PHASES, *others, "other") if name in seconds]
    colours = {name: f"var(--p{k})" for k, name in enumerate(_PHASES)}
    bar, legend = [], []
    for name in order:
        share = 100 * seconds[name] / whole
        spent = seconds[name]
        said = f"{spent:.1f} s" if spent < 10 else duration(spent)
        said += f", {share:.1f} %"
        colour = f"background:{colours.get(name, 'var(--p7)')}"
        bar.append(element("i", style=f"width:{share:.3f}%;{colour}", title=f"{name}: {said}"))
        swatch = element("i", class_="swatch", style=colour)
        legend.append(element("li", f"{swatch}{text(name)} {element('small', text(said))}"))
    return (
        element("h2", f"Where the time went: {text(duration(whole))}")
        + element("div", "".join(bar), class_="stack")
        + element("ul", "".join(legend), class_="phases")
    )


def network(run: Mapping[str, Any]) -> str:
    """Return the table of the layers."""
    content = run.get("network") or {}
    rows = content.get("rows") or []
    if not rows:
        return ""
    macs = [row.get("macs") or 0 for row in rows]
    most = max(macs) or 1
    cells = [
        [
            element("code", text(row.get("layer", ""))),
            element("td", text(_shape(row.get("output_shape"))), class_="whole"),
            figure(row.get("parameters")),
            _bar(each / most, figure(each) if each else "–"),
            _bytes(row.get("memory")),
        ]
        for row, each in zip(rows, macs, strict=True)
    ]
    whole = content.get("macs")
    cells.append(
        [
            element("b", "all"),
            "",
            element("b", figure(content.get("parameters"))),
            element("td", element("b", figure(whole)), class_="bar"),
            "",
        ]
    )
    names = ["layer", "output", "parameters", element("th", "multiply-adds"), "memory"]
    return element("h2", "Network") + table(names, cells, left=2)


def _bar(share: float, said: str) -> str:
    bar = element("i", style=f"--v:{100 * share:.1f}%") if share else ""
    return element("td", said + bar, class_="bar")


def _shape(shape: Any) -> str:
    return (
        " × ".join(str(each) for each in shape) if isinstance(shape, (list, tuple)) else str(shape)
    )


def _bytes(n: Any) -> str:
    if not isinstance(n, (int, float)):
        return "–"
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n:g} B"


def choices(run: Mapping[str, Any]) -> str:
    """Return what was rewritten for speed, with its proof, and what was measured and chosen."""
    parts = []
    rewrites = run.get("rewrites") or []
    if rewrites:
        rows = [
            [text(each.get(key, "")) for key in ("name", "where", "proof")] for each in rewrites
        ]
        parts.append(
            element("h2", "Rewritten for speed") + table(["what", "where", "proof"], rows, left=3)
        )
    chosen = run.get("choices") or []
    if chosen:
        items = [_choice(each) for each in chosen]
        parts.append(element("h2", "Measured and chosen") + listed(items))
    return "".join(parts)


def _choice(choice: Any) -> str:
    if not isinstance(choice, dict) or "setting" not in choice:
        return plain_value(choice)
    said = f"{words(choice['setting'])}: {element('b', plain_value(choice.get('value')))}"
    seconds = choice.get("seconds")
    if isinstance(seconds, dict) and seconds:
        taken = ", ".join(f"{text(name)} {_milliseconds(each)}" for name, each in seconds.items())
        said += f" {element('small', f'({taken} a step)')}"
    return said


def _milliseconds(seconds: Any) -> str:
    return f"{1000 * seconds:.3g} ms" if isinstance(seconds, (int, float)) else text(seconds)


def settings(run: Mapping[str, Any]) -> str:
    """Return the resolved description; what differs from the defaults is marked."""
    description = run.get("description") or {}
    if not description:
        return ""
    defaults = Description(data=Choice("")).plain()
    rows = []
    for name, value in description.items():
        differs = name not in defaults or defaults[name] != value
        term = element("dt", words(name)) + element("dd", plain_value(value))
        rows.append(element("div", term, class_="set" if differs else None))
    return (
        element("h2", "Description")
        + element("p", "What differs from the defaults is bold.", class_="soft")
        + element("dl", "".join(rows), class_="settings")
    )


def notes(run: Mapping[str, Any]) -> str:
    """Return what was left out or is to be known."""
    said = run.get("notes") or []
    return element("h2", "Notes") + listed(text(each) for each in said) if said else ""
