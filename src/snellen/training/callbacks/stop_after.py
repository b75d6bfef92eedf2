"""Ends a training early, with its state saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.training.callbacks.protocol import Callback
from snellen.training.description import Every

if TYPE_CHECKING:
    from snellen.training.state import TrainingState

__all__ = ["StopAfter"]


class StopAfter(Callback):
    """Ends the training after so many updates of it, counted from where it begins or goes on.

    Parameters
    ----------
    amount : Every or str
        How much: ``"2ep"``, ``"500ba"``, ``"0.1dur"``.
    """

    def __init__(self, amount: Every | str) -> None:
        self.amount = Every.parsed(amount, "StopAfter") if isinstance(amount, str) else amount
        self._last = 0

    def start(self, run: TrainingState) -> None:
        """Note with which update to end."""
        self._last = run.step + self.amount.steps(n_steps=run.n_steps, n_epoch=run.n_epoch)

    def step_end(self, run: TrainingState) -> None:
        """End where that is reached, unless it is the end anyway."""
        if self._last <= run.step < run.n_steps:
            run.stop("stopped after so many steps as were asked for", pause=True)
