"""Numbers of a training for TensorBoard."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from snellen.errors import MissingExtraError
from snellen.loggers.scalars import ScalarLogger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["TensorBoard"]


class TensorBoard(ScalarLogger):
    """Writes event files that TensorBoard shows; the description stands there as text.

    Of a resumed training TensorBoard shows nothing twice: what was written after the checkpoint is
    marked as gone.

    Parameters
    ----------
    folder : path
        Where the event files are.
    every : int
        After how many updates loss and learning rate are written.

    Raises
    ------
    MissingExtraError
        When the training starts, where TensorBoard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str], *, every: int = 50) -> None:
        super().__init__(every=every)
        self.folder = os.fspath(folder)
        self._writer: Any = None

    def _open(self, run: TrainingState) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtraError("tensorboard", "tensorboard") from None
        self._writer = SummaryWriter(self.folder, purge_step=run.step + 1 if run.step else None)
        if not run.step:
            self._writer.add_text("description", _markdown(run.description.plain()), 0)

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Hand on the numbers of the epoch, and see that they can be looked at now."""
        super().epoch_end(run, metrics)
        self._writer.flush()

    def _close(self, run: TrainingState) -> None:
        del run
        if self._writer is not None:  # None where opening failed
            self._writer.close()
            self._writer = None


def _markdown(content: Mapping[str, Any]) -> str:
    """Return values as a block of code: TensorBoard reads text as Markdown."""
    return "\n".join(f"    {name} = {value!r}" for name, value in content.items())
