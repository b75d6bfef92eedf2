"""Losses of regression: how far values are off, over all samples and columns."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch.nn import functional

from snellen.errors import ShapeError
from snellen.training.loss import Loss, at_least_float32, count
from snellen.training.number_ranges import within

__all__ = [
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "PoissonLikelihood",
    "Quantile",
    "SmoothL1",
    "ValueLoss",
]


class ValueLoss(Loss):
    """The mean over the elements of outputs and targets of the same shape."""

    def total(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the sum over all elements."""
        return self._reduced(*self._fitting(output, target), "sum")

    def weight(self, target: torch.Tensor) -> torch.Tensor:
        """Return the number of elements."""
        return count(target.numel(), target)

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean over all elements."""
        return self._reduced(*self._fitting(output, target), "mean")

    def _fitting(
        self, output: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if output.shape != target.shape:
            # torch would pair every output with every target, and go on.
            raise ShapeError(
                f"expected outputs of the shape of the targets {tuple(target.shape)}, "
                f"got {tuple(output.shape)}"
            )
        output = at_least_float32(output)
        return output, target.to(output.dtype)

    @abstractmethod
    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        """Return the sum or the mean over the elements."""


class MeanSquaredError(ValueLoss):
    """Squared differences: its minimum is the mean."""

    name = "mse"

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return functional.mse_loss(output, target, reduction=reduction)


class MeanAbsoluteError(ValueLoss):
    """Absolute differences: its minimum is the median, which outliers do not move."""

    name = "mae"

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return functional.l1_loss(output, target, reduction=reduction)


class Huber(ValueLoss):
    """Half the square of a difference up to delta, from there a straight line of slope delta.

    Parameters
    ----------
    delta : float
        Where the line begins.
    """

    name = "huber"

    def __init__(self, *, delta: float = 1.0) -> None:
        self.delta = within("delta", delta, above=True)

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return functional.huber_loss(output, target, reduction=reduction, delta=self.delta)


class SmoothL1(ValueLoss):
    """The Huber loss divided by its delta: slope 1 far away, whatever beta.

    Parameters
    ----------
    beta : float
        Where the line begins; at 0 it is the absolute difference.
    """

    name = "smooth_l1"

    def __init__(self, *, beta: float = 1.0) -> None:
        self.beta = within("beta", beta)

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return functional.smooth_l1_loss(output, target, reduction=reduction, beta=self.beta)


class LogCosh(ValueLoss):
    """The logarithm of cosh of the difference: a smooth absolute difference."""

    name = "log_cosh"

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        # ln cosh d = |d| + ln(1 + exp(-2|d|)) - ln 2, which no d makes overflow.
        distance = (output - target).abs()
        each = distance + functional.softplus(-2 * distance) - math.log(2)
        return each.sum() if reduction == "sum" else each.mean()


class Quantile(ValueLoss):
    """The pinball loss: its minimum is a quantile.

    Parameters
    ----------
    q : float
        Which quantile; 0.5 is the median, and the loss half the absolute difference.
    """

    name = "quantile"

    def __init__(self, *, q: float = 0.5) -> None:
        self.q = within("q", q, 0.0, 1.0, above=True)

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        missing = target - output
        each = torch.maximum(self.q * missing, (self.q - 1) * missing)
        return each.sum() if reduction == "sum" else each.mean()


class PoissonLikelihood(ValueLoss):
    """The negative log-likelihood of counts, of which the outputs are the logarithms of the means.

    Terms that do not depend on the outputs are left out.
    """

    name = "poisson"

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        return functional.poisson_nll_loss(output, target, reduction=reduction)
