"""Layers by name: each a function of the shape before it, giving a module and the shape behind it.

Shapes are those of one sample: (features,) or (channels, height, width). The keyword-only
parameters of a function are the options that a description may give. `place` and `n_outputs` come
from the network that is built.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.training.choices import Choice, made, picked
from snellen.training.network.blocks import (
    GlobalAvgPool,
    GlobalMaxPool,
    Residual,
    Skip,
    SqueezeExcite,
)
from snellen.training.network.dropout import Dropout, Dropout2d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LAYERS", "Layers", "stacked"]

Shape = tuple[int, ...]
Pair = tuple[int, int]
Made = tuple[nn.Module, Shape]


class Layers(nn.Sequential):
    """Layers one after the other, named by position and kind: ``"0_conv"``, then ``"1_relu"``.

    Attributes
    ----------
    description : list
        The layers as a description writes them; building it again gives equal layers.
    input_shape : tuple of int
        The shape of a sample in front of the first layer.
    shapes : tuple of tuple of int
        The shape behind each layer.
    """

    description: list[str | dict[str, Any]]
    input_shape: Shape
    shapes: tuple[Shape, ...]


def stacked(
    layers: Sequence[Choice], shape: Shape, *, place: str = "", n_outputs: int | None = None
) -> Layers:
    """Return layers, one after the other.

    Parameters
    ----------
    layers : sequence of Choice
        What they are.
    shape : tuple of int
        The shape of a sample in front of the first.
    place : str
        Where they are written, for layers that do not say it themselves.
    n_outputs : int or None
        The size of the last layer that has one, where it leaves it out.

    Raises
    ------
    ShapeError
        Where a layer does not fit the shape in front of it.
    InputError
        For a layer or an option that there is not.
    """
    if not layers:
        raise SchemaError("expected at least one layer, got none", place)
    placed = [
        choice if choice.place else choice._replace(place=f"{place}[{k}]".strip())
        for k, choice in enumerate(layers)
    ]
    sized = [k for k, choice in enumerate(placed) if _has_size(choice)]
    stack = Layers()
    stack.input_shape = shape
    described, shapes = [], []
    before = f"the input {_shown(shape)}"
    for k, choice in enumerate(placed):
        filled = choice
        if n_outputs is not None and sized and k == sized[-1] and "out" not in choice.options:
            filled = choice._replace(options={"out": n_outputs, **choice.options})
        name = f"{k}_{choice.name}"
        try:
            module, shape = made(filled, LAYERS, "a layer", shape, place=choice.place)
        except ShapeError as error:
            where = f"(layer {name}, behind {before})"
            raise ShapeError(f"{error.message} {where}", error.place) from None
        stack.add_module(name, module)
        described.append(filled.plain())
        shapes.append(shape)
        before = f"{name} {_shown(shape)}"
    stack.description = described
    stack.shapes = tuple(shapes)
    return stack


def _has_size(choice: Choice) -> bool:
    """Tell whether a layer has an option for the number of its outputs."""
    return "out" in inspect.signature(picked(choice, LAYERS, "a layer")).parameters


def conv(
    shape: Shape,
    *,
    out: int,
    kernel: int | Pair = 3,
    stride: int | Pair = 1,
    padding: int | Pair | Literal["same"] = "same",
    dilation: int | Pair = 1,
    groups: int = 1,
    bias: bool = True,
) -> Made:
    """Convolve: `out` filters over windows of `kernel` pixels."""
    n_channels, *_ = _image(shape)
    _from(1, out=out, kernel=kernel, stride=stride, dilation=dilation, groups=groups)
    if n_channels % groups or out % groups:
        raise ShapeError(
            f"expected channels that {groups} groups can share, got {n_channels} before and {out} "
            "behind"
        )
    sides = _padding(padding, kernel, dilation)
    behind = (out, *_windows(shape, kernel, stride, sides, dilation))
    module = nn.Conv2d(n_channels, out, kernel, stride, sides, dilation, groups, bias)
    return module, behind


def depthwise(
    shape: Shape,
    *,
    kernel: int | Pair = 3,
    stride: int | Pair = 1,
    padding: int | Pair | Literal["same"] = "same",
    dilation: int | Pair = 1,
    multiplier: int = 1,
    bias: bool = True,
) -> Made:
    """Convolve each channel alone, with `multiplier` filters a channel."""
    n_channels, *_ = _image(shape)
    _from(1, multiplier=multiplier)
    return conv(
        shape,
        out=n_channels * multiplier,
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=n_channels,
        bias=bias,
    )


def separable(
    shape: Shape,
    *,
    out: int,
    kernel: int | Pair = 3,
    stride: int | Pair = 1,
    padding: int | Pair | Literal["same"] = "same",
    bias: bool = True,
) -> Made:
    """Convolve each channel alone, then over channels pixel by pixel."""
    pair = nn.Sequential()
    within, between = depthwise(shape, kernel=kernel, stride=stride, padding=padding, bias=False)
    across, behind = conv(between, out=out, kernel=1, bias=bias)
    pair.add_module("depthwise", within)
    pair.add_module("pointwise", across)
    return pair, behind


def transposed_conv(
    shape: Shape,
    *,
    out: int,
    kernel: int | Pair = 2,
    stride: int | Pair = 2,
    padding: int | Pair = 0,
    output_padding: int | Pair = 0,
    bias: bool = True,
) -> Made:
    """Convolve transposed: images become larger by `stride`."""
    n_channels, *size = _image(shape)
    _from(1, out=out, kernel=kernel, stride=stride)
    _from(0, padding=padding, output_padding=output_padding)
    parts = zip(
        size, _pair(kernel), _pair(stride), _pair(padding), _pair(output_padding), strict=True
    )
    behind = [(n - 1) * s - 2 * p + k + o for n, k, s, p, o in parts]
    if any(o >= s for o, s in zip(_pair(output_padding), _pair(stride), strict=True)):
        raise InputError(f"expected output_padding below the stride {stride}, got {output_padding}")
    if min(behind) < 1:
        raise ShapeError(f"expected padding that leaves pixels, got {padding} for {_shown(shape)}")
    module = nn.ConvTranspose2d(n_channels, out, kernel, stride, padding, output_padding, bias=bias)
    return module, (out, *behind)


def linear(shape: Shape, *, out: int, bias: bool = True) -> Made:
    """Connect fully: each of `out` results is a weighted sum of all features."""
    if len(shape) != 1:
        raise ShapeError(
            f"expected (features,), got {_shown(shape)}: put flatten or global_avg_pool before it"
        )
    _from(1, out=out)
    return nn.Linear(shape[0], out, bias), (out,)


def batch_norm(
    shape: Shape, *, momentum: float = 0.1, eps: float = 1e-5, affine: bool = True
) -> Made:
    """Bring each channel to mean 0 and spread 1 over the batch, then scale and move it."""
    kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
    return kind(shape[0], eps=eps, momentum=momentum, affine=affine), shape


def layer_norm(shape: Shape, *, eps: float = 1e-5, affine: bool = True) -> Made:
    """Bring each sample to mean 0 and spread 1 over all its numbers, then scale and move them."""
    return nn.LayerNorm(shape, eps=eps, elementwise_affine=affine), shape


def group_norm(shape: Shape, *, groups: int = 8, eps: float = 1e-5, affine: bool = True) -> Made:
    """Bring each group of channels of a sample to mean 0 and spread 1, then scale and move."""
    _from(1, groups=groups)
    if shape[0] % groups:
        raise ShapeError(
            f"expected channels that {groups} groups can share, got {shape[0]}: give groups"
        )
    return nn.GroupNorm(groups, shape[0], eps=eps, affine=affine), shape


def instance_norm(shape: Shape, *, eps: float = 1e-5, affine: bool = True) -> Made:
    """Bring each channel of an image to mean 0 and spread 1, then scale and move it."""
    n_channels, height, width = _image(shape)
    if height * width == 1:
        raise ShapeError(f"expected an image of more than one pixel, got {_shown(shape)}")
    return nn.InstanceNorm2d(n_channels, eps=eps, affine=affine), shape


def relu(shape: Shape) -> Made:
    """Keep the positive part: max(x, 0)."""
    return nn.ReLU(), shape


def relu6(shape: Shape) -> Made:
    """Keep the positive part, at most 6."""
    return nn.ReLU6(), shape


def leaky_relu(shape: Shape, *, slope: float = 0.01) -> Made:
    """Keep x where it is positive, `slope` × x elsewhere."""
    return nn.LeakyReLU(slope), shape


def prelu(shape: Shape, *, slope: float = 0.25) -> Made:
    """Do as leaky_relu, with a slope that is learnt, one for all channels."""
    return nn.PReLU(1, slope), shape


def gelu(shape: Shape, *, approximate: Literal["none", "tanh"] = "none") -> Made:
    """Return x Φ(x), Φ being the normal distribution function."""
    return nn.GELU(approximate), shape


def silu(shape: Shape) -> Made:
    """Return x × sigmoid(x)."""
    return nn.SiLU(), shape


def elu(shape: Shape, *, alpha: float = 1.0) -> Made:
    """Keep x where it is positive, `alpha` × (exp(x) − 1) elsewhere."""
    return nn.ELU(alpha), shape


def selu(shape: Shape) -> Made:
    """Do as elu, scaled so that mean 0 and spread 1 are kept."""
    return nn.SELU(), shape


def tanh(shape: Shape) -> Made:
    """Return the hyperbolic tangent, between −1 and 1."""
    return nn.Tanh(), shape


def sigmoid(shape: Shape) -> Made:
    """Return 1 / (1 + exp(−x)), between 0 and 1."""
    return nn.Sigmoid(), shape


def softmax(shape: Shape) -> Made:
    """Make the channels positive, with sum 1."""
    return nn.Softmax(dim=1), shape


def softplus(shape: Shape, *, beta: float = 1.0) -> Made:
    """Keep a smooth positive part: log(1 + exp(`beta` × x)) / `beta`."""
    return nn.Softplus(beta), shape


def max_pool(
    shape: Shape,
    *,
    kernel: int | Pair = 2,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
) -> Made:
    """Take the largest number of each window of `kernel` pixels."""
    behind = _pooled(shape, kernel, stride, padding)
    return nn.MaxPool2d(kernel, stride, padding), behind


def avg_pool(
    shape: Shape,
    *,
    kernel: int | Pair = 2,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
) -> Made:
    """Take the mean of each window of `kernel` pixels."""
    behind = _pooled(shape, kernel, stride, padding)
    return nn.AvgPool2d(kernel, stride, padding), behind


def global_avg_pool(shape: Shape) -> Made:
    """Take the mean of each channel."""
    n_channels, *_ = _image(shape)
    return GlobalAvgPool(), (n_channels,)


def global_max_pool(shape: Shape) -> Made:
    """Take the largest number of each channel."""
    n_channels, *_ = _image(shape)
    return GlobalMaxPool(), (n_channels,)


def adaptive_avg_pool(shape: Shape, *, size: int | Pair) -> Made:
    """Take means over as many windows as `size` says, whatever the size before."""
    n_channels, *_ = _image(shape)
    _from(1, size=size)
    return nn.AdaptiveAvgPool2d(size), (n_channels, *_pair(size))


def adaptive_max_pool(shape: Shape, *, size: int | Pair) -> Made:
    """Take maxima over as many windows as `size` says, whatever the size before."""
    n_channels, *_ = _image(shape)
    _from(1, size=size)
    return nn.AdaptiveMaxPool2d(size), (n_channels, *_pair(size))


def up(shape: Shape, *, factor: int = 2, mode: Literal["nearest", "bilinear"] = "nearest") -> Made:
    """Enlarge images by `factor`."""
    n_channels, height, width = _image(shape)
    _from(1, factor=factor)
    corners = None if mode == "nearest" else False
    module = nn.Upsample(scale_factor=factor, mode=mode, align_corners=corners)
    return module, (n_channels, height * factor, width * factor)


def dropout(shape: Shape, *, p: float = 0.5) -> Made:
    """Set, in training, each number to 0 with probability `p`; scale the others by 1 / (1 − p)."""
    return Dropout(_probability(p)), shape


def dropout2d(shape: Shape, *, p: float = 0.5) -> Made:
    """Set, in training, each channel to 0 with probability `p`; scale the others by 1 / (1 − p)."""
    _image(shape)
    return Dropout2d(_probability(p)), shape


def flatten(shape: Shape) -> Made:
    """Put all numbers of a sample in one row."""
    return nn.Flatten(), (math.prod(shape),)


def squeeze_excite(shape: Shape, *, reduction: int = 4) -> Made:
    """Weight channels by what all channels show on the whole image."""
    n_channels, *_ = _image(shape)
    _from(1, reduction=reduction)
    return SqueezeExcite(n_channels, max(1, n_channels // reduction)), shape


def residual(
    shape: Shape,
    *,
    layers: list[Any],
    shortcut: Literal["auto", "identity", "projection"] = "auto",
    place: str,
) -> Made:
    """Add the result of `layers` to their input.

    Where the shapes differ, the input goes through a projection: a convolution of 1 × 1 pixels with
    the stride that fits (and batch_norm, if the layers have it), or a linear layer.
    """
    inner = _inner(layers, shape, place)
    behind = inner.shapes[-1]
    if shortcut == "identity" and behind != shape:
        raise ShapeError(
            f"expected layers that keep the shape {_shown(shape)}, got {_shown(behind)} behind "
            'them: shortcut = "projection"'
        )
    if shortcut == "identity" or (shortcut == "auto" and behind == shape):
        return Residual(inner, nn.Identity()), behind
    normalised = any(isinstance(module, nn.BatchNorm2d) for module in inner.modules())
    return Residual(inner, _projection(shape, behind, normalised)), behind


def skip(shape: Shape, *, layers: list[Any], place: str) -> Made:
    """Put the result of `layers` behind their input, as further channels."""
    inner = _inner(layers, shape, place)
    behind = inner.shapes[-1]
    if behind[1:] != shape[1:] or len(behind) != len(shape):
        raise ShapeError(
            f"expected layers that keep height and width of {_shown(shape)}, got {_shown(behind)} "
            "behind them: is the size divisible by the pooling?"
        )
    return Skip(inner), (shape[0] + behind[0], *shape[1:])


def _inner(layers: list[Any], shape: Shape, place: str) -> Layers:
    where = f"{place} layers".strip()
    choices = [Choice.of(layer, f"{where}[{k}]") for k, layer in enumerate(layers)]
    return stacked(choices, shape, place=where)


def _projection(shape: Shape, behind: Shape, normalised: bool) -> nn.Module:
    if len(shape) == len(behind) == 1:
        return nn.Linear(shape[0], behind[0])
    if len(shape) != len(behind):
        raise ShapeError(f"expected layers that give an image, got {_shown(behind)} behind them")
    stride = (-(-shape[1] // behind[1]), -(-shape[2] // behind[2]))
    if (-(-shape[1] // stride[0]), -(-shape[2] // stride[1])) != behind[1:]:
        raise ShapeError(
            f"expected layers that divide height and width of {_shown(shape)}, got "
            f"{_shown(behind)} behind them"
        )
    path = nn.Sequential()
    path.add_module("conv", nn.Conv2d(shape[0], behind[0], 1, stride, bias=not normalised))
    if normalised:
        path.add_module("batch_norm", nn.BatchNorm2d(behind[0]))
    return path


def _image(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"expected (channels, height, width), got {_shown(shape)}")
    return shape


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _padding(padding: int | Pair | str, kernel: int | Pair, dilation: int | Pair) -> Pair:
    if isinstance(padding, str):
        if any(k % 2 == 0 for k in _pair(kernel)):
            raise InputError(
                f'expected an odd kernel for padding "same", got {kernel}: give padding as a number'
            )
        down, right = (
            d * (k - 1) // 2 for k, d in zip(_pair(kernel), _pair(dilation), strict=True)
        )
        return down, right
    _from(0, padding=padding)
    return _pair(padding)


def _windows(
    shape: Shape,
    kernel: int | Pair,
    stride: int | Pair,
    padding: int | Pair,
    dilation: int | Pair = 1,
) -> tuple[int, ...]:
    """Return how many windows there are below and beside each other."""
    numbers = zip(
        shape[1:], _pair(kernel), _pair(stride), _pair(padding), _pair(dilation), strict=True
    )
    found = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in numbers)
    if min(found) < 1:
        raise ShapeError(
            f"expected an image that a kernel of {kernel} pixels fits into, got {_shown(shape)}"
        )
    return found


def _pooled(
    shape: Shape, kernel: int | Pair, stride: int | Pair | None, padding: int | Pair
) -> Shape:
    n_channels, *_ = _image(shape)
    step = kernel if stride is None else stride
    _from(1, kernel=kernel, stride=step)
    _from(0, padding=padding)
    if any(2 * p > k for p, k in zip(_pair(padding), _pair(kernel), strict=True)):
        raise InputError(f"expected padding of at most half the kernel {kernel}, got {padding}")
    return (n_channels, *_windows(shape, kernel, step, padding))


def _from(low: int, **values: int | Pair) -> None:
    for name, value in values.items():
        if min(_pair(value)) < low:
            raise InputError(f"expected {name} from {low}, got {value}")


def _probability(p: float) -> float:
    if not 0 <= p < 1:
        raise InputError(f"expected a probability from 0 and below 1, got {p}")
    return p


def _shown(shape: Shape) -> str:
    return f"({shape[0]},)" if len(shape) == 1 else str(tuple(shape))


LAYERS: dict[str, Callable[..., Made]] = {
    function.__name__: function
    for function in (
        conv,
        depthwise,
        separable,
        transposed_conv,
        linear,
        batch_norm,
        layer_norm,
        group_norm,
        instance_norm,
        relu,
        relu6,
        leaky_relu,
        prelu,
        gelu,
        silu,
        elu,
        selu,
        tanh,
        sigmoid,
        softmax,
        softplus,
        max_pool,
        avg_pool,
        global_avg_pool,
        global_max_pool,
        adaptive_avg_pool,
        adaptive_max_pool,
        up,
        dropout,
        dropout2d,
        flatten,
        squeeze_excite,
        residual,
        skip,
    )
}
