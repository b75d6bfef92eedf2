"""Images moved by whole pixels."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from snellen.errors import InputError
from snellen.training.augmentation.images import VOID, Border, Images, padded

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["Shift", "crop", "translate"]


def crop(*, padding: int = 4, border: Border = "reflect") -> Shift:
    """Cut each image, at a place of its own, out of a larger one: itself with a border around.

    Parameters
    ----------
    padding : int
        The width of the border in pixels.
    border : {"reflect", "edge", "zero"}
        What it shows: the image mirrored, its outermost pixels, or 0.
    """
    return Shift(_checked(padding, "padding"), border)


def translate(*, pixels: int = 2, border: Border = "zero") -> Shift:
    """Move each image by up to so many pixels down or up, and right or left.

    Parameters
    ----------
    pixels : int
        The farthest, in each direction.
    border : {"zero", "edge", "reflect"}
        What comes in at the other side.
    """
    return Shift(_checked(pixels, "pixels"), border)


def _checked(width: int, name: str) -> int:
    if width < 1:
        raise InputError(f"expected {name} from 1, got {width}")
    return width


@dataclasses.dataclass(frozen=True)
class Shift:
    """Each image moved by whole pixels, a chance of its own in both directions.

    Attributes
    ----------
    pixels : int
        The farthest.
    border : {"reflect", "edge", "zero"}
        What comes in; with ``"zero"`` labels there are void.
    """

    pixels: int
    border: Border

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, moved."""
        offsets = draws.integers(0, 2 * self.pixels + 1, 2)
        labels = images.labels
        return images.moved(
            self._windows(images.inputs, offsets, 0),
            None if labels is None else self._windows(labels[:, None], offsets, VOID)[:, 0],
        )

    def _windows(self, images: Tensor, offsets: Tensor, fill: float) -> Tensor:
        _, _, h, w = images.shape
        large = padded(images, self.pixels, self.border, fill).contiguous()
        stride = large.stride()
        # A window begins at any number of the memory, up to the last that lies inside; so all of
        # them are one array of overlapping images, of which one index_select takes the batch's.
        n_starts = (len(large) - 1) * stride[0] + 2 * self.pixels * (stride[2] + 1) + 1
        windows = large.as_strided((n_starts, images.shape[1], h, w), (1, *stride[1:]))
        begin = torch.arange(len(large), device=large.device) * stride[0]
        return windows.index_select(0, begin + offsets[:, 0] * stride[2] + offsets[:, 1])
