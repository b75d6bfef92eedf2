"""From the outcomes of detections to curves, in the field's order of axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.detection.protocols import DetectionProtocol
    from snellen.detection.row_blocks import RowBlock

__all__ = ["SPACING", "BlockCurves", "Curves", "curves_of_rows"]

SPACING: Final = 2.0**-52
"""What COCO adds to the number of predictions."""


class Curves(NamedTuple):
    """Curves of K classes.

    Where precision is not read off at recall thresholds R is 1: average precision, and the score of
    the last true positive.

    Attributes
    ----------
    precision, scores : ndarray, shape (T, R, K, A, M)
    recall : ndarray, shape (T, K, A, M)
    n_counted : ndarray, shape (K, A)
        Truth objects that count.
    """

    precision: NDArray[Any]
    scores: NDArray[Any]
    recall: NDArray[Any]
    n_counted: NDArray[Any]


class BlockCurves:
    """Curves of all classes, from blocks of classes that come one after the other.

    Parameters
    ----------
    protocol : DetectionProtocol
        The rules.
    """

    __slots__ = ("_parts", "_protocol", "n_predictions")

    def __init__(self, protocol: DetectionProtocol) -> None:
        self._protocol = protocol
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self.n_predictions = 0

    def add(self, block: RowBlock) -> None:
        """Add the next block's classes."""
        truth, pred = block.truth, block.pred
        if block.first:
            truth, pred = (
                {**columns, "label": columns["label"] - np.int32(block.first)}
                for columns in (truth, pred)
            )
        self._parts.append(_traced(self._protocol, block.end - block.first, truth, pred))
        self.n_predictions += len(pred["label"])

    def curves(self) -> Curves:
        """Return the curves of the classes of all blocks."""
        if len(self._parts) == 1:
            return _in_order_of_field(*self._parts[0])
        joined = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        return _in_order_of_field(*joined)


def curves_of_rows(
    protocol: DetectionProtocol,
    n_classes: int,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
) -> Curves:
    """Return the curves of rows.

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
    return _in_order_of_field(*_traced(protocol, n_classes, truth, pred))


def _traced(
    protocol: DetectionProtocol,
    n_classes: int,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
) -> tuple[NDArray[Any], ...]:
    """Return what the kernel writes: precision, scores (K, A, M, T, R), recall, counted truth."""
    return _core.precision_recall_curves(
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


def _in_order_of_field(
    precision: NDArray[Any], scores: NDArray[Any], recall: NDArray[Any], n_counted: NDArray[Any]
) -> Curves:
    # The kernel writes K, A, M, T, R; the field reads T, R, K, A, M.
    return Curves(
        precision.transpose(3, 4, 0, 1, 2),
        scores.transpose(3, 4, 0, 1, 2),
        recall.transpose(3, 0, 1, 2),
        n_counted,
    )
