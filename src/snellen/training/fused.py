"""Whether an optimizer updates all weights in one go, which is faster and rounds otherwise."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from snellen.training.network.rewrites import Rewrite
from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from snellen.training.losses import Loss

__all__ = ["fused_update"]

_STEPS = 3
# Of the distance that weights move: both ways compute the same, in another order.
_ROUNDING = 1e-3


def fused_update(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    make: Callable[[nn.Module, bool], torch.optim.Optimizer],
) -> Rewrite | None:
    """Try a few updates both ways, and say how well they agree.

    Parameters
    ----------
    network : nn.Module
        Copies of it are trained; it stays as it is, and so do all random numbers.
    inputs, targets : Tensor
        A batch, where the network is.
    loss_function : Loss
        What is minimised.
    make : callable
        Makes the optimizer of a network, fused or not.

    Returns
    -------
    Rewrite or None
        None where the optimizer has no fused update.
    """
    if not any(group.get("fused") for group in make(network, True).param_groups):
        return None
    with unchanged_randomness():
        plain, fused = (_updated(network, inputs, targets, loss_function, make, k) for k in (0, 1))
    moved, apart = 0.0, 0.0
    for before, one, other in zip(network.parameters(), plain, fused, strict=True):
        moved = max(moved, float((one - before.detach()).abs().max()))
        apart = max(apart, float((one - other).abs().max()))
    taken = apart <= _ROUNDING * moved
    proof = "bit-equal" if apart == 0 else "equal to rounding"
    share = apart / moved if moved else 0.0
    return Rewrite(
        "fused update",
        ("all weights",),
        taken,
        f"{proof}: after {_STEPS} updates by {share:.1e} of the way that weights moved",
    )


def _updated(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    make: Callable[[nn.Module, bool], torch.optim.Optimizer],
    fused: int,
) -> list[Tensor]:
    """Return the weights of a copy after a few updates."""
    tried = copy.deepcopy(network).train()
    optimizer = make(tried, bool(fused))
    for step in range(_STEPS):
        torch.manual_seed(step)  # both ways draw the same masks
        loss = loss_function(tried(inputs), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return [each.detach() for each in tried.parameters()]
