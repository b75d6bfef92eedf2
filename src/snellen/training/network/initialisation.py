"""First weights, by name.

Each layer draws from a generator of its own, a function of the seed and of the layer's name. So a
layer that is added changes no other layer's weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import nn

from snellen.errors import InputError
from snellen.training.choices import Choice, made, picked
from snellen.training.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["INITIALISATIONS", "initialise"]

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus)
_SQUASHING = (nn.Tanh, nn.Sigmoid, nn.Softmax)


class _Layer(NamedTuple):
    """A layer that gets first weights."""

    weight: torch.Tensor
    fan_in: float
    fan_out: float
    generator: torch.Generator
    follower: nn.Module | None  # the activation behind it
    last: bool


def auto(layer: _Layer) -> None:
    """Draw as He, Glorot or LeCun, by the activation behind the layer.

    He where a kind of ReLU follows, or nothing that says otherwise; Glorot before tanh, sigmoid and
    softmax; LeCun before selu. The last layer has a tenth of LeCun's spread: the first outputs are
    small, and so the first loss of a classifier is near ln K.
    """
    if layer.last:
        _normal(layer, 0.01 / layer.fan_in)
    elif isinstance(layer.follower, _SQUASHING):
        glorot_normal(layer)
    elif isinstance(layer.follower, nn.SELU):
        lecun_normal(layer)
    else:
        he_normal(layer)


def he_normal(layer: _Layer, *, mode: Literal["fan_in", "fan_out"] = "fan_in") -> None:
    """Draw with variance 2 / fan, which keeps E[x²] through layers with ReLU (He et al. 2015)."""
    _normal(layer, 2 / getattr(layer, mode))


def he_uniform(layer: _Layer, *, mode: Literal["fan_in", "fan_out"] = "fan_in") -> None:
    """Draw uniformly, with variance 2 / fan."""
    _uniform(layer, 2 / getattr(layer, mode))


def glorot_normal(layer: _Layer, *, gain: float = 1.0) -> None:
    """Draw with variance `gain`² × 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    _positive(gain=gain)
    _normal(layer, gain**2 * 2 / (layer.fan_in + layer.fan_out))


def glorot_uniform(layer: _Layer, *, gain: float = 1.0) -> None:
    """Draw uniformly, with variance 2 / (fan_in + fan_out), times `gain`²: what Keras does."""
    _positive(gain=gain)
    _uniform(layer, gain**2 * 2 / (layer.fan_in + layer.fan_out))


def lecun_normal(layer: _Layer) -> None:
    """Draw from a normal distribution with variance 1 / fan_in (LeCun et al. 1998)."""
    _normal(layer, 1 / layer.fan_in)


def lecun_uniform(layer: _Layer) -> None:
    """Draw uniformly, with variance 1 / fan_in."""
    _uniform(layer, 1 / layer.fan_in)


def normal(layer: _Layer, *, std: float = 0.01) -> None:
    """Draw from a normal distribution with the spread `std`."""
    _positive(std=std)
    _normal(layer, std**2)


def uniform(layer: _Layer, *, bound: float = 0.05) -> None:
    """Draw uniformly, between −`bound` and `bound`."""
    _positive(bound=bound)
    _uniform(layer, bound**2 / 3)


def orthogonal(layer: _Layer, *, gain: float = 1.0) -> None:
    """Draw orthogonal rows or columns (Saxe et al. 2014), times `gain`; filters as rows."""
    _positive(gain=gain)
    nn.init.orthogonal_(layer.weight, gain, generator=layer.generator)


def zeros(layer: _Layer) -> None:
    """Set to zero: all units of a layer stay alike, and it cannot learn. To show that."""
    layer.weight.zero_()


def torch_default(layer: _Layer) -> None:
    """Draw as torch does: uniformly within 1 / √fan_in."""
    # What nn.Linear and convolutions do; fan_in is that of torch, also for transposed ones.
    _uniform(layer, 1 / (3 * layer.weight[0].numel()))


INITIALISATIONS: dict[str, Callable[..., None]] = {
    "auto": auto,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "normal": normal,
    "uniform": uniform,
    "orthogonal": orthogonal,
    "zeros": zeros,
    "torch": torch_default,
}


@torch.no_grad()
def initialise(network: nn.Module, choice: Choice, *, seed: int) -> None:
    """Give all linear and convolutional layers their first weights.

    Biases become zero, or, with ``"torch"``, uniform as the weights. Other layers, such as
    normalisations, keep what they begin with.

    Parameters
    ----------
    network : nn.Module
        What is changed.
    choice : Choice
        Of `INITIALISATIONS`.
    seed : int
        What the weights are a function of, with the names of the layers.

    Raises
    ------
    InputError
        For an initialisation or an option that there is not.
    """
    picked(choice, INITIALISATIONS, "an initialisation")
    named = list(network.named_modules())
    weighted = [k for k, (_, module) in enumerate(named) if isinstance(module, _WEIGHTED)]
    for k in weighted:
        path, module = named[k]
        assert isinstance(module.weight, torch.Tensor)
        # Always drawn on the CPU: the same weights on every device.
        drawn = torch.empty_like(module.weight, device="cpu")
        fan_in, fan_out = _fans(module)
        layer = _Layer(
            drawn,
            fan_in,
            fan_out,
            generator(seed, "initialisation", path),
            _follower(module for _, module in named[k + 1 :]),
            k == weighted[-1],
        )
        made(choice, INITIALISATIONS, "an initialisation", layer)
        module.weight.copy_(drawn)
        if isinstance(module.bias, torch.Tensor):
            module.bias.zero_()
            if choice.name == "torch":
                bound = 1 / math.sqrt(drawn[0].numel())
                drawn = torch.empty_like(module.bias, device="cpu")
                module.bias.copy_(drawn.uniform_(-bound, bound, generator=layer.generator))


def _fans(module: nn.Module) -> tuple[float, float]:
    """Return from how many numbers each result is summed, and into how many each number goes."""
    weight = module.weight
    assert isinstance(weight, torch.Tensor)
    window = weight[0, 0].numel()
    first, second = weight.shape[0], weight.shape[1]
    if isinstance(module, nn.ConvTranspose2d):
        # Windows overlap in the result: of each only one number in stride² comes from a filter.
        shared = math.prod(module.stride)
        return max(1.0, first / module.groups * window / shared), second * window
    groups = getattr(module, "groups", 1)
    return second * window, first / groups * window


def _follower(modules: Iterable[nn.Module]) -> nn.Module | None:
    """Return the activation behind a layer, if there is one before the next layer with weights."""
    for module in modules:
        if isinstance(module, (*_RECTIFIERS, *_SQUASHING, nn.SELU)):
            return module
        if isinstance(module, _WEIGHTED):
            return None
    return None


def _normal(layer: _Layer, variance: float) -> None:
    layer.weight.normal_(0, math.sqrt(variance), generator=layer.generator)


def _uniform(layer: _Layer, variance: float) -> None:
    bound = math.sqrt(3 * variance)
    layer.weight.uniform_(-bound, bound, generator=layer.generator)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise InputError(f"expected {name} above 0, got {value}")
