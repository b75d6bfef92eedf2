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

    When a training starts at some epoch, the rows of that epoch and later ones are dropped: a
    resumed training goes on in the same file and writes none twice, and one that starts from the
    beginning starts an empty file. Rows that the files lack are taken from the history.

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
        self._log.begin(lambda row: row.get("epoch", run.epoch) < run.epoch)
        there = {row["epoch"] for row in self._log.rows}
        for row in run.history:
            if "epoch" in row and row["epoch"] < run.epoch and row["epoch"] not in there:
                self._log.add(row)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Write a row."""
        self._log.add(
            {
                "epoch": run.epoch,
                "step": run.step,
                "learning_rate": run.learning_rate,
                "seconds": run.seconds,
                **metrics,
            }
        )
