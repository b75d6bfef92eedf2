"""Truth and predictions as a protocol's rules want them, before anything is compared."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.detection.candidates import Coded, coded, kind_of
from snellen.detection.masks import Masks
from snellen.errors import InputError, ShapeError
from snellen.mask_forms import size_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects
    from snellen.detection.protocols import DetectionProtocol
    from snellen.detection.verified_labels import VerifiedLabels

__all__ = ["GivenObjects", "best_rows", "of_rules"]


class GivenObjects(NamedTuple):
    """What of truth and predictions a protocol looks at.

    Attributes
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        The objects that count.
    codes : Coded
        Their images and classes.
    truth_rows, pred_rows : ndarray, int64
        Which of the objects given they are.
    exempt : ndarray, uint8, or None
        1 for a prediction that is no false positive where it takes no truth.
    groups : tuple of str, or None
        The group of each class, where truth says it.
    n_unverified : int
        Predictions of classes that nobody looked for in their image.
    """

    truth: Objects
    pred: Objects
    codes: Coded
    truth_rows: NDArray[np.int64]
    pred_rows: NDArray[np.int64]
    exempt: NDArray[np.uint8] | None
    groups: tuple[str, ...] | None
    n_unverified: int = 0

    def taken(
        self, truth_rows: NDArray[np.int64] | None, pred_rows: NDArray[np.int64]
    ) -> GivenObjects:
        """Return some rows; None for all of truth."""
        codes = self.codes._replace(
            pred_image=self.codes.pred_image[pred_rows],
            pred_label=self.codes.pred_label[pred_rows],
        )
        found = self._replace(
            pred=self.pred[pred_rows],
            codes=codes,
            pred_rows=self.pred_rows[pred_rows],
            exempt=None if self.exempt is None else self.exempt[pred_rows],
        )
        if truth_rows is None:
            return found
        return found._replace(
            truth=self.truth[truth_rows],
            codes=codes._replace(
                truth_image=codes.truth_image[truth_rows],
                truth_label=codes.truth_label[truth_rows],
            ),
            truth_rows=self.truth_rows[truth_rows],
        )


def of_rules(truth: Objects, pred: Objects, protocol: DetectionProtocol) -> GivenObjects:
    """Return what a protocol looks at, with common codes.

    Raises
    ------
    InputError
        Where the kinds differ, pred has no scores, or the rules ask for verified labels and truth
        has none.
    ShapeError
        For predicted masks of another size than truth's in the image.
    IdError
        Where pred has images that truth does not list.
    ClassError
        Where truth and pred name a class differently.
    """
    kind_of(truth, pred)
    codes = coded(truth, pred)
    # Strict rules let such masks match nothing, as their reference does.
    if isinstance(truth, Masks) and isinstance(pred, Masks) and not protocol.complete_records:
        _refuse_other_sizes(truth, pred, codes)
    groups = _groups(truth.boxes, codes.classes)
    rows = np.arange(len(truth), dtype=np.int64), np.arange(len(pred), dtype=np.int64)
    given = GivenObjects(truth, pred, codes, *rows, None, groups)
    if protocol.per_image is not None:
        score = np.zeros(0) if pred.boxes.score is None else pred.boxes.score
        kept = best_rows(score, codes.pred_image, protocol.per_image)
        if len(kept) < len(pred):
            given = given.taken(None, kept)
    if protocol.drops_empty:
        given = given.taken(
            *(np.flatnonzero(_has_area(each.boxes)) for each in (given.truth, given.pred))
        )
    if protocol.verified_only:
        given = _verified(given, truth.boxes.verified, protocol)
    given = given._replace(
        truth=_of_boxes(_sized(given.truth, protocol), protocol),
        pred=_of_boxes(given.pred, protocol),
    )
    return _without_classes(given) if protocol.class_agnostic else given


def _refuse_other_sizes(truth: Masks, pred: Masks, codes: Coded) -> None:
    sizes = np.full((len(codes.images), 2), -1, np.int32)
    sizes[codes.truth_image] = truth.rle.size
    wanted = sizes[codes.pred_image]
    other = (wanted[:, 0] >= 0) & (wanted != pred.rle.size).any(axis=1)
    if other.any():
        row = int(np.argmax(other))
        image = codes.images.ids[codes.pred_image[row]]
        raise ShapeError(
            f"expected a mask of the size of image {image}, {size_text(wanted[row])} (height × "
            f"width), got {size_text(pred.rle.size[row])}",
            f"pred.masks[{row}]",
        )


def _groups(boxes: Boxes, classes: Classes) -> tuple[str, ...] | None:
    if boxes.groups is None or boxes.classes.keys.same_as(classes.keys):
        return boxes.groups
    known = dict(zip(boxes.classes.keys.ids.tolist(), boxes.groups, strict=True))
    return tuple(known.get(class_id, "") for class_id in classes.keys.ids.tolist())


def best_rows(score: NDArray[np.float64], group: NDArray[np.int32], cap: int) -> NDArray[np.int64]:
    """Return the rows of highest score of each group, in their order; of equal ones the first."""
    counts = np.bincount(group)
    if not len(group) or counts.max() <= cap:
        return np.arange(len(group), dtype=np.int64)
    crowded = np.flatnonzero(counts[group] > cap)
    order = crowded[np.lexsort((-score[crowded], group[crowded]))]
    begin = np.searchsorted(group[order], group[order])
    kept = np.ones(len(group), np.bool_)
    kept[order[np.arange(len(order)) - begin >= cap]] = False
    return np.flatnonzero(kept)


def _verified(
    given: GivenObjects, verified: VerifiedLabels | None, protocol: DetectionProtocol
) -> GivenObjects:
    """Leave out predictions of classes that nobody looked for in their image."""
    if verified is None:
        raise InputError(
            "expected truth that says which classes were looked for in which images, as "
            f"{protocol.name} needs it (LVIS: neg_category_ids; read_lvis_truth)",
            "truth.verified",
        )
    codes, n_labels = given.codes, np.int64(len(given.codes.classes))
    place = codes.classes.keys.codes(given.truth.boxes.classes.keys.ids)
    listed = verified.image * n_labels + place[verified.label]
    with_truth = codes.truth_image * n_labels + codes.truth_label
    wanted = codes.pred_image * n_labels + codes.pred_label
    looked_for = np.isin(wanted, np.concatenate([listed, with_truth]))
    exempt: NDArray[np.uint8] = np.isin(wanted, listed[verified.exhaustive == 0]).astype(np.uint8)
    given = given._replace(exempt=exempt).taken(None, np.flatnonzero(looked_for))
    return given._replace(n_unverified=int(np.count_nonzero(~looked_for)))


def _has_area(boxes: Boxes) -> NDArray[np.bool_]:
    area = boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area
    return (area > 0) & (area < np.inf)


def _sized(truth: Objects, protocol: DetectionProtocol) -> Objects:
    """Return truth whose areas are as the rules want them."""
    if protocol.box_area_share is None:
        return truth
    boxes = truth.boxes
    area = boxes.xywh[:, 2] * boxes.xywh[:, 3] * protocol.box_area_share
    return _with_boxes(truth, dataclasses.replace(boxes, area=area))


def _with_boxes(objects: Objects, boxes: Boxes) -> Objects:
    return boxes if objects.kind == "box" else dataclasses.replace(objects, boxes=boxes)


def _of_boxes(objects: Objects, protocol: DetectionProtocol) -> Objects:
    """Return objects whose boxes are as the rules want them."""
    boxes = objects.boxes
    if protocol.crowds == "none" and boxes.crowd is not None:
        boxes = dataclasses.replace(boxes, crowd=None)
    if protocol.inclusive:
        boxes = dataclasses.replace(boxes, xywh=boxes.xywh + np.array([0.0, 0.0, 1.0, 1.0]))
    return objects if boxes is objects.boxes else _with_boxes(objects, boxes)


def _without_classes(given: GivenObjects) -> GivenObjects:
    """Make all classes one."""
    # Of an image by class, as they came: of equal scores the lower class comes first.
    labels = given.codes.truth_label, given.codes.pred_label
    given = given.taken(*(np.argsort(label, kind="stable") for label in labels))
    return given._replace(
        codes=given.codes._replace(
            classes=Classes(["any"], ["any class"]),
            truth_label=np.zeros(len(given.truth), np.int32),
            pred_label=np.zeros(len(given.pred), np.int32),
        ),
        groups=None,
    )
