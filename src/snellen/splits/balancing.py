"""Many classes a sample, or samples in groups: units that are divided in two, and again.

Units (samples, or groups with the sums of their samples) have places in [0, 1) by hash. Where the
parts' shares cut [0, 1), classes are off by chance. Class after class, the units that hold it are
shifted until its count is as it should be, as far as needed and no farther; so a unit more or less
moves few others. What is left is mended by units at the cut that change sides. The kernel is
``core/src/halving.cpp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen import _core
from snellen.splits.class_blocks import ties_by_hash
from snellen.splits.rounding import class_quotas, small_class, total_quotas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.splits.ratios import Ratios
    from snellen.splits.strata import Strata

__all__ = ["Units", "balanced"]

ALGORITHM = "hash-balance/1"
_SWEEPS = 40
# Objects count less than the samples they are in: a few crowded images decide about them.
_OBJECT_IMPORTANCE = 0.25


class _Mending(NamedTuple):
    """How far units at the cut change sides in the end, so that classes are spread more evenly.

    Attributes
    ----------
    n_candidates : int
        The units nearest to the cut that may; pairs of them are compared.
    price : float
        Of a unit, times the square of its share of all samples: where less is mended, in squares
        of shares of classes, it is not worth moving anybody.
    size : float
        The least importance of the number of samples, times the price of a sample.
    """

    n_candidates: int
    price: float
    size: float


_OF_SAMPLES = _Mending(800, 1.0, 4.0)
# A group takes all its classes along, so that mending one class makes work in others: a sample more
# would move many groups. Fewer of them may move, and parts are a little less even.
_OF_GROUPS = _Mending(100, 4.0, 64.0)


class Units(NamedTuple):
    """What cannot be divided, in the order of their hashes.

    Attributes
    ----------
    rank : ndarray of uint64, shape (U,)
        Their hashes, ascending.
    size : ndarray of int64, shape (U,)
        How many samples each is.
    """

    rank: NDArray[np.uint64]
    size: NDArray[np.int64]


class _Columns(NamedTuple):
    """The weight of each column (a class, its objects, or the number of samples) in each unit."""

    begin: NDArray[np.int64]
    unit: NDArray[np.int32]
    weight: NDArray[np.float64]
    target: NDArray[np.float64]  # (P, L)
    importance: NDArray[np.float64]

    def of_units(self, kept: NDArray[np.bool_]) -> _Columns:
        """Return the columns of some units, numbered anew."""
        place = np.cumsum(kept, dtype=np.int32) - 1
        here = kept[self.unit]
        ends = np.concatenate(([0], np.cumsum(here)))[self.begin]
        return self._replace(
            begin=ends.astype(np.int64),
            unit=place[self.unit[here]].astype(np.int32),
            weight=self.weight[here],
        )

    def total(self) -> NDArray[np.float64]:
        """Return the weight of each column in all units."""
        sums = np.concatenate(([0.0], np.cumsum(self.weight)))
        return sums[self.begin[1:]] - sums[self.begin[:-1]]


def balanced(
    units: Units,
    strata: Strata | None,
    ratios: Ratios,
    *,
    seed: int,
    small_rule: bool,
) -> NDArray[np.int32]:
    """Return the part of each unit.

    Parameters
    ----------
    units : Units
        U units.
    strata : Strata or None
        What each unit holds: entries of `row` are units, those of one unit and class may repeat
        (one for each sample that holds the class).
    ratios : Ratios
        The parts' shares.
    seed : int
        Decides ties between equal remainders.
    small_rule : bool
        Whether classes in fewer units than parts follow `small_class`.

    Returns
    -------
    ndarray of int32, shape (U,)
    """
    part = np.zeros(len(units.size), np.int32)
    if not len(part):
        return part
    columns = _columns(units, strata, ratios, seed, small_rule)
    mending = _mending(units)
    price = mending.price * (units.size / units.size.sum()) ** 2
    everything = _Node(units.rank, columns, price, np.arange(len(part)))
    _divide(everything, ratios, 0, len(ratios.weights), mending.n_candidates, part)
    _fill_empty_parts(part, units, ratios)
    return part


def _mending(units: Units) -> _Mending:
    return _OF_SAMPLES if units.size.max() == 1 else _OF_GROUPS


class _Node(NamedTuple):
    """Units that go to some of the parts: their hashes, columns, prices, and places among all."""

    rank: NDArray[np.uint64]
    columns: _Columns
    price: NDArray[np.float64]
    unit: NDArray[np.int64]


def _divide(
    node: _Node,
    ratios: Ratios,
    first: int,
    end: int,
    n_candidates: int,
    part: NDArray[np.int32],
) -> None:
    """Divide units among the parts from first to end (excluded)."""
    if end - first == 1:
        part[node.unit] = first
        return
    middle = (first + end + 1) // 2
    weights, columns = ratios.weights, node.columns
    share = sum(weights[first:middle]) / sum(weights[first:end])
    # What is here is not quite what should be: either half takes its share of the difference.
    off = columns.total() - columns.target[first:end].sum(0)
    right = _core.halve(
        _places(node.rank, first, end),
        share,
        columns.begin,
        columns.unit,
        columns.weight,
        columns.target[first:middle].sum(0) + off * share,
        columns.importance,
        node.price,
        n_sweeps=_SWEEPS,
        n_candidates=n_candidates,
    ).astype(bool)
    for kept, low, high in ((~right, first, middle), (right, middle, end)):
        within = columns if high - low == 1 else columns.of_units(kept)
        half = _Node(node.rank[kept], within, node.price[kept], node.unit[kept])
        _divide(half, ratios, low, high, n_candidates, part)


def _places(rank: NDArray[np.uint64], first: int, end: int) -> NDArray[np.float64]:
    """Return a place in [0, 1) for each unit, another one for each division.

    The mixing is that of SplitMix64: whole numbers, the same everywhere.
    """
    salt = (first << 32 | end) * 0x9E3779B97F4A7C15 % 2**64
    mixed = rank ^ np.uint64(salt)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    places: NDArray[np.float64] = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return places


def _columns(
    units: Units, strata: Strata | None, ratios: Ratios, seed: int, small_rule: bool
) -> _Columns:
    n_parts, n_units = len(ratios.weights), len(units.size)
    mending = _mending(units)
    n_rows = int(units.size.sum())
    size_target = total_quotas(n_rows, ratios).astype(np.float64)
    if strata is None or not len(strata.code):
        return _Columns(
            np.array([0, n_units], np.int64),
            np.arange(n_units, dtype=np.int32),
            units.size.astype(np.float64),
            size_target[:, None],
            np.ones(1),
        )
    n_classes = len(strata.names)
    pair, first = np.unique(strata.code * np.int64(n_units) + strata.row, return_inverse=True)
    samples = np.bincount(first).astype(np.int64)
    objects = np.bincount(first, strata.times).astype(np.int64)
    code, unit = np.divmod(pair, n_units)
    bounds = np.searchsorted(code, np.arange(n_classes + 1))

    families = [(samples, 1.0)]
    if not np.array_equal(samples, objects):
        families.append((objects, _OBJECT_IMPORTANCE))
    # Of each column: its class, its family.
    chosen = [
        (k, f)
        for f, (weight, _) in enumerate(families)
        for k in range(n_classes)
        if bounds[k] < bounds[k + 1]
        and (f == 0 or (weight != samples)[bounds[k] : bounds[k + 1]].any())
    ]
    tie = ties_by_hash(strata.names, n_parts, seed)
    target = np.empty((n_parts, len(chosen)))
    total = np.array(
        [int(families[f][0][bounds[k] : bounds[k + 1]].sum()) for k, f in chosen], np.int64
    )
    for f in range(len(families)):
        at = np.array([i for i, (_, family) in enumerate(chosen) if family == f], np.int64)
        if not len(at):
            continue
        of_class = np.array([chosen[i][0] for i in at])
        quotas = class_quotas(
            total[at], ratios, tie[of_class], small_rule=small_rule, level=strata.single
        )
        target[:, at] = quotas.T
    if small_rule:
        for i, (k, f) in enumerate(chosen):
            held = slice(bounds[k], bounds[k + 1])
            n_holding = int(bounds[k + 1] - bounds[k])
            if n_holding < n_parts:
                weights = np.sort(families[f][0][held])[::-1]
                target[:, i] = 0
                target[small_class(n_holding, n_parts), i] = weights
    # Frequent classes first: what comes later disturbs what came earlier, and a sample more or
    # less matters most to rare classes. The number of samples comes last.
    order = np.argsort(-total, kind="stable")
    parts = [slice(bounds[chosen[i][0]], bounds[chosen[i][0] + 1]) for i in order]
    weight = [families[chosen[i][1]][0][part] for i, part in zip(order, parts, strict=True)]
    lengths = [part.stop - part.start for part in parts]
    importance = (
        np.array([families[f][1] for _, f in chosen])[order] / total[order].astype(np.float64) ** 2
    )
    return _Columns(
        np.concatenate(([0], np.cumsum([*lengths, n_units]))).astype(np.int64),
        np.concatenate([*(unit[part] for part in parts), np.arange(n_units)]).astype(np.int32),
        np.concatenate([*weight, units.size]).astype(np.float64),
        np.concatenate([target[:, order], size_target[:, None]], axis=1),
        # The number of samples is worth any price of a sample: parts are as large as asked.
        np.append(importance, max(importance.min(), mending.size * mending.price / n_rows**2)),
    )


def _fill_empty_parts(part: NDArray[np.int32], units: Units, ratios: Ratios) -> None:
    """Give a part without a unit one from the part with most of them, the one that fits best."""
    n_parts = len(ratios.weights)
    wanted = total_quotas(int(units.size.sum()), ratios)
    while len(part) >= n_parts:
        n_units = np.bincount(part, minlength=n_parts)
        empty = np.nonzero(n_units == 0)[0]
        if not len(empty):
            return
        donors = np.nonzero(part == n_units.argmax())[0]
        part[donors[np.abs(units.size[donors] - wanted[empty[0]]).argmin()]] = empty[0]
