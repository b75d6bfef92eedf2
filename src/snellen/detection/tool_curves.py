"""Average precision of each class and threshold as other tools read it off."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.curves import SPACING, curves_of_rows
from snellen.detection.outcomes import THRESHOLDS_PER_WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.detection.protocols import DetectionProtocol
    from snellen.detection.tool_rules import ToolRules

__all__ = ["counted_predictions", "precision_by_tool"]

_RECALLS: Final = np.linspace(0.0, 1.0, 101)


def precision_by_tool(
    rules: ToolRules,
    n_classes: int,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
) -> NDArray[np.float64]:
    """Return precision, shape (T, R, K): its mean over R is average precision.

    Parameters
    ----------
    rules : ToolRules
        The rules; the protocol has one area range and one cap.
    n_classes : int
        K.
    truth, pred : mapping of str to ndarray
        What became of them, see `Matched`.
    """
    protocol = rules.protocol
    if rules.curve != "protocol":
        return _straight(rules, n_classes, truth, pred)
    if not rules.true_first:
        return curves_of_rows(protocol, n_classes, truth, pred)[0][..., 0, 0]
    found = []
    for threshold, hit, miss in _decided(protocol, pred):
        alone = dataclasses.replace(protocol, iou_thresholds=(threshold,))
        outcome = hit.astype(np.uint32) | miss.astype(np.uint32) << np.uint32(THRESHOLDS_PER_WORD)
        rows = {
            **pred,
            "outcome": outcome[:, None, None],
            "score": _true_first(pred["score"], hit),
        }
        found.append(curves_of_rows(alone, n_classes, truth, rows)[0][0, :, :, 0, 0])
    return np.stack(found)


def counted_predictions(
    protocol: DetectionProtocol, n_classes: int, pred: Mapping[str, NDArray[Any]]
) -> NDArray[np.int64]:
    """Return the number of predictions that count, true or false, (T, K)."""
    return np.stack(
        [
            np.bincount(pred["label"][hit | miss], minlength=n_classes)
            for _, hit, miss in _decided(protocol, pred)
        ]
    ).astype(np.int64)


def _decided(
    protocol: DetectionProtocol, pred: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[float, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield each threshold, and which predictions are true and false positives there."""
    for t, threshold in enumerate(protocol.iou_thresholds):
        place, bit = divmod(t, THRESHOLDS_PER_WORD)
        word = pred["outcome"][:, 0, place]
        hit = (word >> np.uint32(bit)) & 1 != 0
        miss = (word >> np.uint32(bit + THRESHOLDS_PER_WORD)) & 1 != 0
        yield threshold, hit, miss


def _true_first(score: NDArray[np.float64], hit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return numbers in the order of scores; of equal scores those of hits are higher."""
    _, rank = np.unique(score, return_inverse=True)
    found: NDArray[np.float64] = (2.0 * rank + hit).astype(np.float64)
    return found


def _straight(
    rules: ToolRules,
    n_classes: int,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
) -> NDArray[np.float64]:
    """Return the area under straight lines between the points of each curve, (T, 1, K)."""
    protocol = rules.protocol
    counts = truth["label"][truth["ignored"] & np.uint32(1) == 0]
    n_truth = np.bincount(counts, minlength=n_classes)
    order = np.lexsort((-pred["score"], pred["label"]))
    if rules.true_first:
        order = np.arange(len(order))  # replaced for each threshold
    label = pred["label"]
    begin, end = (np.searchsorted(label, np.arange(n_classes), side) for side in ("left", "right"))
    spacing = SPACING if protocol.adds_spacing else 0.0
    found = np.zeros((len(protocol.iou_thresholds), 1, n_classes))
    for t, (_, hit, miss) in enumerate(_decided(protocol, pred)):
        if rules.true_first:
            order = np.lexsort((~hit, -pred["score"], label))
        of_rank, counted = hit[order], (hit | miss)[order]
        for k in np.flatnonzero(n_truth).tolist():
            hits = of_rank[begin[k] : end[k]][counted[begin[k] : end[k]]]
            if len(hits):
                true = np.cumsum(hits)
                precision = true / (np.arange(1, len(hits) + 1) + spacing)
                found[t, 0, k] = _area(true / n_truth[k], precision, rules.curve)
    return found


def _area(recall: NDArray[np.float64], precision: NDArray[np.float64], curve: str) -> float:
    # Beyond the highest recall: down at once, or in a straight line.
    there = [recall[-1], 1.0] if curve == "straight" else [1.0]
    recall = np.concatenate([[0.0], recall, there])
    precision = np.concatenate([[1.0], precision, np.zeros(len(there))])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    heights = np.interp(_RECALLS, recall, envelope)
    widths = np.diff(_RECALLS)
    return float((widths * (heights[1:] + heights[:-1]) / 2.0).sum())
