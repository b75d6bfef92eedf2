"""Images of two samples made one, and their targets with them."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Protocol

from snellen.errors import InputError, ShapeError
from snellen.training.augmentation.images import checked_share

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["Cutmix", "Mixing", "Mixup"]


class Mixing(Protocol):
    """Mixes each sample of a whole batch with another."""

    def __call__(self, inputs: Tensor, targets: Tensor, draws: Draws, /) -> tuple[Tensor, Tensor]:
        """Return the mixed inputs and targets; these are numbers that can be averaged."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mixup:
    """Two samples are averaged, with one weight a batch (Zhang et al., *mixup*, 2017).

    Attributes
    ----------
    alpha : float
        The weight is of the distribution Beta(alpha, alpha): near 0 or 1 for a small alpha, any
        number alike for 1.
    probability : float
        Of each batch.
    """

    alpha: float = 0.2
    probability: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, inputs: Tensor, targets: Tensor, draws: Draws, /) -> tuple[Tensor, Tensor]:
        """Return the means of each sample and its partner."""
        partner = draws.permutation()
        weight = float(draws.beta(self.alpha))
        # Beta(1, 1) is any number between 0 and 1, alike, and known without asking the device.
        if float(draws.beta(1.0)) >= self.probability:
            return inputs, targets
        return (
            inputs.lerp(inputs.index_select(0, partner), 1 - weight),
            targets.lerp(targets.index_select(0, partner), 1 - weight),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cutmix:
    """A rectangle of each image is another's (Yun et al., *CutMix*, 2019): one place a batch.

    Targets are averaged by the parts of the image.

    Attributes
    ----------
    alpha : float
        What remains of the image is of the distribution Beta(alpha, alpha); a rectangle that lies
        partly outside takes less.
    probability : float
        Of each batch.
    """

    alpha: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, inputs: Tensor, targets: Tensor, draws: Draws, /) -> tuple[Tensor, Tensor]:
        """Return the images with a rectangle of their partners."""
        if inputs.ndim != 4:
            raise ShapeError(
                f"expected images (N, C, H, W) for cutmix, got {tuple(inputs.shape)}: "
                "choose mixup for other inputs"
            )
        partner = draws.permutation()
        part = math.sqrt(1 - float(draws.beta(self.alpha)))
        down, right, coin = draws.beta(1.0, 3).tolist()
        if coin >= self.probability:
            return inputs, targets
        height, width = inputs.shape[2:]
        top, bottom = _span(down, part, height)
        left, end = _span(right, part, width)
        mixed = inputs.clone()
        mixed[:, :, top:bottom, left:end] = inputs[:, :, top:bottom, left:end][partner]
        taken = (bottom - top) * (end - left) / (height * width)
        return mixed, targets.lerp(targets.index_select(0, partner), taken)


def _span(centre: float, part: float, n: int) -> tuple[int, int]:
    """Return where a stretch of so large a part of n pixels begins and ends, inside."""
    middle, size = int(centre * n), int(part * n)
    return max(middle - size // 2, 0), min(middle - size // 2 + size, n)


def _check(mixing: Mixup | Cutmix) -> None:
    checked_share(mixing.probability, "probability")
    if not 0 < mixing.alpha < math.inf:
        raise InputError(f"expected alpha above 0, got {mixing.alpha!r}")
