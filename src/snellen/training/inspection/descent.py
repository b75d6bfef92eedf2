"""Paths of optimizers over the loss of two parameters."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from snellen.errors import InputError, did_you_mean
from snellen.table_text import aligned_lines
from snellen.training.inspection.contours import contour_lines
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.surfaces import PROBLEMS, Problem
from snellen.training.inspection.tensor_statistics import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "OPTIMIZERS",
    "Path",
    "Surface",
    "descend",
    "descend_many",
    "path_table",
    "surface_of",
    "the_problem",
]

OPTIMIZERS: dict[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] = {
    "SGD": lambda parameters, rate: torch.optim.SGD(parameters, rate),
    "momentum 0.9": lambda parameters, rate: torch.optim.SGD(parameters, rate, momentum=0.9),
    "RMSprop": lambda parameters, rate: torch.optim.RMSprop(parameters, rate),
    "Adam": lambda parameters, rate: torch.optim.Adam(parameters, rate),
}

# Farther than this from everything drawn a path is lost.
FAR = 1e6


@dataclasses.dataclass(frozen=True)
class Path:
    """Where an optimizer went.

    Attributes
    ----------
    label : str
        The optimizer and its rate.
    points : ndarray, shape (n_steps + 1, 2)
        The parameters before the first step and after each; fewer where it diverged.
    losses : ndarray, shape (n_steps + 1,)
        The loss at each.
    gradients : ndarray, shape (n_steps, 2)
        The gradient at each but the last.
    diverged : bool
        Whether it left for good: farther than a million, or no number.
    distance : float
        From the last point to the nearest minimum; NaN where there is none.
    """

    label: str
    points: NDArray[np.float64]
    losses: NDArray[np.float64]
    gradients: NDArray[np.float64]
    diverged: bool
    distance: float

    def __str__(self) -> str:
        steps = f"{len(self.points) - 1:,} steps"
        if self.diverged:
            return f"{self.label}: diverged after {steps}"
        x, y = map(short, self.points[-1])
        far = "" if math.isnan(self.distance) else f", {short(self.distance)} from the minimum"
        return f"{self.label}: {steps} to ({x}, {y}), loss {short(self.losses[-1])}{far}"

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold."""
        found = plain(self)
        assert isinstance(found, dict)
        return found


@dataclasses.dataclass(frozen=True)
class Surface:
    """A problem's loss on a grid, and its contour lines.

    Attributes
    ----------
    x, y : ndarray
        Of the columns and the rows.
    z : ndarray, shape (rows, columns)
        The losses.
    levels : ndarray
        The heights of the contour lines: closer together near the bottom.
    lines : tuple of tuple of ndarray
        The lines of each level, points of shape (n, 2).
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    levels: NDArray[np.float64]
    lines: tuple[tuple[NDArray[np.float64], ...], ...]


def the_problem(problem: str | Problem) -> Problem:
    """Return a problem by its name, or itself."""
    if isinstance(problem, Problem):
        return problem
    if problem not in PROBLEMS:
        hint = did_you_mean(problem, PROBLEMS) or f" There are {', '.join(PROBLEMS)}."
        raise InputError(f'expected a problem, got "{problem}".{hint}', "problem")
    return PROBLEMS[problem]


def surface_of(problem: str | Problem, *, n: int = 121, n_levels: int = 16) -> Surface:
    """Return a problem's loss on a grid of n times n points, with its contour lines."""
    if n < 2 or n_levels < 1:
        raise InputError(f"expected a grid of 2 or more and a level, got {n} and {n_levels}")
    it = the_problem(problem)
    x, y = (np.linspace(*ends, n) for ends in (it.x_range, it.y_range))
    columns, rows = np.meshgrid(x, y)
    with torch.no_grad():
        z = it.loss(torch.from_numpy(columns), torch.from_numpy(rows)).numpy()
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    levels = low + (high - low) * ((np.arange(n_levels) + 0.5) / n_levels) ** 3
    lines = tuple(tuple(contour_lines(x, y, z, float(level))) for level in levels)
    return Surface(x, y, z, levels, lines)


def descend(
    problem: str | Problem,
    optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
    *,
    n_steps: int | None = None,
    start: tuple[float, float] | None = None,
    label: str = "",
) -> Path:
    """Go down from a start, step by step, in float64.

    Parameters
    ----------
    problem : str or Problem
        One of ``PROBLEMS`` by name, or one's own.
    optimizer : callable
        Makes the optimizer of a list of parameters:
        ``lambda parameters: torch.optim.SGD(parameters, 0.1)``.
    n_steps : int, optional
        How many steps; as many as show something on this problem by default.
    start : pair of float, optional
        Where to begin; the problem's own start by default.
    label : str
        What the path is called.

    Examples
    --------
    On the round bowl each step takes off the share of the rate: 2.4 · 0.5 · 0.5 = 0.6.

    >>> path = descend("bowl", lambda p: torch.optim.SGD(p, 0.5), n_steps=2)
    >>> path.points[:, 0].tolist()
    [2.4, 1.2, 0.6]
    """
    it = the_problem(problem)
    n_steps = it.n_steps if n_steps is None else n_steps
    if n_steps < 1:
        raise InputError(f"expected at least 1 step, got {n_steps}", "n_steps")
    parameters = [
        torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
        for value in (it.start if start is None else start)
    ]
    made = optimizer([*parameters])
    points: list[list[float]] = []
    losses: list[float] = []
    gradients: list[list[float]] = []
    diverged = False
    for step in range(n_steps + 1):
        made.zero_grad()
        with torch.enable_grad():
            loss = it.loss(parameters[0], parameters[1])
        points.append([each.item() for each in parameters])
        losses.append(loss.item())
        if not all(math.isfinite(v) and abs(v) < FAR for v in (*points[-1], losses[-1])):
            diverged = True
            break
        if step < n_steps:
            loss.backward()  # type: ignore[no-untyped-call]
            gradients.append([0.0 if e.grad is None else e.grad.item() for e in parameters])
            made.step()
    last = points[-1]
    distance = min((math.dist(last, minimum) for minimum in it.minima), default=math.nan)
    return Path(
        label or type(made).__name__,
        np.array(points),
        np.array(losses),
        np.array(gradients).reshape(-1, 2),
        diverged,
        distance,
    )


def descend_many(
    problem: str | Problem,
    rates: Sequence[float],
    optimizers: Mapping[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] | None = None,
    *,
    n_steps: int | None = None,
    start: tuple[float, float] | None = None,
) -> tuple[Path, ...]:
    """Go down with each optimizer at each rate.

    Parameters
    ----------
    problem : str or Problem
        As of `descend`.
    rates : sequence of float
        Learning rates.
    optimizers : mapping, optional
        By name, each made of a list of parameters and a rate; plain SGD by default.
    n_steps, start
        As of `descend`.
    """
    chosen = {"SGD": OPTIMIZERS["SGD"]} if optimizers is None else optimizers
    return tuple(
        descend(
            problem,
            lambda parameters, make=make, rate=rate: make(parameters, rate),  # type: ignore[misc]
            n_steps=n_steps,
            start=start,
            label=f"{name}, rate {rate:g}",
        )
        for name, make in chosen.items()
        for rate in rates
    )


def path_table(problem: str | Problem, paths: Sequence[Path]) -> str:
    """Return where paths over a problem ended, as a table with a heading."""
    it = the_problem(problem)
    rows: list[tuple[str, ...]] = [("", "steps", *it.axes, "loss", "from the minimum")]
    for path in paths:
        ended: tuple[str, ...] = ("diverged", "", "", "")
        if not path.diverged:
            far = "-" if math.isnan(path.distance) else short(path.distance)
            ended = (*map(short, path.points[-1]), short(path.losses[-1]), far)
        rows.append((path.label, f"{len(path.points) - 1:,}", *ended))
    return "\n".join([f"{it.title}: {it.formula}", *aligned_lines(rows)])
