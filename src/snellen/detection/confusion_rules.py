"""Which detection goes with which truth in a confusion matrix: rules, as data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CONFUSION_RULES", "ConfusionRules", "confusion_rules"]


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
