"""Average precision and recall of object detection."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.average_precision_result import AveragePrecisionResult
from snellen.detection.candidates import similarity_of
from snellen.detection.curves import BlockCurves
from snellen.detection.matching import match
from snellen.detection.objects_of_images import object_batch, rules_for
from snellen.detection.poses import Poses
from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.detection.row_blocks import LARGE_BLOCK_ROWS, check_rows, row_blocks
from snellen.errors import ClassError, IdError, MergeError
from snellen.image_ids import ImageIds
from snellen.parameters import refuse_other_parameters
from snellen.state import Counts, Ledger, pack, prefixed, restored, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.detection.curves import Curves
    from snellen.detection.row_blocks import RowBlock
    from snellen.metric import Units
    from snellen.state import Keys, PackedState

__all__ = ["AveragePrecision", "average_precision"]

_COUNTS = ("n_truth", "n_crowd", "n_predictions", "n_dropped_by_cap", "n_unverified", "n_empty")


def _groups_by_id(classes: Classes, groups: Sequence[str] | None) -> dict[Any, str]:
    if groups is None:
        return {}
    return dict(zip(classes.keys.ids.tolist(), groups, strict=True))


def _groups_of(classes: Classes, groups: Mapping[Any, str]) -> tuple[str, ...] | None:
    if not groups:
        return None
    return tuple(groups.get(class_id, "") for class_id in classes.keys.ids.tolist())


def _joined_groups(ours: dict[Any, str], theirs: dict[Any, str]) -> dict[Any, str]:
    """Return the groups of all classes.

    Raises
    ------
    ClassError
        Where a class is of two groups.
    """
    joined = dict(ours)
    for class_id, group in theirs.items():
        # Of a class that predictions alone have, truth says no group: other truth may.
        known = ours.get(class_id) or group
        if group not in ("", known):
            raise ClassError(
                f'expected class {class_id} in the group "{known}", as before, got "{group}"',
                "truth.groups",
            )
        joined[class_id] = known
    return joined


class AveragePrecision:
    """Average precision (AP) and recall (AR) of boxes, masks, poses, as COCO defines them.

    Parameters
    ----------
    protocol : str or DetectionProtocol, optional
        The rules, or their name (see `PROTOCOLS`); without, ``"coco"``. ``"coco-strict"`` is
        pycocotools 2.0.11 to the last bit; ``"coco"`` differs from it where that loses a match
        (annotation id 0) or gives up (caps other than 100, empty results, records without ``area``
        or ``iscrowd``). Poses need ``"coco-keypoints"``, or others with sigmas.
    similarity : {"box", "mask", "boundary", "keypoints", "oriented"}, optional
        What is compared, in place of what the protocol says. Without, what predictions have: boxes,
        else masks.
    max_detections : int or iterable of int, optional
        Caps on the detections of a class in an image, in place of the protocol's; a single number
        N stands for 1, 10, N.

    Notes
    -----
    State
        Two ledgers: what became of each detection at each threshold and area range, and which
        truth boxes count; keyed by image and class. No boxes, no images.
    Merge
        Joins the ledgers; exact. An image that both have absorbed is refused.
    Ties
        Of equal scores the smaller image id comes first, then the order in the image. Of equal
        IoUs the later truth box is taken.
    Undefined
        NaN where no truth box counts (coco-strict: −1 in the arrays).
    Agrees with
        pycocotools 2.0.11, every cell of precision, recall and scores (tests/oracle,
        tests/conformance).

    References
    ----------
    T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], image_id=[1, 1], label=[1, 1])
    >>> pred = Boxes.from_xywh([[0, 0, 10, 9]], image_id=[1], label=[1], score=[0.8])
    >>> result = AveragePrecision().update(truth, pred).compute()
    >>> round(result.AP50, 4), round(result.AP, 4)  # 51 of 101 recall points; 9 of 10 thresholds
    (0.505, 0.4545)
    """

    __slots__ = (
        "_classes",
        "_counts",
        "_groups",
        "_images",
        "_kind",
        "_pred",
        "_traced",
        "_truth",
        "protocol",
    )

    def __init__(
        self,
        *,
        protocol: str | DetectionProtocol | None = None,
        similarity: str | None = None,
        max_detections: int | Iterable[int] | None = None,
    ) -> None:
        if protocol is None:
            protocol = "coco-keypoints" if similarity == "keypoints" else "coco"
        self.protocol = protocol_named(protocol)
        if similarity is not None:
            self.protocol = dataclasses.replace(self.protocol, similarity=similarity)
        if max_detections is not None:
            self.protocol = self.protocol.with_max_detections(max_detections)
        self._truth = Ledger(("image", "label"), image=np.int32, label=np.int32, ignored=np.uint32)
        self._pred = Ledger(
            ("image", "label"),
            image=np.int32,
            label=np.int32,
            score=np.float64,
            outcome=(np.uint32, self.protocol.outcome_shape),
        )
        self._counts = Counts(**dict.fromkeys(_COUNTS, ()))
        self._classes = Classes([])
        self._images = ImageIds()
        self._groups: dict[Any, str] = {}  # of classes, by id
        self._kind: str | None = None  # of the objects that were absorbed
        self._traced: Curves | None = None

    def __repr__(self) -> str:
        return f"AveragePrecision({self.protocol.name}, {len(self._images)} images)"

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
            All objects of the batch's images, of one kind. Or, for each image, a mapping as
            torchvision and torchmetrics have it: ``boxes`` (n, 4), ``masks`` (n, height, width) or
            run lengths, ``keypoints`` (n, K, 3), or oriented ``boxes`` (n, 5), (n, 8) or (n, 4, 2),
            and ``labels`` (n,); pred also ``scores`` (n,), truth may have ``area``, ``iscrowd`` and
            ``ignored`` (n,). Arrays of any kind, on any device. See the ``from_images`` of each
            kind.
        image_id : array-like, optional
            The ids of the images given as mappings. Without, images are numbered as they come;
            then ties between images go by that order, and so by the order of merges.
        box_format : {"xyxy", "xywh", "cxcywh"}
            What the numbers of boxes in mappings are: two corners, the corner at left and top and
            the size, or the centre and the size.

        Raises
        ------
        IdError
            For an image that was absorbed before, or that truth does not list.
        InputError
            For objects that cannot be evaluated, or of another kind than those before. After an
            error the metric is as it was.
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
        matched = match(truth, pred, self.protocol)
        classes = Classes.union([self._classes, matched.classes])
        groups = _joined_groups(self._groups, _groups_by_id(matched.classes, matched.groups))
        keys = {"image": matched.images, "label": matched.classes.keys}
        self._traced = None
        self._truth.append(keys, **matched.truth)
        self._pred.append(keys, **matched.pred)
        self._counts.add(
            n_truth=len(truth),
            n_crowd=0 if truth.boxes.crowd is None else np.count_nonzero(truth.boxes.crowd),
            n_predictions=len(pred),
            n_dropped_by_cap=len(pred)
            - matched.n_unverified
            - matched.n_empty
            - len(matched.pred["score"]),
            n_unverified=matched.n_unverified,
            n_empty=matched.n_empty,
        )
        self._classes = classes
        self._groups = groups
        self._kind = truth.kind
        self._images.add(matched.images, anonymous=anonymous)
        return self

    def merge(self, other: AveragePrecision, /) -> Self:
        """Absorb another metric of equal protocol; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the protocols differ.
        IdError
            Where both have absorbed the same image.
        """
        refuse_other_parameters(self, self.protocol.to_dict(), other.protocol.to_dict())
        if None not in (self._kind, other._kind) and self._kind != other._kind:
            raise MergeError(
                f"expected the state of an AveragePrecision of objects of the kind {self._kind}, "
                f"got {other._kind}"
            )
        self._images.check_merge(other._images)
        self._traced = None
        self._groups = _joined_groups(self._groups, other._groups)
        self._classes = Classes.union([self._classes, other._classes])
        shift = self._images.merge(other._images)
        self._truth.merge(other._truth, image=shift)
        self._pred.merge(other._pred, image=shift)
        self._counts.merge(other._counts)
        self._kind = self._kind or other._kind
        return self

    def empty(self) -> AveragePrecision:
        """Return a metric of the same protocol without data."""
        return AveragePrecision(protocol=self.protocol)

    def empty_of_kind(self) -> AveragePrecision:
        """Return a metric without data, and with what was compared as one of its rules."""
        return AveragePrecision(protocol=self.rules())

    def compute(self) -> AveragePrecisionResult:
        """Return the result of all that was absorbed."""
        return AveragePrecisionResult.of_curves(
            self.rules(),
            self._classes,
            **self.curves()._asdict(),
            groups=self.groups(),
            data={
                "n_images": len(self._images),
                "n_classes": len(self._classes),
                **self._counted(),
            },
        )

    def _counted(self) -> dict[str, int]:
        """Return what was counted; of predictions that are left out, where the rules do so."""
        rules = self.protocol
        of_some = {
            "n_unverified": rules.verified_only,
            "n_empty": rules.drops_empty or rules.drops_empty_predictions,
        }
        counts = {name: int(self._counts[name]) for name in _COUNTS if of_some.get(name, True)}
        if rules.per_class is not None:  # what such a cap drops is known once all images are there
            _, pred = self._columns(self._images.keys(), self._classes)
            n_of_class = np.bincount(pred["label"], minlength=len(self._classes))
            counts["n_dropped_by_cap"] += int(np.maximum(n_of_class - rules.per_class, 0).sum())
        return counts

    def units(self, *, each: bool = False) -> Units:
        """Return the images as units for resampling.

        A replicate evaluates its images anew from the stored outcomes, without matching: sooner
        than `compute`. An image that is drawn twice is two images.

        Raises
        ------
        IdError
            Where `each` is asked for and images were given without ids.
        """
        if each and self._images.anonymous:
            raise IdError("expected images with ids, to tell them apart")
        # Here, because an evaluation without intervals is to start without it.
        from snellen.detection.resampled_images import image_units

        return image_units(self)

    def rows(self) -> tuple[Keys, Classes, dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Return images, classes, and the rows of truth and predictions by class, image, rank."""
        self._settle()
        images, classes = self._images.keys(), self._classes
        truth, pred = self._columns(images, classes)
        return images, classes, truth, self._capped(pred)

    def row_blocks(self, n_rows: int | None = None) -> tuple[Keys, Classes, Iterator[RowBlock]]:
        """Return images, classes, and the same rows, some whole classes at a time."""
        self._settle()
        images, classes = self._images.keys(), self._classes
        blocks = row_blocks(*self._columns(images, classes), len(classes), n_rows)
        return (
            images,
            classes,
            (block._replace(pred=self._capped(block.pred)) for block in blocks),
        )

    def _capped(self, pred: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the detections that a cap of each class over all images lets count."""
        if self.protocol.per_class is not None:
            kept = _core.best_rows(
                pred["score"],
                pred["label"],
                n_groups=len(self._classes),
                cap=self.protocol.per_class,
            )
            if len(kept) < len(pred["score"]):
                return {name: column[kept] for name, column in pred.items()}
        return dict(pred)

    def curves(self) -> Curves:
        """Return the curves of all classes, not to be written to; kept until more is absorbed."""
        if self._traced is None:
            _, _, blocks = self.row_blocks(LARGE_BLOCK_ROWS)
            traced = BlockCurves(self.protocol)
            for block in blocks:
                traced.add(block)
            self._traced = traced.curves()
            for array in self._traced:
                array.flags.writeable = False  # results look at them, too
        return self._traced

    def groups(self) -> tuple[str, ...] | None:
        """Return the group of each class, where truth says it."""
        return _groups_of(self._classes, self._groups)

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        self._settle()
        images, classes = self._images.keys(), self._classes
        truth, pred = self._columns(images, classes)
        arrays = {**prefixed("truth.", truth), **prefixed("pred.", pred)}
        content: dict[str, Any] = {
            "protocol": self.protocol.to_dict(),
            "class_names": list(classes.names),
            "kind": self._kind,
            "groups": self.groups(),
            "counts": {name: int(self._counts[name]) for name in _COUNTS},
        }
        self._images.store(content, arrays)
        classes.keys.store("class_ids", content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> AveragePrecision:
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
    def _of_packed(cls, packed: PackedState) -> AveragePrecision:
        metric = cls(protocol=DetectionProtocol.from_dict(packed.content["protocol"]))
        metric._images = ImageIds.stored(packed.content, packed.arrays)
        # States of release 0.1.0 are of boxes, and do not say so.
        metric._kind = packed.content.get("kind", "box")
        if metric._images.anonymous is None:
            return metric
        metric._classes = classes = Classes.stored(packed.content, packed.arrays)
        metric._groups = _groups_by_id(classes, packed.content.get("groups"))
        keys = {"image": metric._images.keys(), "label": classes.keys}
        for name, ledger in (("truth.", metric._truth), ("pred.", metric._pred)):
            columns = unprefixed(name, packed.arrays)
            check_rows(columns, len(metric._images), len(classes))
            ledger.append(keys, **columns)
        metric._counts.add(**packed.content["counts"])
        return metric

    def rules(self) -> DetectionProtocol:
        """Return the rules, with what was compared."""
        if self._kind is None:
            return self.protocol
        return dataclasses.replace(
            self.protocol, similarity=similarity_of(self._kind, self.protocol)
        )

    def _columns(
        self, images: Keys, classes: Classes
    ) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        keys = {"image": images, "label": classes.keys}
        return self._truth.columns(keys), self._pred.columns(keys)

    def _settle(self) -> None:
        """Bring the rows to (label, image, rank) order, in one piece.

        The kernel wrote each piece in that order; only several need sorting. The state means the
        same before and after.
        """
        if self._pred.n_pieces <= 1:
            return
        images, classes = self._images.keys(), self._classes
        keys = {"image": images, "label": classes.keys}
        for ledger in (self._truth, self._pred):
            columns = ledger.columns(keys)
            place = _core.group_rows(columns["image"], columns["label"], len(images), len(classes))
            ordered = {name: np.empty_like(column) for name, column in columns.items()}
            for name, column in columns.items():
                ordered[name][place] = column
            ledger.replace(keys, **ordered)


def average_precision(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    protocol: str | DetectionProtocol | None = None,
    similarity: str | None = None,
    max_detections: int | Iterable[int] | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
) -> AveragePrecisionResult:
    """Return average precision and recall of predictions; see `AveragePrecision`.

    Without a protocol the rules are COCO's: of poses ``"coco-keypoints"``, else ``"coco"``.
    """
    if similarity is None or isinstance(truth, Poses):
        protocol = rules_for(truth, pred, protocol)
    metric = AveragePrecision(
        protocol=protocol, similarity=similarity, max_detections=max_detections
    )
    return metric.update(truth, pred, image_id=image_id, box_format=box_format).compute()
