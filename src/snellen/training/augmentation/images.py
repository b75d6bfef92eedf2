"""A batch of images with what belongs to them, and what all changes of images need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import torch

from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.randomness import Draws

__all__ = ["VOID", "Border", "Change", "Images", "checked_share", "chosen", "padded"]

# The label of a pixel that counts for nothing: what a label map has where there is no image.
VOID = 255

Border = Literal["reflect", "edge", "zero"]


class Images(NamedTuple):
    """A batch, or the rows of it that a process has.

    Attributes
    ----------
    inputs : Tensor, shape (N, C, H, W), uint8 or floating
        The images.
    labels : Tensor or None, shape (N, H, W)
        Their label maps, which move with them.
    rows : Tensor, shape (N,), int64
        Their sample numbers.
    """

    inputs: Tensor
    labels: Tensor | None
    rows: Tensor

    def moved(self, inputs: Tensor, labels: Tensor | None) -> Images:
        """Return other images of the same samples."""
        return Images(inputs, labels, self.rows)


class Change(Protocol):
    """Changes each image by itself, by numbers that are drawn for the whole batch."""

    def __call__(self, images: Images, draws: Draws, /) -> Images:
        """Return the changed images, of the same shape and type."""
        ...


def checked_share(value: float, name: str, *, above: float = 0.0) -> None:
    """Refuse what is not from `above` to 1.

    Raises
    ------
    InputError
        With the name of the option.
    """
    if not above <= value <= 1:
        raise InputError(f"expected {name} from {above:g} to 1, got {value!r}")


def chosen(first: Tensor, second: Tensor, flags: Tensor) -> Tensor:
    """Return, for each sample, that of `second` where its flag is set, else that of `first`."""
    # Whole samples are copied by one index_select: several times sooner than `where` with bytes,
    # and nothing waits for the flags.
    n = len(first)
    index = torch.arange(n, device=first.device) + flags.to(first.device) * n
    return torch.cat([first, second]).index_select(0, index)


def padded(images: Tensor, width: int, border: Border, fill: float) -> Tensor:
    """Return images (N, C, H, W) of any type with a border of so many pixels on all four sides.

    Raises
    ------
    ShapeError
        If the images are too small to be mirrored so far.
    """
    n, c, h, w = images.shape
    if border == "reflect" and width >= min(h, w):
        raise ShapeError(
            f"expected images of more than {width} pixels a side to mirror {width} of them, "
            f'got {h} × {w}: choose fewer, or border "edge" or "zero"'
        )
    shape = (n, c, h + 2 * width, w + 2 * width)
    if not width:
        return images
    if border == "zero":
        out = images.new_full(shape, fill)
        out[:, :, width:-width, width:-width] = images
        return out
    # torch's own `pad` mirrors bytes and whole numbers on some devices only.
    out = images.new_empty(shape)
    out[:, :, width:-width, width:-width] = images
    middle = out[:, :, width:-width]
    if border == "edge":
        middle[..., :width] = images[..., :1]
        middle[..., -width:] = images[..., -1:]
        out[:, :, :width] = out[:, :, width : width + 1]
        out[:, :, -width:] = out[:, :, -width - 1 : -width]
    else:
        middle[..., :width] = images[..., 1 : width + 1].flip(3)
        middle[..., -width:] = images[..., -width - 1 : -1].flip(3)
        out[:, :, :width] = out[:, :, width + 1 : 2 * width + 1].flip(2)
        out[:, :, -width:] = out[:, :, -2 * width - 1 : -width - 1].flip(2)
    return out
