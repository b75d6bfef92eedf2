"""Predictions and truth matched as other tools do it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.candidates import Candidates, candidates, coded, crowds
from snellen.detection.given_objects import of_rules
from snellen.detection.matching import NEARLY_ONE, match, match_pairs
from snellen.detection.pairs import pair_rows
from snellen.detection.poses import Poses
from snellen.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects
    from snellen.detection.given_objects import GivenObjects
    from snellen.detection.matching import Matched
    from snellen.detection.protocols import DetectionProtocol
    from snellen.detection.tool_rules import ToolRules

__all__ = ["matched_by_tool"]

# What is added to a union, and 32 bits, move an IoU by far less.
_SLACK = 1e-3
_SPACING = 2.0**-52


def matched_by_tool(truth: Objects, pred: Objects, rules: ToolRules) -> Matched:
    """Match predictions to truth by a tool's rules.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        Both of one kind; with coordinates that are not COCO's, boxes; with IoU that is not, boxes
        or poses.
    rules : ToolRules
        The rules.
    """
    truth, pred = _of_tool(truth, pred, rules)
    protocol = rules.protocol
    if rules.cap_grows and protocol.per_image is not None:
        fullest = int(np.bincount(truth.boxes.image).max(initial=0))
        protocol = dataclasses.replace(protocol, per_image=max(protocol.per_image, fullest))
    # Looking at the best truth alone, the kernel takes the first of equal ones, else the last.
    turned = (rules.equal_iou == "first") != protocol.best_only
    if not turned and rules.iou == "exact" and not rules.over_crowds:
        return match(truth, pred, protocol)
    given = of_rules(truth, pred, protocol)
    if turned:
        backwards = np.arange(len(given.truth), dtype=np.int64)[::-1]
        given = given.taken(backwards, np.arange(len(given.pred), dtype=np.int64))
    lowest = min(protocol.iou_thresholds[0], NEARLY_ONE)
    pairs = candidates(
        given.truth,
        given.pred,
        protocol,
        lowest=lowest if rules.iou == "exact" else max(lowest - _SLACK, 0.0),
        codes=given.codes,
    )
    similarity = pairs.similarity
    if rules.iou != "exact":
        similarity = (
            _oks_of_pairs(given.truth, given.pred, pairs, protocol)
            if isinstance(given.truth, Poses) and isinstance(given.pred, Poses)
            else _iou_of_pairs(given, pairs, rules.iou)
        )
    if rules.over_crowds:
        of_crowd = crowds(given.truth.boxes)[pairs.truth] != 0
        # More than a threshold is as much as it for what is a little less.
        similarity = np.where(of_crowd, np.nextafter(similarity, -np.inf), similarity)
    return match_pairs(given, _at_least(pairs, similarity, lowest), protocol)


def _of_tool(truth: Objects, pred: Objects, rules: ToolRules) -> tuple[Objects, Objects]:
    """Return the objects that a tool takes, as it takes them."""
    if rules.drops_empty_images:
        codes = coded(truth, pred)
        pred = pred[np.flatnonzero(np.isin(codes.pred_image, codes.truth_image))]
    if rules.drops_crowds and truth.boxes.crowd is not None:
        truth = truth[np.flatnonzero(truth.boxes.crowd == 0)]
    in_32 = rules.coordinates.endswith("-32")
    if in_32 and pred.boxes.score is not None:
        score = _short(pred.boxes.score, "pred.score").astype(np.float64)
        scored = dataclasses.replace(pred.boxes, score=score)
        pred = scored if pred.kind == "box" else dataclasses.replace(pred, boxes=scored)
    if rules.score_above is not None and pred.boxes.score is not None:
        above = float(np.float32(rules.score_above)) if in_32 else rules.score_above
        pred = pred[np.flatnonzero(pred.boxes.score > above)]
    if truth.kind == "box" and pred.kind == "box":
        return _with_coordinates(truth, rules, "truth"), _with_coordinates(pred, rules, "pred")
    return truth, pred


def _short(values: NDArray[np.float64], place: str) -> NDArray[np.float32]:
    """Return numbers rounded to 32 bits."""
    with np.errstate(over="ignore"):
        short = values.astype(np.float32)
    beyond = ~np.isfinite(short)
    if beyond.any():
        raise InputError(
            f"expected numbers that 32 bits hold, as the tool has them, got {values[beyond][0]:g}",
            place,
        )
    return short


def _with_coordinates(boxes: Boxes, rules: ToolRules, place: str) -> Boxes:
    if rules.coordinates == "given":
        return boxes
    start, end = boxes.xywh[:, :2], boxes.xywh[:, :2] + boxes.xywh[:, 2:]
    if rules.coordinates == "corners":
        size = end - start
    else:
        short_start, short_end = _short(start, place), _short(end, place)
        start, end = short_start.astype(np.float64), short_end.astype(np.float64)
        if rules.coordinates == "corners-32":
            size = end - start
        else:
            size = (short_end - short_start).astype(np.float64)
    return dataclasses.replace(boxes, xywh=np.concatenate([start, size], axis=1))


def _iou_of_pairs(given: GivenObjects, pairs: Candidates, iou: str) -> NDArray[np.float64]:
    """Return the IoU of boxes that a tool computes, for each pair."""
    bits: Any
    bits, added = (np.float32, 1e-7) if iou == "32-bit" else (np.float64, _SPACING)
    corners = []
    for boxes, rows in (
        (given.truth.boxes, pairs.truth),
        (given.pred.boxes, pair_rows(pairs.begin)),
    ):
        start = boxes.xywh[:, :2]
        end = start + boxes.xywh[:, 2:]
        corners.append((start.astype(bits)[rows], end.astype(bits)[rows]))
    (truth_start, truth_end), (start, end) = corners
    # Areas beyond 32 bits have no IoU, and match nothing.
    with np.errstate(over="ignore", invalid="ignore"):
        shared: NDArray[Any] = np.minimum(truth_end, end) - np.maximum(truth_start, start)
        shared = np.maximum(shared, bits(0)).prod(axis=1)
        own = (end - start).prod(axis=1)
        union = (truth_end - truth_start).prod(axis=1) + own - shared
        union = np.where(crowds(given.truth.boxes)[pairs.truth] != 0, own, union)
        found: NDArray[np.float64] = (shared / (union + bits(added))).astype(np.float64)
    return found


def _oks_of_pairs(
    truth: Poses, pred: Poses, pairs: Candidates, protocol: DetectionProtocol
) -> NDArray[np.float64]:
    """Return the OKS in 32 bits of each pair; 0 of truth without a labelled keypoint."""
    rows = pair_rows(pairs.begin)
    points = truth.keypoints.astype(np.float32)[pairs.truth]
    apart = points[:, :, :2] - pred.keypoints[:, :, :2].astype(np.float32)[rows]
    start, size = truth.boxes.xywh[:, :2], truth.boxes.xywh[:, 2:]
    corners = [each.astype(np.float32) for each in (start, start + size)]
    area = size.prod(axis=1) if truth.boxes.area is None else truth.boxes.area
    if protocol.box_area_share is not None:
        area = (corners[1] - corners[0]).prod(axis=1) * np.float32(protocol.box_area_share)
    assert protocol.sigmas is not None
    spread = np.float32(2) * np.array(protocol.sigmas, np.float32)
    scale = area.astype(np.float32)[pairs.truth, None] + np.float32(1e-7)
    # Squares beyond 32 bits are far from everything.
    with np.errstate(over="ignore", under="ignore"):
        far = (apart * apart).sum(axis=2) / (spread * spread * scale * np.float32(2))
        near: NDArray[np.float32] = np.exp(-far)
    labelled = points[:, :, 2] != 0
    counted = labelled.sum(axis=1).astype(np.float32) + np.float32(1e-7)
    found: NDArray[np.float64] = ((near * labelled).sum(axis=1) / counted).astype(np.float64)
    return found


def _at_least(pairs: Candidates, similarity: NDArray[np.float64], lowest: float) -> Candidates:
    """Return the pairs that reach a similarity."""
    kept = similarity >= lowest
    counts = np.bincount(pair_rows(pairs.begin)[kept], minlength=len(pairs.begin) - 1)
    begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Candidates(begin, pairs.truth[kept], similarity[kept])
