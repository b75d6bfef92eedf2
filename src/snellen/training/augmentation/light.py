"""Images made lighter or darker."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from snellen.training.augmentation.images import Images, checked_share

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["Brightness", "Contrast"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Brightness:
    """Each image is multiplied by a number of its own.

    Attributes
    ----------
    strength : float
        The numbers are from 1 - strength to 1 + strength.
    """

    strength: float = 0.2

    def __post_init__(self) -> None:
        checked_share(self.strength, "strength")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, lighter or darker."""
        factor = _factors(draws, self.strength)
        return images.moved(_scaled(images.inputs, factor, 0.0), images.labels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast:
    """What sets each pixel apart from its image's mean is multiplied by a number of the image.

    Attributes
    ----------
    strength : float
        The numbers are from 1 - strength to 1 + strength.
    """

    strength: float = 0.2

    def __post_init__(self) -> None:
        checked_share(self.strength, "strength")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, of more or less contrast."""
        factor = _factors(draws, self.strength)
        inputs = images.inputs
        mean = inputs.sum((1, 2, 3), keepdim=True) / inputs[0].numel()
        return images.moved(_scaled(inputs, factor, mean * (1 - factor)), images.labels)


def _factors(draws: Draws, strength: float) -> Tensor:
    return (1 + strength * (2 * draws.uniform() - 1))[:, None, None, None]


def _scaled(inputs: Tensor, factor: Tensor, offset: Tensor | float) -> Tensor:
    """Return factor * inputs + offset; bytes are rounded and stay between 0 and 255."""
    if inputs.dtype == torch.uint8:
        return inputs.float().mul_(factor).add_(offset).round_().clamp_(0, 255).to(torch.uint8)
    return (inputs * factor + offset).to(inputs.dtype)
