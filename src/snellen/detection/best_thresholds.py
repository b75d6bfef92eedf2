"""The score thresholds of highest F, found with the curves of some classes at a time."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.detection.score_curves import ScoreCurves, score_curves, spaced_scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from snellen.detection.outcomes import OutcomeBlocks

__all__ = ["BestThresholds", "CurveBlocks", "best_thresholds"]

# By how much a running sum of the F of classes may be off, generously.
_ROUNDING = 1e-9


class CurveBlocks:
    """The curves of blocks of outcomes, without what was lost, as often as they are asked for.

    Parameters
    ----------
    outcomes : OutcomeBlocks
        The outcomes.
    keep : bool
        Keep all curves, 24 bytes for each detection. Otherwise they are made anew each time, but
        where there is one block alone.
    """

    __slots__ = ("_keep", "_kept", "_outcomes")

    def __init__(self, outcomes: OutcomeBlocks, *, keep: bool) -> None:
        self._outcomes = outcomes
        self._keep = keep
        self._kept: list[ScoreCurves] | None = None

    def __iter__(self) -> Iterator[ScoreCurves]:
        if self._kept is not None:
            yield from self._kept
            return
        made: list[ScoreCurves] = []
        n_blocks = 0
        for block in self._outcomes:
            if not self._keep:
                made.clear()
            made.append(score_curves(dataclasses.replace(block, similarity=None)))
            n_blocks += 1
            yield made[-1]
        if len(made) == n_blocks:
            self._kept = made


class BestThresholds(NamedTuple):
    """Thresholds of highest F.

    Attributes
    ----------
    own : ndarray, shape (K,), float64
        Of each class; NaN where none is a true positive.
    micro : float
        Of all detections; NaN where none is a true positive.
    macro : float
        Of the mean of F over the classes with truth.
    curves : ScoreCurves
        The points of all classes; as many as were asked for.
    """

    own: NDArray[np.float64]
    micro: float
    macro: float
    curves: ScoreCurves


def f_of_points(curves: ScoreCurves, beta: float) -> NDArray[np.float64]:
    """Return F-beta of each point; 0 in classes without truth."""
    fn = curves.n_truth[curves.label] - curves.tp
    return rates.f_beta(curves.tp, curves.fp, fn, beta)


def best_thresholds(
    blocks: Iterable[ScoreCurves], beta: float, n_scores: int | None
) -> BestThresholds:
    """Return the thresholds of highest F-beta; of equally good ones the highest.

    F rises only where a true positive is gained, so that no other thresholds are looked at: memory
    is a few numbers for each truth object that is found, whatever the number of detections.

    Parameters
    ----------
    blocks : iterable of ScoreCurves
        The curves of blocks of classes; gone through several times.
    beta : float
        How many times more recall counts than precision.
    n_scores : int or None
        Keep the points that hold at so many equally spaced scores and at the best ones; all where
        None.
    """
    own, n_truth, rises, low, high = _of_classes(blocks, beta)
    pooled = _pooled(blocks, beta, rises)
    micro = _micro(pooled, int(n_truth.sum()), beta)
    near = _near_best_mean(pooled, len(n_truth))
    if n_scores is None:
        curves = ScoreCurves.joined(blocks)
        return BestThresholds(own, micro, _macro(curves, near, beta), curves)
    spaced = np.zeros(0) if math.isnan(low) else spaced_scores(low, high, n_scores)
    drawn = np.concatenate([spaced, own, [micro]])
    looked_at = _distinct(np.concatenate([drawn, near]))
    curves = ScoreCurves.joined(each.thinned(looked_at) for each in blocks)
    macro = _macro(curves, near, beta)
    return BestThresholds(own, micro, macro, curves.thinned(_distinct(np.append(drawn, macro))))


class _OfClasses(NamedTuple):
    own: NDArray[np.float64]
    n_truth: NDArray[np.int64]
    rises: NDArray[np.float64]  # the scores of true positives, ascending
    low: float
    high: float


def _of_classes(blocks: Iterable[ScoreCurves], beta: float) -> _OfClasses:
    """Return what is found in each class alone."""
    own, n_truth = [], []
    rises, ends = [np.zeros(0)], []
    for curves in blocks:
        best = curves.best(f_of_points(curves, beta))
        hit = (best >= 0) & (curves.counts(best)[0] > 0)
        own.append(np.full(len(hit), math.nan))
        own[-1][hit] = curves.threshold[best[hit]]
        n_truth.append(curves.n_truth)
        rises.append(_distinct(curves.threshold[curves.gained(curves.tp) > 0]))
        if len(curves.threshold):
            ends += [float(curves.threshold.min()), float(curves.threshold.max())]
    return _OfClasses(
        np.fmax.reduce(own),  # a class is in one block, and NaN in the others
        np.sum(n_truth, axis=0),
        _distinct(np.concatenate(rises)),
        *((min(ends), max(ends)) if ends else (math.nan, math.nan)),
    )


class _Pooled(NamedTuple):
    """What thresholds give, descending."""

    threshold: NDArray[np.float64]
    tp: NDArray[np.int64]  # of all classes
    fp: NDArray[np.int64]
    f: NDArray[np.float64]  # the sum over the classes with truth, but for rounding
    is_rise: NDArray[np.bool_]  # whether a class with truth gains a true positive


def _pooled(blocks: Iterable[ScoreCurves], beta: float, rises: NDArray[np.float64]) -> _Pooled:
    """Return what the thresholds give at which a true positive is gained."""
    n = len(rises)
    tp, fp = np.zeros(n, np.int64), np.zeros(n, np.int64)
    f, is_rise = np.zeros(n), np.zeros(n, np.bool_)
    for curves in blocks:
        at = np.searchsorted(rises, curves.threshold, side="right") - 1
        some = at >= 0  # below the last true positive nothing is best
        at = at[some]
        gained = curves.gained(curves.tp)[some]
        np.add.at(tp, at, gained)
        np.add.at(fp, at, curves.gained(curves.fp)[some])
        with_truth = (curves.n_truth > 0)[curves.label][some]
        mean = curves.gained(f_of_points(curves, beta))[some]
        np.add.at(f, at[with_truth], mean[with_truth])
        is_rise[at[with_truth & (gained > 0)]] = True
    falling = slice(None, None, -1)
    tp, fp, f = np.cumsum(tp[falling]), np.cumsum(fp[falling]), np.cumsum(f[falling])
    return _Pooled(rises[falling], tp, fp, f, is_rise[falling])


def _micro(pooled: _Pooled, n_truth: int, beta: float) -> float:
    """Return the threshold of the highest F of all detections."""
    if not len(pooled.threshold):
        return math.nan
    f = rates.f_beta(pooled.tp, pooled.fp, n_truth - pooled.tp, beta)
    return float(pooled.threshold[int(f.argmax())])


def _near_best_mean(pooled: _Pooled, n_classes: int) -> NDArray[np.float64]:
    """Return the thresholds at which the mean of F is the highest, but for rounding."""
    if not pooled.is_rise.any():
        return np.zeros(0)
    highest = pooled.f[pooled.is_rise].max()
    is_near = pooled.is_rise & (pooled.f >= highest - _ROUNDING * max(1, n_classes))
    near: NDArray[np.float64] = pooled.threshold[is_near]
    return near


def _macro(curves: ScoreCurves, near: NDArray[np.float64], beta: float) -> float:
    """Return which threshold has the highest mean of F over the classes with truth."""
    if not len(near):
        return math.nan
    tp, fp = curves.counts(curves.at(near[:, None]))
    f = rates.f_beta(tp, fp, curves.n_truth - tp, beta)[:, curves.n_truth > 0]
    means = [math.fsum(each) for each in f.tolist()]
    return float(near[means.index(max(means))])


def _distinct(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distinct values, ascending, without NaN."""
    return np.unique(values[~np.isnan(values)])
