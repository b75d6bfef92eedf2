"""What a part of the data is: batches of samples, in the order of an epoch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from snellen.errors import InputError
from snellen.training.randomness import generator, permutation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

__all__ = ["EVERY_ROW", "Batch", "Order", "Part"]

EVERY_ROW = slice(None)
"""All rows of each batch: of a process that works alone."""


class Batch(NamedTuple):
    """Some samples.

    Attributes
    ----------
    rows : Tensor
        Their numbers within the part, (N,) int64, on the CPU.
    inputs : Tensor
        (N, C, H, W) images or (N, F) numbers, uint8 or float, on the device.
    targets : Tensor
        On the device: int64 (N,) classes, float (N, D) numbers, int64 (N, H, W) label maps.
    """

    rows: Tensor
    inputs: Tensor
    targets: Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Order:
    """The order of samples, as a function of the seed and the epoch.

    Parameters
    ----------
    n : int or None
        How many samples there are; None where nobody knows.
    batch_size : int
        How many a batch has; the last one may have fewer.
    seed : int
        What the order is a function of, besides the epoch.
    shuffled : bool
        Whether the samples are shuffled, each epoch anew; else they keep their order.
    balanced : Tensor, shape (n,), int64, optional
        The class of each sample: every class is drawn equally often, n samples an epoch, those of
        rare classes repeatedly.
    drop_last : bool
        Leave out a last batch of fewer samples.

    Raises
    ------
    InputError
        For a batch that is larger than the data, where they are shuffled; for no samples.
    """

    n: int | None
    batch_size: int
    seed: int = dataclasses.field(default=0, kw_only=True)
    shuffled: bool = dataclasses.field(default=True, kw_only=True)
    balanced: Tensor | None = dataclasses.field(default=None, kw_only=True)
    drop_last: bool = dataclasses.field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InputError(f"expected a batch size from 1, got {self.batch_size}")
        if self.n is None:
            if self.balanced is not None:
                raise InputError("expected samples of known classes to balance, got a stream")
            return
        if self.n < 1:
            raise InputError("expected samples, got none")
        if (self.shuffled or self.drop_last) and self.batch_size > self.n:
            raise InputError(
                f"expected a batch size of at most the {self.n:,} samples, got "
                f"{self.batch_size:,}: take a smaller one",
                "batch_size",
            )
        if self.balanced is not None and len(self.balanced) != self.n:
            raise InputError(
                f"expected a class for each of {self.n} samples, got {len(self.balanced)}"
            )

    @property
    def n_batches(self) -> int:
        """How many batches an epoch has.

        Raises
        ------
        InputError
            Where the number of samples is not known.
        """
        whole, rest = divmod(self._known(), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def rows(self, epoch: int) -> Tensor:
        """Return the numbers of an epoch's samples in order, (n,) int64, on the CPU."""
        n = self._known()
        if self.balanced is not None:
            return self._balanced_rows(epoch, self.balanced)
        return permutation(n, self.seed, epoch) if self.shuffled else torch.arange(n)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Yield the numbers of each batch's samples, from the `start`-th batch on."""
        yield from self.cut(self.rows(epoch), start)

    def cut(self, rows: Tensor, start: int = 0) -> tuple[Tensor, ...]:
        """Return an epoch's numbers of samples cut in batches, from the `start`-th on."""
        last = self.n_batches * self.batch_size if self.drop_last else len(rows)
        rest = rows[start * self.batch_size : last]
        return torch.split(rest, self.batch_size) if len(rest) else ()

    def _known(self) -> int:
        if self.n is None:
            raise InputError("expected a known number of samples, got a stream that does not say")
        return self.n

    def _balanced_rows(self, epoch: int, classes: Tensor) -> Tensor:
        n = len(classes)
        random = generator(self.seed, "balanced order", epoch)
        present = torch.unique(classes)
        # Whose turn it is to have one more, where n is no multiple of the classes.
        first = torch.randperm(len(present), generator=random)
        share, rest = divmod(n, len(present))
        drawn = []
        for rank, k in enumerate(first.tolist()):
            members = (classes == present[k]).nonzero().flatten()
            wanted = share + (rank < rest)
            # As evenly as can be: each sample as often as the others, or once more.
            again, part = divmod(wanted, len(members))
            some = torch.randperm(len(members), generator=random)[:part]
            drawn += [members.repeat(again), members[some]]
        return torch.cat(drawn)[torch.randperm(n, generator=random)]


class Part(Protocol):
    """The samples of one part: training, validation or test.

    Attributes
    ----------
    n : int or None
        How many; None for a stream that does not say.
    ids : sequence of str or None
        What samples are called.
    targets : Tensor or None
        Of all samples, on the CPU; None where one would have to decode them.
    input_shape : tuple of int
        (C, H, W) or (F,).
    """

    @property
    def n(self) -> int | None:
        """How many samples there are."""
        ...

    @property
    def ids(self) -> Sequence[str] | None:
        """What samples are called."""
        ...

    @property
    def targets(self) -> Tensor | None:
        """The targets of all samples, on the CPU."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample's inputs."""
        ...

    def batches(
        self, order: Order, epoch: int, start: int = 0, *, within: slice = EVERY_ROW
    ) -> Iterator[Batch]:
        """Yield the batches of an epoch.

        Parameters
        ----------
        order : Order
            In which order.
        epoch : int
            From 0.
        start : int
            From which batch on.
        within : slice
            Which rows of each batch: the share of one of several processes.
        """
        ...

    def to(self, device: torch.device | str) -> Part:
        """Return the part with its batches on a device."""
        ...
