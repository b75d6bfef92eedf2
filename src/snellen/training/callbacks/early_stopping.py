"""The end of a training that does not get better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.training.callbacks.monitor import direction, watched
from snellen.training.callbacks.protocol import Callback
from snellen.training.description import Every

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["EarlyStopping"]


class EarlyStopping(Callback):
    """Ends the training when a number has not got better for some epochs.

    It decides at the end of an epoch, and only of one in which the number was measured: with a
    validation every other epoch nothing is decided in between. What is better than the best so
    far by no more than `min_delta` is no improvement, and does not become the best; so small steps
    add up until they are one. A number that is not finite is never an improvement.

    The best weights are kept by the loop, whatever ended the training.

    Parameters
    ----------
    patience : int
        After so many epochs without an improvement training ends; from 1.
    monitor : str
        The number that is watched: of the validation, or of training (``"loss"``).
    min_delta : float
        By how much it must be better.
    mode : {"auto", "min", "max"}
        Whether less or more is better; ``"auto"``: by the name.

    Attributes
    ----------
    best : float or None
        The best value so far; None before the first that is finite.
    best_epoch : int
        The epoch in which it was measured; before, the first epoch minus 1.
    """

    def __init__(
        self,
        patience: int,
        *,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        mode: str = "auto",
    ) -> None:
        if patience < 1:
            raise InputError(f"expected a whole number from 1, got {patience}", "patience")
        if not 0 <= min_delta < math.inf:
            raise InputError(f"expected a number from 0, got {min_delta}", "min_delta")
        if mode not in ("auto", "min", "max"):
            raise InputError(f'expected "auto", "min" or "max", got "{mode}"', "mode")
        self.patience = patience
        self.monitor = monitor
        self.min_delta = min_delta
        self.mode = direction(monitor, "monitor") if mode == "auto" else mode
        self.best: float | None = None
        self.best_epoch = -1
        self._last = math.nan
        self._last_epoch = -1
        self._by_validation = False

    def start(self, run: TrainingState) -> None:
        """End a resumed training at once that had ended so; begin to count in any other."""
        if self._last_epoch < 0:
            self.best_epoch = run.epoch - 1
        elif self._last_epoch < run.epoch:
            self._decide(run, self._last_epoch)

    def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Look at a number of the validation."""
        if self.monitor in metrics:
            self._by_validation = True
            self._look(run, metrics[self.monitor])

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Look at a number of the training, and decide."""
        if self.monitor not in metrics and not _validation_was_due(run):
            return
        value = watched(self.monitor, metrics, "monitor")
        # The numbers of an earlier validation are handed on: they were looked at when it was.
        if not self._by_validation:
            self._look(run, value)
        if self._last_epoch == run.epoch:
            self._decide(run, run.epoch)

    def _look(self, run: TrainingState, value: float) -> None:
        self._last, self._last_epoch = float(value), run.epoch
        if not math.isfinite(value):
            return
        gain = math.inf if self.best is None else value - self.best
        if self.best is not None and self.mode == "min":
            gain = -gain
        if gain > self.min_delta:
            self.best, self.best_epoch = float(value), run.epoch

    def _decide(self, run: TrainingState, epoch: int) -> None:
        waited = epoch - self.best_epoch
        if waited < self.patience:
            return
        epochs = "1 epoch" if waited == 1 else f"{waited} epochs"
        if self.best is None:
            run.stop(f"{self.monitor} was never a finite number in {epochs}", final=True)
            return
        last = f"; now it is {self._last:.6g}"
        run.stop(
            f"{self.monitor} was best in epoch {self.best_epoch + 1} ({self.best:.6g}) and has not "
            f"got better in {epochs}{last}",
            final=True,
        )

    def state(self) -> dict[str, Any]:
        """Return the best number, and when it was measured."""
        return {
            "monitor": self.monitor,
            "mode": self.mode,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "last": self._last,
            "last_epoch": self._last_epoch,
            "by_validation": self._by_validation,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises
        ------
        InputError
            Where another number was watched.
        """
        for name in ("monitor", "mode"):
            if state[name] != getattr(self, name):
                raise InputError(
                    f'expected "{state[name]}" as in the checkpoint, got "{getattr(self, name)}". '
                    "Start a new training to watch another number",
                    name,
                )
        self.best = state["best"]
        self.best_epoch = state["best_epoch"]
        self._last = state["last"]
        self._last_epoch = state["last_epoch"]
        self._by_validation = state["by_validation"]


def _validation_was_due(run: TrainingState) -> bool:
    """Return whether, by the description, there has been a validation already."""
    every = Every.parsed(run.description.validate_every, "validate_every")
    return run.step >= every.steps(n_steps=run.n_steps, n_epoch=run.n_epoch)
