"""The loss and the learning rate every so many updates, in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.errors import InputError
from snellen.training.callbacks.protocol import Callback
from snellen.training.callbacks.row_log import RowLog

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import Tensor

    from snellen.training.state import TrainingState

__all__ = ["StepLog"]

_MOST_WAITING = 64  # updates
_MOST_SECONDS = 1.0


class _Update(NamedTuple):
    """What is kept of an update until its loss is read."""

    step: int
    loss: Tensor | None  # None of one that was left out
    learning_rate: float
    seconds: float


class StepLog(Callback):
    """Writes the loss and the learning rate to ``steps.csv`` and ``steps.jsonl``.

    A row holds the mean loss of the updates since the row before, and the learning rate of the
    last one. The device is waited for, and rows are written, once in 64 updates or a second,
    whichever is sooner, and before a checkpoint, so that a training that goes on from it lacks
    none. A resumed training goes on in the same file, and its rows are those of a training that was
    never interrupted, but for the seconds.

    Parameters
    ----------
    folder : path
        Where the two files are.
    every : int
        How many updates a row stands for; the last row of a training may stand for fewer.
    name : str
        What the files are called.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, every: int = 50, name: str = "steps"
    ) -> None:
        if every < 1:
            raise InputError(f"expected a whole number from 1, got {every}", "every")
        self.every = every
        self._log = RowLog(folder, name)
        self._waiting: list[_Update] = []
        self._read_at = 0.0  # seconds of the training
        self._n, self._sum = 0, 0.0  # of the row to come, as far as losses were read

    def start(self, run: TrainingState) -> None:
        """Drop the rows that will be written again."""
        # The last row of a training that was interrupted stands for less than the row to come.
        self._log.begin(
            lambda row: row.get("step", run.step + 1) <= run.step and row["step"] % self.every == 0
        )
        self._read_at = run.seconds

    def epoch_start(self, run: TrainingState) -> None:
        """Drop what will be done again after a roll back."""
        self._read_at = min(self._read_at, run.seconds)  # time goes back, too
        if self._log.rows and self._log.rows[-1]["step"] > run.step:
            self.start(run)

    def step_end(self, run: TrainingState) -> None:
        """Keep a loss; read those that wait, and write, where it is time."""
        self._waiting.append(_Update(run.step, run.loss, run.learning_rate, run.seconds))
        if len(self._waiting) == _MOST_WAITING or run.seconds - self._read_at >= _MOST_SECONDS:
            self._read()
            self._read_at = run.seconds

    def end(self, run: TrainingState) -> None:
        """Write what is left."""
        self._read()
        if self._n:
            self._log.add(self._row(run.step, run.learning_rate, run.seconds))

    def _read(self) -> None:
        """Read the losses that wait, and write the rows that end with one of these updates."""
        waiting, self._waiting = self._waiting, []
        tensors = [each.loss for each in waiting if each.loss is not None]
        losses = iter(torch.stack(tensors).tolist() if tensors else ())
        rows = []
        for step, loss, learning_rate, seconds in waiting:
            if loss is not None:
                self._n, self._sum = self._n + 1, self._sum + next(losses)
            if step % self.every == 0 and self._n:
                rows.append(self._row(step, learning_rate, seconds))
        if rows:
            self._log.add(*rows)

    def _row(self, step: int, learning_rate: float, seconds: float) -> dict[str, float]:
        """Return a row of the losses so far, and begin the next one."""
        mean = self._sum / self._n
        self._n, self._sum = 0, 0.0
        return {"step": step, "loss": mean, "learning_rate": learning_rate, "seconds": seconds}

    def state(self) -> dict[str, Any]:
        """Return the losses that are in no row yet, as a sum."""
        self._read()
        return {"n": self._n, "sum": self._sum}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._waiting = []
        self._n, self._sum = state["n"], state["sum"]
