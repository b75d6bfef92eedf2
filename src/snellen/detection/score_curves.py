"""True and false positives of each class against the score threshold: raw points, no envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from snellen.detection.outcomes import Outcomes

__all__ = ["ScoreCurves", "score_curves", "spaced_scores"]


class ScoreCurves(NamedTuple):
    """A point for each distinct score of each class; kept is what scores the threshold or more.

    Attributes
    ----------
    begin : ndarray, shape (K + 1,), int64
        The points of class k are begin[k] … begin[k + 1] − 1.
    threshold : ndarray, shape (P,), float64
        Descending in each class.
    tp, fp : ndarray, shape (P,), int64
        True and false positives at the threshold.
    lost : ndarray, shape (P,), float64, or None
        The sum over the true positives of 1 − IoU, where that is known.
    n_truth : ndarray, shape (K,), int64
        Truth objects of each class.
    """

    begin: NDArray[np.int64]
    threshold: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    lost: NDArray[np.float64] | None
    n_truth: NDArray[np.int64]

    @property
    def label(self) -> NDArray[np.int64]:
        """The class of each point, (P,)."""
        return np.repeat(np.arange(len(self.n_truth)), np.diff(self.begin))

    def best(self, value: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the point of the highest value of each class, (K,); −1 where it has none.

        Of several the one with the highest threshold.
        """
        found = np.full(len(self.n_truth), -1, np.int64)
        filled = np.flatnonzero(np.diff(self.begin))
        if not len(filled):
            return found
        highest = np.maximum.reduceat(value, self.begin[filled])
        hits = np.flatnonzero(value == np.repeat(highest, np.diff(self.begin)[filled]))
        found[filled] = hits[np.searchsorted(hits, self.begin[filled])]
        return found

    def at(self, threshold: ArrayLike) -> NDArray[np.int64]:
        """Return the point of each class that holds at a threshold, (K,) or (…, K).

        Parameters
        ----------
        threshold : float, or array of a shape that goes with (…, K)

        Returns
        -------
        ndarray, int64
            −1 where no detection of the class scores as much.
        """
        wanted = np.asarray(threshold, np.float64)
        wanted = np.broadcast_to(wanted, np.broadcast_shapes(wanted.shape, self.n_truth.shape))
        found = np.full(wanted.shape, -1, np.int64)
        falling = -self.threshold
        for k in np.flatnonzero(np.diff(self.begin)).tolist():
            first, end = self.begin[k], self.begin[k + 1]
            least = wanted[..., k]
            n_kept = np.searchsorted(falling[first:end], -least, side="right")
            # NaN, which would come last of all, keeps nothing.
            found[..., k] = np.where((n_kept > 0) & (least == least), first + n_kept - 1, -1)
        return found

    def counts(self, points: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return true and false positives at points; 0 at −1."""
        if not len(self.threshold):
            return np.zeros_like(points), np.zeros_like(points)
        some = points >= 0
        return np.where(some, self.tp[points], 0), np.where(some, self.fp[points], 0)

    def gained(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return by how much a column rises at each point, from 0 before the first of a class."""
        rises = np.diff(column, prepend=column.dtype.type(0))
        first = self.begin[:-1][np.diff(self.begin) > 0]
        rises[first] = column[first]
        return rises

    def thinned(self, thresholds: NDArray[np.float64]) -> ScoreCurves:
        """Return the points that hold at thresholds, and the first and the last of each class."""
        filled = np.diff(self.begin) > 0
        ends = np.concatenate([self.begin[:-1][filled], self.begin[1:][filled] - 1])
        held = self.at(np.asarray(thresholds, np.float64)[:, None]).ravel()
        kept = np.unique(np.concatenate([ends, held[held >= 0]]))
        return ScoreCurves(
            np.searchsorted(kept, self.begin).astype(np.int64),
            self.threshold[kept],
            self.tp[kept],
            self.fp[kept],
            None if self.lost is None else self.lost[kept],
            self.n_truth,
        )

    @classmethod
    def joined(cls, parts: Iterable[ScoreCurves]) -> ScoreCurves:
        """Return the curves of blocks of classes, in their order, without what was lost."""
        found = list(parts)
        if len(found) == 1:
            return found[0]._replace(lost=None)
        return cls(
            np.sum([part.begin for part in found], axis=0),
            np.concatenate([part.threshold for part in found]),
            np.concatenate([part.tp for part in found]),
            np.concatenate([part.fp for part in found]),
            None,
            np.sum([part.n_truth for part in found], axis=0),
        )


def spaced_scores(low: float, high: float, n: int) -> NDArray[np.float64]:
    """Return n scores, equally spaced from the lowest to the highest."""
    # A score at the threshold is kept, so that the lowest and the highest are themselves points.
    spaced = low + (high - low) * np.arange(n) / (n - 1)
    spaced[-1] = high
    return spaced


def score_curves(outcomes: Outcomes) -> ScoreCurves:
    """Return the curves of all classes."""
    n_classes = len(outcomes.classes)
    # Rows are by class, image and rank: equal scores keep that order, and sums their last bit.
    order = _core.rank_in_groups(outcomes.score, outcomes.label, n_groups=n_classes)
    label, score = outcomes.label, outcomes.score[order]  # groups stay where they are
    is_true = outcomes.is_true[order]
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = (score[1:] != score[:-1]) | (label[1:] != label[:-1])
    ends = np.flatnonzero(is_last)
    # Of the type of labels, else NumPy copies these.
    row_begin = np.searchsorted(label, np.arange(n_classes + 1, dtype=label.dtype))
    lost = None
    if outcomes.similarity is not None:
        each = np.where(is_true, 1.0 - outcomes.similarity[order], 0.0)
        lost = np.zeros(len(order))
        for k in np.flatnonzero(np.diff(row_begin)).tolist():
            rows = slice(row_begin[k], row_begin[k + 1])
            lost[rows] = np.cumsum(each[rows])
        lost = lost[ends]
    return ScoreCurves(
        np.searchsorted(ends, row_begin).astype(np.int64),
        score[ends],
        _running(is_true, row_begin)[ends],
        _running(~is_true, row_begin)[ends],
        lost,
        outcomes.n_truth(),
    )


def _running(flags: NDArray[np.bool_], begin: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many flags are set so far, from each beginning anew."""
    total = np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
    counts: NDArray[np.int64] = total[1:] - np.repeat(total[begin[:-1]], np.diff(begin))
    return counts
