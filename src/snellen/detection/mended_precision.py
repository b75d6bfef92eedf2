"""Average precision before and after errors of a kind are mended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.error_kinds import CORRECT, ERROR_NAMES, FOUND, MISS, MISSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["SPECIAL_NAMES", "MendedPrecision", "mended_precision"]

SPECIAL_NAMES: Final = ("fp", "fn")
"""What is mended beside the six: all false positives, all false negatives."""

# 0.07 and the like: other numbers than numpy.linspace's, which COCO reads precision at.
_RECALLS: Final = np.array([i / 100 for i in range(101)])


class MendedPrecision(NamedTuple):
    """The average precision of each of K classes.

    Attributes
    ----------
    base : ndarray, shape (K,), float64
        As it is; NaN for a class with neither truth nor detections.
    mended : mapping of str to ndarray, shape (K,)
        With each kind of error mended, by its name; NaN for a class of which nothing is left.
    """

    base: NDArray[np.float64]
    mended: Mapping[str, NDArray[np.float64]]


def mended_precision(
    n_classes: int,
    *,
    label: NDArray[np.int32],
    score: NDArray[np.float64],
    kind: NDArray[np.uint8],
    left_out: NDArray[np.uint8],
    mends: NDArray[np.uint8],
    mended_label: NDArray[np.int32],
    truth_label: NDArray[np.int32],
    truth_state: NDArray[np.uint8],
) -> MendedPrecision:
    """Return average precision before and after mending.

    Parameters
    ----------
    n_classes : int
    label, score, kind, left_out, mends, mended_label : ndarray, shape (n,)
        The detections, those of an image together and by falling score; see `Judged`.
    truth_label, truth_state : ndarray, shape (m,)
        The truth objects that count.

    Notes
    -----
    Of equal scores, the base takes detections in the order given; with something mended, errors
    come before what was correct. That is tidecv's order, and so are the numbers.
    """
    n_truth = np.bincount(truth_label, minlength=n_classes)
    n_missed = np.bincount(truth_label[truth_state == MISSED], minlength=n_classes)
    n_found = np.bincount(truth_label[truth_state == FOUND], minlength=n_classes)
    names = ("base", *ERROR_NAMES, *SPECIAL_NAMES)
    found = {name: np.full(n_classes, math.nan) for name in names}
    for k, rows in enumerate(_rows_of_classes(n_classes, label, mends, mended_label)):
        of_class = _OfClass.of(
            k,
            rows,
            label[rows],
            score[rows],
            kind[rows],
            left_out[rows],
            mends[rows],
            mended_label[rows],
        )
        for name, value in of_class.precisions(
            int(n_truth[k]), n_missed=int(n_missed[k]), n_found=int(n_found[k])
        ):
            found[name][k] = value
    return MendedPrecision(found.pop("base"), found)


def _rows_of_classes(
    n_classes: int,
    label: NDArray[np.int32],
    mends: NDArray[np.uint8],
    mended_label: NDArray[np.int32],
) -> Iterator[NDArray[np.unsignedinteger[Any]]]:
    """Return of each class the rows that are of it, or are once they are mended; ascending."""
    place = _core.group_rows(np.zeros(len(label), np.int32), label, 1, n_classes)
    by_label = np.empty(len(label), np.uint32)
    by_label[place] = np.arange(len(label), dtype=np.uint32)
    del place
    end = np.cumsum(np.bincount(label, minlength=n_classes))
    moved = np.flatnonzero((mends != 0) & (mended_label != label)).astype(np.uint32)
    to = mended_label[moved]
    moved = moved[np.argsort(to, kind="stable")]
    moved_end = np.cumsum(np.bincount(to, minlength=n_classes))
    first = moved_first = 0
    for last, moved_last in zip(end.tolist(), moved_end.tolist(), strict=True):
        own = by_label[first:last]
        if moved_last > moved_first:
            own = np.sort(np.concatenate([own, moved[moved_first:moved_last]]))
        yield own
        first, moved_first = last, moved_last


class _OfClass(NamedTuple):
    """The detections of a class, and those that are once they are mended, by falling score.

    Of equal scores errors come before what is correct, else they stay as they were given.
    """

    is_own: NDArray[np.bool_]
    is_own_mended: NDArray[np.bool_]
    correct: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    kind: NDArray[np.uint8]
    mends: NDArray[np.bool_]
    hits_as_given: NDArray[np.bool_]  # of its own that count, in the order given

    @classmethod
    def of(
        cls,
        k: int,
        rows: NDArray[Any],
        label: NDArray[np.int32],
        score: NDArray[np.float64],
        kind: NDArray[np.uint8],
        left_out: NDArray[np.uint8],
        mends: NDArray[np.uint8],
        mended_label: NDArray[np.int32],
    ) -> _OfClass:
        order = _core.rank_in_groups(score, np.zeros(len(rows), np.int32), n_groups=1)
        own, correct, counted = (
            (label == k)[order],
            (kind == CORRECT)[order],
            (left_out == 0)[order],
        )
        hits_as_given = correct[own & counted]
        falling = score[order]
        tied = falling[1:] == falling[:-1]
        if (tied & correct[:-1] & ~correct[1:]).any():
            order = order[np.lexsort((correct, -falling))]
            own, correct = (label == k)[order], (kind == CORRECT)[order]
            counted = (left_out == 0)[order]
        return cls(
            own,
            (mended_label == k)[order],
            correct,
            counted,
            kind[order],
            (mends != 0)[order],
            hits_as_given,
        )

    def precisions(
        self, n_truth: int, *, n_missed: int, n_found: int
    ) -> Iterator[tuple[str, float]]:
        """Return average precision by what is mended."""
        yield "base", _class_precision(self.hits_as_given, n_truth)
        for code, name in enumerate(ERROR_NAMES, 1):
            of_kind = self.kind == code
            fixed = of_kind & self.mends
            kept = np.where(of_kind, fixed & self.is_own_mended, self.counted & self.is_own)
            n = n_truth - n_missed if code == MISS else n_truth
            yield name, _class_precision((self.correct | fixed)[kept], n)
        hits = self.correct[self.counted & self.is_own]
        # Of no false positive the precision at every true one is 1.
        yield "fp", _class_precision(np.sort(hits)[::-1], n_truth)
        yield "fn", _class_precision(hits, n_found)


def _class_precision(hit: NDArray[np.bool_], n_truth: int) -> float:
    """Return the average precision of detections by falling score; NaN where there is nothing."""
    if n_truth:
        return _average_precision(np.flatnonzero(hit) + 1, n_truth)
    return 0.0 if len(hit) else math.nan


def _average_precision(rank: NDArray[np.int64], n_truth: int) -> float:
    """Return the mean of the best precision at each of 101 recalls or beyond.

    Parameters
    ----------
    rank : ndarray
        The places of the true positives among all detections, from 1.
    n_truth : int
    """
    n_hits = np.arange(1, len(rank) + 1)
    precision = n_hits / rank
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return math.fsum(envelope[np.searchsorted(n_hits / n_truth, _RECALLS)].tolist()) / 101
