"""Whole numbers of samples for each class and part.

Largest remainder within each class; then a second pass, in which classes that were rounded up in
one part and down in another swap the two, so that the parts' totals are as asked as well.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.splits.ratios import Ratios

__all__ = ["class_quotas", "largest_remainder", "small_class", "total_quotas"]


def total_quotas(n: int, ratios: Ratios) -> NDArray[np.int64]:
    """Return the sizes of the parts of n samples; equal remainders go to the earlier part.

    Examples
    --------
    >>> from snellen.splits.ratios import Ratios
    >>> total_quotas(1001, Ratios.of("60/20/20")).tolist()
    [601, 200, 200]
    """
    tie = np.arange(len(ratios.weights), 0, -1, dtype=np.int64)[None]
    sizes: NDArray[np.int64] = largest_remainder(np.array([n], np.int64), ratios, tie)[0]
    return sizes


def largest_remainder(
    n: NDArray[np.int64], ratios: Ratios, tie: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the counts of each class in each part by largest remainder.

    Parameters
    ----------
    n : ndarray of int64, shape (K,)
        The size of each class.
    ratios : Ratios
        The parts' shares, P of them.
    tie : ndarray of int64, shape (K, P)
        Different numbers from 1 to P within each class: of equal remainders the larger one wins.

    Returns
    -------
    ndarray of int64, shape (K, P)
        Each cell is its quota rounded down or up; rows add up to n.
    """
    weights = np.array(ratios.weights, np.int64)
    # n < 2**31 and whole <= 1e9: products fit 64 bits.
    floor, remainder = np.divmod(n[:, None] * weights, ratios.whole)
    left = n - floor.sum(1)
    order = np.lexsort((tie, remainder), axis=1)[:, ::-1]
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(weights))[None], axis=1)
    counts: NDArray[np.int64] = floor + (place < left[:, None])
    return counts


def small_class(n_members: int, n_parts: int) -> list[int]:
    """Return the parts that the members of a class with fewer of them than parts go to, in turn.

    One goes to the first part, a second one to the last part, others to those in between.

    Examples
    --------
    >>> small_class(1, 3), small_class(2, 3), small_class(3, 4)
    ([0], [0, 2], [0, 3, 1])
    """
    return [0, n_parts - 1, *range(1, n_parts - 1)][:n_members]


def class_quotas(
    n: NDArray[np.int64], ratios: Ratios, tie: NDArray[np.int64], *, small_rule: bool, level: bool
) -> NDArray[np.int64]:
    """Return the counts of each class in each part.

    Parameters
    ----------
    n : ndarray of int64, shape (K,)
        The size of each class, at least 1.
    ratios : Ratios
        The parts' shares, P of them.
    tie : ndarray of int64, shape (K, P)
        Different numbers from 1 to P within each class, by hash.
    small_rule : bool
        Whether classes of fewer samples than parts follow `small_class`, and each larger one has
        at least one sample in each part.
    level : bool
        Whether the parts' totals are to be as asked, too: each sample has one class. Where small
        classes weigh more than the others can make up for, they come as close as can be.

    Returns
    -------
    ndarray of int64, shape (K, P)
        Rows add up to n.
    """
    counts = largest_remainder(n, ratios, tie)
    n_parts = counts.shape[1]
    floor = n[:, None] * np.array(ratios.weights, np.int64) // ratios.whole
    ceiling = -(-n[:, None] * np.array(ratios.weights, np.int64) // ratios.whole)
    low, high = floor, ceiling
    if small_rule:
        small = n < n_parts
        for size in range(1, n_parts):
            row = np.zeros(n_parts, np.int64)
            row[small_class(size, n_parts)] = 1
            counts[n == size] = row
        _fill_empty_cells(counts, n, ratios, ~small)
        low = np.where(small[:, None], counts, np.minimum(np.maximum(floor, 1), counts))
        high = np.where(small[:, None], counts, np.maximum(ceiling, counts))
    if level:
        _level_totals(counts, low, high, n, ratios)
    return counts


def _fill_empty_cells(
    counts: NDArray[np.int64], n: NDArray[np.int64], ratios: Ratios, rows: NDArray[np.bool_]
) -> None:
    """Take one sample for each empty part from the part that has most above its quota."""
    weights = np.array(ratios.weights, np.int64)
    while True:
        at = np.nonzero(rows & (counts == 0).any(1))[0]
        if not len(at):
            return
        excess = counts[at] * ratios.whole - n[at, None] * weights
        donor = np.where(counts[at] > 1, excess, np.iinfo(np.int64).min).argmax(1)
        counts[at, donor] -= 1
        counts[at, (counts[at] == 0).argmax(1)] += 1


def _level_totals(
    counts: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    n: NDArray[np.int64],
    ratios: Ratios,
) -> None:
    """Move single samples between parts within classes until the parts' totals are as asked.

    Cells stay within their bounds. Of the classes that can give, those whose chi-square
    grows least give first; so a class more or less changes what few others give.
    """
    excess = counts.sum(0) - total_quotas(int(n.sum()), ratios)
    while (excess > 0).any():
        path = _path(excess, counts, low, high)
        if path is None:
            return  # the small classes weigh more than all others can make up for
        amount = int(min(excess[path[0]], -excess[path[-1]]))
        if len(path) > 2:
            amount = 1  # each step may change what the next one can do
        for source, target in itertools.pairwise(path):
            able = np.nonzero(
                (counts[:, source] > low[:, source]) & (counts[:, target] < high[:, target])
            )[0]
            cost = _cost(counts[able], n[able], ratios, source, target)
            chosen = able[np.argsort(cost, kind="stable")[:amount]]
            amount = len(chosen)
            counts[chosen, source] -= 1
            counts[chosen, target] += 1
        excess[path[0]] -= amount
        excess[path[-1]] += amount


def _path(
    excess: NDArray[np.int64],
    counts: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> list[int] | None:
    """Return the shortest way from a part with too many samples to one with too few."""
    came_from: dict[int, int | None] = {int(i): None for i in np.nonzero(excess > 0)[0]}
    queue = list(came_from)
    for part in queue:
        if excess[part] < 0:
            path = [part]
            while (before := came_from[path[0]]) is not None:
                path.insert(0, before)
            return path
        gives = counts[:, part] > low[:, part]
        reachable = (counts[gives] < high[gives]).any(0)
        for other in np.nonzero(reachable)[0].tolist():
            if other not in came_from:
                came_from[other] = part
                queue.append(other)
    return None


def _cost(
    counts: NDArray[np.int64], n: NDArray[np.int64], ratios: Ratios, source: int, target: int
) -> NDArray[np.float64]:
    """Return what chi-square grows by if each class gives one sample from source to target."""
    give, take = ratios.shares[source], ratios.shares[target]
    cost: NDArray[np.float64] = (
        (1 - 2 * (counts[:, source] - n * give)) / give
        + (1 + 2 * (counts[:, target] - n * take)) / take
    ) / n
    return cost
