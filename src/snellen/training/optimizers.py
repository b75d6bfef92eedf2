"""Optimizers by name: torch's own, and Muon. Their options are those of a description.

Weight decay leaves biases and normalisations alone, unless ``decay_all`` is true. The schedule
takes parts of ``initial_lr``, which every group has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from snellen.errors import InputError
from snellen.training.choices import Choice, made
from snellen.training.muon import Muon
from snellen.training.number_ranges import within
from snellen.training.parameter_groups import hidden_matrices, parameter_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["OPTIMIZERS", "make_optimizer"]


def make_optimizer(
    choice: Choice, network: nn.Module, *, learning_rate: float, fused: bool = False
) -> torch.optim.Optimizer:
    """Return the optimizer that a description chose.

    Parameters
    ----------
    choice : Choice
        Its name and options.
    network : nn.Module
        Whose weights it updates; they have to be on their device already.
    learning_rate : float
        The highest; each group keeps its own as ``initial_lr``.
    fused : bool
        Whether updates are one kernel, where torch has one for the optimizer and the device.

    Raises
    ------
    InputError
        For a rate or an option out of its range, or a network without weights.
    """
    within("learning_rate", learning_rate, above=True)
    optimizer = made(
        choice,
        OPTIMIZERS,
        "an optimizer",
        network,
        learning_rate=float(learning_rate),
        fused=fused,
    )
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer


def sgd(
    network: nn.Module,
    *,
    learning_rate: float,
    fused: bool,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Gradient descent, with momentum and Nesterov's look ahead."""
    within("momentum", momentum, high=1.0)
    within("dampening", dampening, high=1.0)
    if nesterov and (momentum == 0 or dampening != 0):
        raise InputError("expected momentum above 0 and no dampening with nesterov = true")
    return torch.optim.SGD(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        momentum=momentum,
        dampening=dampening,
        nesterov=nesterov,
        fused=_fused(network, fused),
    )


def adam(
    network: nn.Module,
    *,
    learning_rate: float,
    fused: bool,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    amsgrad: bool = False,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Take steps of equal size for all weights, by the running mean square of their gradients."""
    _check_adam(betas, eps)
    return torch.optim.Adam(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        betas=betas,
        eps=eps,
        amsgrad=amsgrad,
        fused=_fused(network, fused),
    )


def adamw(
    network: nn.Module,
    *,
    learning_rate: float,
    fused: bool,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    amsgrad: bool = False,
    weight_decay: float = 0.01,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Adam whose weight decay is apart from the gradient."""
    _check_adam(betas, eps)
    return torch.optim.AdamW(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        betas=betas,
        eps=eps,
        amsgrad=amsgrad,
        fused=_fused(network, fused),
    )


def nadam(
    network: nn.Module,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    momentum_decay: float = 4e-3,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Adam with Nesterov's look ahead; its weight decay is apart from the gradient."""
    _check_adam(betas, eps)
    optimizer = torch.optim.NAdam(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        betas=betas,
        eps=eps,
        momentum_decay=within("momentum_decay", momentum_decay),
        decoupled_weight_decay=True,
    )
    optimizer.register_load_state_dict_post_hook(_products_in_float32)
    return optimizer


def radam(
    network: nn.Module,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Adam with a warm-up of its own; its weight decay is apart from the gradient."""
    _check_adam(betas, eps)
    return torch.optim.RAdam(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        betas=betas,
        eps=eps,
        decoupled_weight_decay=True,
    )


def adamax(
    network: nn.Module,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Adam by the greatest gradient instead of the mean square."""
    _check_adam(betas, eps)
    return torch.optim.Adamax(
        _groups(network, weight_decay, decay_all), lr=learning_rate, betas=betas, eps=eps
    )


def rmsprop(
    network: nn.Module,
    *,
    learning_rate: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
    centered: bool = False,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Gradients divided by the root of their running mean square."""
    return torch.optim.RMSprop(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        alpha=within("alpha", alpha, high=1.0),
        eps=within("eps", eps),
        momentum=within("momentum", momentum, high=1.0),
        centered=centered,
    )


def adagrad(
    network: nn.Module,
    *,
    learning_rate: float,
    fused: bool,
    lr_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Gradients divided by the root of the sum of all squares so far."""
    return torch.optim.Adagrad(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        lr_decay=within("lr_decay", lr_decay),
        initial_accumulator_value=within("initial_accumulator_value", initial_accumulator_value),
        eps=within("eps", eps),
        fused=_fused(network, fused, on=("cpu",)),
    )


def adadelta(
    network: nn.Module,
    *,
    learning_rate: float,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Take steps by the ratio of past steps to past gradients; made for a learning rate of 1."""
    return torch.optim.Adadelta(
        _groups(network, weight_decay, decay_all),
        lr=learning_rate,
        rho=within("rho", rho, high=1.0),
        eps=within("eps", eps),
    )


def muon(
    network: nn.Module,
    *,
    learning_rate: float,
    fused: bool,
    momentum: float = 0.95,
    nesterov: bool = True,
    steps: int = 5,
    scale: Literal["adam", "spectral", "none"] = "adam",
    normalise: bool = False,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    adam_learning_rate: float | None = None,
    weight_decay: float = 0.01,
    decay_all: bool = False,
) -> torch.optim.Optimizer:
    """Orthogonalised momentum for hidden filters and matrices, AdamW for all other weights."""
    within("momentum", momentum, high=1.0)
    _check_adam(betas, eps)
    if steps < 1:
        raise InputError(f"expected steps from 1, got {steps}")
    rest_rate = learning_rate if adam_learning_rate is None else adam_learning_rate
    within("adam_learning_rate", rest_rate, above=True)
    hidden = hidden_matrices(network)
    rest = {name for name, _ in network.named_parameters()}.difference(hidden)
    groups = []
    for names, rate, orthogonal in ((hidden, learning_rate, True), (rest, rest_rate, False)):
        for group in _groups(network, weight_decay, decay_all, names):
            name = f"{'orthogonal' if orthogonal else 'adamw'} {group['name']}"
            groups.append({**group, "name": name, "lr": rate, "orthogonal": orthogonal})
    return Muon(
        groups,
        momentum=momentum,
        nesterov=nesterov,
        steps=steps,
        scale=scale,
        normalise=normalise,
        betas=betas,
        eps=eps,
        fused=bool(_fused(network, fused)),
    )


OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adamw,
    "nadam": nadam,
    "radam": radam,
    "adamax": adamax,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "muon": muon,
}


def _groups(
    network: nn.Module, weight_decay: float, decay_all: bool, among: Any = None
) -> list[dict[str, Any]]:
    return parameter_groups(
        network,
        weight_decay=within("weight_decay", weight_decay),
        decay_all=decay_all,
        among=among,
    )


def _products_in_float32(optimizer: torch.optim.Optimizer) -> None:
    """Give a loaded state back the type it had: torch loads it in that of the weights.

    The product of momenta is float32 in any training; in float64 it would go on otherwise.
    """
    for state in optimizer.state.values():
        state["mu_product"] = state["mu_product"].float()


def _check_adam(betas: tuple[float, float], eps: float) -> None:
    for beta in betas:
        within("betas", beta, high=1.0)
    within("eps", eps)


def _fused(network: nn.Module, wanted: bool, on: tuple[str, ...] = ("cpu", "cuda")) -> bool | None:
    """Return whether to take torch's fused kernel; None: as torch finds best without it."""
    there = all(each.device.type in on for each in network.parameters())
    return True if wanted and there else None
