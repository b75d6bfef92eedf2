"""What became of detections at one IoU threshold: what every diagnosis of them starts from."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.average_precision import AveragePrecision
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys

__all__ = [
    "THRESHOLDS_PER_WORD",
    "OutcomeBlocks",
    "Outcomes",
    "counted_predictions",
    "counted_truth",
    "decided",
    "outcome_blocks",
    "outcomes_of",
    "place_of_area",
    "place_of_threshold",
]

THRESHOLDS_PER_WORD: Final = 16
"""How many thresholds a word of outcomes holds: a bit "true" and one "false positive" each."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Outcomes:
    """Truth and detections that count, at one IoU threshold in one area range.

    What is left out (crowds, what is ignored, other sizes) is not there.

    Attributes
    ----------
    protocol : DetectionProtocol
        The rules of the matching.
    iou_threshold : float
        IoU from which a detection is a true positive.
    area : str
        The label of the area range.
    images : Keys
        The ids of all images.
    classes : Classes
        Ids and names.
    truth_image, truth_label : ndarray, int32
        Image and class of each truth object, by class and image.
    image, label : ndarray, shape (n,), int32
        Image and class of each detection, by class, image and rank.
    score : ndarray, shape (n,), float64
        Its score.
    is_true : ndarray, shape (n,), bool
        Whether it is a true positive; otherwise it is a false one.
    similarity : ndarray, shape (n,), float64, or None
        IoU of a true positive with its truth object; 0 of a false positive. None: not known.
    """

    protocol: DetectionProtocol
    iou_threshold: float
    area: str
    images: Keys
    classes: Classes
    truth_image: NDArray[np.int32]
    truth_label: NDArray[np.int32]
    image: NDArray[np.int32]
    label: NDArray[np.int32]
    score: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    similarity: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.score)

    def n_truth(self) -> NDArray[np.int64]:
        """Return the number of truth objects of each class, (K,)."""
        return np.bincount(self.truth_label, minlength=len(self.classes)).astype(np.int64)

    def rules(self) -> dict[str, Any]:
        """Return what was looked at, as plain values."""
        return {
            "iou_threshold": self.iou_threshold,
            "area": self.area,
            "rules": self.protocol.to_dict(),
        }

    def kept(self, rows: NDArray[np.bool_]) -> Outcomes:
        """Return these with some of the detections."""
        return dataclasses.replace(
            self,
            image=self.image[rows],
            label=self.label[rows],
            score=self.score[rows],
            is_true=self.is_true[rows],
            similarity=None if self.similarity is None else self.similarity[rows],
        )


def outcome_blocks(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
) -> OutcomeBlocks:
    """Return what `outcomes_of` returns, some whole classes at a time.

    Raises
    ------
    InputError
        As `outcomes_of`.
    """
    protocol = metric.protocol
    t, a = place_of_threshold(protocol, iou_threshold), place_of_area(protocol, area)
    if not isinstance(metric, AveragePrecision):
        return OutcomeBlocks(metric.outcome_blocks)

    def blocks() -> Iterator[Outcomes]:
        images, classes, rows = metric.row_blocks()
        for block in rows:
            yield decided(metric.rules(), images, classes, block.truth, block.pred, t=t, a=a)

    return OutcomeBlocks(blocks)


class OutcomeBlocks:
    """Outcomes of some whole classes at a time, as often as they are asked for; one at least.

    Each has all images and classes, and the rows of its own.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Iterator[Outcomes]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Outcomes]:
        return self._make()


def outcomes_of(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
) -> Outcomes:
    """Return what became of the detections that a metric has absorbed.

    Parameters
    ----------
    metric : AveragePrecision or LocalizationRecallPrecision
        The second knows the IoU of matches too.
    iou_threshold : float, optional
        One of those of the metric's protocol; the first where not given.
    area : str, optional
        The label of an area range of the protocol; the first where not given.

    Raises
    ------
    InputError
        For a threshold or an area range that the protocol does not have.
    """
    protocol = metric.protocol
    t, a = place_of_threshold(protocol, iou_threshold), place_of_area(protocol, area)
    if not isinstance(metric, AveragePrecision):
        return metric.outcomes()
    images, classes, truth, pred = metric.rows()
    return decided(metric.rules(), images, classes, truth, pred, t=t, a=a)


def decided(
    protocol: DetectionProtocol,
    images: Keys,
    classes: Classes,
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
    *,
    t: int,
    a: int,
) -> Outcomes:
    """Return what the rows of `AveragePrecision` say of one threshold and area range.

    Parameters
    ----------
    protocol, images, classes, truth, pred
        See `AveragePrecision.rows`.
    t, a : int
        The positions of the IoU threshold and the area range in the protocol.
    """
    is_true, counts = counted_predictions(pred, t=t, a=a)
    of_truth = counted_truth(truth, a)
    return Outcomes(
        protocol,
        protocol.iou_thresholds[t],
        protocol.area_ranges[a].label,
        images,
        classes,
        truth["image"][of_truth],
        truth["label"][of_truth],
        pred["image"][counts],
        pred["label"][counts],
        pred["score"][counts],
        is_true[counts],
    )


def counted_truth(truth: Mapping[str, NDArray[Any]], a: int) -> NDArray[np.bool_]:
    """Return which rows of truth count in an area range."""
    counted: NDArray[np.bool_] = (truth["ignored"] >> np.uint32(a)) & 1 == 0
    return counted


def counted_predictions(
    pred: Mapping[str, NDArray[Any]], *, t: int, a: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which detections are true positives, and which count: these and false ones."""
    word = pred["outcome"][:, a, t // THRESHOLDS_PER_WORD]
    bit = t % THRESHOLDS_PER_WORD
    is_true = (word >> np.uint32(bit)) & 1 != 0
    return is_true, is_true | ((word >> np.uint32(bit + THRESHOLDS_PER_WORD)) & 1 != 0)


def place_of_threshold(protocol: DetectionProtocol, iou_threshold: float | None) -> int:
    """Return the position of an IoU threshold; the grid's 0.8999999999999999 is found as 0.9.

    Raises
    ------
    InputError
        Where the protocol does not have it.
    """
    if iou_threshold is None:
        return 0
    for place, each in enumerate(protocol.iou_thresholds):
        if math.isclose(each, iou_threshold, rel_tol=1e-9):
            return place
    raise InputError(
        f"expected an IoU threshold of the protocol {protocol.name}, "
        f"{', '.join(f'{each:g}' for each in protocol.iou_thresholds)}, got {iou_threshold!r}",
        "iou_threshold",
    )


def place_of_area(protocol: DetectionProtocol, area: str | None) -> int:
    """Return the position of an area range.

    Raises
    ------
    InputError
        Where the protocol does not have it.
    """
    labels = [each.label for each in protocol.area_ranges]
    if area is None:
        return 0
    if area not in labels:
        raise InputError(
            f"expected an area range of the protocol {protocol.name}, {', '.join(labels)}, "
            f"got {area!r}",
            "area",
        )
    return labels.index(area)
