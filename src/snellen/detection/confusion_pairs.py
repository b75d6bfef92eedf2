"""Which detection goes with which truth in a confusion matrix, from whichever score on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.detection.pairs import pair_rows, taken_in_turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.candidates import Candidates
    from snellen.detection.confusion_rules import ConfusionRules

__all__ = ["ConfusionPairs", "paired", "pairs_at_any_score"]


class ConfusionPairs(NamedTuple):
    """Pairs of detections and truth.

    Attributes
    ----------
    pred : ndarray, int64
        The rows of detections, ascending.
    truth : ndarray, int32
        The rows of truth.
    similarity : ndarray, float64
    """

    pred: NDArray[np.int64]
    truth: NDArray[np.int32]
    similarity: NDArray[np.float64]

    def taken(self, at: NDArray[Any]) -> ConfusionPairs:
        """Return some of them."""
        return ConfusionPairs(*(column[at] for column in self))


def pairs_at_any_score(
    pairs: Candidates,
    truth_label: NDArray[np.int32],
    is_region: NDArray[np.bool_],
    pred_label: NDArray[np.int32],
    score: NDArray[np.float64],
    rules: ConfusionRules,
) -> tuple[ConfusionPairs, NDArray[np.bool_]]:
    """Return the pairs that decide who goes with whom, and which detections lie in a region.

    Of detections from whichever score on `paired` finds the same partners among these pairs as
    among all.

    Parameters
    ----------
    pairs : Candidates
        All pairs that reach the IoU threshold, also of different classes.
    truth_label : ndarray, shape (m,)
    is_region : ndarray, shape (m,)
        Truth that is no object.
    pred_label, score : ndarray, shape (n,)
    rules : ConfusionRules

    Returns
    -------
    pairs : ConfusionPairs
    in_region : ndarray, shape (n,), bool
        Detections that overlap truth of their class that is no object.
    """
    every = ConfusionPairs(pair_rows(pairs.begin), pairs.truth, pairs.similarity)
    if rules.iou_above:
        every = every.taken(every.similarity > rules.iou_threshold)
    same = pred_label[every.pred] == truth_label[every.truth]
    region = is_region[every.truth]
    in_region = np.zeros(len(pred_label), np.bool_)
    in_region[every.pred[same & region]] = True
    every, same = every.taken(~region), same[~region]
    if rules.order == "class, similarity":
        # A detection of a low score may come before one of a high score: all pairs decide.
        return every, in_region
    # Who chooses by score is never disturbed by lower scores. So these partners are final:
    final = every.taken(same) if rules.order == "class, score" else every
    final = final.taken(paired(final, truth_label, pred_label, score, rules))
    if rules.order == "score":
        return final, in_region
    # Across classes what is left over is paired: truth is, until the score falls to that of its
    # partner, and a detection is, if it never gets one of its own class.
    has = np.zeros(len(pred_label), np.bool_)
    has[final.pred] = True
    until = np.full(len(truth_label), -np.inf)
    until[final.truth] = score[final.pred]
    across = every.taken(~same & ~has[every.pred] & (score[every.pred] > until[every.truth]))
    joined = ConfusionPairs(
        np.concatenate([final.pred, across.pred]),
        np.concatenate([final.truth, across.truth]),
        np.concatenate([final.similarity, across.similarity]),
    )
    return joined.taken(np.argsort(joined.pred, kind="stable")), in_region


def paired(
    pairs: ConfusionPairs,
    truth_label: NDArray[np.int32],
    pred_label: NDArray[np.int32],
    score: NDArray[np.float64],
    rules: ConfusionRules,
) -> NDArray[np.int64]:
    """Return which pairs come about, each detection and each truth in one at most.

    Parameters
    ----------
    pairs : ConfusionPairs
        Those of the detections that are looked at.
    truth_label : ndarray, shape (m,)
    pred_label, score : ndarray, shape (n,)
    rules : ConfusionRules

    Returns
    -------
    ndarray, int64
        Their positions, the rows of detections ascending.
    """
    pred, truth, similarity = pairs
    other = pred_label[pred] != truth_label[truth]
    # The last key decides first. COCO takes the later one of equally similar truth, others the
    # earlier; of equal scores the earlier detection chooses first.
    keys: dict[str, tuple[NDArray[Any], ...]] = {
        "class, score": (-truth, -similarity, pred, -score[pred], other),
        "class, similarity": (pred, truth, -similarity, other),
        "score": (truth, -similarity, pred, -score[pred]),
    }
    order = np.lexsort(keys[rules.order])
    # Of many detections few may have pairs.
    row = np.cumsum(np.append(False, pred[1:] != pred[:-1]))[: len(pred)]
    n_rows = int(row[-1]) + 1 if len(row) else 0
    got = taken_in_turn(row[order], truth[order], n_rows, len(truth_label))
    return order[got[got >= 0]]
