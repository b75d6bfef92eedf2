"""Likely errors of truth: wrong labels, missing boxes, duplicates."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.boxes import Boxes
from snellen.detection.candidates import Coded, candidates
from snellen.detection.given_objects import of_rules
from snellen.detection.image_rows import ImageRows, regions, scores_of
from snellen.detection.label_errors_result import LabelErrorRules, LabelErrorsResult
from snellen.detection.label_suspicions import (
    DUPLICATE,
    MISSING_BOX,
    SUSPICION_NAMES,
    WRONG_LABEL,
    Suspicions,
    duplicates,
    missing_boxes,
    one_of_each,
    wrong_labels,
)
from snellen.detection.objects_of_images import rules_for
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Candidates, Objects
    from snellen.detection.given_objects import GivenObjects
    from snellen.state import PackedState

__all__ = ["LabelErrors", "label_errors"]

_COUNTS = ("n_truth", "n_regions", "n_predictions", "n_unverified", "n_confident")


class LabelErrors:
    """Truth that is probably wrong, the most suspicious first.

    ===========  ========================================================================
    wrong label  A confident detection of another class lies on the object, and none of
                 its own class; nor is there truth of the detection's class. Suspicion:
                 similarity × (score less the best score of its own class there).
    missing box  A confident detection is far from all truth, of any class. Of several
                 much like each other, the one with the highest score. Suspicion: its
                 score.
    duplicate    Two objects of one class are nearly the same. Suspicion: their similarity.
    ===========  ========================================================================

    A suspicion is no proof: the better the detector, the more of them are right. Crowds and
    ignored objects are no objects here, yet a detection in one is not far from all truth. Boxes in
    suspicions are those given, also where the rules measure them larger.

    Parameters
    ----------
    score_threshold : float
        The score from which a detection is confident.
    iou_threshold : float
        The similarity from which a detection lies on an object, and from which two detections show
        one.
    background_threshold : float
        The similarity below which a detection is far from an object; above 0.
    duplicate_threshold : float
        The similarity from which two objects are nearly the same.
    protocol : str or DetectionProtocol
        What is compared of objects (``similarity``, ``sigmas``, ``dilation_ratio``), and what
        counts (``honours_ignored``, ``verified_only``, ``class_agnostic``, ``per_image``). Its
        thresholds and caps are not read.

    Notes
    -----
    State
        A row for each suspicion, with boxes and scores, and the class of each object, by image.
    Merge
        Joins the rows; exact. An image that both have absorbed is refused.
    Ties
        Equal suspicions come by image id, then wrong labels, missing boxes, duplicates, then in the
        order of truth or detections.
    Undefined
        The rates are NaN where there is no truth.
    Agrees with
        Cases worked by hand, and planted errors that are found (tests/unit).

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.label_errors import LabelErrors
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10]], image_id="a.png", label=["dog"])
    >>> pred = Boxes.from_xywh(
    ...     [[0, 0, 10, 9], [50, 0, 9, 9]], image_id="a.png", label=["cat", "dog"], score=[0.9, 0.8]
    ... )
    >>> for each in LabelErrors().update(truth, pred).compute().suspicions():
    ...     print(each["kind"], each["box"], each["class"], round(each["suspicion"], 2))
    wrong label [0.0, 0.0, 10.0, 9.0] cat 0.81
    missing box [50.0, 0.0, 9.0, 9.0] dog 0.8
    """

    __slots__ = ("_rows", "protocol", "rules")

    def __init__(
        self,
        *,
        score_threshold: float = 0.5,
        iou_threshold: float = 0.5,
        background_threshold: float = 0.1,
        duplicate_threshold: float = 0.9,
        protocol: str | DetectionProtocol = "coco",
    ) -> None:
        self.protocol = protocol_named(protocol)
        self.rules = LabelErrorRules(
            score_threshold, iou_threshold, background_threshold, duplicate_threshold
        )
        self._rows = ImageRows(
            ("label", "suggested"),
            _COUNTS,
            truth={"image": np.int32, "label": np.int32},
            suspicions={
                "image": np.int32,
                "kind": np.uint8,
                "suspicion": np.float64,
                "similarity": np.float64,
                "label": np.int32,
                "truth_box": (np.float64, (4,)),
                "suggested": np.int32,
                "box": (np.float64, (4,)),
                "score": np.float64,
                "has_id": np.uint8,
                "truth_id": np.int64,
                "other_id": np.int64,
            },
        )

    def __repr__(self) -> str:
        return f"LabelErrors({self.rules}, {len(self._rows.images)} images)"

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
        codes, score = given.codes, scores_of(given.pred.boxes)
        is_region = regions(given.truth.boxes, self.protocol)
        found = {
            **self._about_detections(given, is_region, score),
            DUPLICATE: duplicates(
                self._pairs_among(
                    given.truth,
                    codes.truth_image,
                    codes.truth_label,
                    codes,
                    lowest=self.rules.duplicate_threshold,
                ),
                is_region,
            ),
        }
        parts = [
            _columns(kind, suspicions, batch.truth.boxes, batch.pred.boxes, given)
            for kind, suspicions in found.items()
        ]
        by_image = np.argsort(np.concatenate([part["image"] for part in parts]), kind="stable")
        # Column by column, so that no more than one is there twice.
        joined = {
            name: np.concatenate([part.pop(name) for part in parts])[by_image]
            for name in tuple(parts[0])
        }
        objects = np.flatnonzero(~is_region)
        objects = objects[np.argsort(codes.truth_image[objects], kind="stable")]
        self._rows.add(
            batch,
            codes,
            {
                "n_truth": len(batch.truth),
                "n_regions": int(np.count_nonzero(is_region)),
                "n_predictions": len(batch.pred),
                "n_unverified": given.n_unverified,
                "n_confident": int(np.count_nonzero(score >= self.rules.score_threshold)),
            },
            truth={"image": codes.truth_image[objects], "label": codes.truth_label[objects]},
            suspicions=joined,
        )
        return self

    def _about_detections(
        self,
        given: GivenObjects,
        is_region: NDArray[np.bool_],
        score: NDArray[np.float64],
    ) -> dict[int, Suspicions]:
        """Return what detections say of truth."""
        rules, codes = self.rules, given.codes
        pairs = candidates(
            given.truth,
            given.pred,
            self.protocol,
            lowest=min(rules.background_threshold, rules.iou_threshold),
            across_labels=True,
            codes=codes,
        )
        wrong = wrong_labels(
            pairs,
            codes.truth_label,
            is_region,
            codes.pred_label,
            score,
            score_threshold=rules.score_threshold,
            iou_threshold=rules.iou_threshold,
        )
        missing = missing_boxes(
            pairs,
            # Where truth is known not to be whole, that a box is missing is no error.
            score if given.exempt is None else np.where(given.exempt, -np.inf, score),
            score_threshold=rules.score_threshold,
            background_threshold=rules.background_threshold,
        )
        confident = missing.other
        alike = self._pairs_among(
            given.pred[confident],
            codes.pred_image[confident],
            codes.pred_label[confident],
            codes,
            lowest=rules.iou_threshold,
            across_labels=True,
        )
        return {WRONG_LABEL: wrong, MISSING_BOX: one_of_each(missing, alike, score[confident])}

    def _pairs_among(
        self,
        objects: Objects,
        image: NDArray[np.int32],
        label: NDArray[np.int32],
        codes: Coded,
        *,
        lowest: float,
        across_labels: bool = False,
    ) -> Candidates:
        """Return pairs of objects with each other, and each with itself."""
        return candidates(
            objects,
            _scored(objects),
            self.protocol,
            lowest=lowest,
            across_labels=across_labels,
            capped=False,  # caps are of detections, and these may be truth
            codes=Coded(codes.images, codes.classes, image, label, image, label),
        )

    def merge(self, other: LabelErrors, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters or the kinds of objects differ.
        IdError
            Where both have absorbed the same image.
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        self._rows.merge(other._rows)
        return self

    def empty(self) -> LabelErrors:
        """Return a metric of the same parameters without data."""
        return LabelErrors(**dataclasses.asdict(self.rules), protocol=self.protocol)

    def compute(self) -> LabelErrorsResult:
        """Return the result of all that was absorbed."""
        rows = self._rows
        counts = {name: int(value) for name, value in rows.counts.arrays().items()}
        return LabelErrorsResult.of_rows(
            self.rules,
            rows.classes,
            rows.images.keys(),
            rows.table("suspicions"),
            n_truth=np.bincount(rows.table("truth")["label"], minlength=len(rows.classes)),
            data={"n_images": len(rows.images), "n_classes": len(rows.classes), **counts},
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        arrays: dict[str, NDArray[Any]] = {}
        content: dict[str, Any] = {"parameters": self._parameters()}
        self._rows.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> LabelErrors:
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
    def _of_packed(cls, packed: PackedState) -> LabelErrors:
        parameters = dict(packed.content["parameters"])
        protocol = DetectionProtocol.from_dict(parameters.pop("protocol"))
        metric = cls(**parameters, protocol=protocol)
        metric._rows.restore(packed)
        kinds = metric._rows.table("suspicions")["kind"]
        if len(kinds) and kinds.max() >= len(SUSPICION_NAMES):
            raise ValueError(f"suspicions.kind from {len(SUSPICION_NAMES)} on")
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self.rules), "protocol": self.protocol.to_dict()}


def _scored(objects: Objects) -> Objects:
    """Return objects with scores: candidates are pairs of truth and what has scores."""
    if objects.boxes.score is not None:
        return objects
    boxes = dataclasses.replace(objects.boxes, score=np.zeros(len(objects)))
    return boxes if isinstance(objects, Boxes) else dataclasses.replace(objects, boxes=boxes)


def _columns(
    kind: int, found: Suspicions, truth: Boxes, pred: Boxes, given: GivenObjects
) -> dict[str, NDArray[Any]]:
    """Return suspicions of a kind as rows of the state.

    `truth` and `pred` are boxes as they came: inclusive rules make those of `given` larger.
    """
    n, codes = len(found.other), given.codes
    no_boxes, no_ids = np.full((n, 4), np.nan), np.zeros(n, np.int64)
    is_duplicate = kind == DUPLICATE
    other = truth if is_duplicate else pred
    row = given.truth_rows[found.truth] if kind != MISSING_BOX else no_ids
    other_row = (given.truth_rows if is_duplicate else given.pred_rows)[found.other]
    ids = no_ids if truth.id is None or kind == MISSING_BOX else truth.id[row]
    other_label = codes.truth_label if is_duplicate else codes.pred_label
    image = codes.truth_image if is_duplicate else codes.pred_image
    label = other_label[found.other] if kind == MISSING_BOX else codes.truth_label[found.truth]
    return {
        "image": image[found.other],
        "kind": np.full(n, kind, np.uint8),
        "suspicion": found.suspicion,
        "similarity": found.similarity,
        "label": label,
        "truth_box": no_boxes if kind == MISSING_BOX else truth.xywh[row],
        "suggested": other_label[found.other],
        "box": other.xywh[other_row],
        "score": np.full(n, np.nan) if is_duplicate else scores_of(pred)[other_row],
        "has_id": np.full(n, truth.id is not None and kind != MISSING_BOX, np.uint8),
        "truth_id": ids,
        "other_id": truth.id[other_row] if is_duplicate and truth.id is not None else no_ids,
    }


def label_errors(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
    **parameters: Any,
) -> LabelErrorsResult:
    """Return likely errors of truth; see `LabelErrors`.

    Without a protocol, poses are compared as COCO does.
    """
    metric = LabelErrors(protocol=rules_for(truth, pred, protocol), **parameters)
    return metric.update(truth, pred, image_id=image_id, box_format=box_format).compute()
