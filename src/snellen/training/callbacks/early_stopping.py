"""The end of a training that does not get better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, did_you_mean
from snellen.training.callbacks.protocol import Callback
from snellen.training.description import Every
from snellen.training.tasks import higher_is_better

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
    monitor : str
        The number that is watched: of the validation, or of training (``"loss"``).
    patience : int
        After so many epochs without an improvement training ends; from 1.
    min_delta : float
        By how much it must be better.
    mode : {"auto", "min", "max"}
        Whether less or more is better; ``"auto"``: as is known of the task's own numbers.

    Attributes
    ----------
    best : float or None
        The best value so far; None before the first that is finite.
    best_epoch : int
        The epoch in which it was measured, from 1; before, that which training began after.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int,
        min_delta: float = 0.0,
        mode: str = "auto",
    ) -> None:
        if patience < 1:
            raise InputError(f"expected a whole number from 1, got {patience}", "patience")
        if not 0 <= min_delta < math.inf:
            raise InputError(f"expected a number from 0, got {min_delta}", "min_delta")
        if mode not in ("auto", "min", "max"):
            raise InputError(f'expected "auto", "min" or "max", got "{mode}"', "mode")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.best: float | None = None
        self.best_epoch = 0
        self._last = math.nan
        self._last_epoch = 0  # 0: it was never measured
        self._by_validation = False

    def start(self, run: TrainingState) -> None:
        """Begin to count; a resumed training that had ended so ends at once."""
        if self.mode == "auto":
            task, name = run.description.task, self.monitor.removeprefix("val_")
            if task == "auto":
                raise InputError('expected "min" or "max" where the task is not known', "mode")
            self.mode = "max" if higher_is_better(task, name) else "min"
        if not self._last_epoch:
            self.best_epoch = run.epoch
        elif self._last_epoch == run.epoch:
            self._decide(run)

    def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Look at a number of the validation."""
        if self.monitor in metrics:
            self._by_validation = True
            self._look(run.epoch + 1, metrics[self.monitor])

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Look at a number of the training, and decide."""
        if self.monitor not in metrics:
            if _validation_was_due(run):
                raise self._missing(metrics)
            return
        # The numbers of an earlier validation are handed on: they were looked at when it was.
        if not self._by_validation:
            self._look(run.epoch, metrics[self.monitor])
        if self._last_epoch == run.epoch:
            self._decide(run)

    def _look(self, epoch: int, value: float) -> None:
        self._last, self._last_epoch = float(value), epoch
        if not math.isfinite(value):
            return
        if self.best is not None:
            gain = value - self.best if self.mode == "max" else self.best - value
            if gain <= self.min_delta:
                return
        self.best, self.best_epoch = float(value), epoch

    def _decide(self, run: TrainingState) -> None:
        waited = run.epoch - self.best_epoch
        if waited < self.patience or run.step >= run.n_steps:  # over anyway
            return
        epochs = "1 epoch" if waited == 1 else f"{waited} epochs"
        if self.best is None:
            run.stop(f"{self.monitor} was no finite number in {epochs}", final=True)
        else:
            run.stop(
                f"{self.monitor} was best in epoch {self.best_epoch} ({self.best:.6g}) and did not "
                f"get better in {epochs}; now it is {self._last:.6g}",
                final=True,
            )

    def _missing(self, metrics: Mapping[str, float]) -> InputError:
        hint = did_you_mean(self.monitor, metrics)
        return InputError(
            f'expected a number of the training to watch, got "{self.monitor}".{hint} There are '
            f"{', '.join(metrics)}",
            "monitor",
        )

    def state(self) -> dict[str, Any]:
        """Return the best number, and when it was measured."""
        return {
            "monitor": self.monitor,
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
        if state["monitor"] != self.monitor:
            raise InputError(
                f'expected "{state["monitor"]}" as in the checkpoint, got "{self.monitor}". Begin '
                "a new training to watch another number",
                "monitor",
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
