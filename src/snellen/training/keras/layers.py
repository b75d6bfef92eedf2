"""Each torch layer that a description can choose, as Keras layers with the same weights."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from snellen.errors import InputError
from snellen.training.network.blocks import (
    GlobalAvgPool,
    GlobalMaxPool,
    Residual,
    Skip,
    SqueezeExcite,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["KerasLayers"]


@dataclasses.dataclass(frozen=True)
class KerasLayers:
    """Makes Keras layers, and puts them behind symbolic tensors.

    Attributes
    ----------
    keras : module
        The package.
    channels_last : bool
        Whether images are (N, H, W, C).
    """

    keras: Any
    channels_last: bool

    def behind(self, module: nn.Module, x: Any, path: str) -> Any:
        """Return what a torch module makes of a symbolic tensor.

        Parameters
        ----------
        module : nn.Module
            The module.
        x : KerasTensor
            What comes in.
        path : str
            The module's place, of which the names of the layers are made.

        Raises
        ------
        InputError
            For a module that has no counterpart.
        """
        for kind, make in _MAKERS.items():
            if isinstance(module, kind):
                return make(self, module, x, path)
        for kind, name in _ACTIVATIONS.items():
            if isinstance(module, kind):
                return self.keras.layers.Activation(name, name=path)(x)
        raise InputError(
            f"expected layers that Keras has, too, got {type(module).__name__}: such a network "
            "cannot be exported",
            path,
        )

    @property
    def layout(self) -> str:
        """The order of the axes of an image, as Keras calls it."""
        return "channels_last" if self.channels_last else "channels_first"

    @property
    def channel_axis(self) -> int:
        """The axis of the channels of an image."""
        return -1 if self.channels_last else 1

    def pixels(self, x: Any) -> tuple[int, int]:
        """Return height and width of images."""
        return tuple(x.shape[1:3] if self.channels_last else x.shape[2:4])

    def padded(self, x: Any, padding: tuple[int, int], path: str) -> Any:
        """Return images with zeros around."""
        if padding == (0, 0):
            return x
        around = self.keras.layers.ZeroPadding2D(
            padding, data_format=self.layout, name=f"{path}_padding"
        )
        return around(x)

    def weighted(self, layer: Any, x: Any, *weights: Tensor | NDArray[Any] | None) -> Any:
        """Return what a layer makes of x, and give it weights; None are left out."""
        y = layer(x)
        layer.set_weights([_array(each) for each in weights if each is not None])
        return y


def _array(values: Tensor | NDArray[Any]) -> NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _refuse(module: nn.Module, what: str, path: str) -> InputError:
    return InputError(f"expected {type(module).__name__} as Keras has it, too, got {what}", path)


def _sequence(make: KerasLayers, module: nn.Sequential, x: Any, path: str) -> Any:
    for name, child in module.named_children():
        x = make.behind(child, x, f"{path}_{name}" if path else name)
    return x


def _conv(make: KerasLayers, module: nn.Conv2d, x: Any, path: str) -> Any:
    kernel, stride, dilation = (
        _pair(each) for each in (module.kernel_size, module.stride, module.dilation)
    )
    if module.padding_mode != "zeros":
        raise _refuse(module, f"padding_mode {module.padding_mode}", path)
    if isinstance(module.padding, str):
        # Both of torch's words mean in Keras what they mean in torch, with a stride of 1.
        padding = module.padding
    else:
        around = _pair(module.padding)
        full = tuple(d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
        # Keras' "same" is this only where it need not look at the size of the image.
        same = stride == (1, 1) and full == (2 * around[0], 2 * around[1])
        padding = "same" if same else "valid"
        x = x if same else make.padded(x, around, path)
    layer = make.keras.layers.Conv2D(
        module.out_channels,
        kernel,
        strides=stride,
        padding=padding,
        data_format=make.layout,
        dilation_rate=dilation,
        groups=module.groups,
        use_bias=module.bias is not None,
        name=path,
    )
    return make.weighted(layer, x, module.weight.permute(2, 3, 1, 0), module.bias)


def _transposed_conv(make: KerasLayers, module: nn.ConvTranspose2d, x: Any, path: str) -> Any:
    if module.groups != 1 or _pair(module.dilation) != (1, 1):
        raise _refuse(module, f"groups {module.groups}, dilation {module.dilation}", path)
    padding, more = _pair(module.padding), _pair(module.output_padding)
    kernel, stride = _pair(module.kernel_size), _pair(module.stride)
    # Keras' "valid" has at least a stride's pixels of each input; torch has the kernel's.
    least = tuple(max(s - k, 0) for s, k in zip(stride, kernel, strict=True))
    layer = make.keras.layers.Conv2DTranspose(
        module.out_channels,
        kernel,
        strides=stride,
        padding="valid",
        data_format=make.layout,
        use_bias=module.bias is not None,
        name=path,
    )
    y = make.weighted(layer, x, module.weight.permute(2, 3, 1, 0), module.bias)
    crop = [(p, p - o + e) for p, o, e in zip(padding, more, least, strict=True)]
    if min(behind for _, behind in crop) < 0:
        raise _refuse(module, f"output_padding {more} above padding {padding}", path)
    if crop == [(0, 0), (0, 0)]:
        return y
    cut = make.keras.layers.Cropping2D(crop, data_format=make.layout, name=f"{path}_cropping")
    return cut(y)


def _linear(make: KerasLayers, module: nn.Linear, x: Any, path: str) -> Any:
    layer = make.keras.layers.Dense(
        module.out_features, use_bias=module.bias is not None, name=path
    )
    return make.weighted(layer, x, module.weight.T, module.bias)


def _batch_norm(make: KerasLayers, module: _BatchNorm, x: Any, path: str) -> Any:
    if module.momentum is None or module.running_mean is None:
        raise _refuse(module, "one without a running mean of a fixed momentum", path)
    layer = make.keras.layers.BatchNormalization(
        axis=make.channel_axis if len(x.shape) == 4 else -1,
        momentum=1 - module.momentum,
        epsilon=module.eps,
        center=module.affine,
        scale=module.affine,
        name=path,
    )
    return make.weighted(
        layer, x, module.weight, module.bias, module.running_mean, module.running_var
    )


def _layer_norm(make: KerasLayers, module: nn.LayerNorm, x: Any, path: str) -> Any:
    if len(module.normalized_shape) != len(x.shape) - 1:
        raise _refuse(module, f"one over {module.normalized_shape} of {tuple(x.shape[1:])}", path)
    weights: list[Tensor | None] = [module.weight, module.bias] if module.elementwise_affine else []
    if len(x.shape) == 4 and make.channels_last:
        weights = [each if each is None else each.permute(1, 2, 0) for each in weights]
    layer = make.keras.layers.LayerNormalization(
        axis=list(range(1, len(x.shape))),
        epsilon=module.eps,
        center=module.elementwise_affine and module.bias is not None,
        scale=module.elementwise_affine,
        name=path,
    )
    return make.weighted(layer, x, *weights)


def _group_norm(
    make: KerasLayers, module: nn.GroupNorm | nn.InstanceNorm2d, x: Any, path: str
) -> Any:
    if isinstance(module, nn.GroupNorm):
        groups = module.num_groups
    elif module.track_running_stats:
        raise _refuse(module, "one with running statistics", path)
    else:
        groups = module.num_features
    layer = make.keras.layers.GroupNormalization(
        groups=groups,
        axis=make.channel_axis if len(x.shape) == 4 else -1,
        epsilon=module.eps,
        center=module.affine,
        scale=module.affine,
        name=path,
    )
    return make.weighted(layer, x, module.weight, module.bias)


def _leaky_relu(make: KerasLayers, module: nn.LeakyReLU, x: Any, path: str) -> Any:
    return make.keras.layers.LeakyReLU(negative_slope=module.negative_slope, name=path)(x)


def _relu6(make: KerasLayers, module: nn.ReLU6, x: Any, path: str) -> Any:
    del module
    return make.keras.layers.ReLU(max_value=6.0, name=path)(x)


def _prelu(make: KerasLayers, module: nn.PReLU, x: Any, path: str) -> Any:
    axes = list(range(1, len(x.shape)))
    channel = axes[make.channel_axis if make.channels_last else 0]
    each = module.num_parameters > 1
    shared = [axis for axis in axes if not (each and axis == channel)]
    shape = [module.num_parameters if each and axis == channel else 1 for axis in axes]
    layer = make.keras.layers.PReLU(shared_axes=shared, name=path)
    return make.weighted(layer, x, module.weight.reshape(shape))


def _gelu(make: KerasLayers, module: nn.GELU, x: Any, path: str) -> Any:
    if module.approximate != "none":
        return make.keras.ops.gelu(x, approximate=True)
    return make.keras.layers.Activation("gelu", name=path)(x)


def _elu(make: KerasLayers, module: nn.ELU, x: Any, path: str) -> Any:
    return make.keras.layers.ELU(alpha=module.alpha, name=path)(x)


def _softmax(make: KerasLayers, module: nn.Softmax, x: Any, path: str) -> Any:
    if module.dim != 1 and not (module.dim == -1 and len(x.shape) == 2):
        raise _refuse(module, f"dim {module.dim}", path)
    axis = make.channel_axis if len(x.shape) == 4 else -1
    return make.keras.layers.Softmax(axis=axis, name=path)(x)


def _softplus(make: KerasLayers, module: nn.Softplus, x: Any, path: str) -> Any:
    layers, beta = make.keras.layers, module.beta
    if beta == 1:
        return layers.Activation("softplus", name=path)(x)
    larger = layers.Rescaling(beta, name=f"{path}_times_beta")(x)
    soft = layers.Activation("softplus", name=path)(larger)
    return layers.Rescaling(1 / beta, name=f"{path}_by_beta")(soft)


def _pool(make: KerasLayers, module: nn.MaxPool2d | nn.AvgPool2d, x: Any, path: str) -> Any:
    largest = isinstance(module, nn.MaxPool2d)
    if module.ceil_mode:
        raise _refuse(module, "ceil_mode", path)
    if isinstance(module, nn.MaxPool2d) and (
        _pair(module.dilation) != (1, 1) or module.return_indices
    ):
        raise _refuse(module, f"dilation {module.dilation}", path)
    if isinstance(module, nn.AvgPool2d) and (
        module.divisor_override is not None
        or (not module.count_include_pad and _pair(module.padding) != (0, 0))
    ):
        raise _refuse(module, "one with a divisor of its own", path)
    down, right = _pair(module.padding)
    if largest and (down or right):
        # Zeros would win against negative numbers.
        pixels = ((down, down), (right, right))
        rest = ((0, 0),)
        width = (*rest, *pixels, *rest) if make.channels_last else (*rest, *rest, *pixels)
        x = make.keras.ops.pad(x, width, constant_values=float(np.finfo(np.float32).min))
    else:
        x = make.padded(x, (down, right), path)
    kind = make.keras.layers.MaxPooling2D if largest else make.keras.layers.AveragePooling2D
    layer = kind(
        _pair(module.kernel_size),
        strides=_pair(module.stride),
        padding="valid",
        data_format=make.layout,
        name=path,
    )
    return layer(x)


def _adaptive_pool(
    make: KerasLayers, module: nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d, x: Any, path: str
) -> Any:
    before = make.pixels(x)
    size = _pair(module.output_size)
    if any(each is None or n % each for n, each in zip(before, size, strict=True)):
        raise _refuse(module, f"{before} pixels made {size}, which does not divide them", path)
    kernel = (before[0] // size[0], before[1] // size[1])
    layers = make.keras.layers
    largest = isinstance(module, nn.AdaptiveMaxPool2d)
    kind = layers.MaxPooling2D if largest else layers.AveragePooling2D
    return kind(kernel, strides=kernel, data_format=make.layout, name=path)(x)


def _global_avg_pool(make: KerasLayers, module: nn.Module, x: Any, path: str) -> Any:
    del module
    return make.keras.layers.GlobalAveragePooling2D(data_format=make.layout, name=path)(x)


def _global_max_pool(make: KerasLayers, module: nn.Module, x: Any, path: str) -> Any:
    del module
    return make.keras.layers.GlobalMaxPooling2D(data_format=make.layout, name=path)(x)


def _upsample(make: KerasLayers, module: nn.Upsample, x: Any, path: str) -> Any:
    factor = module.scale_factor
    whole = isinstance(factor, (int, float)) and factor == int(factor)
    if not whole or module.mode not in ("nearest", "bilinear") or module.align_corners:
        raise _refuse(module, f"factor {factor}, mode {module.mode}", path)
    assert isinstance(factor, (int, float))
    layer = make.keras.layers.UpSampling2D(
        int(factor), data_format=make.layout, interpolation=module.mode, name=path
    )
    return layer(x)


def _dropout(make: KerasLayers, module: nn.Dropout, x: Any, path: str) -> Any:
    return make.keras.layers.Dropout(module.p, name=path)(x)


def _dropout2d(make: KerasLayers, module: nn.Dropout2d, x: Any, path: str) -> Any:
    return make.keras.layers.SpatialDropout2D(module.p, data_format=make.layout, name=path)(x)


def _flatten(make: KerasLayers, module: nn.Flatten, x: Any, path: str) -> Any:
    if module.start_dim != 1 or module.end_dim != -1:
        raise _refuse(module, f"start_dim {module.start_dim}, end_dim {module.end_dim}", path)
    layers = make.keras.layers
    if len(x.shape) == 4 and make.channels_last:
        # Channel by channel, as torch does, so that the layers behind have the same weights.
        x = layers.Permute((3, 1, 2), name=f"{path}_channels_first")(x)
    return layers.Flatten(data_format="channels_last", name=path)(x)


def _identity(make: KerasLayers, module: nn.Module, x: Any, path: str) -> Any:
    del make, module, path
    return x


def _residual(make: KerasLayers, module: Residual, x: Any, path: str) -> Any:
    shortcut = make.behind(module.shortcut, x, f"{path}_shortcut")
    inner = make.behind(module.layers, x, f"{path}_layers")
    return make.keras.layers.Add(name=path)([shortcut, inner])


def _skip(make: KerasLayers, module: Skip, x: Any, path: str) -> Any:
    inner = make.behind(module.layers, x, f"{path}_layers")
    axis = make.channel_axis if len(x.shape) == 4 else -1
    return make.keras.layers.Concatenate(axis=axis, name=path)([x, inner])


def _squeeze_excite(make: KerasLayers, module: SqueezeExcite, x: Any, path: str) -> Any:
    layers = make.keras.layers
    mean = layers.GlobalAveragePooling2D(data_format=make.layout, name=f"{path}_mean")(x)
    inner = _linear(make, module.reduce, mean, f"{path}_reduce")
    inner = layers.Activation("relu", name=f"{path}_relu")(inner)
    outer = _linear(make, module.expand, inner, f"{path}_expand")
    outer = layers.Activation("sigmoid", name=f"{path}_sigmoid")(outer)
    n = module.expand.out_features
    shape = (1, 1, n) if make.channels_last else (n, 1, 1)
    weight = layers.Reshape(shape, name=f"{path}_weight")(outer)
    return layers.Multiply(name=path)([x, weight])


_MAKERS: dict[type[nn.Module], Callable[..., Any]] = {
    nn.Sequential: _sequence,
    nn.Conv2d: _conv,
    nn.ConvTranspose2d: _transposed_conv,
    nn.Linear: _linear,
    nn.InstanceNorm2d: _group_norm,
    _BatchNorm: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
    nn.ReLU6: _relu6,
    nn.LeakyReLU: _leaky_relu,
    nn.PReLU: _prelu,
    nn.GELU: _gelu,
    nn.ELU: _elu,
    nn.Softmax: _softmax,
    nn.Softplus: _softplus,
    nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    nn.AdaptiveAvgPool2d: _adaptive_pool,
    nn.AdaptiveMaxPool2d: _adaptive_pool,
    GlobalAvgPool: _global_avg_pool,
    GlobalMaxPool: _global_max_pool,
    nn.Upsample: _upsample,
    nn.Dropout: _dropout,
    nn.Dropout2d: _dropout2d,
    nn.Flatten: _flatten,
    nn.Identity: _identity,
    Residual: _residual,
    Skip: _skip,
    SqueezeExcite: _squeeze_excite,
}
_ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.SiLU: "silu",
    nn.SELU: "selu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
}
