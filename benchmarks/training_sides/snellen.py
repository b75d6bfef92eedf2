"""Snellen as on the command line: metrics, progress, log files, checkpoints, NaN guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from snellen.training import train as snellen_train
from snellen.training.callbacks.epoch_log import EpochLog
from snellen.training.callbacks.progress import Progress
from snellen.training.callbacks.protocol import Callback
from training_sides import N_LOSSES, Clock, Setting, Trained
from training_sides.snellen_parts import description_of, made_network, training_data

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.state import TrainingState


class _Marks(Callback):
    name = "marks"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.losses: list[Tensor] = []

    def epoch_start(self, run: TrainingState) -> None:
        del run
        self._clock.mark()

    def step_end(self, run: TrainingState) -> None:
        if len(self.losses) < N_LOSSES and run.loss is not None:
            self.losses.append(run.loss)

    def end(self, run: TrainingState) -> None:
        del run
        self._clock.mark()


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says; an epoch's time includes its checkpoint and its log."""
    folder, marks = setting.folder / "run", _Marks(clock)
    run = snellen_train(
        description_of(setting),
        out=folder,
        data=training_data(setting),
        network=made_network(setting),
        callbacks=[EpochLog(folder), Progress(), marks],
    )
    return Trained(torch.stack(marks.losses).tolist(), run.metrics["accuracy"])
