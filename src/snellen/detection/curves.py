"""From the outcomes of detections to curves, in the field's order of axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.detection.protocols import DetectionProtocol

__all__ = ["SPACING", "curves_of_rows"]

SPACING: Final = 2.0**-52
"""What COCO adds to the number of predictions."""


def curves_of_rows(
    protocol: DetectionProtocol,
    n_classes: int,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return precision and scores (T, R, K, A, M), recall (T, K, A, M), counted truth (K, A).

    Where precision is not read off at recall thresholds R is 1: average precision, and the score of
    the last true positive.

    Parameters
    ----------
    protocol : DetectionProtocol
        The rules.
    n_classes : int
        K.
    truth : mapping of str to ndarray
        ``label`` and ``ignored`` of each truth box, by label.
    pred : mapping of str to ndarray
        ``image``, ``label``, ``score`` and ``outcome`` of each detection, by label, image, rank.
    """
    precision, scores, recall, n_counted = _core.precision_recall_curves(
        pred["image"],
        pred["label"],
        pred["score"],
        pred["outcome"],
        truth["label"],
        truth["ignored"],
        n_labels=n_classes,
        n_thresholds=len(protocol.iou_thresholds),
        recall_thresholds=list(protocol.recall_thresholds),
        max_detections=list(protocol.max_detections),
        undefined=-1.0 if protocol.minus_one else math.nan,
        summary=protocol.interpolation,
        spacing=SPACING if protocol.adds_spacing else 0.0,
    )
    # The kernel writes K, A, M, T, R; the field reads T, R, K, A, M.
    return (
        precision.transpose(3, 4, 0, 1, 2),
        scores.transpose(3, 4, 0, 1, 2),
        recall.transpose(3, 0, 1, 2),
        n_counted,
    )
