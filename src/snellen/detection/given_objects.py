"""Truth and predictions as a protocol's rules want them, before anything is compared."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.candidates import Coded, coded, kind_of
from snellen.detection.masks import Masks
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["GivenObjects", "of_rules"]

_NO, _IN_PART = 0, 2  # of what looked_for returns


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
    n_beyond_cap : int
        Predictions beyond the cap on those of an image (``per_image``).
    n_empty : int
        Predictions without area, or width, or height, where the rules leave these out.
    """

    truth: Objects
    pred: Objects
    codes: Coded
    truth_rows: NDArray[np.int64]
    pred_rows: NDArray[np.int64]
    exempt: NDArray[np.uint8] | None
    groups: tuple[str, ...] | None
    n_unverified: int = 0
    n_beyond_cap: int = 0
    n_empty: int = 0

    def taken(
        self, truth_rows: NDArray[np.int64] | None, pred_rows: NDArray[np.int64] | None
    ) -> GivenObjects:
        """Return some rows; None for all of them."""
        found = self
        if truth_rows is not None:
            codes = found.codes._replace(
                truth_image=found.codes.truth_image[truth_rows],
                truth_label=found.codes.truth_label[truth_rows],
            )
            found = found._replace(
                truth=found.truth[truth_rows], codes=codes, truth_rows=found.truth_rows[truth_rows]
            )
        if pred_rows is not None:
            codes = found.codes._replace(
                pred_image=found.codes.pred_image[pred_rows],
                pred_label=found.codes.pred_label[pred_rows],
            )
            found = found._replace(
                pred=found.pred[pred_rows],
                codes=codes,
                pred_rows=found.pred_rows[pred_rows],
                exempt=None if found.exempt is None else found.exempt[pred_rows],
            )
        return found


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
    truth_rows, pred_rows, n_beyond_cap = _rows_that_count(given, protocol)
    given = given._replace(n_beyond_cap=n_beyond_cap)
    if protocol.verified_only:
        looked_for = _looked_for(given, truth_rows, pred_rows, protocol)
        known = looked_for != _NO
        exempt = (looked_for[known] == _IN_PART).astype(np.uint8)
        n_unverified = len(looked_for) - len(exempt)
        pred_rows = known.nonzero()[0] if pred_rows is None else pred_rows[known]
        given = given.taken(truth_rows, pred_rows)
        given = given._replace(exempt=exempt, n_unverified=n_unverified)
    else:
        given = given.taken(truth_rows, pred_rows)
    n_empty = len(pred) - n_beyond_cap - given.n_unverified - len(given.pred)
    given = given._replace(
        n_empty=n_empty,
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
        from snellen.mask_forms import size_text

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


def _rows_that_count(
    given: GivenObjects, protocol: DetectionProtocol
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None, int]:
    """Return the rows of truth and of predictions within the caps and with an area; None: all.

    The third is how many predictions are beyond the cap of an image.
    """
    truth_rows = pred_rows = None
    n_beyond_cap = 0
    if protocol.per_image is not None:
        score, images = given.pred.boxes.score, given.codes.pred_image
        if score is not None:
            kept = _core.best_rows(
                score, images, n_groups=len(given.codes.images), cap=protocol.per_image
            )
            n_beyond_cap = len(images) - len(kept)
            pred_rows = kept if n_beyond_cap else None
    if protocol.drops_empty:
        truth_rows = _of_those(_has_area(given.truth.boxes), None)
        pred_rows = _of_those(_has_area(given.pred.boxes), pred_rows)
    if protocol.drops_empty_predictions:
        solid: NDArray[np.bool_] = np.logical_and(*(given.pred.boxes.xywh[:, 2:] > 0).T)
        pred_rows = _of_those(solid, pred_rows)
    return truth_rows, pred_rows, n_beyond_cap


def _of_those(
    counts: NDArray[np.bool_], rows: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """Return the rows that count, all of them or those among others."""
    if counts.all():
        return rows
    return np.flatnonzero(counts) if rows is None else rows[counts[rows]]


def _looked_for(
    given: GivenObjects,
    truth_rows: NDArray[np.int64] | None,
    pred_rows: NDArray[np.int64] | None,
    protocol: DetectionProtocol,
) -> NDArray[np.uint8]:
    """Return of predictions whether somebody looked for their class in their image."""
    boxes, codes = given.truth.boxes, given.codes
    if boxes.verified is None:
        raise InputError(
            "expected truth that says which classes were looked for in which images, as "
            f"{protocol.name} needs it (LVIS: neg_category_ids; read_lvis_truth. Open Images: "
            "image-level labels; image_labels, --image-labels)",
            "truth.verified",
        )
    place = codes.classes.keys.codes(boxes.classes.keys.ids)
    columns = (
        *((column, truth_rows) for column in (codes.truth_image, codes.truth_label)),
        *((column, pred_rows) for column in (codes.pred_image, codes.pred_label)),
    )
    return _core.looked_for(
        np.ascontiguousarray(boxes.verified.image, np.int32),
        np.ascontiguousarray(place[boxes.verified.label], np.int32),
        np.ascontiguousarray(boxes.verified.exhaustive, np.uint8),
        *(column if rows is None else column[rows] for column, rows in columns),
        n_images=len(codes.images),
        n_labels=len(codes.classes),
    )


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
