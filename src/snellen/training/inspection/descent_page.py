"""Gradient descent over surfaces of two parameters, as a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import InputError
from snellen.training.inspection.descent import (
    OPTIMIZERS,
    Path,
    Surface,
    descend_many,
    surface_of,
    the_problem,
)
from snellen.training.inspection.html import N_COLOURS, details, document, escape, table
from snellen.training.inspection.inline_png import surface_picture
from snellen.training.inspection.line_chart import legend, line_chart, ticks
from snellen.training.inspection.surfaces import PROBLEMS, Problem
from snellen.training.inspection.tensor_statistics import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch
    from torch import Tensor

__all__ = ["descent_page", "descent_parts", "paths_chart"]

# Of a path these steps are listed.
N_ROWS = 12


def descent_page(
    problems: Sequence[str | Problem] | None = None,
    *,
    rates: Sequence[float] | None = None,
    optimizers: Mapping[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] | None = None,
    optimizer_rate: float | None = None,
    n_steps: int | None = None,
    title: str = "Gradient descent on two parameters",
) -> str:
    """Return a self-contained page of paths over loss surfaces.

    For each problem there are two pictures: plain gradient descent at several learning rates, and
    several optimizers side by side.

    Parameters
    ----------
    problems : sequence of str or Problem, optional
        By name or one's own; all of ``PROBLEMS`` by default.
    rates : sequence of float, optional
        Learning rates of plain gradient descent; by default those that show something on each.
    optimizers : mapping, optional
        By name, each made of a list of parameters and a rate; by default SGD without and with
        momentum, RMSprop and Adam.
    optimizer_rate : float, optional
        The rate of all optimizers. By default each has one that suits it on the problem; for
        optimizers of one's own it is needed.
    n_steps : int, optional
        Of each path; by default as many as show something.
    title : str
        Plain text.
    """
    chosen = [the_problem(each) for each in (PROBLEMS if problems is None else problems)]
    if not chosen:
        raise InputError("expected at least one problem, got none", "problems")
    if optimizers is not None and optimizer_rate is None:
        raise InputError("expected a rate for these optimizers, got none", "optimizer_rate")
    body = "\n".join(
        descent_parts(each, rates, optimizers, optimizer_rate, n_steps) for each in chosen
    )
    listed = ""
    if len(chosen) > 1:
        listed = "<p>" + " · ".join(
            f"<a href='#{escape(each.name)}'>{escape(each.title)}</a>" for each in chosen
        )
        listed += "</p>"
    return document(
        title,
        f"<h1>{escape(title)}</h1><p class='soft'>The lines join points of equal loss, closer "
        "together in height near the bottom. A ring marks the start, a dot each step, a star each "
        f"minimum.</p>{listed}{body}",
        "a { color: var(--forward); } .surface text { font-size: 12px; }",
    )


def descent_parts(
    problem: Problem,
    rates: Sequence[float] | None = None,
    optimizers: Mapping[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] | None = None,
    optimizer_rate: float | None = None,
    n_steps: int | None = None,
) -> str:
    """Return what the page says of one problem."""
    surface = surface_of(problem)
    plain = descend_many(problem, problem.rates if rates is None else rates, n_steps=n_steps)
    others: list[Path] = []
    for k, (name, make) in enumerate((OPTIMIZERS if optimizers is None else optimizers).items()):
        rate = problem.optimizer_rates[k] if optimizer_rate is None else optimizer_rate
        others += descend_many(problem, (rate,), {name: make}, n_steps=n_steps)
    parts = [
        f"<h2 id='{escape(problem.name)}'>{escape(problem.title)}</h2>"
        f"<p><code>{escape(problem.formula)}</code></p><p>{escape(problem.lesson)}</p>"
        "<div class='pairs'>"
    ]
    for what, paths in (("Learning rates", plain), ("Optimizers", others)):
        parts.append(
            f"<div class='card'>{paths_chart(problem, surface, paths, title=what)}"
            f"{_losses(problem, paths)}{details('Numbers', _numbers(problem, paths))}</div>"
        )
    return "".join(parts) + "</div>"


def paths_chart(
    problem: Problem,
    surface: Surface,
    paths: Sequence[Path],
    *,
    title: str,
    width: int = 500,
    height: int = 430,
) -> str:
    """Return paths over the contour lines of a surface, as SVG with a legend."""
    left, right, top, bottom = 44, 10, 28, 36
    (x_low, x_high), (y_low, y_high) = problem.x_range, problem.y_range

    def across(x: float) -> float:
        return left + (x - x_low) / (x_high - x_low) * (width - left - right)

    def up(y: float) -> float:
        return height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom)

    def drawn(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
        # Far outside nothing is seen, and SVG's numbers have an end.
        clipped = np.clip(points, -1e3, 1e3)
        return " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in clipped)

    inside = f"x='{left}' y='{top}' width='{width - left - right}' height='{height - top - bottom}'"
    # The name must be its own on a page with several charts.
    clip = f"{problem.name}-{title}".replace(" ", "-")
    parts = [
        f"<clipPath id='{escape(clip)}'><rect {inside}/></clipPath>",
        f"<text class='strong' x='{left}' y='16'>{escape(title)}</text>",
        f"<image {inside} preserveAspectRatio='none' href='{surface_picture(surface.z)}'/>",
        f"<g clip-path='url(#{escape(clip)})'>",
    ]
    for level, lines in zip(surface.levels, surface.lines, strict=True):
        name = f"<title>L = {short(float(level))}</title>"
        parts += [
            f"<polyline points='{drawn(line)}' fill='none' stroke='var(--soft)' "
            f"stroke-width='0.8' opacity='0.6'>{name}</polyline>"
            for line in lines
        ]
    for k, path in enumerate(paths):
        colour = k % N_COLOURS
        parts.append(
            f"<polyline class='c{colour}' points='{drawn(path.points)}' fill='none' "
            "stroke-width='2' stroke-linejoin='round' opacity='0.9'/>"
        )
        every = max(1, len(path.points) // 80)
        for step in range(0, len(path.points), every):
            x, y = np.clip(path.points[step], -1e3, 1e3)
            if x_low <= x <= x_high and y_low <= y <= y_high:
                parts.append(
                    f"<circle class='f{colour}' cx='{across(x):.1f}' cy='{up(y):.1f}' r='2.6'>"
                    f"<title>{escape(path.label)}, step {step}: L = "
                    f"{short(float(path.losses[step]))}</title></circle>"
                )
    parts += [
        f"<text x='{across(x):.1f}' y='{up(y) + 7:.1f}' text-anchor='middle' "
        "style='fill:var(--ink);font-size:20px'>★</text>"
        for x, y in problem.minima
    ]
    if paths:
        x, y = paths[0].points[0]
        parts.append(
            f"<circle cx='{across(x):.1f}' cy='{up(y):.1f}' r='6' fill='none' "
            "stroke='var(--ink)' stroke-width='2'/>"
        )
    parts.append(f"</g><rect {inside} fill='none' stroke='var(--line)'/>")
    parts += [
        f"<text x='{across(x):.1f}' y='{height - bottom + 16}' text-anchor='middle'>"
        f"{short(x)}</text>"
        for x in ticks(x_low, x_high)
    ]
    parts += [
        f"<text x='{left - 6}' y='{up(y) + 4:.1f}' text-anchor='end'>{short(y)}</text>"
        for y in ticks(y_low, y_high)
    ]
    parts.append(
        f"<text class='strong' x='{(left + width - right) / 2:.0f}' y='{height - 4}' "
        f"text-anchor='middle'>{escape(problem.axes[0])}</text>"
        f"<text class='strong' x='8' y='{(top + height - bottom) / 2:.0f}'>"
        f"{escape(problem.axes[1])}</text>"
    )
    return (
        f"<svg class='surface' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img' aria-label='{escape(problem.title)}: {escape(title)}'>{''.join(parts)}</svg>"
        + legend([path.label for path in paths])
    )


def _lowest(problem: Problem) -> float:
    """Return the loss at the minimum; 0 where there is none."""
    import torch

    if not problem.minima:
        return 0.0
    x, y = (torch.tensor(value, dtype=torch.float64) for value in problem.minima[0])
    return float(problem.loss(x, y))


def _losses(problem: Problem, paths: Sequence[Path]) -> str:
    lowest = _lowest(problem)
    # What is left of the loss, down to where float64 ends and not up to where a path is lost.
    top = 1e3 * max((float(path.losses[0]) - lowest for path in paths), default=1.0)
    series = {
        path.label: (
            [float(step) for step in range(len(path.losses))],
            [
                max(float(loss) - lowest, 1e-12) if loss - lowest < top else math.nan
                for loss in path.losses
            ],
        )
        for path in paths
    }
    return line_chart(
        series,
        title="How much above the minimum",
        x_label="step",
        y_label="L − minimum",
        log_y=True,
        width=500,
        height=220,
        named=False,
    )


def _numbers(problem: Problem, paths: Sequence[Path]) -> str:
    rows = [("", "steps", "loss at the end", *problem.axes, "to the minimum")]
    for path in paths:
        x, y = path.points[-1]
        rows.append(
            (
                path.label,
                f"{len(path.points) - 1}" + (", diverged" if path.diverged else ""),
                short(float(path.losses[-1])),
                short(float(x)),
                short(float(y)),
                "-" if math.isnan(path.distance) else short(path.distance),
            )
        )
    parts = [table(rows)]
    for path in paths:
        a, b = problem.axes
        steps = [("step", a, b, "L", f"∂L/∂{a}", f"∂L/∂{b}")]
        last = len(path.points) - 1
        for step in sorted(
            {*range(min(4, last + 1)), *(round(last * k / N_ROWS) for k in range(N_ROWS + 1))}
        ):
            gradient = path.gradients[step] if step < len(path.gradients) else None
            steps.append(
                (
                    str(step),
                    *(short(float(value)) for value in path.points[step]),
                    short(float(path.losses[step])),
                    *(("", "") if gradient is None else (short(float(g)) for g in gradient)),
                )
            )
        parts.append(details(escape(path.label), table(steps)))
    return "".join(parts)
