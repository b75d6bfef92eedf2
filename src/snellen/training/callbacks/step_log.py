"""The loss and the learning rate every so many updates, in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.training.callbacks.loss_window import LossWindow
from snellen.training.callbacks.protocol import Callback
from snellen.training.callbacks.row_log import RowLog

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["StepLog"]


class StepLog(Callback):
    """Writes the loss and the learning rate to ``steps.csv`` and ``steps.jsonl``.

    A row holds the mean loss of the updates since the row before, and the learning rate of the
    last one. The device is waited for once a row. A resumed training goes on in the same file, and
    its rows are those of a training that was never interrupted, but for the seconds.

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
        self._window = LossWindow()

    def start(self, run: TrainingState) -> None:
        """Drop the rows that will be written again."""
        # The last row of a training that was interrupted stands for less than the row to come.
        self._log.begin(
            lambda row: row.get("step", run.step + 1) <= run.step and row["step"] % self.every == 0
        )
        self._window.to(run.device)

    def epoch_start(self, run: TrainingState) -> None:
        """Drop what will be done again after a roll back."""
        if self._log.rows and self._log.rows[-1]["step"] > run.step:
            self.start(run)

    def step_end(self, run: TrainingState) -> None:
        """Add a loss; write a row where it is time."""
        if run.loss is not None:
            self._window.add(run.loss)
        if run.step % self.every == 0:
            self._write(run)

    def end(self, run: TrainingState) -> None:
        """Write what is left."""
        self._write(run)

    def _write(self, run: TrainingState) -> None:
        loss = self._window.read()
        if loss is None:
            return
        self._log.add(
            {
                "step": run.step,
                "loss": loss,
                "learning_rate": run.learning_rate,
                "seconds": run.seconds,
            }
        )

    def state(self) -> dict[str, Any]:
        """Return the losses that are in no row yet, as a sum."""
        return {"window": self._window.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._window.load_state(state["window"])
