"""The confusion matrix of a detector: what is taken for what, missed, made up."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.candidates import candidates
from snellen.detection.confusion_rules import ConfusionRules, confusion_rules, paired
from snellen.detection.detection_confusion_result import (
    FALSE_ALARM,
    MISSED,
    PAIR,
    DetectionConfusionResult,
)
from snellen.detection.given_objects import of_rules
from snellen.detection.image_rows import ImageRows, regions, scores_of
from snellen.detection.objects_of_images import rules_for
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.errors import MergeError
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.state import PackedState

__all__ = ["DetectionConfusion", "detection_confusion"]

_COUNTS = ("n_truth", "n_regions", "n_predictions", "n_unverified", "n_below", "n_left_out")


class DetectionConfusion:
    """The confusion matrix of a detector, with margins "missed" and "false alarm".

    Each detection goes with at most one truth object and the other way round. A pair counts under
    its two classes, whether they are the same or not; truth without a partner is missed, a
    detection without one (nothing is there, or another has found it) a false alarm.

    Parameters
    ----------
    rules : {"class-first", "ultralytics", "supervision"} or ConfusionRules
        Who goes with whom. ``"class-first"`` matches as COCO does within each class, then pairs
        across classes what is left: the diagonal is what AP counts as true positives, and an
        object that was found is not confused. The two tools pair otherwise, see
        `CONFUSION_RULES`.
    score_threshold, iou_threshold : float, optional
        In place of those of the rules: 0.25 and 0.5; ultralytics 0.25 and 0.45; supervision 0.3
        and 0.5.
    protocol : str or DetectionProtocol
        What is compared of objects (``similarity``, ``sigmas``, ``dilation_ratio``), and what
        counts (``honours_ignored``, ``federated``, ``class_agnostic``, ``per_image``). Its
        thresholds and caps are not read.

    Notes
    -----
    State
        A row for each pair, each missed object and each false alarm, by image. No boxes.
    Merge
        Joins the rows; exact. An image that both have absorbed is refused.
    Ties
        Of equal scores the earlier detection chooses first; of equally similar truth the later
        one is taken, as COCO does (under the rules of the tools the earlier one).
    Undefined
        NaN where a ratio is 0/0.
    Agrees with
        The true positives of `AveragePrecision` at this score and IoU; ultralytics 8.4 and
        supervision 0.31, written anew for the tests (tests/oracle). Those compute IoU in float32.

    Detections in regions that do not count (crowds, ignored objects) are left out where they have
    no partner, under the rules "class-first".

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.detection_confusion import DetectionConfusion
    >>> box = [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]]
    >>> classes = {1: "cat", 2: "dog"}
    >>> truth = Boxes.from_xywh(box, image_id=1, label=[1, 2, 2], classes=classes)
    >>> pred = Boxes.from_xywh(
    ...     [*box[:2], [90, 0, 9, 9]], image_id=1, label=[1, 1, 1], score=[0.9, 0.8, 0.7],
    ...     classes=classes,
    ... )
    >>> DetectionConfusion().update(truth, pred).compute().matrix
    array([[1, 0, 0],
           [1, 0, 1],
           [1, 0, 0]])
    """

    __slots__ = ("_rows", "protocol", "rules")

    def __init__(
        self,
        rules: str | ConfusionRules = "class-first",
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        protocol: str | DetectionProtocol = "coco",
    ) -> None:
        self.rules = confusion_rules(
            rules, score_threshold=score_threshold, iou_threshold=iou_threshold
        )
        self.protocol = protocol_named(protocol)
        self._rows = ImageRows(
            ("truth", "pred"),
            _COUNTS,
            events={
                "image": np.int32,
                "truth": np.int32,
                "pred": np.int32,
                "event": np.uint8,
                "score": np.float64,
                "similarity": np.float64,
            },
        )

    def __repr__(self) -> str:
        return f"DetectionConfusion({self.rules}, {len(self._rows.images)} images)"

    def update(
        self,
        truth: Objects | Sequence[Mapping[str, Any]],
        pred: Objects | Sequence[Mapping[str, Any]],
        *,
        image_id: ArrayLike | None = None,
        box_format: BoxLayout = "xyxy",
    ) -> Self:
        """Absorb a batch of images.

        Parameters
        ----------
        truth, pred : Boxes, Masks, Poses or OrientedBoxes, or sequence of mapping
            All objects of the batch's images, of one kind; or a mapping for each image, as
            `AveragePrecision.update` takes them.
        image_id : array-like, optional
            The ids of the images given as mappings.
        box_format : {"xyxy", "xywh", "cxcywh"}
            What the numbers of boxes in mappings are.

        Raises
        ------
        IdError
            For an image that was absorbed before, or that truth does not list.
        InputError
            For objects that cannot be evaluated. After an error the metric is as it was.
        """
        batch = self._rows.batch(
            truth,
            pred,
            image_id,
            similarity=self.protocol.similarity,
            box_format=box_format,
        )
        if batch is None:
            return self
        given = of_rules(batch.truth, batch.pred, self.protocol)
        looked_at = np.flatnonzero(self.rules.looked_at(scores_of(given.pred.boxes)))
        n_below = len(given.pred) - len(looked_at)
        given = given.taken(None, looked_at)
        codes, score = given.codes, scores_of(given.pred.boxes)
        pairs = candidates(
            given.truth,
            given.pred,
            self.protocol,
            lowest=self.rules.iou_threshold,
            across_labels=True,
            codes=codes,
        )
        is_region = regions(given.truth.boxes, self.protocol)
        partner, similarity, left_out = paired(
            pairs, codes.truth_label, is_region, codes.pred_label, score, self.rules
        )
        if given.exempt is not None:
            left_out |= given.exempt.astype(np.bool_) & (partner < 0)
        alone = is_region.copy()
        alone[partner[partner >= 0]] = True
        missed = np.flatnonzero(~alone)
        with_partner = np.flatnonzero(partner >= 0)
        false_alarm = np.flatnonzero((partner < 0) & ~left_out)
        columns: dict[str, tuple[NDArray[Any], ...]] = {
            "image": (
                codes.pred_image[with_partner],
                codes.truth_image[missed],
                codes.pred_image[false_alarm],
            ),
            "truth": (
                codes.truth_label[partner[with_partner]],
                codes.truth_label[missed],
                codes.pred_label[false_alarm],
            ),
            "pred": (
                codes.pred_label[with_partner],
                codes.truth_label[missed],
                codes.pred_label[false_alarm],
            ),
            "event": tuple(
                np.full(len(rows), event, np.uint8)
                for rows, event in (
                    (with_partner, PAIR),
                    (missed, MISSED),
                    (false_alarm, FALSE_ALARM),
                )
            ),
            "score": (score[with_partner], np.zeros(len(missed)), score[false_alarm]),
            "similarity": (
                similarity[with_partner],
                np.zeros(len(missed)),
                np.zeros(len(false_alarm)),
            ),
        }
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        by_image = np.argsort(joined["image"], kind="stable")
        self._rows.add(
            batch,
            codes,
            {
                "n_truth": len(batch.truth),
                "n_regions": int(np.count_nonzero(is_region)),
                "n_predictions": len(batch.pred),
                "n_unverified": given.n_unverified,
                "n_below": n_below,
                "n_left_out": int(np.count_nonzero(left_out)),
            },
            events={name: column[by_image] for name, column in joined.items()},
        )
        return self

    def merge(self, other: DetectionConfusion, /) -> Self:
        """Absorb another metric of equal rules; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the rules or the kinds of objects differ.
        IdError
            Where both have absorbed the same image.
        """
        if (self.rules, self.protocol) != (other.rules, other.protocol):
            raise MergeError(
                "expected the state of a DetectionConfusion with the same parameters, got "
                f"{other._parameters()} for {self._parameters()}"
            )
        self._rows.merge(other._rows)
        return self

    def empty(self) -> DetectionConfusion:
        """Return a metric of the same rules without data."""
        return DetectionConfusion(self.rules, protocol=self.protocol)

    def compute(self) -> DetectionConfusionResult:
        """Return the result of all that was absorbed."""
        rows = self._rows
        counts = {name: int(value) for name, value in rows.counts.arrays().items()}
        return DetectionConfusionResult.of_events(
            self.rules,
            rows.classes,
            rows.images.keys(),
            rows.table("events"),
            {"n_images": len(rows.images), "n_classes": len(rows.classes), **counts},
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        arrays: dict[str, NDArray[Any]] = {}
        content: dict[str, Any] = {"parameters": self._parameters()}
        self._rows.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> DetectionConfusion:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionConfusion:
        parameters = packed.content["parameters"]
        metric = cls(
            ConfusionRules(**parameters["rules"]),
            protocol=DetectionProtocol.from_dict(parameters["protocol"]),
        )
        metric._rows.restore(packed)
        metric.compute()  # says where rows do not fit each other
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {"rules": dataclasses.asdict(self.rules), "protocol": self.protocol.to_dict()}


def detection_confusion(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
    **parameters: Any,
) -> DetectionConfusionResult:
    """Return the confusion matrix of a detector; see `DetectionConfusion`.

    Without a protocol, poses are compared as COCO does.
    """
    metric = DetectionConfusion(protocol=rules_for(truth, pred, protocol), **parameters)
    return metric.update(truth, pred, image_id=image_id, box_format=box_format).compute()
