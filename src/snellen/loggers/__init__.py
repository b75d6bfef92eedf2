"""Numbers of a training for the services that show them: thin callbacks.

Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "MLflow": "snellen.loggers.mlflow",
    "TensorBoard": "snellen.loggers.tensorboard",
    "WandB": "snellen.loggers.wandb",
}

__all__ = ["MLflow", "TensorBoard", "WandB"]

if TYPE_CHECKING:
    from snellen.loggers.mlflow import MLflow
    from snellen.loggers.tensorboard import TensorBoard
    from snellen.loggers.wandb import WandB


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen.loggers has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
