"""What all loggers have in common: which numbers are logged, and when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.training.callbacks.loss_window import LossWindow
from snellen.training.callbacks.protocol import Callback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["ScalarLogger", "flat"]


class ScalarLogger(Callback, ABC):
    """Hands numbers on to a service, by step: the updates done; abstract.

    Every so many updates ``step/loss`` (the mean since the last time) and ``step/learning_rate``,
    after each epoch its numbers under their own names. The device is waited for at those times
    only.

    Parameters
    ----------
    every : int
        After how many updates.
    """

    only_first_process = True

    def __init__(self, *, every: int = 50) -> None:
        if every < 1:
            raise InputError(f"expected a whole number from 1, got {every}", "every")
        self.every = every
        self._window = LossWindow()

    @abstractmethod
    def _open(self, run: TrainingState) -> None:
        """Connect, and hand on the description."""

    @abstractmethod
    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        """Hand on numbers."""

    @abstractmethod
    def _close(self, run: TrainingState) -> None:
        """Hand on all that is left, and disconnect."""

    def start(self, run: TrainingState) -> None:
        """Connect."""
        self._window.to(run.device)
        self._open(run)

    def step_end(self, run: TrainingState) -> None:
        """Add a loss; hand the mean on where it is time."""
        if run.loss is not None:
            self._window.add(run.loss)
        if run.step % self.every == 0:
            loss = self._window.read()
            if loss is not None:
                self._log({"step/loss": loss, "step/learning_rate": run.learning_rate}, run.step)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Hand on the numbers of the epoch."""
        numbers = {name: float(value) for name, value in metrics.items() if name not in _COUNTS}
        self._log({**numbers, "epoch": float(run.epoch)}, run.step)

    def end(self, run: TrainingState) -> None:
        """Disconnect."""
        self._close(run)

    def state(self) -> dict[str, Any]:
        """Return the losses that are not handed on yet, as a sum."""
        return {"window": self._window.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._window.load_state(state["window"])


_COUNTS = ("epoch", "step")  # they say when, and are no numbers of their own


def flat(content: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """Return nested values side by side, with dots in their names.

    Examples
    --------
    >>> flat({"epochs": 3, "optimizer": {"name": "sgd", "momentum": 0.9}})
    {'epochs': 3, 'optimizer.name': 'sgd', 'optimizer.momentum': 0.9}
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        full = f"{name}.{key}" if name else str(key)
        if isinstance(value, dict):
            found |= flat(value, full)
        elif isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
            found |= flat({str(k): each for k, each in enumerate(value)}, full)
        else:
            found[full] = value
    return found
