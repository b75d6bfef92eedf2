"""Rewrites of a network that make it faster and change no number.

Each is proved on a batch before it is taken: the network as it was and the rewritten one are run
forward and backward, in training and in evaluation; their outputs, gradients and buffers are
compared. Names and order of parameters stay, so that a checkpoint of one fits the other.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from snellen.errors import first_few
from snellen.training.keras.in_training import has_keras
from snellen.training.network.blocks import Residual, Skip, SqueezeExcite
from snellen.training.network.probe import first_tensor
from snellen.training.randomness import generator, unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

__all__ = ["Rewrite", "rewrite"]

_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool2d)
# Layers whose result no gradient of theirs needs, so that what follows may overwrite it.
_OVERWRITABLE = (
    _BatchNorm,
    _ConvNd,
    nn.AvgPool2d,
    nn.GroupNorm,
    nn.InstanceNorm2d,
    nn.LayerNorm,
    nn.Linear,
    Residual,
    Skip,
    SqueezeExcite,
    *_MAX_POOLS,
)
# How far apart sums in another order may be in float64, in parts of the largest number.
_ROUNDING = 1e-9
_NOISE = 1e-3  # on the images of that comparison, in parts of their spread


class Rewrite(NamedTuple):
    """A rewrite that was taken, or refused.

    Attributes
    ----------
    name : str
        What was done: ``"pool before relu"``, ``"relu in place"``, ``"channels last"``.
    where : tuple of str
        The layers.
    taken : bool
        Whether the network has it.
    proof : str
        What was compared, and how well it agreed.
    """

    name: str
    where: tuple[str, ...]
    taken: bool
    proof: str

    def __str__(self) -> str:
        verb = "" if self.taken else "not "
        return f"{self.name} ({first_few(self.where)}): {verb}taken, {self.proof}"


def rewrite(
    network: nn.Module, inputs: Tensor, *, channels_last: bool = False
) -> tuple[nn.Module, list[Rewrite]]:
    """Return the network in its fastest equal form, and what was rewritten.

    Parameters
    ----------
    network : nn.Module
        Its structure stays as it is. The rewritten network has the same parameters and buffers: to
        train one is to train the other.
    inputs : Tensor, shape (N, C, H, W) or (N, F)
        A batch as the network gets it in training, normalised, where the network is.
    channels_last : bool
        Whether images are laid out pixel by pixel, which is equal to rounding only. The caller must
        lay out its inputs so as well. A network without convolutions stays as it is.

    Returns
    -------
    network : nn.Module
        The rewritten network.
    rewrites : list of Rewrite
        Also those that were refused: where the batch showed a difference. For a Keras model all
        are.

    Notes
    -----
    ReLU keeps the order of numbers, so that the largest of a window may be chosen before it. Where
    that is positive, both orders choose the same pixel; where it is not, no gradient passes in
    either. So pooling first is the same function, to the last bit, on a quarter of the numbers.

    A hook that keeps the output of a layer sees it overwritten by a ReLU in place. To look at
    activations, use the network that is not rewritten.
    """
    if has_keras(network):
        reason = "a Keras model calls its layers in its own way, and cannot be copied to be proved"
        return network, [Rewrite("all rewrites", ("the whole network",), False, reason)]
    current = _twin(network)
    found: list[Rewrite] = []
    if channels_last and any(each.dim() == 4 for each in network.parameters()):
        taken, proof = _equal_to_rounding(current, inputs)
        found.append(Rewrite("channels last", ("all layers",), taken, proof))
        if taken:
            current = _by_pixel(current)
            inputs = inputs.contiguous(memory_format=torch.channels_last)
    for name, sites, change in (
        ("pool before relu", _pools_behind_relu, _pool_first),
        ("relu in place", _relus_to_overwrite, _in_place),
    ):
        current = _proved(name, current, inputs, sites(current), change, found)
    return current, found


def _proved(
    name: str,
    network: nn.Module,
    inputs: Tensor,
    sites: Sequence[str],
    change: Callable[[nn.Module, str], None],
    found: list[Rewrite],
) -> nn.Module:
    """Return the network with a change at all sites where it changes no number."""
    # All at once, and one by one only if that shows a difference.
    todo = [tuple(sites)] if sites else []
    while todo:
        together = todo.pop(0)
        candidate = _twin(network)
        for site in together:
            change(candidate, site)
        try:
            difference = _difference(network, candidate, inputs, inputs)
            proof = (
                f"bit-equal on {len(inputs)} samples: outputs, gradients, buffers"
                if difference == 0
                else f"differs by {difference:.1e} of the largest number"
            )
        except RuntimeError as error:  # autograd: needed for a gradient, and overwritten
            difference, proof = math.inf, f"fails: {str(error).splitlines()[0]}"
        if difference == 0:
            network = candidate
        elif len(together) > 1:
            todo = [(site,) for site in together]
            continue
        found.append(Rewrite(name, together, difference == 0, proof))
    return network


def _twin(network: nn.Module) -> nn.Module:
    """Return a copy of the structure with the same parameters and buffers."""
    kept = {id(each): each for each in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, kept)


def _equal_to_rounding(network: nn.Module, inputs: Tensor) -> tuple[bool, str]:
    """Tell whether a network computes the same pixel by pixel, and how well that agrees."""
    # In float64: what is left there is rounding, while in float32 a rounding may turn a ReLU on or
    # off, or choose another pixel, and so change gradients by more than itself. Where pixels are
    # equal, as in a background, it is rounding alone that says which is the largest of its window:
    # a little noise tells them apart.
    noise = torch.randn(inputs.shape, generator=generator(0, "proof"), dtype=torch.float64)
    noisy = inputs.double() + noise.to(inputs.device) * _NOISE * inputs.double().std()
    try:
        wide = copy.deepcopy(network).double()
        by_pixel = _by_pixel(copy.deepcopy(wide))
        laid_out = noisy.contiguous(memory_format=torch.channels_last)
        difference = _difference(wide, by_pixel, noisy, laid_out)
    except (RuntimeError, TypeError) as error:
        return False, f"fails: {str(error).splitlines()[0]}"
    verb = "equal to rounding" if difference <= _ROUNDING else "differs"
    return difference <= _ROUNDING, f"{verb}: by {difference:.1e} of the largest number in float64"


def _by_pixel(network: nn.Module) -> nn.Module:
    changed: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return changed


def _difference(first: nn.Module, second: nn.Module, inputs: Tensor, laid_out: Tensor) -> float:
    """Return the largest relative difference of all that two networks compute; 0: equal bits."""
    return max(
        _relative(one, other)
        for training in (True, False)
        for one, other in zip(
            _computed(first, inputs, training=training),
            _computed(second, laid_out, training=training),
            strict=True,
        )
    )


def _relative(ones: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    """Return the largest difference of some tensors, in parts of their largest number."""
    gap = largest = 0.0
    for one, other in zip(ones, others, strict=True):
        if one.shape != other.shape:
            return math.inf
        same = (one == other) | (one.isnan() & other.isnan())
        if not bool(same.all()):
            apart = (one.double() - other.double()).abs().masked_fill(same, 0)
            gap = max(gap, float(apart.nan_to_num(math.inf).max()))
        if one.numel():
            largest = max(largest, float(one.double().abs().nan_to_num(0).max()))
    return gap / largest if gap and largest else gap


def _computed(network: nn.Module, inputs: Tensor, *, training: bool) -> list[list[Tensor]]:
    """Return outputs, gradients (of inputs and parameters) and buffers of a copy of a network."""
    network = copy.deepcopy(network).train(training)
    network.zero_grad(set_to_none=True)
    given = inputs.detach().clone(memory_format=torch.preserve_format)
    given.requires_grad_(given.is_floating_point())
    with unchanged_randomness(), _repeatable(), torch.enable_grad():
        torch.manual_seed(0)  # dropout draws the same masks in both networks
        output = first_tensor(network(given))
        assert output is not None
        # Any weights do, as long as none is zero: every output's gradient is seen.
        weights = torch.rand(output.shape, generator=generator(0, "proof")).to(output) + 0.5
        torch.autograd.backward([output], [weights])
    gradients = [
        torch.zeros_like(each) if each.grad is None else each.grad
        for each in (given, *network.parameters())
        if each.is_floating_point()
    ]
    return [[output.detach()], gradients, [each.detach() for each in network.buffers()]]


@contextlib.contextmanager
def _repeatable() -> Iterator[None]:
    """Let cuDNN choose algorithms that give the same bits each time."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


def _pools_behind_relu(network: nn.Module) -> list[str]:
    """Return the paths of max pools directly behind a ReLU, in layers that are called in turn."""
    return [
        f"{prefix}{name}"
        for prefix, sequence in _sequences(network)
        for (_, before), (name, module) in _neighbours(sequence)
        if isinstance(module, _MAX_POOLS) and not module.return_indices and _is_relu(before)
    ]


def _pool_first(network: nn.Module, path: str) -> None:
    """Let a pool and the ReLU before it change places; both keep their names."""
    parent, _, name = path.rpartition(".")
    children = network.get_submodule(parent)._modules
    order = list(children.items())
    k = [each for each, _ in order].index(name)
    order[k - 1], order[k] = order[k], order[k - 1]
    children.clear()
    children.update(order)


def _relus_to_overwrite(network: nn.Module) -> list[str]:
    """Return the paths of ReLUs whose input nothing else needs."""
    return [
        f"{prefix}{name}"
        for prefix, sequence in _sequences(network)
        for (_, before), (name, module) in _neighbours(sequence)
        if _is_relu(module) and isinstance(before, _OVERWRITABLE)
    ]


def _in_place(network: nn.Module, path: str) -> None:
    relu = network.get_submodule(path)
    assert isinstance(relu, nn.ReLU)
    relu.inplace = True


def _is_relu(module: nn.Module) -> bool:
    return type(module) is nn.ReLU and not module.inplace


def _sequences(network: nn.Module) -> list[tuple[str, nn.Sequential]]:
    """Return the sequences of a network that call their layers one after the other."""
    return [
        (f"{path}." if path else "", module)
        for path, module in network.named_modules()
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward
    ]


def _neighbours(
    sequence: nn.Sequential,
) -> list[tuple[tuple[str, nn.Module], tuple[str, nn.Module]]]:
    children = list(sequence._modules.items())
    return [
        ((one, first), (other, second))
        for (one, first), (other, second) in itertools.pairwise(children)
        if first is not None and second is not None
    ]
