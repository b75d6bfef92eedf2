"""Which learning rates a network takes: a sweep from too low to too high."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.table_text import aligned_lines
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.unchanged import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["RateRange", "learning_rate_range"]


@dataclasses.dataclass(frozen=True)
class RateRange:
    """Losses over learning rates.

    Attributes
    ----------
    rates : tuple of float
        Of each step, rising by the same factor.
    losses : tuple of float
        Of each step's batch, before its update.
    smoothed : tuple of float
        Their moving average: of exponential weights, without the pull to 0 of its beginning.
    steepest : float or None
        The rate where the smoothed loss falls fastest over the logarithm of the rate.
    tenth_of_minimum : float or None
        A tenth of the rate where the smoothed loss is lowest.
    diverged : bool
        Whether the sweep stopped early, for the loss had risen too far or was no number.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float | None
    tenth_of_minimum: float | None
    diverged: bool

    @property
    def suggested(self) -> float | None:
        """The lower of the two; None where the loss never fell."""
        if self.steepest is None or self.tenth_of_minimum is None:
            return None
        return min(self.steepest, self.tenth_of_minimum)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if self.suggested is None:
            return (
                "The loss does not fall at any rate: check the first loss and the gradients, or "
                "begin lower."
            )
        best = self.rates[int(np.argmin(self.smoothed))]
        if self.diverged:
            end = f"it rose too far at {self.rates[-1]:.2g}"
        elif best < self.rates[-1]:
            end = f"it rises again from {best:.2g} on"
        else:
            end = "it falls up to the end, and a higher end shows more"
        return (
            f"Suggested: {self.suggested:.2g}. The loss falls fastest at {self.steepest:.2g}, a "
            f"tenth of the rate of its minimum is {self.tenth_of_minimum:.2g}; {end}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold."""
        return {**plain(self), "suggested": self.suggested, "verdict": self.verdict}

    def __str__(self) -> str:
        last = len(self.rates) - 1
        rows = [("rate", "loss", "smoothed")]
        rows += [
            (f"{self.rates[k]:.2e}", f"{self.losses[k]:.4g}", f"{self.smoothed[k]:.4g}")
            for k in sorted({round(last * part / 15) for part in range(16)})
        ]
        return "\n".join([self.verdict, "", *aligned_lines(rows, left=0)])


def learning_rate_range(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    batches: Iterable[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    n_steps: int = 120,
    smoothing: float = 0.9,
    stop: float = 4.0,
) -> RateRange:
    """Raise the learning rate step by step from too low to too high, and watch the loss.

    Network, optimizer and all random numbers are afterwards as they were, bit for bit.

    Parameters
    ----------
    network : nn.Module
        It is trained for a moment, and put back.
    loss : callable
        Of output and targets.
    batches : iterable of pairs
        Inputs and targets. They are gone through again when they end; an iterator, which cannot
        be, ends the sweep.
    optimizer : torch.optim.Optimizer
        Of the network's parameters. Groups with other rates keep their proportion to the first.
    low, high : float
        The first rate and the last.
    n_steps : int
        As many rates.
    smoothing : float
        How much of the average is the past: 0 for none, below 1.
    stop : float
        The sweep ends where the smoothed loss is so many times its lowest.

    Raises
    ------
    InputError
        For a range or a number of steps that is none, or without batches.
    """
    if not 0 < low < high or not math.isfinite(high):
        raise InputError(f"expected rates 0 < low < high, got {low:g} and {high:g}", "low, high")
    if n_steps < 3:
        raise InputError(f"expected at least 3 steps, got {n_steps}", "n_steps")
    if not 0 <= smoothing < 1:
        raise InputError(f"expected smoothing from 0 to below 1, got {smoothing:g}", "smoothing")
    if not stop > 1:
        raise InputError(f"expected stop above 1, got {stop:g}", "stop")
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    diverged = False
    average = 0.0
    with unchanged(network, optimizer), torch.enable_grad():
        first = float(optimizer.param_groups[0]["lr"])
        parts = [
            float(group["lr"]) / first if first > 0 else 1.0 for group in optimizer.param_groups
        ]
        for step, (inputs, targets) in zip(range(n_steps), _again_and_again(batches)):  # noqa: B905 - the steps end it
            rate = low * (high / low) ** (step / (n_steps - 1))
            for group, part in zip(optimizer.param_groups, parts, strict=True):
                group["lr"] = rate * part
            optimizer.zero_grad()
            value = loss(network(inputs), targets)
            number = float(value.detach())
            if not math.isfinite(number):
                diverged = True
                break
            average = smoothing * average + (1 - smoothing) * number
            rates.append(rate)
            losses.append(number)
            smoothed.append(average / (1 - smoothing ** (step + 1)))
            if smoothed[-1] > stop * min(smoothed):
                diverged = True
                break
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    if not rates:
        raise InputError(
            "expected a loss that is a number at the lowest rate, got none"
            if diverged
            else "expected batches, got none",
            "batches",
        )
    steepest, tenth = _suggestions(np.array(rates), np.array(smoothed))
    return RateRange(tuple(rates), tuple(losses), tuple(smoothed), steepest, tenth, diverged)


def _again_and_again(batches: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        some = False
        for batch in batches:
            some = True
            yield batch
        if not some:
            return


def _suggestions(
    rates: np.ndarray[Any, Any], smoothed: np.ndarray[Any, Any]
) -> tuple[float | None, float | None]:
    """Return the rate of steepest descent, and a tenth of that of the minimum."""
    lowest = int(smoothed.argmin())
    if lowest < 2 or not smoothed[lowest] < smoothed[0]:
        return None, None
    slopes = np.gradient(smoothed[: lowest + 1], np.log(rates[: lowest + 1]))
    return float(rates[int(slopes.argmin())]), float(rates[lowest]) / 10
