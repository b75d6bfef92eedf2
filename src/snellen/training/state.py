"""Where a training stands: what the loop changes and callbacks see."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from snellen.training.description import Description
    from snellen.training.losses import Loss
    from snellen.training.schedules import Schedule

__all__ = ["AN_ERROR", "Best", "TrainingState"]

AN_ERROR = "an error"  # the reason of what ended with an exception, which says more


@dataclasses.dataclass
class Best:
    """The best weights so far.

    Attributes
    ----------
    metric : str
        By which number, such as ``"val_loss"``.
    value : float
        That number.
    epoch : int
        The epoch after which it was measured, from 0.
    weights : dict of str to Tensor
        The network's state then, on the CPU.
    metrics : dict of str to float
        All numbers of that validation, such as ``"val_loss"``.
    """

    metric: str
    value: float
    epoch: int
    weights: dict[str, Tensor]
    metrics: dict[str, float]


@dataclasses.dataclass
class TrainingState:
    """Where a training stands.

    Attributes
    ----------
    description : Description
        What is trained, and how.
    network : nn.Module
        Its weights are those of now.
    optimizer : torch.optim.Optimizer
        Which updates them.
    schedule : Schedule
        What part of the learning rate is taken.
    loss_function : Loss
        What is minimised.
    device : torch.device
        Where the network is.
    n_steps, n_epoch : int
        The updates of the whole training, and of an epoch.
    epoch, step, samples : int
        The epochs, updates and samples that are done: within an epoch its number from 0, at its
        end from 1.
    learning_rate, next_learning_rate : float
        Of the last update, and of the next one.
    loss : Tensor or None
        Of the last update's batch, 0-d, on the device.
    seconds : float
        Of training so far, without what came before a resumption.
    history : list of dict
        The numbers of each epoch that is finished; ``epoch`` counts from 1.
    best : Best or None
        The best weights so far; None before the first validation.
    skipped : list of int
        Steps whose batch is left out: of those that gave no number, after a roll back.
    stop_reason : str
        Why training ends, or ended; empty while it goes on.
    is_final : bool
        Whether a resumption is not to go on: training was stopped since nothing gets better.
    is_pause : bool
        Whether one is to go on: then the test part is not looked at yet.
    notes : tuple of str
        What people should know of the data: what was left out of them, or decided.
    """

    description: Description
    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    loss_function: Loss
    device: torch.device
    n_steps: int
    n_epoch: int
    epoch: int = 0
    step: int = 0
    samples: int = 0
    learning_rate: float = 0.0
    next_learning_rate: float = 0.0
    loss: Tensor | None = None
    seconds: float = 0.0
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    best: Best | None = None
    skipped: list[int] = dataclasses.field(default_factory=list)
    stop_reason: str = ""
    is_final: bool = False
    is_pause: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train."""
        return self.epoch >= self.description.epochs or bool(self.stop_reason)

    def stop(self, reason: str, *, final: bool = False, pause: bool = False) -> None:
        """End the training after this moment; the first reason counts.

        Parameters
        ----------
        reason : str
            Why, such as ``"the time limit"``.
        final : bool
            Whether a resumption is not to go on from here.
        pause : bool
            Whether a resumption is what it is stopped for.
        """
        if not self.stop_reason:
            self.stop_reason, self.is_final, self.is_pause = reason, final, pause
