"""What runs are called, and whether they may stand side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, first_few
from snellen.run.run_record import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from snellen.run.stored_run import StoredRun

__all__ = ["folder_names", "names_of_paths", "refuse_different"]


def names_of_paths(paths: Sequence[str | Path]) -> list[str]:
    """Return the last parts of the paths of runs that tell them apart, as text.

    Examples
    --------
    >>> names_of_paths(["/runs/a/val", "/runs/b/val/state.bin"])
    ['a/val', 'b/val']
    """
    found = [Path(path) for path in paths]
    parts = [
        (path.parent if path.name in ("state.bin", "run.json") else path).resolve().parts
        for path in found
    ]
    for length in range(1, max(map(len, parts), default=0) + 1):
        shown = [plain_text("/".join(each[-length:]).lstrip("/")) or "/" for each in parts]
        if len(set(shown)) == len(shown):
            return shown
    return [f"run {i + 1}" for i in range(len(parts))]


def folder_names(names: Iterable[str]) -> list[str]:
    """Return a folder's name for each model of a benchmark, all different on any file system.

    Examples
    --------
    >>> folder_names(["ResNet50", "a/b.onnx", "a:b.onnx"])
    ['ResNet50', 'a-b.onnx', 'a-b.onnx-2']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-")[:80]
        plain = plain or "model"
        unique, k = plain, 2
        while unique.casefold() in taken:
            unique, k = f"{plain}-{k}", k + 1
        taken.add(unique.casefold())
        found.append(unique)
    return found


def refuse_different(runs: Sequence[StoredRun], names: Sequence[str]) -> None:
    """Refuse runs that cannot stand side by side: of another task, or under other rules.

    Raises
    ------
    InputError
        With what differs, by name, and both values.
    """
    for run, name in zip(runs[1:], names[1:], strict=True):
        first = runs[0]
        if run.record.task != first.record.task:
            raise InputError(
                f"expected runs of one task, {names[0]} is of {first.record.task} and {name} of "
                f"{run.record.task}: make a page of each",
                str(run.path),
            )
        if run.parent is not None and run.parent is first.parent:
            continue  # networks of a benchmark: some have scores, some only labels
        fields = _differing(first.protocol, run.protocol)
        if fields:
            said = [f"{field} is {a} in {names[0]} and {b} in {name}" for field, a, b in fields]
            raise InputError(
                f"expected runs under one protocol, {first_few(said, 3)}: evaluate them under the "
                "same rules, or make a page of each",
                str(run.path),
            )


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the fields that differ, with both values as text."""
    return [
        (key, _short(first.get(key)), _short(second.get(key)))
        for key in dict.fromkeys((*first, *second))
        if first.get(key) != second.get(key)
    ]


def _short(value: Any) -> str:
    import msgspec

    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
