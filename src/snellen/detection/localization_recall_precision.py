"""Localisation Recall Precision (LRP) error, and its optimum over the score threshold (oLRP)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_finite
from snellen.classes import Classes
from snellen.detection.candidates import similarity_of
from snellen.detection.localization_recall_precision_result import (
    LocalizationRecallPrecisionResult,
)
from snellen.detection.matching import matches
from snellen.detection.objects_of_images import object_batch, rules_for
from snellen.detection.outcomes import Outcomes, place_of_area
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.detection.row_blocks import check_rows, row_blocks
from snellen.detection.score_curves import score_curves
from snellen.errors import InputError, MergeError
from snellen.image_ids import ImageIds
from snellen.parameters import refuse_other_parameters
from snellen.state import Counts, Ledger, pack, prefixed, restored, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.state import Keys, PackedState

__all__ = ["LocalizationRecallPrecision", "localization_recall_precision"]

_COUNTS = ("n_truth", "n_predictions")
# In the place of the similarity of a detection that does not count.
_LEFT_OUT = -1.0


class LocalizationRecallPrecision:
    """Localisation Recall Precision error (LRP) and its optimum over the score threshold (oLRP).

    Of the detections of a class that are kept,
    LRP = (Σ (1 − IoU) / (1 − τ) + FP + FN) / (TP + FP + FN), the sum over the true positives, τ
    the IoU threshold: 0 where all truth is found exactly and nothing else, 1 where nothing is
    found. oLRP is the least LRP of any score threshold, and that threshold the one to deploy.

    Parameters
    ----------
    protocol : str or DetectionProtocol
        The rules of the matching; of the caps the highest holds. Groups of Open Images are left
        out, with what lies in them.
    iou_threshold : float
        τ, IoU from which a detection may match: above 0, below 1.
    area : str, optional
        The label of an area range of the protocol; the first where not given (COCO: all).
    score_thresholds : array-like, optional
        The score thresholds to choose from; every score where not given, which finds the true
        optimum.

    Notes
    -----
    State
        Of each detection that counts its score and its IoU with the truth object that it took (0:
        false positive), and which truth objects count; keyed by image and class.
    Merge
        Joins the rows; exact. An image that both have absorbed is refused.
    Ties
        As in `AveragePrecision`; of equal LRP the highest threshold at which anything is found is
        best.
    Undefined
        NaN without truth that counts. A class of which nothing is found has oLRP 1 and no
        threshold; it is left out of the means of localisation and false positives.
    Agrees with
        vernier 0.5.4 with score thresholds 0, 0.01, …, 1, up to the rounding of sums (its
        localisation is divided by 1 − τ, the paper's is not); a plain version of the paper
        (tests/oracle).

    References
    ----------
    K. Oksuz, B. C. Cam, E. Akbas, S. Kalkan, "Localization recall precision (LRP): a new
    performance metric for object detection", ECCV 2018; K. Oksuz et al., "One metric to measure
    them all: localisation recall precision (LRP) for evaluating visual detection tasks", IEEE
    TPAMI 2022.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    >>> one = {"image_id": 1, "label": 1}
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], **one)
    >>> pred = Boxes.from_xywh([[0, 0, 10, 9], [50, 0, 10, 10]], score=[0.9, 0.2], **one)
    >>> result = LocalizationRecallPrecision().update(truth, pred).compute()
    >>> round(result.olrp, 4)  # at 0.9: (0.1 / 0.5 + 0 false + 1 missed) / 2
    0.6
    >>> result.best_threshold.tolist()
    [0.9]
    """

    __slots__ = (
        "_classes",
        "_counts",
        "_images",
        "_kind",
        "_pred",
        "_truth",
        "protocol",
        "score_thresholds",
    )

    def __init__(
        self,
        *,
        protocol: str | DetectionProtocol = "coco",
        iou_threshold: float = 0.5,
        area: str | None = None,
        score_thresholds: ArrayLike | None = None,
    ) -> None:
        rules = protocol_named(protocol)
        if not 0 < iou_threshold < 1:
            raise InputError(
                f"expected a number between 0 and 1, got {iou_threshold!r}", "iou_threshold"
            )
        self.protocol = dataclasses.replace(
            rules,
            iou_thresholds=(float(iou_threshold),),
            area_ranges=(rules.area_ranges[place_of_area(rules, area)],),
            max_detections=rules.max_detections[-1:],
        )
        self.score_thresholds: tuple[float, ...] | None = None
        if score_thresholds is not None:
            grid = np.unique(to_finite(score_thresholds, "score_thresholds").reshape(-1))
            if not len(grid):
                raise InputError("expected score thresholds, got none", "score_thresholds")
            self.score_thresholds = tuple(grid.tolist())
        self._truth = Ledger(("image", "label"), image=np.int32, label=np.int32)
        self._pred = Ledger(
            ("image", "label"),
            image=np.int32,
            label=np.int32,
            score=np.float64,
            similarity=np.float64,
        )
        self._counts = Counts(**dict.fromkeys(_COUNTS, ()))
        self._classes = Classes([])
        self._images = ImageIds()
        self._kind: str | None = None  # of the objects that were absorbed

    def __repr__(self) -> str:
        return f"LocalizationRecallPrecision({self.protocol.name}, {len(self._images)} images)"

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
        batch = object_batch(
            truth,
            pred,
            image_id,
            images=self._images,
            kind=self._kind,
            similarity=self.protocol.similarity,
            box_format=box_format,
        )
        if batch is None:
            return self
        truth, pred, anonymous = batch
        found = matches(truth, pred, self.protocol)
        matched = found.matched
        word = matched.pred["outcome"][:, 0, 0]
        similarity = np.where(word & 1 != 0, found.similarity[:, 0], 0.0)
        counts = word & (1 | 1 << 16) != 0
        if self.protocol.per_class is not None:  # those that do not count are capped with them
            similarity, counts = np.where(counts, similarity, _LEFT_OUT), np.ones_like(counts)
        classes = Classes.union([self._classes, matched.classes])
        keys = {"image": matched.images, "label": matched.classes.keys}
        of_truth = matched.truth["ignored"] & 1 == 0
        self._truth.append(
            keys, **{name: matched.truth[name][of_truth] for name in ("image", "label")}
        )
        self._pred.append(
            keys,
            **{name: matched.pred[name][counts] for name in ("image", "label", "score")},
            similarity=similarity[counts],
        )
        self._counts.add(n_truth=len(truth), n_predictions=len(pred))
        self._classes, self._kind = classes, truth.kind
        self._images.add(matched.images, anonymous=anonymous)
        return self

    def merge(self, other: LocalizationRecallPrecision, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ, or the kinds of objects.
        IdError
            Where both have absorbed the same image.
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        if None not in (self._kind, other._kind) and self._kind != other._kind:
            raise MergeError(
                f"expected the state of objects of the kind {self._kind}, got {other._kind}"
            )
        self._images.check_merge(other._images)
        self._classes = Classes.union([self._classes, other._classes])
        shift = self._images.merge(other._images)
        self._truth.merge(other._truth, image=shift)
        self._pred.merge(other._pred, image=shift)
        self._counts.merge(other._counts)
        self._kind = self._kind or other._kind
        return self

    def empty(self) -> LocalizationRecallPrecision:
        """Return a metric of the same parameters without data."""
        return self._of_rules(self.protocol, self.score_thresholds)

    def compute(self) -> LocalizationRecallPrecisionResult:
        """Return the result of all that was absorbed."""
        outcomes = self.outcomes()
        return LocalizationRecallPrecisionResult.of_curves(
            score_curves(outcomes),
            outcomes.classes,
            score_thresholds=self.score_thresholds,
            protocol={
                "name": "localization-recall-precision",
                **outcomes.rules(),
                "score_thresholds": (
                    None if self.score_thresholds is None else list(self.score_thresholds)
                ),
            },
            data={
                "n_images": len(self._images),
                "n_classes": len(outcomes.classes),
                **{name: int(self._counts[name]) for name in _COUNTS},
                "n_counted": len(outcomes.truth_label),
                "n_counted_predictions": len(outcomes),
            },
        )

    def outcomes(self) -> Outcomes:
        """Return what became of the detections, with the IoU of matches."""
        images, classes, truth, pred = self._rows()
        return self._outcomes(images, classes, truth, pred)

    def outcome_blocks(self) -> Iterator[Outcomes]:
        """Return the same, some whole classes at a time."""
        images, classes, truth, pred = self._rows()
        for block in row_blocks(truth, pred, len(classes)):
            yield self._outcomes(images, classes, block.truth, block.pred)

    def _outcomes(
        self,
        images: Keys,
        classes: Classes,
        truth: Mapping[str, NDArray[Any]],
        pred: Mapping[str, NDArray[Any]],
    ) -> Outcomes:
        if self.protocol.per_class is not None:
            kept = _core.best_rows(
                pred["score"],
                pred["label"],
                n_groups=len(classes),
                cap=self.protocol.per_class,
            )
            kept = kept[pred["similarity"][kept] != _LEFT_OUT]
            pred = {name: column[kept] for name, column in pred.items()}
        rules = self.protocol
        if self._kind is not None:
            rules = dataclasses.replace(rules, similarity=similarity_of(self._kind, rules))
        return Outcomes(
            rules,
            self.protocol.iou_thresholds[0],
            self.protocol.area_ranges[0].label,
            images,
            classes,
            truth["image"],
            truth["label"],
            pred["image"],
            pred["label"],
            pred["score"],
            pred["similarity"] > 0,
            pred["similarity"],
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        _, classes, truth, pred = self._rows()
        arrays = {**prefixed("truth.", truth), **prefixed("pred.", pred)}
        content: dict[str, Any] = {
            **self._parameters(),
            "kind": self._kind,
            "counts": {name: int(self._counts[name]) for name in _COUNTS},
        }
        self._images.store(content, arrays)
        classes.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> LocalizationRecallPrecision:
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
    def _of_rules(
        cls, rules: DetectionProtocol, score_thresholds: ArrayLike | None
    ) -> LocalizationRecallPrecision:
        return cls(
            protocol=rules,
            iou_threshold=rules.iou_thresholds[0],
            score_thresholds=score_thresholds,
        )

    @classmethod
    def _of_packed(cls, packed: PackedState) -> LocalizationRecallPrecision:
        content, arrays = packed.content, packed.arrays
        rules = DetectionProtocol.from_dict(content["protocol"])
        metric = cls._of_rules(rules, content["score_thresholds"])
        metric._images = ImageIds.stored(content, arrays)
        metric._kind = content["kind"]
        if metric._images.anonymous is None:
            return metric
        metric._classes = classes = Classes.stored(content, arrays)
        keys = {"image": metric._images.keys(), "label": classes.keys}
        for name, ledger in (("truth.", metric._truth), ("pred.", metric._pred)):
            columns = unprefixed(name, arrays)
            check_rows(columns, len(metric._images), len(classes))
            ledger.append(keys, **columns)
        metric._counts.add(**content["counts"])
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {"protocol": self.protocol.to_dict(), "score_thresholds": self.score_thresholds}

    def _rows(self) -> tuple[Keys, Classes, dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Return images, classes, and the rows of truth and predictions by class, image, rank.

        Each piece came in that order; several are put together in it. The state means the same.
        """
        images, classes = self._images.keys(), self._classes
        keys = {"image": images, "label": classes.keys}
        if self._pred.n_pieces > 1:
            for ledger in (self._truth, self._pred):
                columns = ledger.columns(keys)
                place = _core.group_rows(
                    columns["image"], columns["label"], len(images), len(classes)
                )
                ordered = {name: np.empty_like(column) for name, column in columns.items()}
                for name, column in columns.items():
                    ordered[name][place] = column
                ledger.replace(keys, **ordered)
        return images, classes, self._truth.columns(keys), self._pred.columns(keys)


def localization_recall_precision(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    iou_threshold: float = 0.5,
    area: str | None = None,
    score_thresholds: ArrayLike | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
) -> LocalizationRecallPrecisionResult:
    """Return LRP errors of predictions; see `LocalizationRecallPrecision`.

    Without a protocol, poses are compared as COCO does.
    """
    metric = LocalizationRecallPrecision(
        protocol=rules_for(truth, pred, protocol),
        iou_threshold=iou_threshold,
        area=area,
        score_thresholds=score_thresholds,
    )
    return metric.update(truth, pred, image_id=image_id, box_format=box_format).compute()
