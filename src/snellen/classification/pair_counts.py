"""How often each pair (true class, predicted class) occurred: the one state of label metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.state import Moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Cells", "PairCounts"]

# Pairs wait until they are worth a pass over all cells.
_PENDING = 1 << 16
# Up to so many cells a table of all of them is counted into; beyond, pairs are sorted.
_DENSE = 1 << 22


class Cells(NamedTuple):
    """The pairs that occurred, in order of (row, column).

    Attributes
    ----------
    row, column : ndarray, shape (C,), int64
        Positions of the true and of the predicted class.
    samples : ndarray, shape (C,), int64
        How many samples.
    weight : ndarray, shape (C,), float64, or None
        The sum of their weights; None where no sample had one.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    samples: NDArray[np.int64]
    weight: NDArray[np.float64] | None

    @property
    def counted(self) -> NDArray[Any]:
        """The samples of each pair or, where they have weights, the sum of these."""
        return self.samples if self.weight is None else self.weight


class _Pairs(NamedTuple):
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    weight: NDArray[np.float64] | None


class PairCounts:
    """Integer counts, and exact sums of weights, of the pairs that occur.

    Memory grows with the number of different pairs, never with the number of samples.

    Parameters
    ----------
    n_classes : int
        Number of classes on either side.
    """

    __slots__ = ("_cell", "_count", "_n_pending", "_pending", "_weight", "n_classes")

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        # A cell is row · n_classes + column; cells ascend.
        self._cell: NDArray[np.int64] = np.zeros(0, np.int64)
        self._count: NDArray[np.int64] = np.zeros(0, np.int64)
        self._weight: Moments | None = None
        self._pending: list[_Pairs] = []
        self._n_pending = 0

    @property
    def is_weighted(self) -> bool:
        """Whether any sample had a weight."""
        return self._weight is not None or any(each.weight is not None for each in self._pending)

    def add(
        self,
        row: NDArray[np.int32],
        column: NDArray[np.int32],
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        """Count pairs of positions; without weight each counts 1."""
        self._pending.append(_Pairs(row, column, weight))
        self._n_pending += len(row)
        if self._n_pending > max(_PENDING, len(self._cell)):
            self._settle()

    def add_cells(self, cell: NDArray[np.int64], count: NDArray[np.int64]) -> None:
        """Add counts of cells (row · n_classes + column), which ascend; samples without weight."""
        self._settle()
        self._absorb(cell, count, None)

    def merge(self, other: PairCounts) -> None:
        """Add another's of the same classes."""
        self._settle()
        other._settle()
        self._absorb(other._cell, other._count, other._weight)

    def moved(self, place: NDArray[Any] | None, n_classes: int) -> PairCounts:
        """Return the same counts among other classes: class k at place[k], in the same order."""
        self._settle()
        copy = PairCounts(n_classes)
        row, column = self._pairs()
        if place is not None:
            row, column = place[row].astype(np.int64), place[column].astype(np.int64)
        copy._absorb(row * n_classes + column, self._count, self._weight)
        return copy

    def cells(self) -> Cells:
        """Return what was counted."""
        self._settle()
        row, column = self._pairs()
        weight = None if self._weight is None else self._weight.total("weight")
        return Cells(row, column, self._count, weight)

    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows and columns of all cells."""
        if len(self._cell) < self.n_classes // 4:
            row, column = np.divmod(self._cell, self.n_classes)
            return row, column
        # Several times as quick as a division of each.
        every = np.arange(self.n_classes + 1)
        row = np.repeat(every[:-1], np.diff(np.searchsorted(self._cell, every * self.n_classes)))
        return row, self._cell - row * self.n_classes

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state by name: equal counts, equal bytes."""
        self._settle()
        weight = {} if self._weight is None else self._weight.arrays()
        return {"cell": self._cell, "count": self._count, **weight}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put what `arrays` returned in the place of all counts.

        Raises
        ------
        ValueError, KeyError
            Where they are not counts of so many classes.
        """
        cell, count = arrays["cell"], arrays["count"]
        if (
            cell.shape != count.shape
            or cell.ndim != 1
            or (len(cell) and np.diff(cell).min(initial=1) < 1)
        ):
            raise ValueError("cells do not ascend")
        if len(cell) and (cell[0] < 0 or cell[-1] >= self.n_classes**2 or count.min() < 0):
            raise ValueError("cells of other classes")
        self._cell, self._count, self._weight = cell, count, None
        if "weight.limbs" in arrays:
            self._weight = Moments(weight=(len(cell),))
            self._weight.restore(arrays)

    def _settle(self) -> None:
        """Count what is pending. The state means the same before and after."""
        if not self._pending:
            return
        pending, self._pending, self._n_pending = self._pending, [], 0
        for weighted in (False, True):
            parts = [part for part in pending if (part.weight is not None) == weighted]
            if not parts:
                continue
            row, column = parts[0][:2]
            if len(parts) > 1:
                row, column = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
            found, count = self._count_cells(row, column)
            weight = None
            if weighted:
                weight = Moments(weight=(len(found),))
                weights = np.concatenate([part.weight for part in parts if part.weight is not None])
                place = np.searchsorted(found, self._cells_of(row, column))
                weight.add_at("weight", place, weights)
            self._absorb(found, count, weight)

    def _cells_of(self, row: NDArray[np.int32], column: NDArray[np.int32]) -> NDArray[np.int64]:
        return row.astype(np.int64) * self.n_classes + column

    def _count_cells(
        self, row: NDArray[np.int32], column: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n_cells = self.n_classes**2
        if n_cells <= max(len(row), 1 << 12) * 4 and n_cells <= _DENSE:
            return _core.count_pairs(row, column, self.n_classes)
        found, count = np.unique(self._cells_of(row, column), return_counts=True)
        return found, count.astype(np.int64, copy=False)

    def _absorb(
        self, cell: NDArray[np.int64], count: NDArray[np.int64], weight: Moments | None
    ) -> None:
        if not len(self._cell) and self._weight is None:
            self._cell, self._count, self._weight = cell, count, weight
            return
        weighted = self._weight is not None or weight is not None
        union = np.union1d(self._cell, cell)
        total = np.zeros(len(union), np.int64)
        sums = Moments(weight=(len(union),)) if weighted else None
        for cells, counts, weights in (
            (self._cell, self._count, self._weight),
            (cell, count, weight),
        ):
            place = np.searchsorted(union, cells)
            total[place] += counts
            if sums is None:
                continue
            if weights is None:  # each sample weighs 1
                sums.add_at("weight", place, counts.astype(np.float64))
            else:
                sums.merge(weights.placed("weight", place, (len(union),)))
        self._cell, self._count, self._weight = union, total, sums
