"""Whatever is tried with a network, it is afterwards as it was, bit for bit."""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuse_unshaped", "unchanged"]


def refuse_unshaped(network: nn.Module) -> None:
    """Raise for a network whose layers get their shapes from the first batch.

    Raises
    ------
    InputError
        It cannot be put back: before that batch there is nothing to keep.
    """
    for name, parameter in (*network.named_parameters(), *network.named_buffers()):
        if nn.parameter.is_lazy(parameter):
            raise InputError(
                "expected a network whose shapes are known, got one that is still lazy: "
                "run one batch through it first",
                name,
            )


class _KeptTensor:
    """A tensor, its values, and whether it has a gradient."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.values = tensor.detach().clone()
        self.wants_gradient = tensor.requires_grad
        self.gradient = tensor.grad if tensor.is_leaf else None
        self.gradient_values = None if self.gradient is None else self.gradient.detach().clone()

    def put_back(self) -> Tensor:
        with torch.no_grad():
            self.tensor.copy_(self.values)
            if self.gradient is not None and self.gradient_values is not None:
                self.gradient.copy_(self.gradient_values)
        if self.tensor.is_leaf:
            self.tensor.requires_grad_(self.wants_gradient)
            self.tensor.grad = self.gradient
        return self.tensor


def _kept(value: Any) -> Any:
    return _KeptTensor(value) if isinstance(value, Tensor) else copy.deepcopy(value)


def _put_back(kept: Any) -> Any:
    return kept.put_back() if isinstance(kept, _KeptTensor) else kept


class _KeptModule:
    """A module's own parameters, buffers and mode: the very objects, and their values."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.training = module.training
        self.parameters = {name: _kept(value) for name, value in module._parameters.items()}
        self.buffers = {name: _kept(value) for name, value in module._buffers.items()}

    def put_back(self) -> None:
        self.module.training = self.training
        for own, kept in (
            (self.module._parameters, self.parameters),
            (self.module._buffers, self.buffers),
        ):
            own.clear()
            own.update((name, _put_back(value)) for name, value in kept.items())


class _KeptOptimizer:
    """An optimizer's state and settings."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.state = {
            parameter: {name: _kept(value) for name, value in state.items()}
            for parameter, state in optimizer.state.items()
        }
        self.groups = [
            (group, {name: _kept(value) for name, value in group.items() if name != "params"})
            for group in optimizer.param_groups
        ]

    def put_back(self) -> None:
        self.optimizer.state.clear()
        for parameter, state in self.state.items():
            self.optimizer.state[parameter] = {
                name: _put_back(value) for name, value in state.items()
            }
        self.optimizer.param_groups[:] = [group for group, _ in self.groups]
        for group, settings in self.groups:
            parameters = group["params"]
            group.clear()
            group["params"] = parameters
            group.update((name, _put_back(value)) for name, value in settings.items())


@contextlib.contextmanager
def unchanged(network: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> Iterator[None]:
    """Give back as it was, whatever happens inside: network, optimizer, all random numbers.

    Parameters, buffers, gradients, modes and the optimizer's state are the same objects with the
    same bits afterwards, and the random numbers of Python, NumPy and torch go on where they were.

    Parameters
    ----------
    network : nn.Module
        Also what only its buffers hold, such as the running means of batch normalisation.
    optimizer : torch.optim.Optimizer, optional
        With its state and its settings.

    Raises
    ------
    InputError
        For a network whose shapes are not known yet.
    """
    refuse_unshaped(network)
    modules = [_KeptModule(module) for module in network.modules()]
    kept = None if optimizer is None else _KeptOptimizer(optimizer)
    with unchanged_randomness():
        try:
            yield
        finally:
            for module in modules:
                module.put_back()
            if kept is not None:
                kept.put_back()
