"""Truth that may be labelled wrongly: what detections and truth itself give away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.detection.pairs import best_pairs, pair_rows, taken_in_turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.candidates import Candidates

__all__ = [
    "DUPLICATE",
    "MISSING_BOX",
    "SUSPICION_NAMES",
    "WRONG_LABEL",
    "Suspicions",
    "duplicates",
    "missing_boxes",
    "one_of_each",
    "wrong_labels",
]

WRONG_LABEL, MISSING_BOX, DUPLICATE = range(3)
SUSPICION_NAMES: Final = ("wrong label", "missing box", "duplicate")


class Suspicions(NamedTuple):
    """Suspicions of one kind, in no order.

    Attributes
    ----------
    truth : ndarray, shape (n,), int64
        The row of truth that each is about; -1 where it lacks.
    other : ndarray, shape (n,), int64
        The row of the detection that speaks against it; of a duplicate the other row of truth.
    similarity : ndarray, shape (n,), float64
        How alike both are; 0 for a missing box.
    suspicion : ndarray, shape (n,), float64
        How suspicious it is: between 0 and 1 where scores are.
    """

    truth: NDArray[np.int64]
    other: NDArray[np.int64]
    similarity: NDArray[np.float64]
    suspicion: NDArray[np.float64]


def wrong_labels(
    pairs: Candidates,
    truth_label: NDArray[np.int32],
    is_region: NDArray[np.bool_],
    pred_label: NDArray[np.int32],
    score: NDArray[np.float64],
    *,
    score_threshold: float,
    iou_threshold: float,
) -> Suspicions:
    """Return truth that a confident detection of another class lies on, and none of its own.

    The suspicion is the similarity of both, times what the detection's score is above the best
    score of a detection of the truth's own class there (0 without one). A detection that lies on
    truth of its own class says nothing of other truth. Each truth and each detection is in at most
    one suspicion, the strongest first.
    """
    n, m = len(pred_label), len(truth_label)
    row, truth, similarity = pair_rows(pairs.begin), pairs.truth, pairs.similarity
    near = similarity >= iou_threshold
    same = pred_label[row] == truth_label[truth]
    explained = np.zeros(n, np.bool_)
    explained[row[near & same]] = True
    own_score = np.full(m, -np.inf)
    np.maximum.at(own_score, truth[near & same], score[row[near & same]])
    at = np.flatnonzero(
        near
        & ~same
        & ~is_region[truth]
        & ~explained[row]
        & (score[row] >= score_threshold)
        & (own_score[truth] < score_threshold)
    )
    suspicion = similarity[at] * (score[row[at]] - np.maximum(own_score[truth[at]], 0.0))
    order = np.lexsort((truth[at], row[at], -suspicion))
    got = taken_in_turn(row[at[order]], truth[at[order]], n, m)
    kept = order[got[got >= 0]]
    at, suspicion = at[kept], suspicion[kept]
    return Suspicions(truth[at].astype(np.int64), row[at], similarity[at], suspicion)


def missing_boxes(
    pairs: Candidates,
    score: NDArray[np.float64],
    *,
    score_threshold: float,
    background_threshold: float,
) -> Suspicions:
    """Return confident detections that are far from all truth, whatever its class.

    The suspicion is the detection's score.
    """
    far = np.ones(len(score), np.bool_)
    far[pair_rows(pairs.begin)[pairs.similarity >= background_threshold]] = False
    rows = np.flatnonzero(far & (score >= score_threshold))
    return Suspicions(np.full(len(rows), -1, np.int64), rows, np.zeros(len(rows)), score[rows])


def one_of_each(
    suspicions: Suspicions, pairs: Candidates, score: NDArray[np.float64]
) -> Suspicions:
    """Return missing boxes without those that are much like one of a higher score.

    Parameters
    ----------
    suspicions : Suspicions
    pairs : Candidates
        Pairs among the detections of `suspicions`, in their order: those that show one object.
    score : ndarray
        Their scores.
    """
    row = pair_rows(pairs.begin)
    rank = np.empty(len(score), np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
    worse = rank[row] > rank[pairs.truth]
    row, other = row[worse], pairs.truth[worse]
    kept = np.ones(len(score), np.bool_)
    # By falling score: only what is kept itself can replace another.
    order = np.argsort(rank[row], kind="stable")
    for lower, higher in zip(row[order].tolist(), other[order].tolist(), strict=True):
        if kept[higher]:
            kept[lower] = False
    return Suspicions(
        suspicions.truth[kept],
        suspicions.other[kept],
        suspicions.similarity[kept],
        suspicions.suspicion[kept],
    )


def duplicates(pairs: Candidates, is_region: NDArray[np.bool_]) -> Suspicions:
    """Return truth that is nearly the same as earlier truth of its class, once each.

    The suspicion is the similarity.

    Parameters
    ----------
    pairs : Candidates
        Pairs of truth with truth of the same class that reach the threshold.
    is_region : ndarray, shape (m,)
        Truth that is no object.
    """
    row, truth = pair_rows(pairs.begin), pairs.truth
    at = np.flatnonzero((truth < row) & ~is_region[row] & ~is_region[truth])
    best = best_pairs(row[at], pairs.similarity[at], len(is_region))
    at = at[best[best >= 0]]
    similarity = pairs.similarity[at]
    return Suspicions(row[at], truth[at].astype(np.int64), similarity, similarity)
