"""Batches ready for the network: in order, augmented, normalised, the rows of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from snellen.training.randomness import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from snellen.training.augmentation.chain import Augmentation
    from snellen.training.data.normalisation import Normalisation
    from snellen.training.data.parts import Batch, Order, Part

__all__ = ["Feed", "Ready"]


class Ready(NamedTuple):
    """A batch as the network takes it.

    Attributes
    ----------
    rows : Tensor
        The sample numbers of what is here, int64, on the CPU.
    inputs : Tensor, shape (N, …)
        Normalised, on the device.
    targets : Tensor, shape (N, …)
        On the device.
    n : int
        The samples of the whole batch, in all processes.
    """

    rows: Tensor
    inputs: Tensor
    targets: Tensor
    n: int


class Feed:
    """The batches of training.

    Parameters
    ----------
    part : Part
        Where samples come from.
    order : Order
        In which order, over all processes.
    augmentation : Augmentation or None
        What is done to them.
    normalisation : Normalisation
        How they are scaled.
    seed : int
        What random numbers are a function of.
    device : torch.device
        Where batches are needed.
    dtype : torch.dtype
        Of the inputs.
    by_pixel : bool
        Whether images are laid out pixel by pixel (channels last).
    rank, world : int
        Which process this is, and of how many.
    """

    def __init__(
        self,
        part: Part,
        order: Order,
        augmentation: Augmentation | None,
        normalisation: Normalisation,
        *,
        seed: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        by_pixel: bool = False,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.order = order
        self._part = part
        self._augmentation = augmentation
        self._normalisation = normalisation
        self._seed = seed
        self._device = device
        self._dtype = dtype
        self._by_pixel = by_pixel
        self._rows = slice(rank, None, world)
        # Who mixes samples needs all of the batch in each process.
        self._whole = world == 1 or (augmentation is not None and augmentation.mixes)
        self._within = slice(None) if self._whole else self._rows
        self._cut = self._whole and world > 1

    def _read(self, epoch: int, start: int) -> Iterator[Batch]:
        return self._part.batches(self.order, epoch, start, within=self._within)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Ready]:
        """Yield the batches of an epoch, from the start-th on."""
        order = self.order
        for k, batch in enumerate(self._read(epoch, start), start):
            rows, inputs, targets = batch
            n = len(rows)
            if order.n is not None:
                n = min(order.batch_size, order.n - k * order.batch_size)
            if self._augmentation is None:
                inputs = self._normalisation.apply(inputs)
            else:
                draws = Draws(self._seed, epoch, k, n, self._within, self._device)
                inputs, targets = self._augmentation.before(inputs, targets, rows, draws)
                inputs = self._normalisation.apply(inputs)
                inputs, targets = self._augmentation.after(inputs, targets, draws)
            if self._cut:
                rows, inputs, targets = rows[self._rows], inputs[self._rows], targets[self._rows]
            inputs = inputs.to(self._dtype)
            if self._by_pixel:
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            yield Ready(rows, inputs, targets, n)
