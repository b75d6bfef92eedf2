"""The loss of a network that has learnt nothing, against what knowing nothing costs."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.inspection.layer_calls import first_tensor
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.tensor_statistics import TensorStatistics, short
from snellen.training.inspection.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FirstLoss", "check_first_loss"]

# Of a fresh network by its expected loss: from this to that is what initialisations give.
CLASSES = (0.85, 1.15)
NUMBERS = (0.5, 2.0)


@dataclasses.dataclass(frozen=True)
class FirstLoss:
    """The loss at the beginning, against what it should be.

    Attributes
    ----------
    loss : float
        Of the batch.
    expected : float
        Of a network that knows nothing: all outputs 0 for classes, the mean of the targets for
        numbers.
    meaning : str
        What the expected loss is: ``"ln 10"``, ``"the variance of the targets"``.
    ok : bool
        Whether the loss is near it.
    causes : tuple of str
        What may be wrong, the likeliest first; or worth knowing.
    inputs, output : TensorStatistics
        Of the batch, and of what the network made of it.
    """

    loss: float
    expected: float
    meaning: str
    ok: bool
    causes: tuple[str, ...]
    inputs: TensorStatistics
    output: TensorStatistics

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        against = f"{self.loss:.4g}, against {self.expected:.4g} ({self.meaning})"
        if self.ok:
            return f"The first loss is as it should be: {against}."
        if not math.isfinite(self.loss):
            return f"The first loss is no number: {against}."
        side = "higher" if self.loss > self.expected else "lower"
        return f"The first loss is {side} than that of knowing nothing: {against}."

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold."""
        return {**plain(self), "verdict": self.verdict}

    def __str__(self) -> str:
        return "\n".join([self.verdict, *(f"  {cause}" for cause in self.causes)])


def check_first_loss(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    *,
    task: Literal["auto", "classification", "regression", "segmentation"] = "auto",
) -> FirstLoss:
    """Compare the loss of a fresh network with the loss of knowing nothing.

    Parameters
    ----------
    network : nn.Module
        Before training; it stays as it is, in its mode.
    loss : callable
        Of output and targets.
    inputs, targets : Tensor
        A batch; some hundred samples.
    task : str
        What is predicted; ``"auto"``: classes where the targets are whole numbers.

    Returns
    -------
    FirstLoss
        For classes it is near within 15 %, for numbers between half and twice as much.
    """
    if task not in ("auto", "classification", "regression", "segmentation"):
        raise InputError(
            f'expected "auto", "classification", "regression" or "segmentation", got "{task}"',
            "task",
        )
    with unchanged(network), torch.no_grad():
        made = network(inputs.detach().clone())
        value = float(loss(made, targets))
        output = first_tensor(made)
        if output is None:
            raise InputError("expected a network that returns a tensor", type(network).__name__)
        classes = task in ("classification", "segmentation") or (
            task == "auto" and not targets.is_floating_point()
        )
        at_zero = float(loss(torch.zeros_like(output), targets))
        if classes:
            expected = at_zero
        else:
            mean = targets.float().mean(0, keepdim=True).to(output.dtype)
            expected = float(loss(mean.expand_as(output).clone(), targets))
    seen, given = TensorStatistics.of(output), TensorStatistics.of(inputs)
    low, high = CLASSES if classes else NUMBERS
    # A loss of 0 can only be met.
    ok = value == expected or (expected > 0 and low <= value / expected <= high)
    if classes:
        meaning, causes = _of_classes(value, expected, ok, output, targets, seen)
    else:
        meaning, causes = _of_numbers(value, expected, at_zero, ok, targets, seen)
    if not ok:
        causes += _of_inputs(given, seen)
    return FirstLoss(value, expected, meaning, ok, tuple(causes), given, seen)


def _of_classes(
    value: float, expected: float, ok: bool, output: Tensor, targets: Tensor, seen: TensorStatistics
) -> tuple[str, list[str]]:
    n_classes = output.shape[1] if output.ndim > 1 else 1
    meaning = "the loss of equal outputs"
    if n_classes > 1 and math.isclose(expected, math.log(n_classes), rel_tol=1e-4):
        meaning = f"ln {n_classes}"
    elif math.isclose(expected, math.log(2), rel_tol=1e-4):
        meaning = "ln 2"
    causes = []
    rows = output.float()
    sums = rows.sum(1) if rows.ndim > 1 else rows
    if n_classes > 1 and bool((rows >= 0).all()) and bool(((sums - 1).abs() < 1e-3).all()):
        causes.append(
            "The outputs are probabilities already. A cross-entropy of torch applies softmax "
            "itself: leave it out of the network."
        )
    if not targets.is_floating_point():
        counts = torch.bincount(targets.flatten()[targets.flatten() >= 0].cpu())
        share = counts[counts > 0].double() / counts.sum()
        if len(share) == 1 and n_classes > 1:
            causes.append("All targets of this batch are one class: is the data in order of class?")
        entropy = float(-(share * share.log()).sum())
        if meaning.startswith("ln") and entropy < 0.8 * expected and len(share) > 1:
            causes.append(
                f"The classes are unequal: always to say how often each comes costs {entropy:.4g}."
            )
    if not ok and value > expected and seen.std > 1:
        causes.append(
            f"The outputs spread by {short(seen.std)} where nothing is known yet: the last layer's "
            "weights are too large at the start, or the inputs."
        )
    if not ok and value < expected:
        causes.append(
            "The network knows something: it is trained already, or the inputs hold the answer."
        )
    return meaning, causes


def _of_numbers(
    value: float,
    expected: float,
    at_zero: float,
    ok: bool,
    targets: Tensor,
    seen: TensorStatistics,
) -> tuple[str, list[str]]:
    numbers = targets.double()
    variance = float(numbers.var(0, correction=0).mean())
    same = math.isclose(expected, variance, rel_tol=1e-4)
    meaning = "the variance of the targets" if same else "the loss of always saying the mean"
    causes = []
    if variance == 0:
        causes.append("All targets of this batch are the same.")
    if not ok and at_zero > 2 * expected > 0:
        causes.append(
            f"The targets are far from 0 (mean {short(float(numbers.mean()))}, deviation "
            f"{short(math.sqrt(variance))}), and a fresh network says about 0: take the mean off "
            "the targets and divide by their deviation, or set the last bias to the mean."
        )
    if not ok and value > expected and seen.std > 3 * math.sqrt(variance):
        causes.append(
            f"The outputs spread by {short(seen.std)}, the targets by {short(math.sqrt(variance))}:"
            " the last layer's weights are too large at the start, or the inputs."
        )
    if not ok and value < expected:
        causes.append(
            "The network knows something: it is trained already, or the inputs hold the answer."
        )
    return meaning, causes


def _of_inputs(given: TensorStatistics, seen: TensorStatistics) -> list[str]:
    causes = []
    if not given.finite:
        causes.append("The inputs hold values that are no numbers.")
    elif not seen.finite:
        causes.append("The outputs are no numbers though the inputs are: a layer overflows.")
    if given.finite and (abs(given.mean) > 3 or given.std > 10):
        causes.append(
            f"The inputs have mean {short(given.mean)} and deviation {short(given.std)}: normalise "
            "them to about 0 and 1."
        )
    return causes
