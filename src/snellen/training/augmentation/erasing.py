"""Parts of images taken away."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal

import torch

from snellen.errors import InputError
from snellen.training.augmentation.images import VOID, Images, checked_share

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["Cutout", "Erasing", "Fill"]

Fill = float | Literal["mean", "noise"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Erasing:
    """A rectangle of some images is taken away (Zhong et al., *Random erasing*, 2017).

    Attributes
    ----------
    probability : float
        Of each image.
    area : tuple of two floats
        The smallest and the largest part of the image.
    aspect : float
        How many times as high as wide, or as wide as high, at most. What then does not fit into
        the image is cut down to it.
    fill : float, "mean" or "noise"
        A number in the units of the images, the mean of each image and channel, or chance: any
        byte, or for floating images any number between the image's least and greatest.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.33)
    aspect: float = 3.3
    fill: Fill = "mean"

    def __post_init__(self) -> None:
        checked_share(self.probability, "probability")
        low, high = self.area
        if not 0 < low <= high <= 1:
            raise InputError(
                f"expected area = [least, greatest] between 0 and 1, got {list(self.area)}"
            )
        if not 1 <= self.aspect < math.inf:
            raise InputError(f"expected aspect from 1, got {self.aspect!r}")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, without a rectangle of some."""
        height, width = images.inputs.shape[2:]
        drawn = draws.uniform(5)
        low, high = self.area
        pixels = (low + (high - low) * drawn[:, 1]) * (height * width)
        root = torch.exp((drawn[:, 2] - 0.5) * math.log(self.aspect))
        side = pixels.sqrt()
        h = (side * root).round().clamp(1, height)
        w = (side / root).round().clamp(1, width)
        top = (drawn[:, 3] * (height - h + 1)).floor()
        left = (drawn[:, 4] * (width - w + 1)).floor()
        # An image that is spared has a rectangle of no height.
        h = torch.where(drawn[:, 0] < self.probability, h, 0)
        return _without(images, (top, top + h), (left, left + w), self.fill, draws)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cutout:
    """A square of each image is taken away (DeVries & Taylor, *Cutout*, 2017).

    Its centre may be any pixel, so it may lie partly outside.

    Attributes
    ----------
    size : int
        Its side in pixels.
    probability : float
        Of each image.
    fill : float, "mean" or "noise"
        As of erasing.
    """

    size: int = 8
    probability: float = 1.0
    fill: Fill = "mean"

    def __post_init__(self) -> None:
        checked_share(self.probability, "probability")
        if self.size < 1:
            raise InputError(f"expected size from 1, got {self.size}")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, without a square of each."""
        height, width = images.inputs.shape[2:]
        drawn = draws.uniform(3)
        top = (drawn[:, 1] * height).floor() - self.size // 2
        left = (drawn[:, 2] * width).floor() - self.size // 2
        size = torch.where(drawn[:, 0] < self.probability, self.size, 0)
        return _without(images, (top, top + size), (left, left + self.size), self.fill, draws)


def _without(
    images: Images,
    vertical: tuple[Tensor, Tensor],
    horizontal: tuple[Tensor, Tensor],
    fill: Fill,
    draws: Draws,
) -> Images:
    """Return images whose pixels from … below … are filled; their labels are void there."""
    inputs, labels = images.inputs, images.labels
    inside = (
        _between(vertical, inputs.shape[2], inputs.device)[:, :, None]
        & _between(horizontal, inputs.shape[3], inputs.device)[:, None]
    )
    return images.moved(
        _filled(inputs, inside[:, None], fill, draws),
        None if labels is None else labels.masked_fill(inside, VOID),
    )


def _between(limits: tuple[Tensor, Tensor], n: int, device: torch.device) -> Tensor:
    at = torch.arange(n, device=device)
    first, end = limits
    return (at >= first[:, None]) & (at < end[:, None])


def _filled(inputs: Tensor, inside: Tensor, fill: Fill, draws: Draws) -> Tensor:
    whole = inputs.dtype == torch.uint8
    if fill == "mean":
        # Bytes are summed as whole numbers: the mean is the same whoever computes it.
        mean = inputs.sum((2, 3), keepdim=True) / (inputs.shape[2] * inputs.shape[3])
        return torch.where(inside, (mean.round() if whole else mean).to(inputs.dtype), inputs)
    if fill == "noise":
        noise = draws.uniform(*inputs.shape[1:])
        if whole:
            return torch.where(inside, (noise * 256).to(torch.uint8), inputs)
        least, most = inputs.amin((1, 2, 3), keepdim=True), inputs.amax((1, 2, 3), keepdim=True)
        return torch.where(inside, (least + (most - least) * noise).to(inputs.dtype), inputs)
    if whole and not (0 <= fill <= 255 and fill == int(fill)):
        raise InputError(f"expected fill from 0 to 255 for images of bytes, got {fill!r}")
    return inputs.masked_fill(inside, int(fill) if whole else fill)
