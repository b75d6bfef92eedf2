"""The numbers of each epoch, in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.training.callbacks.protocol import Callback
from snellen.training.callbacks.row_log import RowLog

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["EpochLog"]


class EpochLog(Callback):
    """Writes the numbers of each epoch to ``epochs.csv`` and ``epochs.jsonl``.

    Rows of epochs that are still to come when a training starts are dropped: a resumed training
    goes on in the same files and writes none twice, and one that starts from the beginning starts
    empty ones. Rows that the files lack are taken from the history.

    Parameters
    ----------
    folder : path
        Where the two files are.
    name : str
        What they are called.
    """

    def __init__(self, folder: str | os.PathLike[str], name: str = "epochs") -> None:
        self._log = RowLog(folder, name)

    def start(self, run: TrainingState) -> None:
        """Drop what will be done again."""
        self._log.begin(lambda row: row.get("epoch", run.epoch + 1) <= run.epoch)
        there = {row["epoch"] for row in self._log.rows}
        for row in run.history:
            if row["epoch"] not in there:
                self._log.add(row)

    def epoch_start(self, run: TrainingState) -> None:
        """Drop what will be done again after a roll back."""
        if self._log.rows and self._log.rows[-1]["epoch"] > run.epoch:
            self.start(run)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Write a row."""
        self._log.add({"epoch": run.epoch, "step": run.step, **metrics})
