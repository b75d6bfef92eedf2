"""Truth and predicted objects brought to common codes, and matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.candidates import candidates, crowds, similarity_of
from snellen.detection.crowded_images import with_crowding
from snellen.detection.given_objects import of_rules
from snellen.detection.groups import absorbed_by_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Candidates, Coded, Objects
    from snellen.detection.given_objects import GivenObjects
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys

__all__ = ["NEARLY_ONE", "Matched", "Matches", "box_iou", "match", "match_pairs", "matches"]

NEARLY_ONE: Final = 1 - 1e-10
"""What passes a threshold of 1, as in the reference."""
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
    groups : tuple of str, or None
        The group of each class, where truth says it.
    truth : dict of str to ndarray
        ``image``, ``label`` (int32), ``ignored`` (uint32, bit a: left out of range a); rows
        in (label, image) order.
    pred : dict of str to ndarray
        ``image``, ``label`` (int32), ``score`` (float64), ``outcome`` (uint32, shape
        (n, ranges, words): of each word the low 16 bits say "true positive", the high 16
        "false positive", a bit for each IoU threshold); rows in (label, image, rank) order, those
        beyond the cap dropped.
    n_unverified : int
        Predictions of classes that nobody looked for in their image, left out.
    n_empty : int
        Predictions without area, or width, or height, left out.
    """

    images: Keys
    classes: Classes
    groups: tuple[str, ...] | None
    truth: dict[str, NDArray[Any]]
    pred: dict[str, NDArray[Any]]
    n_unverified: int = 0
    n_empty: int = 0


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
    similarity : ndarray, shape (n, T), float64
        How alike the two are; 0 for none.
    """

    matched: Matched
    truth_row: NDArray[np.int64]
    pred_row: NDArray[np.int64]
    pred_match: NDArray[np.int32]
    similarity: NDArray[np.float64]


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
    given = of_rules(truth, pred, protocol)
    if protocol.crowds == "groups":
        return _matched(given, _matched_with_groups(given, protocol), protocol)
    if similarity_of(given.truth.kind, protocol) == "box":
        codes, boxes, pred_boxes = given.codes, given.truth.boxes, given.pred.boxes
        found = _core.match_boxes(
            codes.truth_image,
            codes.truth_label,
            boxes.xywh,
            _areas(boxes),
            crowds(boxes),
            _ids(boxes),
            codes.pred_image,
            codes.pred_label,
            pred_boxes.xywh,
            pred_boxes.area,
            _scores(pred_boxes),
            truth_ignored=_ignored(given, protocol),
            pred_exempt=given.exempt,
            best_only=protocol.best_only,
            **_limits(codes, protocol),
        )
    else:
        found = _matched_candidates(given, protocol, with_matches=False)
    return _matched(given, found, protocol)


def _matched_with_groups(
    given: GivenObjects, protocol: DetectionProtocol
) -> dict[str, NDArray[Any]]:
    """Match single objects, and then what is false to groups of them."""
    group = crowds(given.truth.boxes).astype(np.bool_)
    single_row, group_row = np.flatnonzero(~group), np.flatnonzero(group)
    every_pred = np.arange(len(given.pred), dtype=np.int64)
    singles, groups = (given.taken(each, every_pred) for each in (single_row, group_row))
    found = _matched_candidates(singles, protocol, with_matches=True)
    rows = found["pred_row"]
    groups = groups.taken(None, rows)
    pairs = candidates(
        groups.truth,
        groups.pred,
        protocol,
        lowest=min(protocol.iou_thresholds[0], NEARLY_ONE),
        codes=groups.codes,
    )
    absorbed = absorbed_by_groups(
        found["pred_outcome"],
        found["pred_score"],
        pairs,
        protocol.iou_thresholds,
        protocol.group_weight,
    )
    found["pred_outcome"] = absorbed.outcome
    # Rows of single objects and of groups become those of all; the last stands for none.
    in_group, taken = absorbed.group >= 0, absorbed.group
    found["truth_row"] = single_row[found["truth_row"]]
    found["pred_match"] = np.where(
        in_group, np.append(group_row, -1)[taken], np.append(single_row, -1)[found["pred_match"]]
    )
    of_pair = np.broadcast_to(np.arange(len(rows))[:, None], taken.shape)
    found["pred_similarity"] = np.where(
        in_group, pairs.of(of_pair, taken), found["pred_similarity"]
    )
    if protocol.group_weight:
        for name, column in (
            ("truth_row", group_row),
            ("truth_image", groups.codes.truth_image),
            ("truth_label", groups.codes.truth_label),
            ("truth_ignored", np.zeros(len(groups.truth), np.uint32)),
        ):
            found[name] = np.concatenate([found[name], column])
        order = np.lexsort((found["truth_image"], found["truth_label"]))
        for name in ("row", *_TRUTH):
            found[f"truth_{name}"] = found[f"truth_{name}"][order]
    return found


def matches(
    truth: Objects, pred: Objects, protocol: DetectionProtocol, *, with_groups: bool = False
) -> Matches:
    """Match predictions to truth, and say which ones went together; see `match`.

    Parameters
    ----------
    truth, pred, protocol
        As `match` takes them.
    with_groups : bool
        Whether groups of Open Images are what they are to `match`. Without, they are crowds: any
        number of predictions may take one, and none is to be found.
    """
    given = of_rules(truth, pred, protocol)
    if with_groups and protocol.crowds == "groups":
        found = _matched_with_groups(given, protocol)
    else:
        found = _matched_candidates(given, protocol, with_matches=True)
    return Matches(
        _matched(given, found, protocol),
        given.truth_rows[found["truth_row"]],
        given.pred_rows[found["pred_row"]],
        # The last is what stands for none.
        np.append(given.truth_rows, -1).astype(np.int32)[found["pred_match"]],
        found["pred_similarity"],
    )


def match_pairs(given: GivenObjects, pairs: Candidates, protocol: DetectionProtocol) -> Matched:
    """Match predictions to truth of which it is known how alike they are.

    Parameters
    ----------
    given : GivenObjects
        What the rules look at.
    pairs : Candidates
        The pairs of them, of an image and a class, that reach the lowest IoU threshold.
    protocol : DetectionProtocol
        The rules; crowds are not groups of Open Images here.
    """
    return _matched(given, _matched_pairs(given, pairs, protocol, with_matches=False), protocol)


def _matched_candidates(
    given: GivenObjects, protocol: DetectionProtocol, *, with_matches: bool
) -> dict[str, NDArray[Any]]:
    lowest = min(protocol.iou_thresholds[0], NEARLY_ONE)
    pairs = candidates(given.truth, given.pred, protocol, lowest=lowest, codes=given.codes)
    return _matched_pairs(given, pairs, protocol, with_matches=with_matches)


def _matched_pairs(
    given: GivenObjects, pairs: Candidates, protocol: DetectionProtocol, *, with_matches: bool
) -> dict[str, NDArray[Any]]:
    codes, boxes, pred_boxes = given.codes, given.truth.boxes, given.pred.boxes
    found: dict[str, NDArray[Any]] = _core.match_candidates(
        codes.truth_image,
        codes.truth_label,
        _areas(boxes),
        crowds(boxes),
        _ignored(given, protocol),
        _ids(boxes),
        codes.pred_image,
        codes.pred_label,
        _areas(pred_boxes),
        _scores(pred_boxes),
        given.exempt,
        *pairs,
        **_limits(codes, protocol),
        best_only=protocol.best_only,
        with_matches=with_matches,
    )
    if with_matches:
        taken = found["pred_match"]
        row = np.broadcast_to(found["pred_row"][:, None], taken.shape)
        found["pred_similarity"] = pairs.of(row, taken)
    return found


def _ignored(given: GivenObjects, protocol: DetectionProtocol) -> NDArray[np.uint8] | None:
    """Return which truth is ignored; None where none is, or the rules do not look at it."""
    ignored = given.truth.boxes.ignored
    if not protocol.honours_ignored or ignored is None or not ignored.any():
        return None
    return ignored


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


def _matched(
    given: GivenObjects, columns: dict[str, NDArray[Any]], protocol: DetectionProtocol
) -> Matched:
    if protocol.crowding_ranges:
        columns = with_crowding(
            columns,
            given.truth.boxes.crowding,
            len(protocol.area_ranges),
            protocol.crowding_ranges,
        )
    return Matched(
        given.codes.images,
        given.codes.classes,
        given.groups,
        {name: columns[f"truth_{name}"] for name in _TRUTH},
        {name: columns[f"pred_{name}"] for name in _PRED},
        given.n_unverified,
        given.n_empty,
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
