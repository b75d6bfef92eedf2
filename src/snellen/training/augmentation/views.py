"""Predictions averaged over several views of the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from snellen.errors import InputError, ShapeError, did_you_mean
from snellen.training.augmentation.images import padded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

__all__ = ["averaged", "test_views"]


def _shifted(images: Tensor, down: int, right: int) -> Tensor:
    """Return images moved by at most a pixel; what comes in is mirrored."""
    _, _, h, w = images.shape
    return padded(images, 1, "reflect", 0)[:, :, 1 - down : 1 - down + h, 1 - right : 1 - right + w]


_VIEWS: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "flip": (lambda images: images.flip(3),),
    "vertical_flip": (lambda images: images.flip(2),),
    "translate": (
        lambda images: _shifted(images, -1, -1),
        lambda images: _shifted(images, 1, 1),
    ),
}
_FLIPS = {"flip": 3, "vertical_flip": 2}


def test_views(inputs: Tensor, names: Sequence[str]) -> list[Tensor]:
    """Return several views of the same images: first the images themselves.

    Parameters
    ----------
    inputs : Tensor, shape (N, C, H, W)
        Images, normalised or not.
    names : sequence of str
        ``"flip"`` adds each view's mirror image, ``"vertical_flip"`` its image upside down,
        ``"translate"`` the view moved by a pixel up and left, and down and right. So
        ``["flip", "translate"]`` makes six views.

    Raises
    ------
    ShapeError
        If the inputs are no images.
    InputError
        For an unknown name.
    """
    if inputs.ndim != 4:
        raise ShapeError(f"expected images (N, C, H, W) to view, got {tuple(inputs.shape)}")
    views = [inputs]
    for name in names:
        if name not in _VIEWS:
            hint = did_you_mean(name, _VIEWS) or f" There are {', '.join(_VIEWS)}."
            raise InputError(f'expected a view of images, got "{name}".{hint}')
        views += [look(view) for look in _VIEWS[name] for view in views]
    return views


# The name is that of a test to pytest, where it is imported.
test_views.__test__ = False  # type: ignore[attr-defined]


def averaged(network: Callable[[Tensor], Tensor], inputs: Tensor, names: Sequence[str]) -> Tensor:
    """Return the mean of a network's outputs over views of the images.

    Parameters
    ----------
    network : callable
        From images to outputs (N, K), or (N, K, H, W) for label maps: those of a mirrored view are
        mirrored back.
    inputs : Tensor, shape (N, C, H, W)
        The images.
    names : sequence of str
        As of `test_views`; ``"translate"`` is not for label maps.

    Raises
    ------
    ShapeError
        If the inputs are no images, or views of label maps are moved.
    InputError
        For an unknown name.
    """
    outputs = []
    for k, view in enumerate(test_views(inputs, names)):
        output = network(view)
        outputs.append(output.flip(_mirrored_axes(k, names)) if output.ndim == 4 else output)
    return torch.stack(outputs).mean(0)


def _mirrored_axes(k: int, names: Sequence[str]) -> list[int]:
    """Return along which axes the k-th view is mirrored."""
    if "translate" in names:
        raise ShapeError('expected outputs (N, K) for the view "translate", got maps: leave it out')
    # Each name doubles the views: the binary digits of k say which apply. Twice is not at all.
    applied = [_FLIPS[name] for digit, name in enumerate(names) if k >> digit & 1]
    return [axis for axis in (2, 3) if applied.count(axis) % 2]
