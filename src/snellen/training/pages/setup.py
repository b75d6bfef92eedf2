"""How a run was set up, on its page: time, network, what was chosen, the description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.report.markup import (
    element,
    figure,
    listed,
    plain_value,
    table,
    text,
    words,
)
from snellen.training.callbacks.progress import duration
from snellen.training.choices import Choice
from snellen.training.description import Description

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["choices", "network", "notes", "settings", "time_spent"]

_OPEN = 40  # layers: more are folded
# In the order of a run, and their colours.
_PHASES = {
    "opening data": 8, "building": 9, "data": 0, "forward": 1, "backward": 2, "update": 3,
    "validation": 4, "checkpoint": 5, "callbacks": 6, "test": 10, "writing": 11,
}  # fmt: skip


def time_spent(run: Mapping[str, Any]) -> str:
    """Return where the time went, as one bar in the order of a run."""
    seconds = {
        str(name): float(value) for name, value in (run.get("seconds") or {}).items() if value > 0
    }
    whole = sum(seconds.values())
    if not whole:
        return ""
    others = [name for name in seconds if name not in _PHASES and name != "other"]
    order = [name for name in (*_PHASES, *others, "other") if name in seconds]
    colours = {name: f"var(--p{k})" for name, k in _PHASES.items()}
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
    """Return the table of the layers; a long one is folded."""
    content = run.get("network") or {}
    layers = content.get("layers") or []
    if not layers:
        return ""
    macs = [layer.get("n_macs") or 0 for layer in layers]
    most = max(macs) or 1
    rows = [
        [
            element("code", text(layer.get("name", ""))),
            text(layer.get("kind", "")),
            element("td", _shape(layer.get("output_shape")), class_="whole"),
            figure(layer.get("n_parameters")),
            _bar(each / most, figure(each) if each else "–"),
            _bytes(layer.get("n_bytes")),
        ]
        for layer, each in zip(layers, macs, strict=True)
    ]
    whole = [figure(content.get(key)) for key in ("n_parameters", "n_macs")]
    rows.append(
        [
            element("b", "all"),
            "",
            "",
            element("b", whole[0]),
            element("td", element("b", whole[1]), class_="bar"),
            _bytes(content.get("n_bytes")),
        ]
    )
    head = ["layer", "kind", "output", "parameters", element("th", "multiply-adds"), "memory"]
    made = table(head, rows, left=3)
    if len(layers) > _OPEN:
        made = element("details", element("summary", f"{len(layers)} layers") + made)
    return element("h2", "Network") + made


def _bar(share: float, said: str) -> str:
    bar = element("i", style=f"--v:{100 * share:.1f}%") if share else ""
    return element("td", said + bar, class_="bar")


def _shape(shape: Any) -> str:
    return text(" × ".join(str(each) for each in shape)) if shape else "–"


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
            [
                text(each.get("name", "")),
                text(", ".join(str(where) for where in each.get("where", ()))),
                "yes" if each.get("taken") else "no",
                text(each.get("proof", "")),
            ]
            for each in rewrites
        ]
        made = table(["what", "where", "taken", "proof"], rows, left=4)
        parts.append(element("h2", "Rewritten for speed") + made)
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
        failures = choice.get("failures") or {}
        taken = ", ".join(
            f"{text(name)} failed: {text(failures[name])}"
            if name in failures
            else f"{text(name)} {_milliseconds(each)}"
            for name, each in seconds.items()
        )
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
