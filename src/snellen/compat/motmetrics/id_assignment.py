"""Which object is which hypothesis, one to one for a whole sequence, with the fewest errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.motmetrics.lap import linear_sum_assignment
from snellen.tracking.motmetrics_list import RAW, distinct, id_true_positives

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snellen.compat.motmetrics.event_columns import EventColumns

__all__ = ["IdAssignment", "IdCounts"]


class IdCounts:
    """In how many frames ids are, in ascending order of the ids that are in any."""

    def __init__(self, columns: EventColumns) -> None:
        raw = columns.kind == RAW
        frame, truth, pred = (each[raw] for each in (columns.frame, columns.truth, columns.pred))
        self.truth_ids, self.n_truth, self._truth = self._side(frame, truth, columns.truth_ids)
        self.pred_ids, self.n_pred, self._pred = self._side(frame, pred, columns.pred_ids)
        paired = (truth >= 0) & (pred >= 0) & ~np.isnan(columns.distance[raw])
        self._truth, self._pred = self._truth[paired], self._pred[paired]

    @staticmethod
    def _side(
        frame: NDArray[Any], code: NDArray[Any], ids: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """Return ids in order, their frames, and the place of each row's id among them."""
        known = code >= 0
        seen, _ = distinct(frame[known].astype(np.int64) * max(len(ids), 1) + code[known])
        count = np.bincount(seen % max(len(ids), 1), minlength=len(ids))
        present = np.flatnonzero(count)
        try:
            order = present[np.argsort(ids[present], kind="stable")]
        except TypeError:
            order = present  # numbers and texts have no order
        place = np.full(len(ids) + 1, -1)
        place[order] = np.arange(len(order))
        return ids[order], count[order], place[code]

    def pairs(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the places of objects and predictions of pairs, ascending, and their number."""
        n_pred = max(len(self.pred_ids), 1)
        cell, count = distinct(self._truth * n_pred + self._pred)
        return cell // n_pred, cell % n_pred, count

    def best(self) -> int:
        """Return the most pairs that are right, where each object is one prediction for good."""
        return id_true_positives(self._truth, self._pred, len(self.pred_ids))


class IdAssignment(dict[str, Any]):
    """The global assignment of ids: its two sums at once, its matrices when they are looked at."""

    def __init__(self, counts: IdCounts) -> None:
        super().__init__()
        self._counts = counts
        best = counts.best()
        self.idfp = np.float64(counts.n_pred.sum() - best)
        self.idfn = np.float64(counts.n_truth.sum() - best)

    def _fill(self) -> None:
        if super().__len__():
            return
        counts = self._counts
        n, m = len(counts.n_truth), len(counts.n_pred)
        false_positives, false_negatives = np.zeros((2, n + m, n + m))
        # An object is a prediction, or itself alone; so is a prediction.
        false_positives[n:, :m] = false_negatives[:n, m:] = np.nan
        false_negatives[:n, :m] = counts.n_truth[:, None]
        false_positives[:n, :m] = counts.n_pred
        objects, predictions = np.arange(n), np.arange(m)
        false_negatives[objects, m + objects] = counts.n_truth
        false_positives[n + predictions, predictions] = counts.n_pred
        rows, columns, right = counts.pairs()
        false_negatives[rows, columns] -= right
        false_positives[rows, columns] -= right
        costs = false_positives + false_negatives
        rids, cids = linear_sum_assignment(costs)
        self.update(
            fpmatrix=false_positives,
            fnmatrix=false_negatives,
            rids=rids,
            cids=cids,
            costs=costs,
            min_cost=costs[rids, cids].sum(),
        )

    def __missing__(self, key: str) -> Any:
        if super().__len__():
            raise KeyError(key)
        self._fill()
        return self[key]

    def __contains__(self, key: object) -> bool:
        self._fill()
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a part, or the default."""
        self._fill()
        return super().get(key, default)

    def keys(self) -> Any:
        """Return the names of all parts."""
        self._fill()
        return super().keys()

    def values(self) -> Any:
        """Return all parts."""
        self._fill()
        return super().values()

    def items(self) -> Any:
        """Return all parts and their names."""
        self._fill()
        return super().items()
