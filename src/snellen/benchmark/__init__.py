"""Pretrained networks side by side: quality and frame rate.

>>> from snellen.benchmark import Preprocessing
>>> str(Preprocessing(224, 224, shorter_side=256, scale=1 / 255))
'shorter side to 256, middle 224 × 224, bilinear; RGB, × 0.003922, − 0, ÷ 1'

Nothing is imported before it is used: a library that runs networks comes with the first of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "BenchmarkResult": "snellen.benchmark.result",
    "Facts": "snellen.benchmark.model",
    "LabelledImages": "snellen.benchmark.labelled_images",
    "LoadOptions": "snellen.benchmark.model",
    "MeasuredModel": "snellen.benchmark.measured_model",
    "Model": "snellen.benchmark.model",
    "Preprocessing": "snellen.benchmark.preprocessing",
    "Settings": "snellen.benchmark.benchmarking",
    "Speed": "snellen.benchmark.speed",
    "TorchModel": "snellen.benchmark.torch_model",
    "benchmark": "snellen.benchmark.benchmarking",
    "load_model": "snellen.benchmark.sources",
}

__all__ = [
    "BenchmarkResult",
    "Facts",
    "LabelledImages",
    "LoadOptions",
    "MeasuredModel",
    "Model",
    "Preprocessing",
    "Settings",
    "Speed",
    "TorchModel",
    "benchmark",
    "load_model",
]

if TYPE_CHECKING:
    from snellen.benchmark.benchmarking import Settings, benchmark
    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.measured_model import MeasuredModel
    from snellen.benchmark.model import Facts, LoadOptions, Model
    from snellen.benchmark.preprocessing import Preprocessing
    from snellen.benchmark.result import BenchmarkResult
    from snellen.benchmark.sources import load_model
    from snellen.benchmark.speed import Speed
    from snellen.benchmark.torch_model import TorchModel


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen.benchmark has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
