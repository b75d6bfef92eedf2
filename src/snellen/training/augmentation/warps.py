"""Images turned, scaled and sheared."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from snellen.errors import InputError
from snellen.training.augmentation.images import VOID, Border, Images

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["Affine", "ResizedCrop", "rotate"]

_PADDING = {"zero": "zeros", "edge": "border", "reflect": "reflection"}


def rotate(*, degrees: float = 15.0, border: Border = "zero") -> Affine:
    """Turn each image about its centre.

    Parameters
    ----------
    degrees : float
        The farthest, in either direction.
    border : {"zero", "edge", "reflect"}
        What comes in.
    """
    return Affine(degrees=degrees, translate=0.0, scale=(1.0, 1.0), border=border)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Affine:
    """Each image is turned, scaled, sheared and moved, by chances of its own.

    Pixels between pixels are interpolated linearly; labels are those of the nearest pixel.

    Attributes
    ----------
    degrees : float
        The farthest turn, in either direction.
    translate : float
        The farthest move, as a part of the height and of the width.
    scale : tuple of two floats
        The smallest and the largest size, as a multiple.
    shear : float
        The strongest shear, in degrees.
    border : {"zero", "edge", "reflect"}
        What comes in; with ``"zero"`` labels there are void.
    """

    degrees: float = 10.0
    translate: float = 0.1
    scale: tuple[float, float] = (0.9, 1.1)
    shear: float = 0.0
    border: Border = "zero"

    def __post_init__(self) -> None:
        if not 0 <= self.degrees <= 180:
            raise InputError(f"expected degrees from 0 to 180, got {self.degrees!r}")
        if not 0 <= self.translate < 1:
            raise InputError(
                f"expected translate as a part of the image, from 0 to below 1, "
                f"got {self.translate!r}"
            )
        if not 0 < self.scale[0] <= self.scale[1] < math.inf:
            raise InputError(f"expected scale = [least, greatest] above 0, got {list(self.scale)}")
        if not 0 <= self.shear < 90:
            raise InputError(f"expected shear from 0 to below 90 degrees, got {self.shear!r}")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the images, each in a place of its own."""
        height, width = images.inputs.shape[2:]
        angle, shear, scale, down, right = draws.uniform(5).unbind(1)
        angle = (2 * angle - 1) * math.radians(self.degrees)
        slope = torch.tan((2 * shear - 1) * math.radians(self.shear))
        low, high = self.scale
        size = low + (high - low) * scale
        down = (2 * down - 1) * self.translate * height
        right = (2 * right - 1) * self.translate * width
        # The way back, from a place of the result to one of the image: move, turn, shear, scale.
        cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
        rows = _Map(
            (cos - slope * sin, sin + slope * cos),
            (-sin, cos),
        )
        return _sampled(images, rows.after_moving(right, down), self.border)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResizedCrop:
    """A part of each image, at a place of its own, is made as large as the image.

    Attributes
    ----------
    area : tuple of two floats
        The smallest and the largest part of the image. Where it is to be much wider or higher than
        the image, it is cut down to it.
    aspect : float
        How many times as wide as high, or as high as wide, at most, before it is made as large.
    """

    area: tuple[float, float] = (0.35, 1.0)
    aspect: float = 4 / 3

    def __post_init__(self) -> None:
        low, high = self.area
        if not 0 < low <= high <= 1:
            raise InputError(
                f"expected area = [least, greatest] between 0 and 1, got {list(self.area)}"
            )
        if not 1 <= self.aspect < math.inf:
            raise InputError(f"expected aspect from 1, got {self.aspect!r}")

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the parts of the images."""
        height, width = images.inputs.shape[2:]
        area, aspect, down, right = draws.uniform(4).unbind(1)
        low, high = self.area
        side = (low + (high - low) * area).sqrt()
        root = torch.exp((aspect - 0.5) * math.log(self.aspect))
        h, w = (side * root).clamp(max=1), (side / root).clamp(max=1)
        nothing = torch.zeros_like(h)
        # The centre may be wherever the part lies inside.
        down = (down - 0.5) * (1 - h) * height
        right = (right - 0.5) * (1 - w) * width
        return _sampled(images, _Map((w, nothing), (nothing, h), right, down), "edge")


class _Map(NamedTuple):
    """From a place (x, y) of the result to that in the image, both from the centre, in pixels."""

    x: tuple[Tensor, Tensor]
    y: tuple[Tensor, Tensor]
    right: Tensor | float = 0.0
    down: Tensor | float = 0.0

    def after_moving(self, right: Tensor, down: Tensor) -> _Map:
        """Return the map of an image that is then moved to the right and down."""
        return _Map(
            self.x,
            self.y,
            -(self.x[0] * right + self.x[1] * down),
            -(self.y[0] * right + self.y[1] * down),
        )


def _sampled(images: Images, back: _Map, border: Border) -> Images:
    inputs, labels = images.inputs, images.labels
    height, width = inputs.shape[2:]
    x = torch.arange(width, device=inputs.device) - (width - 1) / 2
    y = (torch.arange(height, device=inputs.device) - (height - 1) / 2)[:, None]

    def across(part: Tensor | float) -> Tensor | float:
        return part[:, None, None] if isinstance(part, torch.Tensor) else part

    # Without a matrix product: that may round otherwise in a batch of another size.
    grid = torch.stack(
        [
            (across(back.x[0]) * x + across(back.x[1]) * y + across(back.right)) * (2 / width),
            (across(back.y[0]) * x + across(back.y[1]) * y + across(back.down)) * (2 / height),
        ],
        dim=-1,
    )

    def taken(maps: Tensor, mode: str) -> Tensor:
        return functional.grid_sample(
            maps, grid.to(maps.dtype), mode=mode, padding_mode=_PADDING[border], align_corners=False
        )

    if inputs.dtype == torch.uint8:
        moved = taken(inputs.float(), "bilinear").round_().clamp_(0, 255).to(torch.uint8)
    else:
        moved = taken(inputs, "bilinear")
    if labels is None:
        return images.moved(moved, None)
    # What comes in from outside is 0: so 0 is made to mean void.
    around = taken((labels[:, None] - VOID).float(), "nearest").to(labels.dtype)[:, 0] + VOID
    return images.moved(moved, around)
