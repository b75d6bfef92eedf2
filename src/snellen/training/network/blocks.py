"""Modules that torch does not have: around layers, and over whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GlobalAvgPool", "GlobalMaxPool", "Residual", "Skip", "SqueezeExcite"]


class GlobalAvgPool(nn.Module):
    """The mean of each channel: (N, C, H, W) to (N, C)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the means."""
        return inputs.mean((2, 3))


class GlobalMaxPool(nn.Module):
    """The largest number of each channel: (N, C, H, W) to (N, C)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the maxima."""
        return inputs.amax((2, 3))


class Residual(nn.Module):
    """Layers whose result is added to their input: x + f(x).

    Parameters
    ----------
    layers : nn.Module
        f.
    shortcut : nn.Module
        What brings the input to the shape of the result; the identity where it has it.
    """

    def __init__(self, layers: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.layers = layers
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum."""
        total: Tensor = self.shortcut(inputs) + self.layers(inputs)
        return total


class Skip(nn.Module):
    """Layers whose result is put behind their input, channel by channel: (x, f(x)).

    Parameters
    ----------
    layers : nn.Module
        f.
    """

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, inputs: Tensor) -> Tensor:
        """Return both."""
        return torch.cat([inputs, self.layers(inputs)], dim=1)


class SqueezeExcite(nn.Module):
    """Channels weighted by what all channels show on the whole image (Hu et al. 2018).

    Parameters
    ----------
    n_channels : int
        Of the input.
    n_inner : int
        Of the bottleneck between.
    """

    def __init__(self, n_channels: int, n_inner: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(n_channels, n_inner)
        self.relu = nn.ReLU()
        self.expand = nn.Linear(n_inner, n_channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the input, its channels weighted between 0 and 1."""
        weight = torch.sigmoid(self.expand(self.relu(self.reduce(inputs.mean((2, 3))))))
        return inputs * weight[:, :, None, None]
