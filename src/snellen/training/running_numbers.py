"""Loss and metrics of the epoch so far, without waiting for the device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from snellen.training.engine import Engine
    from snellen.training.tasks import Evaluation

__all__ = ["RunningNumbers"]

_WAITING = 64


class RunningNumbers:
    """What an epoch has shown so far, as it was trained: of weights that change meanwhile.

    Tensors wait on the device, and are read once in 64 updates.

    Parameters
    ----------
    evaluation : Evaluation
        What outputs are measured by.
    engine : Engine
        Where it runs.

    Attributes
    ----------
    validated : mapping of str to float
        The numbers of the last validation in this epoch.
    """

    def __init__(self, evaluation: Evaluation, engine: Engine) -> None:
        self._empty = evaluation
        self._engine = engine
        self.clear()

    def clear(self) -> None:
        """Begin an epoch."""
        self._evaluation = self._empty.empty()
        self._losses: list[Tensor] = []
        self._weights: list[float | Tensor] = []
        self._loss, self._weight = 0.0, 0.0
        self.validated: Mapping[str, float] = {}

    def add(self, output: Tensor, target: Tensor) -> None:
        """Note the outputs of a batch, and what they were to be."""
        self._evaluation.update(output, target)

    def add_loss(self, loss: Tensor, weight: float | Tensor) -> None:
        """Note the loss of an update, over all processes, and its weight."""
        self._losses.append(loss)
        self._weights.append(weight)
        if len(self._losses) == _WAITING:
            self._read()

    def _read(self) -> None:
        """Read what waits on the device."""
        if not self._losses:
            return
        losses = torch.stack(self._losses).double().tolist()
        weights = _numbers(self._weights)
        # One by one, in order: the same sum wherever it is read in between.
        for loss, weight in zip(losses, weights, strict=True):
            self._loss += loss * weight
            self._weight += weight
        self._losses, self._weights = [], []

    def metrics(self) -> dict[str, float]:
        """Return mean loss and headline numbers, over all processes."""
        evaluation = self._merged()
        if not self._weight:  # all steps of the epoch were left out
            return {"loss": math.nan}
        return {"loss": self._loss / self._weight, **evaluation.metrics()}

    def _merged(self) -> Evaluation:
        """Return the evaluation of all processes."""
        self._read()
        evaluation = self._empty.empty()
        for state in self._engine.gathered(self._evaluation.state()):
            evaluation.merge_state(state)
        return evaluation

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, of all processes: all of them must ask."""
        return {
            "evaluation": self._merged().state(),
            "loss": self._loss,
            "weight": self._weight,
            "validated": dict(self.validated),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; of several processes the first counts it."""
        self.clear()
        if self._engine.rank == 0:
            self._evaluation.merge_state(state["evaluation"])
        self._loss, self._weight = state["loss"], state["weight"]
        self.validated = state["validated"]


def _numbers(values: list[float | Tensor]) -> list[float]:
    """Return numbers that are on the device, all at once, or that are known as they are."""
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if tensors:
        return torch.stack(tensors).double().tolist()
    return [float(value) for value in values]
