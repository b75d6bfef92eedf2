"""Numbers of a training for the services that show them: thin callbacks."""

from __future__ import annotations

from snellen.loggers.mlflow import MLflow
from snellen.loggers.tensorboard import TensorBoard
from snellen.loggers.wandb import WandB

__all__ = ["MLflow", "TensorBoard", "WandB"]
