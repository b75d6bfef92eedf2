"""Truth and predicted boxes brought to common codes, and matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.errors import IdError, InputError, first_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys

__all__ = ["Matched", "box_iou", "match_boxes"]


class Matched(NamedTuple):
    """What became of every box.

    Attributes
    ----------
    images : Keys
        The images, of truth and pred alike.
    classes : Classes
        The classes of both.
    truth : dict of str to ndarray
        ``image``, ``label`` (int32), ``ignored`` (uint32, bit a: left out of area range a); rows
        in (label, image) order.
    pred : dict of str to ndarray
        ``image``, ``label`` (int32), ``score`` (float64), ``outcome`` (uint32, shape
        (n, area ranges, words): of each word the low 16 bits say "true positive", the high 16
        "false positive", a bit for each IoU threshold); rows in (label, image, rank) order, those
        beyond the cap dropped.
    """

    images: Keys
    classes: Classes
    truth: dict[str, NDArray[Any]]
    pred: dict[str, NDArray[Any]]


def match_boxes(truth: Boxes, pred: Boxes, protocol: DetectionProtocol) -> Matched:
    """Match predicted to truth boxes by a protocol's rules.

    Raises
    ------
    InputError
        Where pred has no scores.
    IdError
        Where pred has images that truth does not list.
    ClassError
        Where truth and pred name a class differently.
    """
    if pred.score is None and len(pred):
        raise InputError("expected predicted boxes with scores, got none", "pred.score")
    pred_image = _codes_in(truth.images, pred)
    classes = Classes.union([truth.classes, pred.classes])
    n = len(truth)
    columns = _core.match_boxes(
        truth.image,
        _labels_in(classes, truth),
        truth.xywh,
        truth.xywh[:, 2] * truth.xywh[:, 3] if truth.area is None else truth.area,
        np.zeros(n, np.uint8) if truth.crowd is None else truth.crowd,
        # Boxes without ids are numbered from 1: only 0 means anything, and only to coco-strict.
        np.arange(1, n + 1) if truth.id is None else truth.id,
        pred_image,
        _labels_in(classes, pred),
        pred.xywh,
        pred.area,
        np.zeros(0) if pred.score is None else pred.score,
        n_images=len(truth.images),
        n_labels=len(classes),
        iou_thresholds=list(protocol.iou_thresholds),
        area_ranges=[(area.low, area.high) for area in protocol.area_ranges],
        max_detections=protocol.max_detections[-1],
        id_zero_is_no_match=not protocol.id_zero_matches,
    )
    return Matched(
        truth.images,
        classes,
        {name: columns[f"truth_{name}"] for name in ("image", "label", "ignored")},
        {name: columns[f"pred_{name}"] for name in ("image", "label", "score", "outcome")},
    )


def _codes_in(images: Keys, pred: Boxes) -> NDArray[np.int32]:
    if pred.images.same_as(images):
        return pred.image
    image = images.codes(pred.images.ids)[pred.image]
    if len(image) and image.min() < 0:
        unknown = pred.images.ids[np.unique(pred.image[image < 0])].tolist()
        hint = (
            "truth has texts as image ids and pred has numbers, or the other way round"
            if len(images) and images.is_text != pred.images.is_text
            else "list images without objects in image_ids"
        )
        raise IdError(
            f"expected predictions on images of the truth, got {len(unknown)} unknown image ids: "
            f"{first_few(unknown)}; {hint}",
            "pred.image_id",
        )
    return image


def _labels_in(classes: Classes, boxes: Boxes) -> NDArray[np.int32]:
    if boxes.classes.keys.same_as(classes.keys):
        return boxes.label
    return classes.keys.codes(boxes.classes.keys.ids)[boxes.label]


def box_iou(pred: Boxes, truth: Boxes) -> NDArray[np.float64]:
    """Return the IoU of every predicted with every truth box, whatever their images.

    Parameters
    ----------
    pred, truth : Boxes
        Against a crowd of truth the union is the predicted box alone.

    Returns
    -------
    ndarray, shape (len(pred), len(truth)), float64
        Equal to pycocotools' ``mask.iou`` to the last bit.

    Examples
    --------
    >>> from snellen import Boxes
    >>> a = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[1])
    >>> b = Boxes.from_xywh([[0, 0, 10, 5]], image_id=[1], label=[1])
    >>> box_iou(a, b)
    array([[0.5]])
    """
    crowd = np.zeros(len(truth), np.uint8) if truth.crowd is None else truth.crowd
    return _core.box_iou(pred.xywh, truth.xywh, crowd)
