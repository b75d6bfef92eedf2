"""Average precision before and after errors of a kind are mended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.detection.error_kinds import CORRECT, ERROR_NAMES, FOUND, MISS, MISSED

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    correct = kind == CORRECT
    counted = ~left_out.astype(np.bool_)
    n_truth = np.bincount(truth_label, minlength=n_classes)
    n_missed = np.bincount(truth_label[truth_state == MISSED], minlength=n_classes)
    n_found = np.bincount(truth_label[truth_state == FOUND], minlength=n_classes)

    def by_class(
        order: NDArray[np.int64],
        kept: NDArray[np.bool_],
        hit: NDArray[np.bool_],
        of_class: NDArray[np.int32],
        n: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        rows = order[kept[order]]
        return _class_precisions(of_class[rows], hit[rows], n)

    as_given = np.argsort(-score, kind="stable")
    base = by_class(as_given, counted, correct, label, n_truth)
    errors_first = np.lexsort((correct, -score))
    mended = {}
    for code, name in enumerate(ERROR_NAMES, 1):
        of_kind = kind == code
        fixed = of_kind & mends.astype(np.bool_)
        mended[name] = by_class(
            errors_first,
            np.where(of_kind, fixed, counted),
            correct | fixed,
            np.where(fixed, mended_label, label),
            n_truth - n_missed if code == MISS else n_truth,
        )
    # Of no false positive the precision at every true one is 1.
    hits_first = np.argsort(~correct, kind="stable")
    mended["fp"] = by_class(hits_first, counted, correct, label, n_truth)
    mended["fn"] = by_class(errors_first, counted, correct, label, n_found)
    return MendedPrecision(base, mended)


def _class_precisions(
    label: NDArray[np.int32], hit: NDArray[np.bool_], n_truth: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the average precision of each class, of detections by falling score."""
    n_classes = len(n_truth)
    # Few classes fit 16 bits, which NumPy sorts in linear time.
    narrow = label.astype(np.uint16) if n_classes <= 2**16 else label
    by_label = np.argsort(narrow, kind="stable")
    hit = hit[by_label]
    end = np.cumsum(np.bincount(label, minlength=n_classes))
    begin = end - np.bincount(label, minlength=n_classes)
    values = np.full(n_classes, math.nan)
    for k, (first, last, n) in enumerate(
        zip(begin.tolist(), end.tolist(), n_truth.tolist(), strict=True)
    ):
        if n:
            values[k] = _average_precision(np.flatnonzero(hit[first:last]) + 1, n)
        elif last > first:
            values[k] = 0.0
    return values


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
