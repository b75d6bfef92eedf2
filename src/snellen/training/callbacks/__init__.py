"""What is done at the moments of a training: the protocol, and the callbacks that come along.

>>> from snellen.training.callbacks import EarlyStopping
>>> EarlyStopping("val_loss", patience=3).patience
3

Nothing is imported before it is used: torch comes with the first name that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HERE = "snellen.training.callbacks."
_HOME = {
    "Callback": "protocol",
    "EarlyStopping": "early_stopping",
    "EpochLog": "epoch_log",
    "NanGuard": "nan_guard",
    "Progress": "progress",
    "StepLog": "step_log",
    "StopAfter": "stop_after",
    "TimeLimit": "time_limit",
    "TrainingDiverged": "nan_guard",
    "find_not_finite": "not_finite",
}

__all__ = [
    "Callback",
    "EarlyStopping",
    "EpochLog",
    "NanGuard",
    "Progress",
    "StepLog",
    "StopAfter",
    "TimeLimit",
    "TrainingDiverged",
    "find_not_finite",
]

if TYPE_CHECKING:
    from snellen.training.callbacks.early_stopping import EarlyStopping
    from snellen.training.callbacks.epoch_log import EpochLog
    from snellen.training.callbacks.nan_guard import NanGuard, TrainingDiverged
    from snellen.training.callbacks.not_finite import find_not_finite
    from snellen.training.callbacks.progress import Progress
    from snellen.training.callbacks.protocol import Callback
    from snellen.training.callbacks.step_log import StepLog
    from snellen.training.callbacks.stop_after import StopAfter
    from snellen.training.callbacks.time_limit import TimeLimit


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen.training.callbacks has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HERE + _HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
