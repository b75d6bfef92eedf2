"""The confusion matrix of a detector: what is taken for what, missed, made up."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.candidates import candidates
from snellen.detection.confusion_pairs import ConfusionPairs, paired, pairs_at_any_score
from snellen.detection.confusion_rows import (
    check_places,
    events_of,
    first_rows,
    places_in_images,
)
from snellen.detection.confusion_rules import ConfusionRules, confusion_rules
from snellen.detection.detection_confusion_result import DetectionConfusionResult
from snellen.detection.given_objects import of_rules
from snellen.detection.image_rows import ImageRows, regions, scores_of
from snellen.detection.objects_of_images import rules_for
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.errors import InputError
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.state import PackedState

__all__ = ["DetectionConfusion", "detection_confusion"]

_COUNTS = ("n_truth", "n_regions", "n_predictions", "n_unverified", "n_below")


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
        counts (``honours_ignored``, ``verified_only``, ``class_agnostic``, ``per_image``). Its
        thresholds and caps are not read.
    every_score : bool
        Whether detections below the score threshold are kept as well, so that `compute` can be
        asked for any other: one that is chosen once all parts are merged.

    Notes
    -----
    State
        A row for each object, each detection and each pair that can decide who goes with whom, by
        image. No boxes.
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

    __slots__ = ("_rows", "every_score", "protocol", "rules")

    def __init__(
        self,
        rules: str | ConfusionRules = "class-first",
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        protocol: str | DetectionProtocol = "coco",
        every_score: bool = False,
    ) -> None:
        self.rules = confusion_rules(
            rules, score_threshold=score_threshold, iou_threshold=iou_threshold
        )
        self.protocol = protocol_named(protocol)
        self.every_score = every_score
        self._rows = ImageRows(
            ("label",),
            _COUNTS,
            truth={"image": np.int32, "label": np.int32},
            pred={
                "image": np.int32,
                "label": np.int32,
                "score": np.float64,
                "left_out": np.uint8,
            },
            # Rows of truth and of detections are counted within the image: they hold in any state.
            pairs={
                "image": np.int32,
                "pred": np.int32,
                "truth": np.int32,
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
        image, score = given.codes.pred_image, scores_of(given.pred.boxes)
        n_given = len(score)
        kept = np.flatnonzero(self.rules.looked_at(score) | self.every_score)
        if len(kept) < n_given or np.any(image[1:] < image[:-1]):
            given = given.taken(None, kept[np.argsort(image[kept], kind="stable")])
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
        deciding, left_out = pairs_at_any_score(
            pairs, codes.truth_label, is_region, codes.pred_label, score, self.rules
        )
        left_out &= self.rules.leaves_out
        if given.exempt is not None:
            left_out |= given.exempt.astype(np.bool_)
        objects = np.flatnonzero(~is_region)
        objects = objects[np.argsort(codes.truth_image[objects], kind="stable")]
        n_images = len(codes.images)
        truth_place = np.zeros(len(is_region), np.int32)
        truth_place[objects] = places_in_images(codes.truth_image[objects], n_images)
        self._rows.add(
            batch,
            codes,
            {
                "n_truth": len(batch.truth),
                "n_regions": int(np.count_nonzero(is_region)),
                "n_predictions": len(batch.pred),
                "n_unverified": given.n_unverified,
                "n_below": n_given - len(score),
            },
            truth={"image": codes.truth_image[objects], "label": codes.truth_label[objects]},
            pred={
                "image": codes.pred_image,
                "label": codes.pred_label,
                "score": score,
                "left_out": left_out.astype(np.uint8),
            },
            pairs={
                "image": codes.pred_image[deciding.pred],
                "pred": places_in_images(codes.pred_image, n_images)[deciding.pred],
                "truth": truth_place[deciding.truth],
                "similarity": deciding.similarity,
            },
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
        refuse_other_parameters(self, self._parameters(), other._parameters())
        self._rows.merge(other._rows)
        return self

    def empty(self) -> DetectionConfusion:
        """Return a metric of the same rules without data."""
        return DetectionConfusion(self.rules, protocol=self.protocol, every_score=self.every_score)

    def compute(self, *, score_threshold: float | None = None) -> DetectionConfusionResult:
        """Return the result of all that was absorbed.

        Parameters
        ----------
        score_threshold : float, optional
            In place of that of the rules; below it only where ``every_score`` was set.

        Raises
        ------
        InputError
            For one below what was kept.
        """
        rules = confusion_rules(self.rules, score_threshold=score_threshold, iou_threshold=None)
        if rules.score_threshold < self.rules.score_threshold and not self.every_score:
            raise InputError(
                f"expected a score of at least {self.rules.score_threshold:g}, from which "
                f"detections were kept, got {rules.score_threshold:g}: set every_score",
                "score_threshold",
            )
        rows, n_images = self._rows, len(self._rows.images)
        truth, pred, pairs = (rows.table(name) for name in ("truth", "pred", "pairs"))
        first_truth, first_pred = self._first_rows()
        looked_at = rules.looked_at(pred["score"])
        deciding = ConfusionPairs(
            first_pred[pairs["image"]] + pairs["pred"],
            (first_truth[pairs["image"]] + pairs["truth"]).astype(np.int32),
            pairs["similarity"],
        )
        deciding = deciding.taken(looked_at[deciding.pred])
        met = deciding.taken(paired(deciding, truth["label"], pred["label"], pred["score"], rules))
        missed = np.ones(len(truth["image"]), np.bool_)
        missed[met.truth] = False
        alone = looked_at.copy()
        alone[met.pred] = False
        left_out = alone & (pred["left_out"] != 0)
        counts = {name: int(value) for name, value in rows.counts.arrays().items()}
        return DetectionConfusionResult.of_events(
            rules,
            rows.classes,
            rows.images.keys(),
            events_of(truth, pred, met, np.flatnonzero(missed), np.flatnonzero(alone & ~left_out)),
            {
                "n_images": n_images,
                "n_classes": len(rows.classes),
                **counts,
                "n_below": counts["n_below"] + int(np.count_nonzero(~looked_at)),
                "n_left_out": int(np.count_nonzero(left_out)),
            },
        )

    def _first_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the rows of truth and of detections of each image begin.

        Raises
        ------
        ValueError
            Where pairs are of rows that there are not.
        """
        rows, n_images = self._rows, len(self._rows.images)
        of_truth, of_pred = (
            first_rows(rows.table(name)["image"], n_images) for name in ("truth", "pred")
        )
        check_places(rows.table("pairs"), of_truth, of_pred)
        return of_truth, of_pred

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
            every_score=bool(parameters["every_score"]),
        )
        metric._rows.restore(packed)
        metric._first_rows()  # says where rows do not fit each other
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {
            "rules": dataclasses.asdict(self.rules),
            "protocol": self.protocol.to_dict(),
            "every_score": self.every_score,
        }


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
