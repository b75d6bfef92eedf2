"""Networks by name: each a function that returns its layers, as a description could write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NETWORKS"]

Plain = list[str | dict[str, Any]]


def fc(
    *,
    hidden: tuple[int, ...] = (512,),
    activation: str = "relu",
    dropout: float = 0.0,
    input_shape: tuple[int, ...],
) -> Plain:
    """Connect fully: layers of the sizes `hidden`, each with an activation."""
    layers: Plain = ["flatten"] if len(input_shape) > 1 else []
    for size in hidden:
        layers += [_layer("linear", out=size), activation]
        if dropout:
            layers.append(_layer("dropout", p=dropout))
    return [*layers, "linear"]


def cnn(
    *,
    widths: tuple[int, ...] = (32, 64),
    hidden: tuple[int, ...] = (128,),
    dropout: float = 0.0,
) -> Plain:
    """Convolve 3 × 3 pixels with ReLU and pooling, `widths` times, then connect fully."""
    layers: Plain = []
    for width in widths:
        layers += [_layer("conv", out=width, kernel=3), "relu", _layer("max_pool", kernel=2)]
    layers.append("flatten")
    for size in hidden:
        layers += [_layer("linear", out=size), "relu"]
    if dropout:
        layers.append(_layer("dropout", p=dropout))
    return [*layers, "linear"]


def cnn_fast(
    *,
    widths: tuple[int, ...] = (32, 64, 128),
    activation: str = "relu",
    momentum: float = 0.1,
    head: Literal["flatten", "global_avg_pool", "global_max_pool"] = "flatten",
    dropout: float = 0.0,
) -> Plain:
    """Convolve, pool, normalise and activate, in this order: much accuracy for little time.

    Pooling comes first, so that what follows has a quarter of the numbers.
    """
    layers: Plain = []
    for width in widths:
        layers += [
            _layer("conv", out=width, kernel=3, bias=False),
            _layer("max_pool", kernel=2),
            _layer("batch_norm", momentum=momentum),
            activation,
        ]
    layers.append(head)
    if dropout:
        layers.append(_layer("dropout", p=dropout))
    return [*layers, "linear"]


def resnet_small(*, widths: tuple[int, ...] = (16, 32, 64), blocks: int = 2) -> Plain:
    """Add what layers find to what they got (He et al. 2016): `blocks` of each width.

    Each new width halves the image.
    """
    if blocks < 1:
        raise InputError(f"expected blocks from 1, got {blocks}")
    first, *_ = _several(widths)
    layers: Plain = [_layer("conv", out=first, kernel=3, bias=False), "batch_norm", "relu"]
    for k, width in enumerate(widths):
        for block in range(blocks):
            stride = 2 if k and not block else 1
            inner: Plain = [
                _layer("conv", out=width, kernel=3, stride=stride, bias=False),
                "batch_norm",
                "relu",
                _layer("conv", out=width, kernel=3, bias=False),
                "batch_norm",
            ]
            layers += [_layer("residual", layers=inner), "relu"]
    return [*layers, "global_avg_pool", "linear"]


def unet_small(*, widths: tuple[int, ...] = (16, 32, 64)) -> Plain:
    """Halve the image and enlarge it again, for label maps (U-Net, Ronneberger et al. 2015).

    Height and width must be divisible by 2 for each further width: by 4 with three.
    """
    *outer, innermost = _several(widths)
    layers = _twice(innermost)
    for width in reversed(outer):
        below: Plain = ["max_pool", *layers, "up"]
        layers = [*_twice(width), _layer("skip", layers=below), *_twice(width)]
    return [*layers, _layer("conv", kernel=1)]


def _twice(width: int) -> Plain:
    once: Plain = [_layer("conv", out=width, kernel=3, bias=False), "batch_norm", "relu"]
    return [*once, *once]


def _several(widths: tuple[int, ...]) -> tuple[int, ...]:
    if not widths:
        raise InputError("expected at least one width, got none")
    return widths


def _layer(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, **options}


NETWORKS: dict[str, Callable[..., Plain]] = {
    "fc": fc,
    "cnn": cnn,
    "cnn_fast": cnn_fast,
    "resnet_small": resnet_small,
    "unet_small": unet_small,
}
