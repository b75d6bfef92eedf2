"""TIDE: which kinds of errors a detector makes, and what each of them costs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.candidates import candidates
from snellen.detection.error_kinds import MISS, MISSED, highest_scored, judged
from snellen.detection.error_types_result import DetectionErrorsResult, ErrorRules
from snellen.detection.given_objects import of_rules
from snellen.detection.image_rows import ImageRows, regions, scores_of
from snellen.detection.objects_of_images import rules_for
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.state import PackedState

__all__ = ["DetectionErrors", "detection_errors"]

_COUNTS = ("n_truth", "n_regions", "n_predictions", "n_unverified", "n_dropped_by_cap")


class DetectionErrors:
    """The six kinds of errors of a detector, and how much AP each of them costs (TIDE).

    ========  =====================================================================
    cls       the place is right, the class is wrong
    loc       the class is right, the place is not quite
    both      both are wrong, yet an object is there
    dupe      an object that another detection has found
    bkg       nothing is there
    miss      an object that no detection finds, nor would if cls and loc were mended
    ========  =====================================================================

    Parameters
    ----------
    iou_threshold : float
        The similarity from which a detection matches; AP is read there.
    background_threshold : float
        The similarity up to which a detection has nothing to do with an object; above 0.
    max_detections : int
        How many detections of an image count, of all classes together.
    protocol : str or DetectionProtocol
        What is compared of objects (``similarity``, ``sigmas``, ``dilation_ratio``), and what
        counts (``honours_ignored``, ``verified_only``, ``class_agnostic``, ``per_image``). Its
        thresholds and caps are not read.

    Notes
    -----
    State
        What is wrong with each detection, and which truth was found, by image. No boxes.
    Merge
        Joins the rows; exact. An image that both have absorbed is refused.
    Ties
        Of equal scores the smaller image id comes first, then the order of detections; once
        something is mended, errors come before what is correct. Of equal similarities the first
        truth is taken.
    Undefined
        AP is NaN where there are neither truth nor detections; what an error costs also where
        nothing is left once it is mended.
    Agrees with
        tidecv 1.0.1: all counts, and all dAP to the last bits (tests/oracle, tests/conformance);
        its values are 100 times these. Of equal scores tidecv takes images in the order of the
        file, here they are taken by id.

    Truth that does not count (crowds, ignored objects) makes regions: a detection in one that
    matches nothing is no false positive. Yet TIDE says of it what is wrong with it, and counts
    that (hotcoco, for one, does not): with crowds the counts of errors are larger than the number
    of false positives.

    A class without truth counts with AP 0, and so lowers the AP of all, unlike in COCO.

    References
    ----------
    D. Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.error_types import DetectionErrors
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], image_id=1, label=[1, 1])
    >>> pred = Boxes.from_xywh(
    ...     [[0, 0, 10, 10], [20, 0, 10, 3]], image_id=1, label=[1, 1], score=[0.9, 0.8]
    ... )
    >>> result = DetectionErrors().update(truth, pred).compute()
    >>> round(result.AP, 3), round(result.dAP_loc, 3), result.data["n_loc"]
    (0.505, 0.495, 1)
    """

    __slots__ = ("_rows", "protocol", "rules")

    def __init__(
        self,
        *,
        iou_threshold: float = 0.5,
        background_threshold: float = 0.1,
        max_detections: int = 100,
        protocol: str | DetectionProtocol = "coco",
    ) -> None:
        self.protocol = protocol_named(protocol)
        self.rules = ErrorRules(iou_threshold, background_threshold, max_detections)
        self._rows = ImageRows(
            ("label", "mended_label"),
            _COUNTS,
            truth={"image": np.int32, "label": np.int32, "state": np.uint8},
            pred={
                "image": np.int32,
                "label": np.int32,
                "score": np.float64,
                "kind": np.uint8,
                "left_out": np.uint8,
                "mends": np.uint8,
                "mended_label": np.int32,
            },
        )

    def __repr__(self) -> str:
        return f"DetectionErrors({self.rules}, {len(self._rows.images)} images)"

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
        best = highest_scored(
            given.codes.pred_image, scores_of(given.pred.boxes), self.rules.max_detections
        )
        n_dropped = given.n_beyond_cap + len(given.pred) - len(best)
        given = given.taken(None, best)
        codes = given.codes
        pairs = candidates(
            given.truth,
            given.pred,
            self.protocol,
            lowest=self.rules.background_threshold,
            across_labels=True,
            codes=codes,
        )
        is_region = regions(given.truth.boxes, self.protocol)
        found = judged(
            pairs,
            codes.truth_label,
            is_region,
            codes.pred_label,
            given.exempt,
            iou_threshold=self.rules.iou_threshold,
            background_threshold=self.rules.background_threshold,
        )
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
                "n_dropped_by_cap": n_dropped,
            },
            truth={
                "image": codes.truth_image[objects],
                "label": codes.truth_label[objects],
                "state": found.truth_state[objects],
            },
            pred={
                "image": codes.pred_image,
                "label": codes.pred_label,
                "score": scores_of(given.pred.boxes),
                "kind": found.kind,
                "left_out": found.left_out,
                "mends": found.mends,
                "mended_label": found.mended_label,
            },
        )
        return self

    def merge(self, other: DetectionErrors, /) -> Self:
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

    def empty(self) -> DetectionErrors:
        """Return a metric of the same parameters without data."""
        return DetectionErrors(**dataclasses.asdict(self.rules), protocol=self.protocol)

    def compute(self) -> DetectionErrorsResult:
        """Return the result of all that was absorbed."""
        rows = self._rows
        counts = {name: int(value) for name, value in rows.counts.arrays().items()}
        return DetectionErrorsResult.of_rows(
            self.rules,
            rows.classes,
            truth=rows.table("truth"),
            pred=rows.table("pred"),
            data={"n_images": len(rows.images), "n_classes": len(rows.classes), **counts},
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        arrays: dict[str, NDArray[Any]] = {}
        content: dict[str, Any] = {"parameters": self._parameters()}
        self._rows.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> DetectionErrors:
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
    def _of_packed(cls, packed: PackedState) -> DetectionErrors:
        parameters = dict(packed.content["parameters"])
        protocol = DetectionProtocol.from_dict(parameters.pop("protocol"))
        metric = cls(**parameters, protocol=protocol)
        metric._rows.restore(packed)
        for table, column, most in (("truth", "state", MISSED), ("pred", "kind", MISS - 1)):
            values = metric._rows.table(table)[column]
            if len(values) and values.max() > most:
                raise ValueError(f"{table}.{column} above {most}")
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self.rules), "protocol": self.protocol.to_dict()}


def detection_errors(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
    **parameters: Any,
) -> DetectionErrorsResult:
    """Return the kinds of errors of predictions, and what they cost; see `DetectionErrors`.

    Without a protocol, poses are compared as COCO does.
    """
    metric = DetectionErrors(protocol=rules_for(truth, pred, protocol), **parameters)
    return metric.update(truth, pred, image_id=image_id, box_format=box_format).compute()
