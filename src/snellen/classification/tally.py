"""Counts of samples that may have weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.state import Counts, Moments, prefixed, unprefixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Tally", "exact_products"]


class Tally:
    """Named tables of how many samples fell into each cell, by number or by weight.

    Samples without weight are counted as integers, weights are summed exactly; a sample without
    weight beside others with weights counts 1.

    Parameters
    ----------
    **shapes : tuple of int
        The shape of each table.
    """

    __slots__ = ("_counts", "_shapes", "_weights")

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self._shapes = shapes
        self._counts = Counts(**shapes)
        self._weights: Moments | None = None

    @property
    def is_weighted(self) -> bool:
        """Whether any sample had a weight."""
        return self._weights is not None

    def add(self, name: str, cell: NDArray[Any], weight: NDArray[np.float64] | None = None) -> None:
        """Count samples, each in the cell of its position in C order."""
        if weight is not None:
            if self._weights is None:
                self._weights = Moments(**self._shapes)
            self._weights.add_at(name, cell, weight)
            return
        shape = self._shapes[name]
        size = int(np.prod(shape, dtype=np.int64))
        self._counts.add(**{name: np.bincount(cell, minlength=size).reshape(shape)})

    def add_counts(self, name: str, counts: NDArray[np.int64]) -> None:
        """Add samples without weight that were counted already."""
        self._counts.add(**{name: counts})

    def merge(self, other: Tally) -> None:
        """Add all of another's."""
        self._counts.merge(other._counts)
        if other._weights is not None:
            if self._weights is None:
                self._weights = Moments(**self._shapes)
            self._weights.merge(other._weights)

    def placed(self, name: str, place: NDArray[Any], shape: tuple[int, ...]) -> Tally:
        """Return one table in another shape: cell i at place[i], each place once, else 0."""
        moved = Tally(**{name: shape})
        counts = np.zeros(int(np.prod(shape, dtype=np.int64)), np.int64)
        counts[place] = self._counts[name].reshape(-1)
        moved.add_counts(name, counts.reshape(shape))
        if self._weights is not None:
            moved._weights = self._weights.placed(name, place, shape)
        return moved

    def table(self, name: str) -> NDArray[Any]:
        """Return a table: int64 or, with weights, float64, each cell rounded once."""
        if self._weights is None:
            counts: NDArray[np.int64] = self._counts[name].copy()
            return counts
        return self._sum(name).total(name)

    def exact(self, name: str) -> NDArray[np.object_]:
        """Return a table of int or, with weights, of Fraction."""
        if self._weights is None:
            counts: NDArray[np.object_] = self._counts[name].astype(object)
            return counts
        return self._sum(name).exact(name)

    def _sum(self, name: str) -> Moments:
        assert self._weights is not None
        both = Moments(**self._shapes)
        both.merge(self._weights)
        both.add(**{name: self._counts[name][None].astype(np.float64)})
        return both

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state by name: equal samples, equal bytes."""
        weights = {} if self._weights is None else self._weights.arrays()
        return {**self._counts.arrays(), **prefixed("weight.", weights)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put what `arrays` returned in the place of nothing.

        Raises
        ------
        ValueError, KeyError
            Where it is not of these shapes.
        """
        for name, shape in self._shapes.items():
            if arrays[name].shape != shape or arrays[name].min(initial=0) < 0:
                raise ValueError(f"{name}: counts of shape {arrays[name].shape}")
            self._counts.add(**{name: arrays[name]})
        weights = unprefixed("weight.", arrays)
        if weights:
            self._weights = Moments(**self._shapes)
            self._weights.restore(weights)


def exact_products(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rounded products and what rounding took from them, both exact.

    T. J. Dekker, "A floating-point technique for extending the available precision", 1971; for
    magnitudes between 1e-120 and 1e120.
    """

    def halves(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        shifted = x * 134217729.0  # 2²⁷ + 1
        high = shifted - (shifted - x)
        return high, x - high

    product = a * b
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, lost
