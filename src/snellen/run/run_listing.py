"""The runs below a folder, by what their ``run.json`` says alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snellen.errors import SnellenError
from snellen.run.run_record import (
    SCHEMA,
    DataDigest,
    RunRecord,
    kind_of_task,
    plain_text,
    read_struct,
)
from snellen.run.stored_run import StoredRun

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BrokenRun", "ListedRun", "listed_runs"]

# Folders of a run that hold no runs.
_OF_RUNS: Final = frozenset(("states", "examples", "checkpoints", "test", "predictions"))
_RECORD_BYTES: Final = 16 << 20


class ListedRun(msgspec.Struct, frozen=True):
    """A run of a list.

    Attributes
    ----------
    name : str
        The path of its folder below the one that was looked through; ``"."`` for that itself.
    path : str
        The path of its folder.
    kind, task, began : str
        As `StoredRun` and `RunRecord` have them.
    seconds : float
        How long it took.
    data : list of DataDigest
        What went in.
    protocol : str
        The name of the rules.
    metrics : dict of str to (float or None)
        The headline numbers.
    headline, lower_is_better, neither_is_better : list of str
        Those that runs are told apart by, those of which less is better, and those of which neither
        more nor less is.
    metrics_of : str
        Of a benchmark, the network whose numbers they are.
    """

    name: str
    path: str
    kind: str
    task: str
    began: str
    seconds: float
    data: list[DataDigest]
    protocol: str
    metrics: dict[str, float | None]
    headline: list[str]
    lower_is_better: list[str]
    metrics_of: str = ""
    neither_is_better: list[str] = []


class BrokenRun(msgspec.Struct, frozen=True):
    """A folder that is to be a run, and cannot be read.

    Attributes
    ----------
    name : str
        Its path below the folder that was looked through.
    reason : str
        Why.
    """

    name: str
    reason: str


class _Summary(msgspec.Struct):
    """What a list needs of ``run.json``: the rest is passed over."""

    schema: str
    task: str
    began: str = ""
    seconds: float = 0.0
    data: list[DataDigest] = []
    protocol: dict[str, msgspec.Raw] = {}
    metrics: dict[str, float | None] = {}
    headline: list[str] = []
    lower_is_better: list[str] = []
    neither_is_better: list[str] = []


def listed_runs(folder: str | os.PathLike[str]) -> Iterator[ListedRun | BrokenRun]:
    """Give the runs in a folder and below, in the order of their names.

    Links to folders are followed, each folder once. Models of a benchmark are not listed beside it.
    """
    top = Path(folder)
    for path, files in _folders(top):
        name = plain_text(path.relative_to(top).as_posix())
        try:
            if "description.json" in files:
                if "run.json" in files:
                    yield _of_stored(name, path)
            elif "run.json" in files:
                yield _of_summary(name, path)
            elif "result.json" in files and "models" in files:
                yield _of_stored(name, path)
        except SnellenError as error:
            yield BrokenRun(name, plain_text(str(error)))


def _folders(top: Path) -> Iterator[tuple[Path, set[str]]]:
    """Give each folder with the names in it."""
    waiting, seen = [top], set()
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                found = list(entries)
            # Two ways lead to a folder by links, or round and round.
            about = path.stat()
        except OSError:  # not ours to read: no run of ours
            continue
        if about.st_ino and (about.st_dev, about.st_ino) in seen:
            continue
        seen.add((about.st_dev, about.st_ino))
        names = {entry.name for entry in found}
        yield path, names
        is_run = "run.json" in names or "result.json" in names
        inner = [
            entry.name
            for entry in found
            if not (is_run and (entry.name in _OF_RUNS or entry.name == "models"))
            and not entry.name.startswith(".")
            and _is_folder(entry)
        ]
        waiting += [path / name for name in sorted(inner, reverse=True)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _of_summary(name: str, path: Path) -> ListedRun:
    found = read_struct(path / "run.json", _Summary, SCHEMA, at_most=_RECORD_BYTES)
    return ListedRun(
        name,
        plain_text(str(path)),
        kind_of_task(found.task),
        found.task,
        found.began,
        found.seconds,
        found.data,
        _text_of(found.protocol.get("name")),
        found.metrics,
        found.headline,
        found.lower_is_better,
        _text_of(found.protocol.get("metrics_of")),
        found.neither_is_better,
    )


def _text_of(value: msgspec.Raw | None) -> str:
    found: Any = None if value is None else msgspec.json.decode(value)
    return found if isinstance(found, str) else ""


def _of_stored(name: str, path: Path) -> ListedRun:
    """Return the folder of a training or of a benchmark."""
    run = StoredRun.open(path)
    record: RunRecord = run.record
    return ListedRun(
        name,
        plain_text(str(path)),
        run.kind,
        record.task,
        record.began,
        record.seconds,
        record.data,
        str(record.protocol.get("name", "")),
        record.metrics,
        record.headline,
        record.lower_is_better,
        str(record.protocol.get("metrics_of", "")),
        record.neither_is_better,
    )
