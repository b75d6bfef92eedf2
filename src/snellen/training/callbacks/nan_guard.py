"""A stop for a training whose loss is no number any more, with the place where that began."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from snellen.errors import InputError, SnellenError, first_few
from snellen.training.callbacks.not_finite import (
    NotFinite,
    find_not_finite,
    not_finite_weights,
)
from snellen.training.callbacks.protocol import Callback
from snellen.training.description import Every

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from snellen.training.state import TrainingState

__all__ = ["NanGuard", "Replayed", "TrainingDiverged", "find_not_finite"]


class TrainingDiverged(SnellenError):  # noqa: N818 - it says what happened
    """A loss, or weights, that are not finite.

    Parameters
    ----------
    message, place : str
        As of every error.
    step : int
        The update, from 1: ``run.step`` after it.
    layer : str
        The layer whose output or gradient was first not finite; empty where it is none, or not
        known.
    rows : tuple of int
        The samples, by their numbers in the training part: those with which it happened, where
        that can be told, else the whole batch; empty where they are not known.
    """

    def __init__(
        self,
        message: str,
        place: str = "",
        *,
        step: int = 0,
        layer: str = "",
        rows: tuple[int, ...] = (),
    ) -> None:
        super().__init__(message, place)
        self.step = step
        self.layer = layer
        self.rows = rows

    def within(self, place: str) -> TrainingDiverged:
        """Return the same error with a place around its own."""
        return type(self)(
            self.message,
            f"{place} {self.place}".rstrip(),
            step=self.step,
            layer=self.layer,
            rows=self.rows,
        )


class Replayed(NamedTuple):
    """What an update began with.

    Attributes
    ----------
    network : nn.Module
        With the weights from before the update; not necessarily the network that is trained.
    inputs, targets : Tensor
        The batch, as the network and the loss take it.
    rows : Tensor
        The numbers of its samples within the training part, int64.
    """

    network: nn.Module
    inputs: Tensor
    targets: Tensor
    rows: Tensor


class NanGuard(Callback):
    """Ends the training with an error when the loss is not finite.

    Losses are kept on the device and looked at every so many updates; before a checkpoint, and at
    the end of each epoch, so are the weights. The error names the exact update all the same. By the
    time it is noticed all weights may be spoilt; to name the layer and the samples the guard needs
    the update once more, as it began.

    Parameters
    ----------
    every : int
        After how many updates losses are looked at; the device is waited for no more often, but
        for checkpoints.
    replay : callable or None
        Returns what update `step` (from 1) began with, as `Replayed`; None where it cannot.
    """

    def __init__(
        self, every: int = 50, *, replay: Callable[[int], Replayed | None] | None = None
    ) -> None:
        if every < 1:
            raise InputError(f"expected a whole number from 1, got {every}", "every")
        self.every = every
        self.replay = replay
        self._losses: list[Tensor] = []
        self._steps: list[int] = []
        self._save_every = 0

    def start(self, run: TrainingState) -> None:
        """See when checkpoints are written."""
        every = Every.parsed(run.description.checkpoint_every, "checkpoint_every")
        self._save_every = every.steps(n_steps=run.n_steps, n_epoch=run.n_epoch)
        self._steps = []

    def step_end(self, run: TrainingState) -> None:
        """Keep the loss; look at all that are kept where it is time."""
        loss = run.loss
        if loss is None or run.step - 1 in run.skipped:  # nothing was computed
            return
        self._losses.append(loss)
        self._steps.append(run.step)
        saved = self._save_every and run.step % self._save_every == 0
        if saved or len(self._steps) == self.every:
            self.check(run, weights=bool(saved))

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Look at the losses that are left, and at the weights."""
        del metrics
        self.check(run, weights=True)

    def check(self, run: TrainingState, *, weights: bool = False) -> None:
        """Look at the losses that are kept, now.

        Parameters
        ----------
        run : TrainingState
            Where the training stands.
        weights : bool
            Whether the weights are looked at, too.

        Raises
        ------
        TrainingDiverged
            Where one is not finite.
        """
        steps, self._steps = self._steps, []
        losses, self._losses = self._losses, []
        if steps:
            for step, loss in zip(steps, torch.stack(losses).tolist(), strict=True):
                if not math.isfinite(loss):
                    raise self._error(run, step, f"a loss of {loss}")
        if weights:
            spoilt = not_finite_weights(run.network)
            if spoilt is not None:
                raise self._error(run, run.step, str(spoilt))

    def _error(self, run: TrainingState, step: int, got: str) -> TrainingDiverged:
        found, rows, cause = self._cause(run, step)
        told = ""
        if found is not None:
            told = f": {found}" if cause == step else f": already in step {cause} {found}"
        if rows:
            of = "samples" if found is not None and found.samples else "batch of samples"
            told += f" ({of} {first_few(rows)})"
        return TrainingDiverged(
            f"expected finite numbers, got {got} in step {step}{told}. A lower learning_rate, a "
            'warm_up or clip_norm may help; nan_guard = "roll_back" goes on from a checkpoint',
            step=cause,
            layer=found.layer if found is not None else "",
            rows=rows,
        )

    def _cause(
        self, run: TrainingState, step: int
    ) -> tuple[NotFinite | None, tuple[int, ...], int]:
        """Return what was not finite, the samples, and in which update it began."""
        found, rows = self._replayed(run, step)
        if found is not None and found.what == "weights":
            # Those that an update begins with were spoilt by the one before, by its gradient.
            earlier, its_rows = self._replayed(run, step - 1)
            if earlier is not None:
                return earlier, its_rows, step - 1
        return found, rows, step

    def _replayed(self, run: TrainingState, step: int) -> tuple[NotFinite | None, tuple[int, ...]]:
        """Return what is not finite in an update that is done once more, and the samples."""
        replayed = self.replay(step) if self.replay is not None and step > 0 else None
        if replayed is None:
            return None, ()
        found = find_not_finite(
            replayed.network, replayed.inputs, replayed.targets, run.loss_function
        )
        batch = replayed.rows.tolist()
        few = found.samples if found is not None else ()
        return found, tuple(batch[k] for k in few) or tuple(batch)
