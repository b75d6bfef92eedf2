"""Whether an optimizer updates all weights in one go, which is faster and rounds otherwise."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from snellen.training.network.rewrites import Rewrite
from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor, nn

    from snellen.training.losses import Loss

__all__ = ["fused_update"]

_STEPS = 3
# Of the distance that weights move: both ways compute the same, in another order.
_ROUNDING = 1e-4


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
    plain, fused = copy.deepcopy(network).train(), copy.deepcopy(network).train()
    before = [each.detach().clone() for each in network.parameters()]
    optimizers = make(plain, False), make(fused, True)
    with unchanged_randomness():
        for _ in range(_STEPS):
            loss = loss_function(plain(inputs), targets)
            optimizers[0].zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            # The same gradients for both: what is compared is the update.
            for one, other in zip(plain.parameters(), fused.parameters(), strict=True):
                other.grad = None if one.grad is None else one.grad.clone()
            for optimizer in optimizers:
                optimizer.step()
    pairs = list(zip(before, plain.parameters(), fused.parameters(), strict=True))
    moved = max(float((one.detach() - at).abs().max()) for at, one, _ in pairs)
    apart = max(float((one - other).detach().abs().max()) for _, one, other in pairs)
    proof = "bit-equal" if apart == 0 else "equal to rounding"
    share = apart / moved if moved else 0.0
    return Rewrite(
        "fused update",
        ("all weights",),
        apart <= _ROUNDING * moved,
        f"{proof}: after {_STEPS} updates by {share:.1e} of the way that weights moved",
    )
