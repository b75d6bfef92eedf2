"""Parts that are whole arrays on the device: a batch is one look-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from snellen.errors import ShapeError
from snellen.training.data.parts import EVERY_ROW, Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from snellen.training.data.parts import Order

__all__ = ["ResidentPart"]


class ResidentPart:
    """Samples whose arrays are on the device.

    Parameters
    ----------
    inputs : Tensor
        (n, C, H, W) or (n, F), uint8 or float.
    targets : Tensor
        n of them. Classes may be in bytes, which label maps are kept in; batches have int64.
    ids : sequence of str, optional
        What samples are called.

    Raises
    ------
    ShapeError
        Where there are not as many of each.

    Examples
    --------
    >>> from snellen.training.data.parts import Order
    >>> part = ResidentPart(torch.arange(6.0)[:, None], torch.arange(6))
    >>> [batch.targets.tolist() for batch in part.batches(Order(6, 4, shuffled=False), epoch=0)]
    [[0, 1, 2, 3], [4, 5]]
    """

    def __init__(self, inputs: Tensor, targets: Tensor, ids: Sequence[str] | None = None) -> None:
        if len(inputs) != len(targets):
            raise ShapeError(
                f"expected a target for each of {len(inputs):,} inputs, got {len(targets):,}"
            )
        if ids is not None and len(ids) != len(inputs):
            raise ShapeError(
                f"expected a name for each of {len(inputs):,} inputs, got {len(ids):,}"
            )
        self.inputs = inputs.contiguous()
        self.device_targets = targets.contiguous()
        self.targets = targets.cpu()
        self.ids = ids

    def __repr__(self) -> str:
        return f"ResidentPart({self.n:,} of {self.input_shape} on {self.inputs.device})"

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.inputs)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample's inputs."""
        return tuple(self.inputs.shape[1:])

    def batches(
        self, order: Order, epoch: int, start: int = 0, *, within: slice = EVERY_ROW
    ) -> Iterator[Batch]:
        """Yield the batches of an epoch; see `Part.batches`."""
        rows = order.rows(epoch)
        # The whole order is sent at once: not a copy to the device each batch.
        here = rows.to(self.inputs.device)
        inputs, targets = self.inputs, self.device_targets
        for of_batch, place in zip(order.cut(rows, start), order.cut(here, start), strict=True):
            mine = place[within]
            some = targets.index_select(0, mine)
            yield Batch(
                of_batch[within],
                inputs.index_select(0, mine),
                some.long() if some.dtype == torch.uint8 else some,
            )

    def take(self, rows: Tensor) -> ResidentPart:
        """Return the part of some samples."""
        here = rows.to(self.inputs.device)
        ids = self.ids
        return ResidentPart(
            self.inputs.index_select(0, here),
            self.device_targets.index_select(0, here),
            None if ids is None else [ids[row] for row in rows.tolist()],
        )

    def joined(self, other: ResidentPart) -> ResidentPart:
        """Return the samples of this part and then those of another."""
        named = self.ids is not None and other.ids is not None
        return ResidentPart(
            torch.cat([self.inputs, other.inputs]),
            torch.cat([self.device_targets, other.device_targets]),
            [*(self.ids or ()), *(other.ids or ())] if named else None,
        )

    def to(self, device: torch.device | str) -> ResidentPart:
        """Return the part on a device."""
        if self.inputs.device == torch.device(device):
            return self
        return ResidentPart(self.inputs.to(device), self.device_targets.to(device), self.ids)
