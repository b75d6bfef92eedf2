"""How a benchmark came about, for ``run.json``."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from snellen.benchmark.result_rows import FPS_KINDS
from snellen.classification.directions import NEITHER_IS_BETTER
from snellen.run.recording import seconds_since, utc_text
from snellen.run.run_record import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.result import BenchmarkResult
    from snellen.run.recording import Recording
    from snellen.run.run_record import RunRecord

__all__ = ["TASK", "Session", "benchmark_record"]

TASK: Final = "benchmark"

# Columns of the table by which runs are told apart.
_HEADLINE: Final = ("top1", "end_to_end_fps", "latency_p50_ms")
_LOWER: Final = ("log_loss", "brier", "ece", "parameters", "macs", "file_bytes")
_LOWER_ENDINGS: Final = ("_ms", "_peak", "_loaded")
# Numbers of the table that say how it was measured, and not what came of it.
_NO_METRICS: Final = ("n_images", "end_to_end_batch", "best_batch", "threads")


class Session(NamedTuple):
    """A command that measured rounds of a benchmark.

    Attributes
    ----------
    began : float
        Seconds since the epoch.
    seconds : float
        How long it went, up to the last round that it kept.
    """

    began: float
    seconds: float


def benchmark_record(
    result: BenchmarkResult,
    recording: Recording,
    earlier: Sequence[Session],
) -> RunRecord:
    """Return how a benchmark came about.

    Parameters
    ----------
    result : BenchmarkResult
        What it found.
    recording : Recording
        What was noted while it ran.
    earlier : sequence of Session
        Commands that were interrupted, and whose rounds it took.
    """
    best = result.table()[0]
    metrics = {
        name: value
        for name, value in best.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        if name not in _NO_METRICS and not math.isnan(value)
    }
    config: dict[str, Any] = {"networks": _networks(result)}
    origin = recording.origin
    if earlier:
        last = Session(origin.began, seconds_since(origin.began))
        config["sessions"] = [
            {"began": utc_text(each.began), "seconds": round(each.seconds, 3)}
            for each in (*earlier, last)
        ]
    record = recording.record_of(
        TASK,
        protocol=_protocol(result, str(best["name"])),
        metrics=metrics,
        headline=_HEADLINE,
        lower_is_better=[
            name for name in metrics if name in _LOWER or name.endswith(_LOWER_ENDINGS)
        ],
        neither_is_better=NEITHER_IS_BETTER,
        config=config,
    )
    libraries = {
        name: version
        for model in result.models
        if model.facts is not None
        for name, version in model.facts.versions.items()
    }
    devices = sorted({model.facts.device for model in result.models if model.facts is not None})
    also = {
        name: result.machine[name] for name in ("gpus", "load_before") if name in result.machine
    }
    # The machine as it was before anything was measured: the load is that of other programs.
    known = {name: result.machine.get(name, value) for name, value in record.machine.items()}
    return msgspec.structs.replace(
        record,
        began=utc_text(min([origin.began, *(each.began for each in earlier)])),
        seconds=round(record.seconds + sum(each.seconds for each in earlier), 3),
        versions={**libraries, **record.versions},
        machine={**known, **also, "devices": devices},
        # As it was typed: built-in data lie in a folder that nobody named.
        data=[
            msgspec.structs.replace(each, name=plain_text(str(result.data["data"])))
            if each.role == "data"
            else each
            for each in record.data
        ],
    )


def _networks(result: BenchmarkResult) -> list[dict[str, Any]]:
    """Return what each network is, whatever brought it: names of libraries have no file."""
    found: list[dict[str, Any]] = []
    for model in result.models:
        about: dict[str, Any] = {
            "name": plain_text(model.name),
            "source": plain_text(model.source),
        }
        if model.facts is not None:
            facts = dataclasses.asdict(model.facts)
            about |= {key: facts[key] for key in ("digest", "device", "dtype", "runtime")}
        found.append(about)
    return found


def _protocol(result: BenchmarkResult, best: str) -> dict[str, Any]:
    """Return how quality and speed were measured."""
    settings = result.settings
    timed = any(model.speed is not None for model in result.models)
    return {
        "name": "top-1 and speed" if timed else "top-1",
        "metrics_of": plain_text(best),
        "ranked_by": "top1",
        "n_images": len(result.ids),
        "n_classes": len(result.classes),
        "level": result.level,
        "pairs": "McNemar's exact test, Holm over all pairs",
        "speed": {
            "compared": FPS_KINDS.get(result.fps_kind),
            "rounds": settings["rounds"],
            "seconds": settings["seconds"],
            "of_rounds": "median; the networks take turns, each in a process of its own",
            "threads": settings["threads"],
            "device": settings["device"],
            "latency": "one image at a time",
            "throughput": "batches that lie ready, of these sizes",
            "batch_sizes": sorted({settings["batch_size"], *settings["batch_sizes"]}),
            "end_to_end": "from files to scores, in batches of this size",
            "batch_size": settings["batch_size"],
        }
        if timed
        else None,
    }
