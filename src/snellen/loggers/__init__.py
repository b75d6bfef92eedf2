"""Numbers of a training, and results, for the services that show them: thin adapters.

Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "MLflow": "snellen.loggers.mlflow",
    "MLflowResults": "snellen.loggers.result_services",
    "ResultLogger": "snellen.loggers.result_logger",
    "TensorBoard": "snellen.loggers.tensorboard",
    "TensorBoardResults": "snellen.loggers.result_services",
    "WandB": "snellen.loggers.wandb",
    "WandBResults": "snellen.loggers.result_services",
    "log_result": "snellen.loggers.result_logger",
}

__all__ = [
    "MLflow",
    "MLflowResults",
    "ResultLogger",
    "TensorBoard",
    "TensorBoardResults",
    "WandB",
    "WandBResults",
    "log_result",
]

if TYPE_CHECKING:
    from snellen.loggers.mlflow import MLflow
    from snellen.loggers.result_logger import ResultLogger, log_result
    from snellen.loggers.result_services import MLflowResults, TensorBoardResults, WandBResults
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
