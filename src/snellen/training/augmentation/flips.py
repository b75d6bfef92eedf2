"""Mirrored images."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from snellen.training.augmentation.images import Images, checked_share, chosen

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["AlternatingFlip", "Flip", "VerticalFlip"]


def _mirrored(images: Images, flags: Tensor, axis: int) -> Images:
    labels = images.labels
    return images.moved(
        chosen(images.inputs, images.inputs.flip(axis), flags),
        None if labels is None else chosen(labels, labels.flip(axis), flags),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flip:
    """Left and right are exchanged, by chance.

    Attributes
    ----------
    probability : float
        Of each image.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        checked_share(self.probability, "probability")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, some of them mirrored."""
        return _mirrored(images, draws.uniform() < self.probability, -1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VerticalFlip:
    """Top and bottom are exchanged, by chance.

    Attributes
    ----------
    probability : float
        Of each image.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        checked_share(self.probability, "probability")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, some of them upside down."""
        return _mirrored(images, draws.uniform() < self.probability, -2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlternatingFlip:
    """Left and right are exchanged in every other epoch of each image.

    Which half of the images begins is fixed by their sample numbers. So in two epochs each image
    is seen both ways exactly once, which by chance half of them are not (Jordan, *94% on CIFAR-10
    in 3.29 seconds on a single GPU*, 2024, section 3.6).
    """

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, those of this epoch's half mirrored."""
        return _mirrored(images, (_bit(images.rows) + draws.epoch) % 2, -1)


def _bit(rows: Tensor) -> Tensor:
    """Return 0 or 1 for each sample number, half of each, without any pattern."""
    # The finaliser of SplitMix64 (Steele, Lea & Flood, 2014). int64 wraps as uint64 does; its
    # shifts carry the sign down, which the masks take away.
    mixed = rows + (0x9E3779B97F4A7C15 - (1 << 64))
    mixed = (mixed ^ ((mixed >> 30) & ((1 << 34) - 1))) * (0xBF58476D1CE4E5B9 - (1 << 64))
    mixed = (mixed ^ ((mixed >> 27) & ((1 << 37) - 1))) * (0x94D049BB133111EB - (1 << 64))
    return (mixed ^ (mixed >> 31)) & 1
