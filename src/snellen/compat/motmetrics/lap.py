"""Linear assignment with pairs that are not allowed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.motmetrics.failed_assertion import FailedAssertionError
from snellen.errors import first_few

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    Rows = NDArray[np.int_]
    Solver = Callable[[Any], tuple[Any, Any]]

__all__ = [
    "add_expensive_edges",
    "available_solvers",
    "default_solver",
    "linear_sum_assignment",
    "lsa_solve_scipy",
    "set_default_solver",
    "solver_map",
]


def linear_sum_assignment(
    costs: ArrayLike, solver: str | Solver | None = None
) -> tuple[Rows, Rows]:
    """Return rows and columns of the pairs with the least sum of costs among the most pairs.

    Parameters
    ----------
    costs : array-like, shape (n, m)
        NaN or infinite where a pair is not allowed.
    solver : str or function, optional
        A function of such a matrix that gives rows and columns, or a name of `solver_map`; else
        `default_solver`.

    Returns
    -------
    rows, columns : ndarray, shape (k,), int

    Raises
    ------
    FailedAssertionError
        For a solver that is not known.
    """
    matrix = np.asarray(costs)
    if not matrix.size:
        return np.empty(0, int), np.empty(0, int)
    chosen = default_solver if solver is None else solver
    function = solver_map.get(chosen) if isinstance(chosen, str) else chosen
    if not callable(function):
        raise FailedAssertionError(
            f"expected a solver of {first_few(solver_map)} or a function, got {chosen!r}", "solver"
        )
    rows, columns = function(matrix)
    return np.asarray(rows).astype(int), np.asarray(columns).astype(int)


def add_expensive_edges(costs: NDArray[Any]) -> NDArray[Any]:
    """Return the costs, a large number where one is NaN or infinite.

    It is so large that no matching takes such a pair if one with fewer of them exists: with costs
    between -c and c, r pairs differ by up to 2 r c.
    """
    allowed = np.isfinite(costs)
    if allowed.all():
        return np.array(costs)
    if not allowed.any():
        return np.zeros_like(costs)
    most = np.abs(costs[allowed]).max() + 1
    finite: NDArray[Any] = np.where(allowed, costs, 2 * min(costs.shape) * most + 1)
    return finite


def lsa_solve_scipy(costs: NDArray[Any]) -> tuple[Rows, Rows]:
    """Solve as SciPy does, which makes the same choice among equal sums; SciPy is not needed."""
    finite = np.ascontiguousarray(add_expensive_edges(costs), np.float64)
    columns = _core.assign(finite)
    rows = np.flatnonzero(columns >= 0)
    columns = columns[rows]
    allowed = np.isfinite(costs[rows, columns])
    return rows[allowed], columns[allowed].astype(int)


available_solvers = ["scipy"]
"""Names of solvers of their own."""

solver_map: dict[str, Solver] = dict.fromkeys(
    # Scripts choose the package's fastest one by name; sums are the same, and this one is faster.
    ("scipy", "lap", "lapsolver", "munkres", "ortools"),
    lsa_solve_scipy,
)
"""Solvers by name: all are the one that there is."""

default_solver: str | Solver = "scipy"
"""What `linear_sum_assignment` uses. An accumulator has its own, which chooses as "scipy" does."""


@contextmanager
def set_default_solver(newsolver: str | Solver) -> Iterator[None]:
    """Use another solver inside a ``with`` block."""
    global default_solver  # the name is the interface
    before = default_solver
    default_solver = newsolver
    try:
        yield
    finally:
        default_solver = before
