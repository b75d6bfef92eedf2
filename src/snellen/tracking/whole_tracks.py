"""Tracks as wholes: one row a track, and how far two of them are the same over all frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import InputError
from snellen.tracking.shapes import Boxes2D

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.track_map_protocols import TrackMapProtocol
    from snellen.tracking.tracks import Tracks

__all__ = ["Groups", "Overlaps", "WholeTracks", "groups_of", "overlaps_of", "whole_tracks"]

# Up to so many terms NumPy adds from left to right.
_PLAIN_SUM = 8


class WholeTracks(NamedTuple):
    """Tracks by class, sequence and rank: n tracks of m rows.

    A track is what has one id in one class of a sequence.

    Attributes
    ----------
    sequence, label : ndarray, shape (n,), int32
        Positions among the sequences and classes of both sides.
    track : ndarray, shape (n,), int64
        The ids.
    begin : ndarray, shape (n + 1,), int64
        Track k has the rows ``rows[begin[k]:begin[k + 1]]``, by frame.
    rows : ndarray, shape (m,), int64
        Positions in the columns.
    area : ndarray, shape (n,), float64
        The mean area.
    score : ndarray, shape (n,), float64, or None
        None where rows have none.
    """

    sequence: NDArray[np.int32]
    label: NDArray[np.int32]
    track: NDArray[np.int64]
    begin: NDArray[np.int64]
    rows: NDArray[np.int64]
    area: NDArray[np.float64]
    score: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.track)

    @property
    def length(self) -> NDArray[np.int64]:
        """The number of frames that each track has."""
        return np.diff(self.begin)

    def any_of(self, flags: NDArray[Any]) -> NDArray[np.bool_]:
        """Return for each track whether any of its rows has a flag; `flags` is a column."""
        return self._counts(flags != 0) > 0

    def _counts(self, flags: NDArray[np.bool_]) -> NDArray[np.int64]:
        total = np.zeros(len(self.rows) + 1, np.int64)
        np.cumsum(flags[self.rows], out=total[1:])
        return total[self.begin[1:]] - total[self.begin[:-1]]


class Groups(NamedTuple):
    """The tracks of each class in each sequence: ``begin[g]`` to ``begin[g + 1]`` of each side."""

    truth: NDArray[np.int64]
    pred: NDArray[np.int64]


class Overlaps(NamedTuple):
    """Of each pred track the truth tracks of its group that it overlaps with.

    Attributes
    ----------
    begin : ndarray, shape (n_pred + 1,), int64
    truth : ndarray, int32
        Ascending within a pred track.
    iou : ndarray, float64
        Above 0.
    """

    begin: NDArray[np.int64]
    truth: NDArray[np.int32]
    iou: NDArray[np.float64]


def whole_tracks(
    tracks: Tracks,
    sequence: NDArray[np.int32],
    label: NDArray[np.int32],
    rules: TrackMapProtocol,
    *,
    side: str,
) -> WholeTracks:
    """Return the tracks of all rows but areas to be ignored.

    Parameters
    ----------
    tracks : Tracks
        The rows.
    sequence, label : ndarray, shape (len(tracks),), int32
        The position of each row's sequence and class among those of both sides.
    rules : TrackMapProtocol
        Of ranks and scores.
    side : str
        For messages: ``"pred"``.

    Raises
    ------
    InputError
        For a track of several scores, where it should have one; the track is named.
    """
    rows = np.arange(len(tracks)) if tracks.region is None else np.flatnonzero(tracks.region == 0)
    # Stable: within a track rows stay in the order of frames.
    order = rows[np.lexsort((tracks.track[rows], sequence[rows], label[rows]))]
    starts = np.ones(len(order), np.bool_)
    for column in (tracks.track, sequence, label):
        starts[1:] &= column[order][1:] == column[order][:-1]
    starts[1:] = ~starts[1:]
    begin = np.append(np.flatnonzero(starts), len(order)).astype(np.int64)
    first = order[begin[:-1]]
    score = None
    if tracks.score is not None:
        score = _scores(tracks, order, begin, rules, side)
    tie = np.arange(len(first)) if rules.ties_by_id else first
    best = np.zeros(len(first)) if score is None else -score
    place = np.lexsort((tie, best, sequence[first], label[first]))
    length = np.diff(begin)[place]
    bounds = np.append(0, np.cumsum(length))
    # The rows of tracks in their new order.
    shift = np.repeat(begin[:-1][place] - bounds[:-1], length)
    return WholeTracks(
        sequence[first][place],
        label[first][place],
        tracks.track[first][place],
        bounds,
        order[np.arange(len(order)) + shift],
        _mean_areas(tracks, order, begin, skip_empty=rules.skip_empty)[place],
        None if score is None else score[place],
    )


def _scores(
    tracks: Tracks,
    order: NDArray[np.int64],
    begin: NDArray[np.int64],
    rules: TrackMapProtocol,
    side: str,
) -> NDArray[np.float64]:
    assert tracks.score is not None
    score = tracks.score[order]
    if not rules.given_scores:
        return _means(score, begin)
    first = score[begin[:-1]]
    other = score != np.repeat(first, np.diff(begin))
    if other.any():
        row = int(order[np.argmax(other)])
        raise InputError(
            f"expected one score for each track ({rules.name} has no other), got several for "
            f"{tracks.track_name(int(tracks.track[row]))} of sequence "
            f"{tracks.sequences.ids[tracks.sequence[row]]}",
            f"{side}.score",
        )
    return first


def _means(value: NDArray[np.float64], begin: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each part, every bit as numpy.mean gives it."""
    length = np.diff(begin)
    # Adds from left to right, which is what NumPy does with few terms.
    mean = _sums(_parts(begin), value, len(length)) / np.maximum(length, 1)
    for k in np.flatnonzero(length >= _PLAIN_SUM).tolist():
        mean[k] = np.mean(value[begin[k] : begin[k + 1]])
    return mean


def _parts(begin: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the part that each row belongs to."""
    return np.repeat(np.arange(len(begin) - 1), np.diff(begin))


def _sums(part: NDArray[Any], value: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Return the sum of each part, added in the order of rows."""
    return np.bincount(part, value, n).astype(np.float64)


def _mean_areas(
    tracks: Tracks, order: NDArray[np.int64], begin: NDArray[np.int64], *, skip_empty: bool
) -> NDArray[np.float64]:
    area = _areas(tracks)[order]
    part, n = _parts(begin), np.diff(begin)
    if skip_empty:
        n = np.bincount(part[area != 0], minlength=len(n))
    return _sums(part, area, len(n)) / np.maximum(n, 1)


def _areas(tracks: Tracks) -> NDArray[np.float64]:
    """Return the area of each row in square pixels."""
    if "area" in tracks.extra:
        return tracks.extra["area"]
    if isinstance(tracks.shape, Boxes2D):
        xyxy = tracks.shape.xyxy
        boxes: NDArray[np.float64] = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
        return boxes
    from snellen.rle_masks import RleMasks

    if not isinstance(tracks.shape, RleMasks):
        raise InputError(f"expected boxes in images, or masks, got {tracks.shape.kind}")
    return tracks.shape.areas().astype(np.float64)


def groups_of(truth: WholeTracks, pred: WholeTracks, n_sequences: int) -> Groups:
    """Return the tracks of each class in each sequence that has any."""
    cells = [
        side.label.astype(np.int64) * max(n_sequences, 1) + side.sequence for side in (truth, pred)
    ]
    every = np.sort(np.concatenate(cells))
    known = every[np.append(True, every[1:] != every[:-1])] if len(every) else every
    bounds = [np.append(np.searchsorted(cell, known), len(cell)).astype(np.int64) for cell in cells]
    return Groups(*bounds)


def overlaps_of(
    truth: Tracks, pred: Tracks, whole_truth: WholeTracks, whole_pred: WholeTracks, groups: Groups
) -> Overlaps:
    """Return how far the tracks of each group are the same.

    Raises
    ------
    InputError
        For shapes that are not boxes in images or masks on both sides.
    """
    if isinstance(truth.shape, Boxes2D) and isinstance(pred.shape, Boxes2D):
        return Overlaps(
            *_core.track_overlaps(
                whole_truth.begin,
                truth.frame[whole_truth.rows],
                truth.shape.xyxy[whole_truth.rows],
                whole_pred.begin,
                pred.frame[whole_pred.rows],
                pred.shape.xyxy[whole_pred.rows],
                groups.truth,
                groups.pred,
            )
        )
    from snellen.rle_masks import RleMasks

    if not (isinstance(truth.shape, RleMasks) and isinstance(pred.shape, RleMasks)):
        raise InputError(
            f"expected boxes or masks on both sides, got {truth.shape.kind} and {pred.shape.kind}"
        )
    return _overlaps_of_masks(
        *(truth.shape, pred.shape),
        *(truth.frame, pred.frame),
        *(whole_truth, whole_pred),
        groups,
    )


def _overlaps_of_masks(
    truth: Any,
    pred: Any,
    truth_frame: NDArray[np.int64],
    pred_frame: NDArray[np.int64],
    whole_truth: WholeTracks,
    whole_pred: WholeTracks,
    groups: Groups,
) -> Overlaps:
    """Return what masks share: all sums are of whole numbers, in any order the same."""
    from snellen.tracking.mask_pairs import mask_pairs

    sides = []
    for frame, whole, begin in (
        (truth_frame, whole_truth, groups.truth),
        (pred_frame, whole_pred, groups.pred),
    ):
        group, track = _parts(begin), _parts(whole.begin)
        order = np.lexsort((track, frame[whole.rows], group[track]))
        sides.append((whole.rows[order], track[order], group[track[order]]))
    (truth_rows, truth_track, truth_group), (pred_rows, pred_track, pred_group) = sides
    # The frames of each group, one after the other.
    keys = [
        np.stack([truth_group, truth_frame[truth_rows]], axis=1),
        np.stack([pred_group, pred_frame[pred_rows]], axis=1),
    ]
    both = np.concatenate(keys)
    order = np.lexsort((both[:, 1], both[:, 0]))
    ordered = both[order]
    step = np.append(0, np.cumsum((ordered[1:] != ordered[:-1]).any(axis=1)))
    at = np.empty(len(both), np.int64)
    at[order] = step[: len(both)]
    n_frames = int(step[-1]) + 1
    bounds = [
        np.searchsorted(part, np.arange(n_frames + 1)).astype(np.int64)
        for part in (at[: len(truth_rows)], at[len(truth_rows) :])
    ]
    truth_masks, pred_masks = truth[truth_rows], pred[pred_rows]
    pair_begin, pair_pred, share = mask_pairs(
        truth_masks, pred_masks, bounds[0], bounds[1], kind="ioa_truth"
    )
    row = np.repeat(np.arange(len(truth_rows)), np.diff(pair_begin))
    truth_area, pred_area = truth_masks.areas(), pred_masks.areas()
    shared = np.rint(share * truth_area[row])
    cell = pred_track[pair_pred] * max(len(whole_truth), 1) + truth_track[row]
    order = np.argsort(cell, kind="stable")
    ordered_cell = cell[order]
    starts = np.append(True, ordered_cell[1:] != ordered_cell[:-1])[: len(cell)]
    found = ordered_cell[starts]
    intersection = _sums(np.cumsum(starts) - 1, shared[order], len(found))
    areas = [
        _sums(track, area, n)
        for track, area, n in (
            (truth_track, truth_area, len(whole_truth)),
            (pred_track, pred_area, len(whole_pred)),
        )
    ]
    of_pred, of_truth = np.divmod(found, max(len(whole_truth), 1))
    union = areas[0][of_truth] + areas[1][of_pred] - intersection
    begin = np.searchsorted(of_pred, np.arange(len(whole_pred) + 1)).astype(np.int64)
    return Overlaps(begin, of_truth.astype(np.int32), intersection / union)
