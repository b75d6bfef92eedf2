"""The table of a benchmark: a row for each network, a column for each number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.quantities import TimeUnit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.speed import Speed

__all__ = ["FPS_KINDS", "PHASES", "columns", "fps_of", "row", "time_units"]

# Which images per second networks are compared by: the first that they have.
FPS_KINDS: Final = {
    "end_to_end": "images per second, from files to scores",
    "model": "images per second of the network alone, at its best batch size",
    "single": "images per second of the network alone, one at a time",
}

_QUALITY = (
    "top5", "precision_macro", "recall_macro", "f1_macro", "precision_weighted", "recall_weighted",
    "f1_weighted", "balanced_accuracy", "mcc", "log_loss", "brier", "ece", "mean_confidence",
)  # fmt: skip
_FPS_OF_BATCH = "fps_batch_"
PHASES: Final = ("read", "decode", "preprocess", "inference")


def fps_of(model: MeasuredModel, kind: str) -> float:
    """Return the images per second of a kind of `FPS_KINDS`; NaN where they were not measured."""
    speed = model.speed
    if speed is None:
        return math.nan
    if kind == "end_to_end":
        whole = speed.end_to_end
        return math.nan if whole is None else whole.images_per_second
    if kind == "model":
        best = speed.best_throughput
        return math.nan if best is None else best.images_per_second
    latency = speed.latency
    return math.nan if latency is None else 1 / latency.p50


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the columns of all rows in one order: batch sizes that some lack stand by size."""
    found = dict.fromkeys(name for each in rows for name in each)
    sizes = sorted(
        (name for name in found if name.startswith(_FPS_OF_BATCH)),
        key=lambda name: int(name.removeprefix(_FPS_OF_BATCH)),
    )
    names = [name for name in found if not name.startswith(_FPS_OF_BATCH)]
    place = names.index("best_fps")
    return names[:place] + sizes + names[place:]


def row(model: MeasuredModel, *, on_front: bool) -> dict[str, Any]:
    """Return all columns of a network; what is undefined is NaN, or None where it is a text."""
    sure = {name: model.interval(name) for name in ("accuracy", "top5", "f1_macro")}
    bounds = {
        name: (math.nan, math.nan) if each is None else (each.low, each.high)
        for name, each in sure.items()
    }
    real = model.real or {}
    facts, preprocessing = model.facts, model.preprocessing
    noise = model.noise()
    return {
        "name": model.name,
        "source": model.source,
        "on_front": on_front,
        "n_images": len(model.predicted),
        "top1": model.top1,
        "top1_low": bounds["accuracy"][0],
        "top1_high": bounds["accuracy"][1],
        **{name: model.number(name) for name in _QUALITY},
        "top5_low": bounds["top5"][0],
        "top5_high": bounds["top5"][1],
        "f1_macro_low": bounds["f1_macro"][0],
        "f1_macro_high": bounds["f1_macro"][1],
        "real_top1": real.get("real_top1", math.nan),
        "real_top5": real.get("real_top5", math.nan),
        **_speed(model.speed),
        "parameters": None if facts is None else facts.parameters,
        "macs": None if facts is None else facts.macs,
        "file_bytes": None if facts is None else facts.file_bytes,
        **_memory(model.speed),
        "noisy": None if model.speed is None else bool(noise),
        "device": None if facts is None else facts.device,
        "dtype": None if facts is None else facts.dtype,
        "threads": None if facts is None else facts.threads,
        "runtime": None if facts is None else facts.runtime,
        "versions": None
        if facts is None
        else ", ".join(f"{name} {version}" for name, version in facts.versions.items()),
        "layout": None if preprocessing is None else preprocessing.layout,
        "preprocessing": None if preprocessing is None else str(preprocessing),
        "scores": model.scores,
        "class_rule": model.class_rule,
    }


def time_units(rows: Sequence[Mapping[str, Any]]) -> tuple[TimeUnit, TimeUnit]:
    """Return what the phases of an image are shown in, and what single images are."""
    split = TimeUnit.of(sum(each[f"{name}_ms"] for name in PHASES) / 1000 for each in rows)
    return split, TimeUnit.of(each["latency_p50_ms"] / 1000 for each in rows)


def _speed(speed: Speed | None) -> dict[str, Any]:
    whole = None if speed is None else speed.end_to_end
    best = None if speed is None else speed.best_throughput
    latency = None if speed is None else speed.latency
    throughput = () if speed is None else speed.throughput
    return {
        "end_to_end_fps": math.nan if whole is None else whole.images_per_second,
        "end_to_end_batch": None if whole is None else whole.batch_size,
        **{
            f"{name}_ms": math.nan if whole is None else 1000 * getattr(whole, name)
            for name in PHASES
        },
        **{f"{_FPS_OF_BATCH}{each.batch_size}": each.images_per_second for each in throughput},
        "best_fps": math.nan if best is None else best.images_per_second,
        "best_batch": None if best is None else best.batch_size,
        **{
            f"latency_{name}_ms": math.nan if latency is None else 1000 * getattr(latency, name)
            for name in ("p50", "p90", "p99")
        },
    }


def _memory(speed: Speed | None) -> dict[str, Any]:
    memory = None if speed is None else speed.memory
    return {
        "memory_host_peak": None if memory is None else memory.host_peak,
        "memory_host_loaded": None if memory is None else memory.host_loaded,
        "memory_device_peak": None if memory is None else memory.device_peak,
    }
