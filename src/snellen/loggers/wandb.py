"""Numbers of a training for Weights & Biases."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from snellen.errors import MissingExtraError
from snellen.loggers.scalars import ScalarLogger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["WandB"]


class WandB(ScalarLogger):
    """Logs to Weights & Biases; the description is the run's configuration.

    A resumed training goes on in the run in which it began: its id is in the checkpoint. Steps that
    the run has already are not logged again by W&B; they are the same.

    Parameters
    ----------
    project, name : str or None
        Of the run; None: as W&B is set up.
    folder : path or None
        Where W&B keeps its files; None: as it is set up.
    every : int
        After how many updates loss and learning rate are logged.

    Raises
    ------
    MissingExtraError
        When the training starts, where wandb is not installed.
    """

    def __init__(
        self,
        project: str | None = None,
        *,
        name: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        every: int = 50,
    ) -> None:
        super().__init__(every=every)
        self.project = project
        self.name = name
        self.folder = None if folder is None else os.fspath(folder)
        self._id: str | None = None
        self._run: Any = None

    def _open(self, run: TrainingState) -> None:
        try:
            wandb: Any = import_module("wandb")
        except ImportError:
            raise MissingExtraError("wandb", "wandb") from None
        self._run = wandb.init(
            project=self.project,
            name=self.name,
            dir=self.folder,
            config=run.description.plain(),
            id=self._id,
            resume=None if self._id is None else "allow",
        )
        self._id = self._run.id

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        self._run.log(dict(numbers), step=step)

    def _close(self, run: TrainingState) -> None:
        if self._run is not None:  # None where opening failed
            self._run.summary["stop_reason"] = run.stop_reason
            self._run.finish()
            self._run = None

    def state(self) -> dict[str, Any]:
        """Return the run's id, too."""
        return {**super().state(), "id": self._id}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on in the same run."""
        super().load_state(state)
        self._id = state["id"]
