"""What is known of runs whose folders have no ``run.json`` of an evaluation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from snellen.errors import InputError, SchemaError
from snellen.run.run_record import DataDigest, RunRecord

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["record_of_benchmark", "record_of_result", "record_of_training"]


def record_of_result(stored: dict[str, Any]) -> RunRecord:
    """Return what a result says of its run."""
    return RunRecord(
        task=str(stored["task"]),
        versions={"snellen": str(stored.get("library", ""))},
        protocol=stored.get("protocol", {}),
        metrics=stored.get("metrics", {}),
    )


def record_of_benchmark(stored: dict[str, Any]) -> RunRecord:
    """Return what the result of a benchmark says of it."""
    # The first is the best; all of them have pages and rows of their own.
    rows = stored.get("table") or [{}]
    return RunRecord(
        task="classification",
        config=stored.get("settings") or {},
        metrics={"best_top1": rows[0].get("top1")},
        versions={"snellen": str(stored.get("library", ""))},
        machine=stored.get("machine") or {},
    )


def record_of_training(folder: Path) -> RunRecord:
    """Return what the folder of a training says of it.

    Raises
    ------
    InputError, SchemaError
        Where it was not begun, or says something else.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise InputError("expected a training that was begun, there is no run.json", str(folder))
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        seconds = content.get("seconds") or {}
        config = content.get("description") or msgspec.json.decode(
            (folder / "description.json").read_bytes(), type=dict[str, Any]
        )
        data = content.get("data") or {}
        return RunRecord(
            task=str(config.get("task", "")),
            began=str(content.get("began", "")),
            data=[DataDigest("data", str(data["data"]))] if "data" in data else [],
            seconds=math.fsum(seconds.values()),
            config=config,
            versions=content.get("versions") or {},
            machine={"device": content.get("device"), "threads": content.get("threads")},
            metrics=content.get("metrics") or {},
        )
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got: {error}", str(path)) from None
    except (TypeError, AttributeError) as error:
        raise SchemaError(f"expected the facts of a training, got: {error}", str(path)) from None
