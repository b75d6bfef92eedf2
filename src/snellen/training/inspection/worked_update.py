"""The update of one weight, worked out with the optimizer's own numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from snellen.training.inspection.tensor_statistics import short
from snellen.training.inspection.worked import Worked

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["worked_update"]


def _at(state: Mapping[str, Any], name: str, entry: int) -> float:
    value = state.get(name)
    return float(value.flatten()[entry]) if isinstance(value, Tensor) else 0.0


def worked_update(
    optimizer: torch.optim.Optimizer,
    group: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    before: float,
    gradient: float,
    after: float,
    entry: int,
) -> Worked | None:
    """Return how a weight came to its value, of SGD, Adam and AdamW.

    Parameters
    ----------
    optimizer : Optimizer
        Which updated it.
    group, state : mapping
        The settings of the weight's group, and its state before the update.
    before, gradient, after : float
        Of this weight.
    entry : int
        Its number in the flattened parameter, and so in its state.

    Returns
    -------
    Worked or None
        None for other optimizers and for settings that the formula leaves out.
    """
    if group.get("maximize"):
        return None
    rate, decay = float(group["lr"]), float(group.get("weight_decay", 0))
    kind = type(optimizer)
    if kind is torch.optim.SGD:
        return _sgd(group, state, rate, decay, before, gradient, after, entry)
    if kind in (torch.optim.Adam, torch.optim.AdamW) and not group.get("amsgrad"):
        apart = kind is torch.optim.AdamW or bool(group.get("decoupled_weight_decay"))
        return _adam(group, state, rate, decay, apart, before, gradient, after, entry)
    return None


def _sgd(
    group: Mapping[str, Any],
    state: Mapping[str, Any],
    rate: float,
    decay: float,
    before: float,
    gradient: float,
    after: float,
    entry: int,
) -> Worked:
    momentum = float(group["momentum"])
    pull = gradient + decay * before
    formula, numbers = "w ← w − η·g", []
    if decay:
        formula = "g ← ∂L/∂w + λ·w; " + formula
        numbers.append(f"g = {short(gradient)} + {decay:g}·{short(before)} = {short(pull)}")
    step = pull
    if momentum:
        started = isinstance(state.get("momentum_buffer"), Tensor)
        old = _at(state, "momentum_buffer", entry)
        speed = momentum * old + (1 - float(group["dampening"])) * pull if started else pull
        step = pull + momentum * speed if group["nesterov"] else speed
        formula = formula.replace("η·g", "η·(g + μ·v)" if group["nesterov"] else "η·v")
        if started:
            formula = "v ← μ·v + (1 − damping)·g; " + formula
            numbers.append(f"v = {momentum:g}·{short(old)} + {short(pull)} = {short(speed)}")
        else:
            formula = "v ← g at the first step; " + formula
            numbers.append(f"v = {short(speed)}")
    value = before - rate * step
    numbers.append(f"{short(before)} − {rate:g}·{_bracketed(step)} = {short(value)}")
    return Worked("update", formula, "; ".join(numbers), value, after)


def _adam(
    group: Mapping[str, Any],
    state: Mapping[str, Any],
    rate: float,
    decay: float,
    apart: bool,
    before: float,
    gradient: float,
    after: float,
    entry: int,
) -> Worked:
    beta1, beta2 = (float(each) for each in group["betas"])
    epsilon = float(group["eps"])
    steps = state.get("step", 0)
    t = int(steps.item() if isinstance(steps, Tensor) else steps) + 1
    pull = gradient if apart else gradient + decay * before
    first = beta1 * _at(state, "exp_avg", entry) + (1 - beta1) * pull
    second = beta2 * _at(state, "exp_avg_sq", entry) + (1 - beta2) * pull * pull
    mean, square = first / (1 - beta1**t), second / (1 - beta2**t)
    kept = before * (1 - rate * decay) if apart else before
    value = kept - rate * mean / (math.sqrt(square) + epsilon)
    formula = (
        "m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; "
        "w ← w − η·m̂/(√v̂ + ε), with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)"
    )
    start = short(kept)
    if decay and apart:
        formula = "w ← w·(1 − η·λ); " + formula
        start = f"{short(before)}·(1 − {rate:g}·{decay:g})"
    elif decay:
        formula = "g ← ∂L/∂w + λ·w; " + formula
    numbers = (
        f"t = {t}, g = {short(pull)}, m̂ = {short(mean)}, v̂ = {short(square)}; "
        f"{start} − {rate:g}·{_bracketed(mean)}/(√{short(square)} + {epsilon:g}) = {short(value)}"
    )
    return Worked("update", formula, numbers, value, after)


def _bracketed(value: float) -> str:
    text = short(value)
    return f"({text})" if text.startswith("−") else text
