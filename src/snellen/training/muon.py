"""Muon: matrices are moved along their orthogonalised momentum, all other weights by AdamW.

Keller Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024,
https://kellerjordan.github.io/posts/muon/. The scale that fits AdamW's learning rates is of
J. Liu et al., Muon is Scalable for LLM Training, 2025.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.adamw import adamw

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Muon", "orthogonalised"]

# Of x → a x + b x³ + c x⁵, steep at 0: five steps take a singular value of 0.01 to near 1. They
# then do not settle at 1 but go on between 0.7 and 1.2, which does not matter for training.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: torch.Tensor, *, steps: int = 5) -> torch.Tensor:
    """Return U V^T of a matrix U S V^T, nearly: by steps of Newton and Schulz.

    In bfloat16 on a GPU, where that is many times as fast; elsewhere in the matrix's own type.

    Parameters
    ----------
    matrix : Tensor, shape (A, B)
        Not changed.
    steps : int
        How often the singular values go through the polynomial.

    Returns
    -------
    Tensor, shape (A, B)
        With singular values of about one; of a matrix of zeros, zeros.
    """
    a, b, c = _COEFFICIENTS
    x = matrix.bfloat16() if matrix.is_cuda else matrix
    tall = x.shape[0] > x.shape[1]
    if tall:  # The products are those of the shorter side.
        x = x.T
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    made: torch.Tensor = x.T if tall else x
    return made


class Muon(torch.optim.Optimizer):
    """One optimizer of two rules, so that one state resumes both.

    Parameters
    ----------
    groups : list of dict
        With ``params``, ``lr``, ``weight_decay`` and ``orthogonal``: whether their weights, cut
        into rows of outputs, are moved along the orthogonalised momentum, or by AdamW.
    momentum : float
        Of matrices: the share of the old in the running mean of gradients.
    nesterov : bool
        Whether the gradient counts once more in what is orthogonalised.
    steps : int
        Of Newton and Schulz.
    scale : str
        Of updates of matrices (A, B): ``"adam"``, 0.2 √max(A, B), is about the size of AdamW's, so
        that its learning rates fit; ``"spectral"`` is √max(1, A / B), ``"none"`` one.
    normalise : bool
        Whether matrices are first brought to the norm √A: their size then means nothing, which
        only a normalisation after them makes right.
    betas, eps : (float, float), float
        Of AdamW.
    fused : bool
        Whether AdamW is torch's fused one.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        steps: int = 5,
        scale: str = "adam",
        normalise: bool = False,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        fused: bool = False,
    ) -> None:
        defaults = {
            "momentum": momentum,
            "nesterov": nesterov,
            "steps": steps,
            "scale": scale,
            "normalise": normalise,
            "betas": betas,
            "eps": eps,
            "fused": fused,
        }
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all weights that have a gradient.

        Parameters
        ----------
        closure : callable or None
            Computes the loss again, with gradients.

        Returns
        -------
        object
            What `closure` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [each for each in group["params"] if each.grad is not None]
            if group["orthogonal"]:
                for weight in weights:
                    self._move(weight, group)
            elif weights:
                self._adamw(weights, group)
        return loss

    def _move(self, weight: torch.Tensor, group: dict[str, Any]) -> None:
        gradient = weight.grad
        assert gradient is not None
        state = self.state[weight]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        mean = state["momentum_buffer"]
        mean.lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(mean, group["momentum"]) if group["nesterov"] else mean
        update = orthogonalised(direction.flatten(1), steps=group["steps"])
        if group["normalise"]:
            weight.mul_(math.sqrt(len(weight)) / weight.norm().clamp_min(1e-7))
        if group["weight_decay"]:
            weight.mul_(1 - group["lr"] * group["weight_decay"])
        size = _scale(group["scale"], *update.shape)
        weight.add_(update.view(weight.shape).to(weight.dtype), alpha=-group["lr"] * size)

    def _adamw(self, weights: list[torch.Tensor], group: dict[str, Any]) -> None:
        for weight in weights:
            state = self.state[weight]
            if not state:
                # The fused one counts where the weights are.
                device = weight.device if group["fused"] else "cpu"
                state["step"] = torch.zeros((), dtype=torch.float32, device=device)
                state["exp_avg"] = torch.zeros_like(weight)
                state["exp_avg_sq"] = torch.zeros_like(weight)
        states = [self.state[weight] for weight in weights]
        adamw(
            weights,
            [weight.grad for weight in weights if weight.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"] or None,  # None: torch's second best
            grad_scale=None,
            found_inf=None,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


def _scale(scale: str, n_rows: int, n_columns: int) -> float:
    """Return the factor of an update by its shape."""
    if scale == "adam":
        return 0.2 * math.sqrt(max(n_rows, n_columns))
    if scale == "spectral":
        return math.sqrt(max(1.0, n_rows / n_columns))
    return 1.0
