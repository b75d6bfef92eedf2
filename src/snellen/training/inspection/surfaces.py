"""Functions of two numbers to go down on: what gradient descent meets, small enough to be drawn."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROBLEMS", "Problem"]


@dataclasses.dataclass(frozen=True)
class Problem:
    """A loss of two parameters.

    Attributes
    ----------
    name, title : str
        Its name, and what a page calls it.
    formula : str
        The loss in letters.
    lesson : str
        What is to be seen on it.
    loss : callable
        Of two tensors of the same shape, the two parameters; returns the losses.
    axes : tuple of str
        What the parameters are called.
    x_range, y_range : tuple of float
        What of the surface is drawn.
    start : tuple of float
        Where descent begins.
    minima : tuple of pairs of float
        Where the loss is lowest; empty where it is nowhere.
    rates : tuple of float
        Learning rates of plain gradient descent that show something.
    optimizer_rates : tuple of float
        Rates that suit SGD, SGD with momentum, RMSprop and Adam here.
    n_steps : int
        As many steps show it.
    """

    name: str
    title: str
    formula: str
    lesson: str
    loss: Callable[[Tensor, Tensor], Tensor]
    axes: tuple[str, str]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    rates: tuple[float, ...]
    optimizer_rates: tuple[float, float, float, float]
    n_steps: int = 60


# Five points near y = 1.5·x − 0.5, and eight of two classes that overlap, so that logistic
# regression has its minimum at finite numbers.
_X = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0], dtype=torch.float64)
_Y = torch.tensor([-2.1, -1.2, -0.4, 0.2, 1.0], dtype=torch.float64)
_U = torch.tensor([-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0], dtype=torch.float64)
_C = torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0], dtype=torch.float64)


def _line(w: Tensor, b: Tensor) -> Tensor:
    return ((w[..., None] * _X + b[..., None] - _Y) ** 2).mean(-1)


def _logistic(w: Tensor, b: Tensor) -> Tensor:
    z = w[..., None] * _U + b[..., None]
    return torch.nn.functional.binary_cross_entropy_with_logits(
        z, _C.expand_as(z), reduction="none"
    ).mean(-1)


def _line_minimum() -> tuple[float, float]:
    """Return the least squares: slope and intercept by their sums."""
    x, y = _X - _X.mean(), _Y - _Y.mean()
    slope = float((x * y).sum() / (x * x).sum())
    return slope, float(_Y.mean()) - slope * float(_X.mean())


def _logistic_minimum() -> tuple[float, float]:
    """Return where the gradient is 0, by Newton's method."""
    w = torch.zeros(2, dtype=torch.float64)
    design = torch.stack([_U, torch.ones_like(_U)], 1)
    for _ in range(30):
        p = torch.sigmoid(design @ w)
        gradient = design.T @ (p - _C)
        curvature = design.T @ (design * (p * (1 - p))[:, None])
        w = w - torch.linalg.solve(curvature, gradient)
    return float(w[0]), float(w[1])


def _himmelblau_minima() -> tuple[tuple[float, float], ...]:
    return (
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    )


PROBLEMS: dict[str, Problem] = {
    each.name: each
    for each in (
        Problem(
            "bowl",
            "A round bowl",
            "L = (x² + y²)/2",
            "Each step takes the same share off, (1 − η). At η = 1 one step is enough, beyond 2 "
            "each step leads farther away.",
            lambda x, y: (x * x + y * y) / 2,
            ("x", "y"),
            (-3.0, 3.0),
            (-3.0, 3.0),
            (2.4, 1.6),
            ((0.0, 0.0),),
            (0.1, 0.5, 1.5, 2.05),
            (0.1, 0.05, 0.1, 0.2),
        ),
        Problem(
            "valley",
            "A narrow valley",
            "L = (x² + 20·y²)/2",
            "The steep direction allows no rate above 2/20 = 0.1; along the flat one that is slow. "
            "Momentum and step sizes for each parameter are remedies.",
            lambda x, y: (x * x + 20 * y * y) / 2,
            ("x", "y"),
            (-3.0, 3.0),
            (-2.0, 2.0),
            (-2.6, 1.2),
            ((0.0, 0.0),),
            (0.01, 0.05, 0.095, 0.101),
            (0.05, 0.02, 0.1, 0.2),
        ),
        Problem(
            "rosenbrock",
            "Rosenbrock's banana",
            "L = (1 − x)² + 100·(y − x²)²",
            "Into the bent valley it is a few steps, along it to the minimum at (1, 1) thousands.",
            lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
            ("x", "y"),
            (-2.0, 2.0),
            (-1.0, 3.0),
            (-1.2, 1.0),
            ((1.0, 1.0),),
            (0.0002, 0.001, 0.002),
            (0.001, 0.0005, 0.02, 0.1),
            400,
        ),
        Problem(
            "beale",
            "Beale's function",
            "L = (1.5 − x + x·y)² + (2.25 − x + x·y²)² + (2.625 − x + x·y³)²",
            "A plain with steep walls: gradients of very different size on one way.",
            lambda x, y: (
                (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y**3) ** 2
            ),
            ("x", "y"),
            (-1.0, 4.5),
            (-2.0, 2.0),
            (1.0, 1.5),
            ((3.0, 0.5),),
            (0.001, 0.01, 0.02),
            (0.01, 0.005, 0.02, 0.1),
        ),
        Problem(
            "saddle",
            "A saddle",
            "L = x² − y² + y⁴/2",
            "Along the ridge the gradient leads straight to the saddle; the smallest number off it "
            "decides, late, to which of the two minima.",
            lambda x, y: x * x - y * y + y**4 / 2,
            ("x", "y"),
            (-2.0, 2.0),
            (-1.8, 1.8),
            (1.6, 0.001),
            ((0.0, 1.0), (0.0, -1.0)),
            (0.02, 0.1, 0.4),
            (0.1, 0.05, 0.05, 0.1),
        ),
        Problem(
            "himmelblau",
            "Himmelblau's four minima",
            "L = (x² + y − 11)² + (x + y² − 7)²",
            "Four minima, all equally low: rate and optimizer decide which one is found.",
            lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
            ("x", "y"),
            (-5.0, 5.0),
            (-5.0, 5.0),
            (-0.5, -1.0),
            _himmelblau_minima(),
            (0.002, 0.01, 0.02),
            (0.01, 0.005, 0.1, 0.3),
        ),
        Problem(
            "line",
            "Linear regression, five points",
            "L = mean of (w·xₙ + b − yₙ)²",
            "A network of one neuron without activation: the surface is a bowl, whatever the data.",
            _line,
            ("w", "b"),
            (-1.0, 4.0),
            (-2.5, 2.0),
            (-0.5, 1.5),
            (_line_minimum(),),
            (0.05, 0.3, 0.9, 1.02),
            (0.3, 0.05, 0.1, 0.3),
        ),
        Problem(
            "logistic",
            "Logistic regression, eight points",
            "L = mean cross-entropy of σ(w·uₙ + b) and the class cₙ",
            "A network of one neuron with a sigmoid: one minimum, steep on the wrong side and flat "
            "on the right one.",
            _logistic,
            ("w", "b"),
            (-3.0, 5.0),
            (-4.0, 4.0),
            (-2.5, 3.0),
            (_logistic_minimum(),),
            (0.1, 1.0, 4.0, 20.0),
            (1.0, 0.3, 0.2, 0.5),
        ),
    )
}
