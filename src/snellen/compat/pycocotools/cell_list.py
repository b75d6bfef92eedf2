"""The cells of an evaluation, each made when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.pycocotools.documents import no_collection

if TYPE_CHECKING:
    from snellen.compat.pycocotools.cells import CellNames
    from snellen.compat.pycocotools.evaluation import Evaluation

__all__ = ["CellList"]


class CellList(MutableSequence[Any]):
    """A list of cells, by category, area range and image; None where one is empty.

    A cell that was looked at is kept: it is the same object the next time, with what was done to
    it. A cell that is put in, or a change of length, is as in a list. It is none of Python's lists,
    whose inside C code may read without asking.

    Parameters
    ----------
    cells : iterable, optional
        All of them; `of` gives those of an evaluation.
    """

    def __init__(self, cells: Iterable[Any] = ()) -> None:
        self.evaluation: Evaluation | None = None
        self._seen: dict[int, Any] = {}
        self._all = list(cells)

    @classmethod
    def of(cls, evaluation: Evaluation) -> CellList:
        """Return the cells of an evaluation."""
        cells = cls()
        cells.evaluation = evaluation
        return cells

    def __len__(self) -> int:
        return len(self._all if self.evaluation is None else self.evaluation)

    def __getitem__(self, at: Any) -> Any:
        if self.evaluation is None:
            return self._all[at]
        positions = range(len(self))[at]
        if isinstance(positions, range):
            return [self._cell(position) for position in positions]
        return self._cell(positions)

    def _cell(self, position: int) -> Any:
        if position not in self._seen and self.evaluation is not None:
            self._seen[position] = self.evaluation.cell(position)
        return self._seen[position]

    def __iter__(self) -> Iterator[Any]:
        evaluation = self.evaluation
        if evaluation is None:
            yield from self._all
            return
        position = 0
        for label in range(len(evaluation.rules.categories)):
            occupied = evaluation.occupied(label)
            for _ in evaluation.rules.areas:
                for some in occupied:
                    yield self[position] if some or self.evaluation is None else None
                    position += 1

    def as_list(self) -> list[Any]:
        """Return all cells in a list, which from now on is what this is."""
        if self.evaluation is not None:
            with no_collection():
                self._all = list(self)
            self.evaluation = None
            self._seen = {}
        return self._all

    def evaluated(self) -> Evaluation | None:
        """Return the evaluation; None where cells were put in or what was looked at was changed."""
        evaluation = self.evaluation
        if evaluation is None or not all(
            _same(cell, evaluation.cell(position), evaluation.rules.names)
            for position, cell in self._seen.items()
        ):
            return None
        return evaluation

    def __setitem__(self, at: Any, value: Any) -> None:
        self.as_list()[at] = value

    def __delitem__(self, at: Any) -> None:
        del self.as_list()[at]

    def insert(self, index: int, value: Any) -> None:
        """Put a cell in before another."""
        self.as_list().insert(index, value)

    def copy(self) -> list[Any]:
        """Return all cells in a new list."""
        return list(self)

    def __add__(self, other: list[Any]) -> list[Any]:
        return list(self) + list(other)

    def __radd__(self, other: list[Any]) -> list[Any]:
        return list(other) + list(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (list, CellList)):
            return self is other or (len(self) == len(other) and list(self) == list(other))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return an array of the cells, as objects."""
        cells = np.empty(len(self), object)
        with no_collection():
            cells[:] = list(self)
        return cells if dtype is None else cells.astype(dtype)

    def __repr__(self) -> str:
        return f"<{len(self)} cells, each made when it is looked at>"


def _same(a: Any, b: Any, names: CellNames) -> bool:
    """Whether two cells give the same curves."""
    if a is None or b is None:
        return a is b
    if type(a) is not dict or not a.keys() >= b.keys():
        return False
    lists = names.scores, names.pred_ids
    return all(type(a[name]) is list and a[name] == b[name] for name in lists) and all(
        type(a[name]) is np.ndarray
        and a[name].dtype == b[name].dtype
        and np.array_equal(a[name], b[name])
        for name in (names.took, names.left_out, names.ignored)
    )
