"""The states that a page of a detector is made of, beside that of average precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.diagnosis import errors_under
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.candidates import Objects
    from snellen.detection.error_types import DetectionErrors
    from snellen.detection.protocols import DetectionProtocol
    from snellen.metric import StoredMetric

__all__ = ["states_of"]

_BACKGROUND = 0.1
_CONFIDENT = 0.5


def states_of(
    truth: Objects, pred: Objects, metric: AveragePrecision
) -> Mapping[str, StoredMetric[Any]]:
    """Return the states of further diagnoses under a metric's rules, at its first IoU threshold.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        What the metric has absorbed.
    metric : AveragePrecision
        The metric.

    Returns
    -------
    mapping
        ``"matches"``: matches with their IoU; ``"confusion"``, from whichever score on, since
        which is best is known of all parts of a data set alone; ``"errors"``: TIDE's;
        ``"labels"``: likely errors of labels. None where the first threshold is 1: nothing but
        equality is right then. A state is made when it is asked for, and not kept: together they
        are larger than all else.
    """
    rules = metric.protocol
    return _States(truth, pred, rules) if 0 < rules.iou_thresholds[0] < 1 else {}


class _States(Mapping[str, "StoredMetric[Any]"]):
    """States that are made when they are asked for."""

    def __init__(self, truth: Objects, pred: Objects, rules: DetectionProtocol) -> None:
        self._truth, self._pred, self._rules = truth, pred, rules
        self._make: dict[str, Callable[[], Any]] = {
            "matches": self._matches,
            "confusion": self._confusion,
            "errors": self._errors,
            "labels": self._labels,
        }

    def __getitem__(self, name: str) -> StoredMetric[Any]:
        state: StoredMetric[Any] = self._make[name]().update(self._truth, self._pred)
        return state

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)

    def _matches(self) -> LocalizationRecallPrecision:
        return LocalizationRecallPrecision(protocol=self._rules, iou_threshold=self._iou)

    def _confusion(self) -> DetectionConfusion:
        return DetectionConfusion(iou_threshold=self._iou, protocol=self._rules, every_score=True)

    def _errors(self) -> DetectionErrors:
        return errors_under(
            self._rules, iou_threshold=self._iou, background_threshold=self._background
        )

    def _labels(self) -> LabelErrors:
        return LabelErrors(
            score_threshold=_CONFIDENT,
            iou_threshold=self._iou,
            background_threshold=self._background,
            protocol=self._rules,
        )

    @property
    def _iou(self) -> float:
        return self._rules.iou_thresholds[0]

    @property
    def _background(self) -> float:
        return min(_BACKGROUND, self._iou)
