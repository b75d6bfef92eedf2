"""Can the network learn one batch by heart? If not, something is broken."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.unchanged import refuse_unshaped, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OverfitBatch", "overfit_batch"]


@dataclasses.dataclass(frozen=True)
class OverfitBatch:
    """One batch, trained on again and again.

    Attributes
    ----------
    losses : tuple of float
        Before each update, and after the last.
    goal : float
        What the loss was to fall below.
    step : int or None
        After how many updates it did; None if it did not.
    causes : tuple of str
        What may be wrong where it did not.
    """

    losses: tuple[float, ...]
    goal: float
    step: int | None
    causes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the batch was learnt by heart."""
        return self.step is not None

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if self.step is not None:
            return (
                f"The batch is learnt by heart: the loss went from {self.losses[0]:.4g} to "
                f"{self.losses[self.step]:.2g} in {self.step:,} steps."
            )
        if not math.isfinite(self.losses[-1]):
            return f"The loss is no number after {len(self.losses) - 1:,} steps."
        return (
            f"The batch is not learnt by heart: the loss went from {self.losses[0]:.4g} to "
            f"{self.losses[-1]:.4g} in {len(self.losses) - 1:,} steps, not below {self.goal:g}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold."""
        return {**plain(self), "ok": self.ok, "verdict": self.verdict}

    def __str__(self) -> str:
        last = len(self.losses) - 1
        shown = sorted({round(last * k / 8) for k in range(9)})
        curve = "  ".join(f"{step}: {self.losses[step]:.3g}" for step in shown)
        return "\n".join([self.verdict, f"  {curve}", *(f"  {cause}" for cause in self.causes)])


def overfit_batch(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    n_steps: int = 500,
    goal: float = 1e-3,
    keep: bool = False,
) -> OverfitBatch:
    """Train on one batch until the loss is below a goal.

    Parameters
    ----------
    network : nn.Module
        In its own mode. Dropout makes it hard to learn by heart: `eval` leaves it out.
    loss : callable
        Of output and targets.
    inputs, targets : Tensor
        A small batch.
    optimizer : torch.optim.Optimizer
        Of the network's parameters.
    n_steps : int
        At most so many updates.
    goal : float
        The loss to fall below. With smoothed or soft targets no loss goes to 0.
    keep : bool
        Leave network, optimizer and random numbers as after these steps; by default all are as
        before, bit for bit.
    """
    if n_steps < 1:
        raise InputError(f"expected at least 1 step, got {n_steps}", "n_steps")
    if not goal > 0:
        raise InputError(f"expected a goal above 0, got {goal}", "goal")
    refuse_unshaped(network)
    losses = []
    step = None
    unreached: list[str] = []
    with contextlib.nullcontext() if keep else unchanged(network, optimizer), torch.enable_grad():
        for number in range(n_steps + 1):
            optimizer.zero_grad()
            value = loss(network(inputs), targets)
            losses.append(float(value.detach()))
            if losses[-1] < goal:
                step = number
                break
            if not math.isfinite(losses[-1]) or number == n_steps:
                break
            value.backward()  # type: ignore[no-untyped-call]
            if number == 0:
                unreached = [
                    name
                    for name, parameter in network.named_parameters()
                    if parameter.requires_grad
                    and (parameter.grad is None or not bool(parameter.grad.any()))
                ]
            optimizer.step()
    causes = () if step is not None else _causes(losses, network, inputs, targets, unreached)
    return OverfitBatch(tuple(losses), goal, step, tuple(causes))


def _causes(
    losses: list[float], network: nn.Module, inputs: Tensor, targets: Tensor, unreached: list[str]
) -> list[str]:
    causes = []
    if unreached:
        causes.append(f"At the first step no gradient came to {', '.join(unreached[:6])}.")
    n_odd = _contradictions(inputs, targets)
    if n_odd:
        causes.append(
            f"{n_odd} samples of the batch have the same input as another, and another target: "
            "nothing can tell them apart."
        )
    if targets.is_floating_point() and targets.ndim > 1 and bool((targets >= 0).all()):
        sums = targets.sum(1)
        if bool(((sums - 1).abs() < 1e-4).all()) and bool((targets.max(1).values < 1).any()):
            causes.append("The targets are soft: their cross-entropy cannot go to 0.")
    if not math.isfinite(losses[-1]) or losses[-1] > losses[0]:
        causes.append("The loss rose: the learning rate is too high.")
    elif losses[-1] > 0.9 * losses[0]:
        causes.append("The loss hardly fell: the learning rate is too low, or gradients vanish.")
    elif len(losses) > 20 and losses[-1] < 0.8 * losses[-len(losses) // 5]:
        causes.append("The loss still falls: more steps, or a higher learning rate.")
    dropping = [
        name or type(module).__name__
        for name, module in network.named_modules()
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0 and module.training
    ]
    if dropping:
        causes.append(f"Dropout is on in {', '.join(dropping[:6])}: the loss stays noisy.")
    return causes


def _contradictions(inputs: Tensor, targets: Tensor) -> int:
    """Return how many samples have the input of another and a different target."""
    seen: dict[bytes, set[bytes]] = {}
    rows = [
        (row.numpy().tobytes(), aim.numpy().tobytes())
        for row, aim in zip(
            inputs.detach().cpu().contiguous(), targets.detach().cpu().contiguous(), strict=True
        )
    ]
    for row, aim in rows:
        seen.setdefault(row, set()).add(aim)
    return sum(len(seen[row]) > 1 for row, _ in rows)
