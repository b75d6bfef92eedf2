"""What is known of runs whose folders have no ``run.json`` of an evaluation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from snellen.classification import directions as of_labels
from snellen.errors import InputError
from snellen.regression import directions as of_numbers
from snellen.run.run_record import DataDigest, RunRecord, read_struct, schema_error

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["record_of_benchmark", "record_of_result", "record_of_training"]

S = TypeVar("S", bound=msgspec.Struct)

_TRAINING: Final = "snellen.training-run/1"
_MOST_BYTES: Final = 256 << 20  # it has the numbers of every epoch


class _Result(msgspec.Struct):
    task: str
    library: str = ""
    protocol: dict[str, Any] = {}
    metrics: dict[str, float | None] = {}


class _Row(msgspec.Struct):
    name: str = ""
    top1: float | None = None


class _Model(msgspec.Struct):
    name: str


class _Benchmark(msgspec.Struct):
    models: list[_Model]
    library: str = ""
    settings: dict[str, Any] | None = None
    machine: dict[str, Any] | None = None
    table: list[_Row] = []


class _Training(msgspec.Struct):
    schema: str
    began: str = ""
    data: dict[str, Any] = {}
    description: dict[str, Any] = {}
    device: str = ""
    metrics: dict[str, float | None] = {}
    seconds: dict[str, float] = {}
    threads: int | None = None
    versions: dict[str, str] = {}


def record_of_result(stored: dict[str, Any], place: str) -> RunRecord:
    """Return what a result says of its run.

    Raises
    ------
    SchemaError
        Where it says something else.
    """
    found = _converted(stored, _Result, "a result", place)
    return RunRecord(
        task=found.task,
        versions={"snellen": found.library},
        protocol=found.protocol,
        metrics=found.metrics,
        **_directions(found.task, found.metrics),
    )


def record_of_benchmark(stored: dict[str, Any], place: str) -> RunRecord:
    """Return what the result of a benchmark says of it.

    Raises
    ------
    SchemaError
        Where it says something else.
    """
    found = _converted(stored, _Benchmark, "the result of a benchmark", place)
    # The first is the best; all of them have pages and rows of their own.
    best = found.table[:1]
    return RunRecord(
        task="benchmark",
        config=found.settings or {},
        protocol={"metrics_of": best[0].name} if best else {},
        metrics={"top1": best[0].top1} if best else {},
        headline=["top1"] if best else [],
        versions={"snellen": found.library},
        machine=found.machine or {},
    )


def record_of_training(folder: Path) -> RunRecord:
    """Return what the folder of a training says of it.

    Raises
    ------
    InputError, SchemaError, StateVersionError
        Where it was not begun, or says something else.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise InputError("expected a training that was begun, there is no run.json", str(folder))
    found = read_struct(path, _Training, _TRAINING, at_most=_MOST_BYTES)
    # Before its end only what was resolved at its beginning is there, in description.json.
    config = found.description or _description(folder / "description.json")
    name = found.data.get("data")
    task = str(config.get("task", ""))
    return RunRecord(
        task=task,
        began=found.began,
        data=[] if name is None else [DataDigest("data", str(name))],
        seconds=math.fsum(found.seconds.values()),
        config=config,
        versions=found.versions,
        machine={"device": found.device, "threads": found.threads},
        metrics=found.metrics,
        **_directions(task, found.metrics),
    )


def _directions(task: str, metrics: Collection[str]) -> dict[str, Any]:
    """Return of which numbers less is better, and of which neither is, where nobody wrote it down.

    Those of tasks that trainings and benchmarks have; of other tasks ``run.json`` says it.
    """
    lower, neither = frozenset(("loss",)), frozenset[str]()
    if task == "classification":
        lower, neither = lower | of_labels.LOWER_IS_BETTER, of_labels.NEITHER_IS_BETTER
    elif task == "regression":
        lower = of_numbers.lower_is_better(metrics)
        neither = of_numbers.neither_is_better(metrics)
    return {
        "lower_is_better": sorted(name for name in metrics if name in lower),
        "neither_is_better": sorted(name for name in metrics if name in neither),
    }


def _converted(stored: dict[str, Any], kind: type[S], what: str, place: str) -> S:
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError as error:
        raise schema_error(error, what, place) from None


def _description(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # snellen train --resume says what is wrong with it
    return found
