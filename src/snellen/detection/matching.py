"""Truth and predicted objects brought to common codes, and matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.candidates import (
    Coded,
    candidates,
    coded,
    crowds,
    kind_of,
    similarity_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys

__all__ = ["Matched", "Matches", "box_iou", "match", "matches"]

# The reference lets a similarity of so much pass a threshold of 1.
_NEARLY_ONE = 1 - 1e-10
_TRUTH = ("image", "label", "ignored")
_PRED = ("image", "label", "score", "outcome")


class Matched(NamedTuple):
    """What became of every object.

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


class Matches(NamedTuple):
    """What became of every object, and which ones went together.

    Attributes
    ----------
    matched : Matched
        What became of them.
    truth_row, pred_row : ndarray, int64
        The rows of truth and of predictions, as they were given, in the order of `matched`.
    pred_match : ndarray, shape (n, T), int32
        Of each prediction the row of truth, as it was given, that it took at each IoU threshold in
        the first area range; −1 for none.
    """

    matched: Matched
    truth_row: NDArray[np.int64]
    pred_row: NDArray[np.int64]
    pred_match: NDArray[np.int32]


def match(truth: Objects, pred: Objects, protocol: DetectionProtocol) -> Matched:
    """Match predictions to truth by a protocol's rules.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        Both of one kind.
    protocol : DetectionProtocol
        The rules.

    Raises
    ------
    InputError
        Where the kinds differ, pred has no scores, or the rules compare what they do not have.
    IdError
        Where pred has images that truth does not list.
    ClassError
        Where truth and pred name a class differently.
    """
    similarity = similarity_of(kind_of(truth, pred), protocol)
    truth, pred, codes = _of_rules(truth, pred, protocol)[:3]
    if similarity == "box" and not _looks_at_ignored(truth.boxes, protocol):
        found = _core.match_boxes(
            codes.truth_image,
            codes.truth_label,
            truth.boxes.xywh,
            _areas(truth.boxes),
            crowds(truth.boxes),
            _ids(truth.boxes),
            codes.pred_image,
            codes.pred_label,
            pred.boxes.xywh,
            pred.boxes.area,
            _scores(pred.boxes),
            **_limits(codes, protocol),
        )
    else:
        found = _matched_candidates(truth, pred, protocol, codes, with_matches=False)
    return _matched(codes, found)


def matches(truth: Objects, pred: Objects, protocol: DetectionProtocol) -> Matches:
    """Match predictions to truth, and say which ones went together; see `match`."""
    truth, pred, codes, truth_rows, pred_rows = _of_rules(truth, pred, protocol)
    found = _matched_candidates(truth, pred, protocol, codes, with_matches=True)
    taken = found["pred_match"]
    return Matches(
        _matched(codes, found),
        truth_rows[found["truth_row"]],
        pred_rows[found["pred_row"]],
        # The last is what stands for none.
        np.append(truth_rows, -1).astype(np.int32)[taken],
    )


def _of_rules(
    truth: Objects, pred: Objects, protocol: DetectionProtocol
) -> tuple[Objects, Objects, Coded, NDArray[np.int64], NDArray[np.int64]]:
    """Return objects and codes as the rules want them, and which rows the objects were."""
    codes = coded(truth, pred)
    rows = np.arange(len(truth), dtype=np.int64), np.arange(len(pred), dtype=np.int64)
    if not protocol.class_agnostic:
        return truth, pred, codes, *rows
    # Of an image by class, as they came: of equal scores the lower class comes first.
    labels = codes.truth_label, codes.pred_label
    truth_rows, pred_rows = (np.argsort(label, kind="stable") for label in labels)
    codes = Coded(
        codes.images,
        Classes(["any"], ["any class"]),
        codes.truth_image[truth_rows],
        np.zeros(len(truth), np.int32),
        codes.pred_image[pred_rows],
        np.zeros(len(pred), np.int32),
    )
    return truth[truth_rows], pred[pred_rows], codes, truth_rows, pred_rows


def _matched_candidates(
    truth: Objects, pred: Objects, protocol: DetectionProtocol, codes: Coded, *, with_matches: bool
) -> dict[str, NDArray[Any]]:
    lowest = min(protocol.iou_thresholds[0], _NEARLY_ONE)
    pairs = candidates(truth, pred, protocol, lowest=lowest, codes=codes)
    ignored = truth.boxes.ignored if _looks_at_ignored(truth.boxes, protocol) else None
    return _core.match_candidates(
        codes.truth_image,
        codes.truth_label,
        _areas(truth.boxes),
        crowds(truth.boxes),
        np.zeros(len(truth), np.uint8) if ignored is None else ignored,
        _ids(truth.boxes),
        codes.pred_image,
        codes.pred_label,
        _areas(pred.boxes),
        _scores(pred.boxes),
        np.zeros(len(pred), np.uint8),
        *pairs,
        **_limits(codes, protocol),
        best_only=False,
        with_matches=with_matches,
    )


def _looks_at_ignored(boxes: Boxes, protocol: DetectionProtocol) -> bool:
    return protocol.honours_ignored and boxes.ignored is not None and bool(boxes.ignored.any())


def _areas(boxes: Boxes) -> NDArray[np.float64]:
    return boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area


def _ids(boxes: Boxes) -> NDArray[np.int64]:
    # Objects without ids are numbered from 1: only 0 means anything, and only to strict rules.
    return np.arange(1, len(boxes) + 1) if boxes.id is None else boxes.id


def _scores(boxes: Boxes) -> NDArray[np.float64]:
    return np.zeros(0) if boxes.score is None else boxes.score


def _limits(codes: Coded, protocol: DetectionProtocol) -> dict[str, Any]:
    return {
        "n_images": len(codes.images),
        "n_labels": len(codes.classes),
        "iou_thresholds": list(protocol.iou_thresholds),
        "area_ranges": [(area.low, area.high) for area in protocol.area_ranges],
        "max_detections": protocol.max_detections[-1],
        "id_zero_is_no_match": not protocol.id_zero_matches,
    }


def _matched(codes: Coded, columns: dict[str, NDArray[Any]]) -> Matched:
    return Matched(
        codes.images,
        codes.classes,
        {name: columns[f"truth_{name}"] for name in _TRUTH},
        {name: columns[f"pred_{name}"] for name in _PRED},
    )


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
