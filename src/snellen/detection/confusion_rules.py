"""Which detection goes with which truth in a confusion matrix: rules, as data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.pairs import pair_rows, taken_in_turn
from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.detection.candidates import Candidates

__all__ = ["CONFUSION_RULES", "ConfusionRules", "confusion_rules", "paired"]


@dataclasses.dataclass(frozen=True)
class ConfusionRules:
    """The rules by which detections and truth are paired, each at most once.

    Parameters
    ----------
    name : str
        What the rules are called.
    order : {"class, score", "class, similarity", "score"}
        Who chooses first: pairs of the same class before others, or whatever the class; the
        detection of the higher score, or the pair that is more similar. A detection takes the most
        similar truth that is left.
    score_threshold : float
        The score that detections have at least.
    iou_threshold : float
        The similarity that pairs have at least.
    score_above, iou_above : bool
        Whether they must be above it.
    leaves_out : bool
        Whether a detection without a partner is left out where it lies in a region of its class
        that does not count (a crowd), and no false alarm.
    """

    name: str
    order: str
    score_threshold: float
    iou_threshold: float
    score_above: bool = False
    iou_above: bool = False
    leaves_out: bool = True

    def __post_init__(self) -> None:
        if self.order not in _ORDERS:
            raise InputError(f"expected one of {', '.join(_ORDERS)}, got {self.order!r}", "order")
        for name, least in ("score_threshold", -np.inf), ("iou_threshold", 0.0):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not np.isfinite(value) or value < least:
                raise InputError(f"expected a finite number, got {value!r}", name)
            object.__setattr__(self, name, float(value))
        if not 0 < self.iou_threshold <= 1:
            raise InputError(
                f"expected a number above 0, at most 1, got {self.iou_threshold:g}", "iou_threshold"
            )

    def __str__(self) -> str:
        score, iou = (">" if above else "≥" for above in (self.score_above, self.iou_above))
        return (
            f"{self.name}: score {score} {self.score_threshold:g}, IoU {iou} "
            f"{self.iou_threshold:g}, in the order of {self.order}"
        )

    def looked_at(self, score: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which detections reach the score threshold."""
        if self.score_above:
            return score > self.score_threshold
        return score >= self.score_threshold


_ORDERS: Final = ("class, score", "class, similarity", "score")

CONFUSION_RULES: Final = {
    rules.name: rules
    for rules in (
        ConfusionRules("class-first", "class, score", 0.25, 0.5),
        ConfusionRules(
            "ultralytics", "score", 0.25, 0.45, score_above=True, iou_above=True, leaves_out=False
        ),
        ConfusionRules(
            "supervision", "class, similarity", 0.3, 0.5, iou_above=True, leaves_out=False
        ),
    )
}
"""Rules by name.

``class-first``
    As COCO matches at one threshold, class by class: what is on the diagonal is what AP counts as
    true positives. Detections and truth that are left over are then paired across classes.
``ultralytics``
    What ``ConfusionMatrix.process_batch`` of ultralytics 8.4 does (8.3 let the pair of the highest
    IoU go first).
``supervision``
    What ``ConfusionMatrix.from_detections`` of supervision 0.31 does.

These two tools know no crowds.
"""


def confusion_rules(
    rules: str | ConfusionRules, *, score_threshold: float | None, iou_threshold: float | None
) -> ConfusionRules:
    """Return rules by name, with other thresholds where they are given.

    Raises
    ------
    InputError
        For an unknown name, and for thresholds that are none.
    """
    if not isinstance(rules, ConfusionRules):
        if rules not in CONFUSION_RULES:
            raise InputError(
                f'expected rules of {", ".join(CONFUSION_RULES)}, got "{rules}".'
                f"{did_you_mean(rules, CONFUSION_RULES)}",
                "rules",
            )
        rules = CONFUSION_RULES[rules]
    changed: Mapping[str, Any] = {
        name: value
        for name, value in {
            "score_threshold": score_threshold,
            "iou_threshold": iou_threshold,
        }.items()
        if value is not None
    }
    return dataclasses.replace(rules, **changed)


def paired(
    pairs: Candidates,
    truth_label: NDArray[np.int32],
    is_region: NDArray[np.bool_],
    pred_label: NDArray[np.int32],
    score: NDArray[np.float64],
    rules: ConfusionRules,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the truth of each detection, how similar they are, and what is left out.

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
    truth : ndarray, shape (n,), int64
        The row of truth of each detection, -1 where it has none.
    similarity : ndarray, shape (n,), float64
        0 where it has none.
    left_out : ndarray, shape (n,), bool
        Detections without truth, in a region of their class.
    """
    n = len(pred_label)
    row, truth, similarity = pair_rows(pairs.begin), pairs.truth, pairs.similarity
    far = similarity <= rules.iou_threshold if rules.iou_above else np.zeros(len(row), np.bool_)
    same = pred_label[row] == truth_label[truth]
    at = np.flatnonzero(~far & ~is_region[truth])
    rank = np.empty(n, np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(n)
    # The last key decides first. COCO takes the later one of equally similar truth, others the
    # earlier.
    keys: dict[str, tuple[NDArray[Any], ...]] = {
        "class, score": (-truth[at], -similarity[at], rank[row[at]], ~same[at]),
        "class, similarity": (row[at], truth[at], -similarity[at], ~same[at]),
        "score": (truth[at], -similarity[at], rank[row[at]]),
    }
    at = at[np.lexsort(keys[rules.order])]
    got = taken_in_turn(row[at], truth[at], n, len(truth_label))
    has = got >= 0
    partner, alike = np.full(n, -1, np.int64), np.zeros(n)
    partner[has], alike[has] = truth[at[got[has]]], similarity[at[got[has]]]
    left_out = np.zeros(n, np.bool_)
    if rules.leaves_out:
        left_out[row[same & ~far & is_region[truth]]] = True
    return partner, alike, left_out & ~has
