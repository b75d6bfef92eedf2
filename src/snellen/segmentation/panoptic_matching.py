"""Which truth and predicted segments match, and which are false: the rules of panoptic quality."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, SchemaError, first_few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.segmentation.panoptic_segments import PanopticSegments
    from snellen.segmentation.segment_pairs import SegmentPairs

    Whole = NDArray[np.int64]

__all__ = [
    "BOUNDARY_MEASURES",
    "MEASURES",
    "TALLIES",
    "MatchedSegments",
    "ious_of",
    "match_segments",
]


_OF_TRUTH = ("n_truth", "n_crowd", "fn", "truth_area")
MEASURES = ("intersection", "union")
BOUNDARY_MEASURES = ("boundary_intersection", "boundary_union")
TALLIES = (*_OF_TRUTH, "n_pred", "fp", "n_ignored")


class MatchedSegments(NamedTuple):
    """What became of the segments of some images.

    Attributes
    ----------
    pairs : dict of str to ndarray, shape (M,)
        Matched pairs by image, truth id, predicted id: ``image`` and ``label`` (int32 positions),
        ``truth_id``, ``pred_id``, ``intersection``, ``union``, and ``boundary_intersection``,
        ``boundary_union`` where boundaries count (int64).
    tallies : dict of str to ndarray, shape (C,)
        For each image and class with segments, in this order: ``image`` and ``label`` (int32); of
        truth ``n_truth`` (without crowds), ``n_crowd``, ``fn``, and ``truth_area``, the pixels
        of both; of predictions ``n_pred``, ``fp``, and ``n_ignored``, those left out because they
        lie on void and crowds (int64).
    ignored : dict of str to ndarray, shape (I,)
        Those left out, by image and id: ``image`` (int32) and ``pred_id`` (int64).
    """

    pairs: dict[str, NDArray[np.int32] | Whole]
    tallies: dict[str, NDArray[np.int32] | Whole]
    ignored: dict[str, NDArray[np.int32] | Whole]


class _Side(NamedTuple):
    """The segments of one side in order of image and id."""

    image: Whole
    label: Whole
    key: Whole
    pixels: Whole


def match_segments(
    pairs: SegmentPairs,
    truth: PanopticSegments,
    pred: PanopticSegments,
    *,
    strict: bool = False,
) -> MatchedSegments:
    """Match the segments of images.

    Parameters
    ----------
    pairs : SegmentPairs
        Of each image of `truth`, in order of ids.
    truth, pred : PanopticSegments
        Of the same images and classes.
    strict : bool
        Whether to do exactly what panopticapi does: the area of a truth segment is the annotated
        one; of several crowds of a class the last one listed counts; truth segments that only
        the map or only the list has, id 0, and repeated ids (of which the last counts) are taken.

    Raises
    ------
    IdError, SchemaError
        For ids that only the map, or only the list, has, and those that are refused unless strict.
    """
    truth, pred = (_each_id_once(side, name, strict=strict) for side, name in _named(truth, pred))
    if strict and truth.area is None and len(truth):
        raise SchemaError("expected the area of each truth segment, got none")
    image = pairs.image
    t_side, t = _located(truth, image, pairs.truth, pairs.count)
    p_side, p = _located(pred, image, pairs.pred, pairs.count)
    void = pairs.truth <= 0
    for segments, name, values, at, side in (
        (truth, "truth", pairs.truth, t, t_side),
        (pred, "pred", pairs.pred, p, p_side),
    ):
        if name == "pred" or not strict:
            _refuse_unlisted(segments, name, image, values, at, pairs.count)
            _refuse_without_pixels(segments, name, side)

    order = np.argsort(_keys(truth), kind="stable")
    crowd = np.zeros(len(truth), np.bool_)
    if truth.crowd is not None:
        crowd = truth.crowd[order] != 0
    t_area = t_side.pixels
    if strict and truth.area is not None:
        t_area = truth.area[order]

    n_pred = len(p_side.key)
    both = (t >= 0) & (p >= 0)
    both[both] = t_side.label[t[both]] == p_side.label[p[both]]
    match = both.copy()
    match[both] = ~crowd[t[both]]
    rows = np.flatnonzero(match)
    t_of, p_of = t[rows], p[rows]
    over_void = _sums(p, pairs.count, void & (p >= 0), n_pred)
    measures = {"intersection": pairs.count[rows]}
    measures["union"] = t_area[t_of] + p_side.pixels[p_of] - pairs.count[rows] - over_void[p_of]
    if pairs.near_both is not None:
        measures |= _boundaries(pairs, rows, t, p, void, len(t_side.key), n_pred)
    kept = ious_of(measures) > 0.5
    t_matched, p_matched = (
        np.bincount(of[kept], minlength=n) > 0
        for of, n in ((t_of, len(t_side.key)), (p_of, n_pred))
    )
    counted = crowd & _last_of_class(truth, order) if strict else crowd
    in_crowd = both & (t >= 0)
    in_crowd[in_crowd] = counted[t[in_crowd]]
    left_out = over_void + _sums(p, pairs.count, in_crowd, n_pred)
    ignored = ~p_matched & (left_out / np.maximum(p_side.pixels, 1) > 0.5)

    matched = rows[kept]
    return MatchedSegments(
        {
            "image": image[matched].astype(np.int32),
            "label": t_side.label[t[matched]].astype(np.int32),
            "truth_id": pairs.truth[matched],
            "pred_id": pairs.pred[matched],
            **{name: column[kept] for name, column in measures.items()},
        },
        _tallies(
            len(truth.classes),
            t_side,
            p_side,
            n_truth=(~crowd).astype(np.int64),
            n_crowd=crowd.astype(np.int64),
            fn=(~crowd & ~t_matched).astype(np.int64),
            truth_area=t_side.pixels,
            n_pred=np.ones(n_pred, np.int64),
            fp=(~p_matched & ~ignored).astype(np.int64),
            n_ignored=ignored.astype(np.int64),
        ),
        {
            "image": p_side.image[ignored].astype(np.int32),
            "pred_id": p_side.key[ignored] & 0xFFFFFFFF,
        },
    )


def ious_of(measures: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the IoU of pairs: of masks, or the lesser one of masks and of boundaries."""
    iou = _ratio(measures["intersection"], measures["union"])
    if "boundary_union" not in measures:
        return iou
    return np.minimum(iou, _ratio(measures["boundary_intersection"], measures["boundary_union"]))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):  # annotated areas need not fit
        ratio: NDArray[np.float64] = part / whole
        return ratio


def _boundaries(
    pairs: SegmentPairs, rows: Whole, t: Whole, p: Whole, void: NDArray[np.bool_], *n: int
) -> dict[str, Whole]:
    """Return intersection and union of the boundaries of pairs; void is void near and far."""
    assert pairs.near_truth is not None
    assert pairs.near_pred is not None
    assert pairs.near_both is not None
    t_area = _sums(t, pairs.near_truth, t >= 0, n[0])
    p_area = _sums(p, pairs.near_pred, p >= 0, n[1])
    over_void = _sums(p, pairs.near_pred, void & (p >= 0), n[1])
    shared = pairs.near_both[rows]
    return {
        "boundary_intersection": shared,
        "boundary_union": t_area[t[rows]] + p_area[p[rows]] - shared - over_void[p[rows]],
    }


def _sums(at: Whole, counts: Whole, of: NDArray[np.bool_], n: int) -> Whole:
    sums = np.zeros(n, np.int64)
    np.add.at(sums, at[of], counts[of])
    return sums


def _keys(segments: PanopticSegments) -> Whole:
    """Return image and id as one number."""
    return (segments.image.astype(np.int64) << 32) | segments.id


def _named(
    truth: PanopticSegments, pred: PanopticSegments
) -> tuple[tuple[PanopticSegments, str], ...]:
    return (truth, "truth"), (pred, "pred")


def _located(
    segments: PanopticSegments, image: Whole, values: Whole, count: Whole
) -> tuple[_Side, Whole]:
    """Return the segments in order, and which of them each pair's value is, -1 for none."""
    key = _keys(segments)
    order = np.argsort(key, kind="stable")
    key = key[order]
    at = np.full(len(values), -1, np.int64)
    if len(key):
        wanted = (image << 32) | np.maximum(values, 0)
        near = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found = (key[near] == wanted) & (values >= 0) & (values < 1 << 31)
        at[found] = near[found]
    pixels = _sums(at, count, at >= 0, len(key))
    image_of, label = segments.image[order], segments.label[order]
    return _Side(image_of.astype(np.int64), label.astype(np.int64), key, pixels), at


def _each_id_once(segments: PanopticSegments, side: str, *, strict: bool) -> PanopticSegments:
    key = _keys(segments)
    if not strict and (segments.id == 0).any():
        k = int(np.argmax(segments.id == 0))
        raise IdError(
            "expected segment ids from 1, got 0, which is no segment",
            segments.place(int(segments.image[k]), side),
        )
    distinct, first, count = np.unique(key, return_index=True, return_counts=True)
    if len(distinct) == len(key):
        return segments
    if not strict:
        twice = int(first[np.argmax(count > 1)])
        raise IdError(
            f"expected each segment id once in an image, got {segments.id[twice]} "
            f"{count.max()} times",
            segments.place(int(segments.image[twice]), side),
        )
    # A dictionary's way: the place of the first one, what the last one says.
    last = len(key) - 1 - np.unique(key[::-1], return_index=True)[1]
    rows = last[np.argsort(first)]
    columns = ("image", "id", "label", "crowd", "area")
    return dataclasses.replace(
        segments,
        **{
            name: column[rows]
            for name in columns
            if (column := getattr(segments, name)) is not None
        },
    )


def _last_of_class(truth: PanopticSegments, order: Whole) -> NDArray[np.bool_]:
    """Return which crowds, in order of ids, are listed after the others of image and class."""
    assert truth.crowd is not None or not len(truth)
    listed = np.flatnonzero(truth.crowd) if truth.crowd is not None else np.zeros(0, np.int64)
    group = truth.image[listed].astype(np.int64) * len(truth.classes) + truth.label[listed]
    last = np.zeros(len(truth), np.bool_)
    last[listed[::-1][np.unique(group[::-1], return_index=True)[1]]] = True
    return last[order]


def _refuse_unlisted(
    segments: PanopticSegments, side: str, image: Whole, values: Whole, at: Whole, count: Whole
) -> None:
    unlisted = (at < 0) & (values > 0)
    if not unlisted.any():
        return
    where = int(image[np.argmax(unlisted)])
    mine = unlisted & (image == where)
    ids = np.unique(values[mine]).tolist()
    raise IdError(
        f"expected every segment of the map in the list of segments, {len(ids)} "
        f"{'is' if len(ids) == 1 else 'are'} not there: {first_few(ids)} "
        f"({int(count[mine].sum()):,} pixels)",
        segments.place(where, side),
    )


def _refuse_without_pixels(segments: PanopticSegments, side: str, found: _Side) -> None:
    empty = found.pixels == 0
    if not empty.any():
        return
    where = int(found.image[np.argmax(empty)])
    ids = (found.key[empty & (found.image == where)] & 0xFFFFFFFF).tolist()
    raise IdError(
        f"expected pixels of every listed segment in the map, {len(ids)} "
        f"{'has' if len(ids) == 1 else 'have'} none: {first_few(ids)}",
        segments.place(where, side),
    )


def _tallies(
    n_classes: int, truth: _Side, pred: _Side, **columns: Whole
) -> dict[str, NDArray[np.int32] | Whole]:
    """Return sums of columns of either side for each image and class that has segments."""
    t_group, p_group = (side.image * n_classes + side.label for side in (truth, pred))
    groups = np.unique(np.concatenate([t_group, p_group]))
    t, p = (np.searchsorted(groups, group) for group in (t_group, p_group))
    found: dict[str, NDArray[np.int32] | Whole] = {
        "image": (groups // max(1, n_classes)).astype(np.int32),
        "label": (groups % max(1, n_classes)).astype(np.int32),
    }
    for name in TALLIES:
        at = t if name in _OF_TRUTH else p
        found[name] = np.zeros(len(groups), np.int64)
        np.add.at(found[name], at, columns[name])
    return found
