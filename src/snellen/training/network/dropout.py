"""Dropout whose masks do not depend on how a batch is spread over processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Dropout", "Dropout2d", "replace_dropout", "set_rows"]


class Dropout(nn.Dropout):
    """Set each number to zero with probability p, and scale the others by 1 / (1 − p).

    Attributes
    ----------
    rows : tuple of (int, slice) or None
        The samples of the whole batch, and those that are here. The mask is drawn for the whole
        batch and cut: processes that draw from equal generators use the rows of one mask. None: all
        samples are here.
    """

    rows: tuple[int, slice] | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Return the input with a part of its numbers set to zero."""
        if self.rows is None or not self.training:
            return super().forward(input)
        n, here = self.rows
        # In the layout of the input: numbers are drawn in the order of memory.
        whole = _ones(input, (n, *input.shape[1:]))
        return input * functional.dropout(whole, self.p)[here]


class Dropout2d(nn.Dropout2d):
    """Set each channel of each sample to zero with probability p, and scale the others.

    Attributes
    ----------
    rows : tuple of (int, slice) or None
        As of `Dropout`.
    """

    rows: tuple[int, slice] | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Return the input with a part of its channels set to zero."""
        if self.rows is None or not self.training:
            return super().forward(input)
        n, here = self.rows
        whole = torch.ones((n, input.shape[1], 1, 1), dtype=input.dtype, device=input.device)
        return input * functional.dropout2d(whole, self.p)[here]


def _ones(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    made = torch.ones(shape, dtype=like.dtype, device=like.device)
    if like.dim() == 4 and like.is_contiguous(memory_format=torch.channels_last):
        return made.contiguous(memory_format=torch.channels_last)
    return made


_REPLACED: dict[type[nn.Module], type[Dropout] | type[Dropout2d]] = {
    nn.Dropout: Dropout,
    nn.Dropout2d: Dropout2d,
}


def replace_dropout(network: nn.Module) -> nn.Module:
    """Return the network with torch's dropout layers replaced by those of this module.

    Dropout that a module calls as a function, or has inside attention, cannot be replaced.
    """
    made = _REPLACED.get(type(network))
    if made is not None:
        assert isinstance(network, (nn.Dropout, nn.Dropout2d))
        return made(network.p, network.inplace).train(network.training)
    for name, child in list(network.named_children()):
        replaced = replace_dropout(child)
        if replaced is not child:
            setattr(network, name, replaced)
    return network


def set_rows(network: nn.Module, rows: tuple[int, slice] | None) -> None:
    """Tell all dropout layers of a network which rows of the whole batch come next."""
    for module in network.modules():
        if isinstance(module, (Dropout, Dropout2d)):
            module.rows = rows
