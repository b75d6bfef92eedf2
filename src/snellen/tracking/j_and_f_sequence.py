"""Region similarity J and contour accuracy F of the objects of one sequence, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import ShapeError
from snellen.rle_masks import RleMasks
from snellen.segmentation.boundary_rules import BoundaryRules
from snellen.tracking.mask_pairs import mask_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.j_and_f_result import JAndFRules

__all__ = ["VOID", "MaskTracks", "SequenceScores", "score_sequence"]

VOID: Final = 255
"""The value of truth pixels of label maps that are not judged."""

# How many numbers are held at once, beside the masks.
_MOST_CELLS: Final = 1 << 24
_MOST_PIXELS: Final = 1 << 26


class MaskTracks(NamedTuple):
    """The masks of one side of a sequence, by frame.

    Attributes
    ----------
    masks : RleMasks
    frame : ndarray, shape (n,), int64
        From 0 on, ascending.
    track : ndarray, shape (n,), int64
        Positions in `ids`.
    ids : ndarray, shape (n_tracks,), int64
        Ascending; of tracks without a mask, too.
    """

    masks: RleMasks
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    ids: NDArray[np.int64]

    def begin(self, n_frames: int) -> NDArray[np.int64]:
        """Return where the rows of each frame begin, (n_frames + 1,)."""
        return np.searchsorted(self.frame, np.arange(n_frames + 1)).astype(np.int64)

    def taken(self, rows: NDArray[np.bool_]) -> MaskTracks:
        """Return some rows; the tracks stay."""
        return MaskTracks(self.masks[rows], self.frame[rows], self.track[rows], self.ids)

    def areas(self, n_frames: int) -> NDArray[np.int64]:
        """Return the number of pixels of each track in each frame, (n_tracks, n_frames)."""
        areas = np.zeros((len(self.ids), n_frames), np.int64)
        areas[self.track, self.frame] = self.masks.areas()
        return areas


class SequenceScores(NamedTuple):
    """J and F of G truth objects in T frames.

    Attributes
    ----------
    truth : ndarray, shape (G,), int64
        The objects as positions among those of truth, in the order that means are taken in.
    pred : ndarray, shape (G,), int64
        The track that each was given, a position among those of the prediction; -1 for none.
    j, f : ndarray, shape (G, T), float64
    """

    truth: NDArray[np.int64]
    pred: NDArray[np.int64]
    j: NDArray[np.float64]
    f: NDArray[np.float64]


def score_sequence(
    truth: MaskTracks,
    pred: MaskTracks,
    regions: MaskTracks,
    n_frames: int,
    rules: JAndFRules,
    place: str,
) -> SequenceScores:
    """Return J and F of a sequence.

    Parameters
    ----------
    truth, pred : MaskTracks
    regions : MaskTracks
        What is not judged: it is cut from the masks of the prediction.
    n_frames : int
    rules : JAndFRules
    place : str
        The sequence, for errors.

    Raises
    ------
    ShapeError
        For masks of different sizes.
    """
    if not len(truth.ids):
        nothing = np.zeros(0, np.int64)
        return SequenceScores(nothing, nothing, *(np.zeros((0, n_frames)),) * 2)
    size = _size(truth, pred, regions, place)
    pred = _without_regions(pred, regions, n_frames)
    areas = truth.areas(n_frames), pred.areas(n_frames)
    begin, pair_pred, overlap = mask_pairs(
        truth.masks, pred.masks, truth.begin(n_frames), pred.begin(n_frames), place=place
    )
    pair_truth = np.repeat(np.arange(len(truth.frame)), np.diff(begin))
    pairs = _Pairs(truth.track[pair_truth], pred.track[pair_pred], truth.frame[pair_truth], overlap)
    if rules.match == "id":
        objects = np.arange(len(truth.ids))
        given = np.searchsorted(pred.ids, truth.ids)
        known = np.append(pred.ids, -1)[given] == truth.ids
        given = np.where(known & (given < len(pred.ids)), given, -1)
    else:
        objects, given = _assigned(pairs, *areas)
    of_pred = np.append(areas[1], np.zeros((1, n_frames), np.int64), axis=0)[given]
    j = ((areas[0][objects] == 0) & (of_pred == 0)).astype(np.float64)
    place_of = np.empty(len(objects), np.int64)
    place_of[objects] = np.arange(len(objects))
    row = place_of[pairs.truth]
    together = given[row] == pairs.pred
    j[row[together], pairs.frame[together]] = pairs.overlap[together]
    f = _contour_scores(truth, pred, place_of, given, n_frames, size, rules)
    return SequenceScores(objects, given, j, f)


class _Pairs(NamedTuple):
    """Masks that share pixels: track on either side, frame, IoU."""

    truth: NDArray[np.int64]
    pred: NDArray[np.int64]
    frame: NDArray[np.int64]
    overlap: NDArray[np.float64]


def _size(
    truth: MaskTracks, pred: MaskTracks, regions: MaskTracks, place: str
) -> tuple[int, int] | None:
    """Return height and width of all masks; None where there are none."""
    sides = [
        (name, side)
        for name, side in (("truth", truth), ("truth", regions), ("pred", pred))
        if len(side.frame)
    ]
    if not sides:
        return None
    first, of_first = sides[0]
    wanted = of_first.masks.size[0]
    for name, side in sides:
        other = (side.masks.size != wanted).any(axis=1)
        if other.any():
            row = int(np.argmax(other))
            sizes = [" × ".join(map(str, size.tolist())) for size in (wanted, side.masks.size[row])]
            raise ShapeError(
                f"expected masks of one size in all frames, got {sizes[0]} ({first}, frame "
                f"{of_first.frame[0]} from 0) and {sizes[1]} ({name}, frame {side.frame[row]} "
                "from 0)",
                place,
            )
    height, width = wanted.tolist()
    return height, width


def _without_regions(pred: MaskTracks, regions: MaskTracks, n_frames: int) -> MaskTracks:
    if not len(regions.frame):
        return pred
    begin = regions.begin(n_frames)
    voids = regions.masks.merged(begin)
    touched = (begin[1:] > begin[:-1])[pred.frame]
    cut = pred.masks[touched].without(voids[pred.frame[touched]])
    back = np.argsort(np.argsort(touched, kind="stable"), kind="stable")
    return pred._replace(masks=RleMasks.joined([pred.masks[~touched], cut])[back])


def _assigned(
    pairs: _Pairs, truth_area: NDArray[np.int64], pred_area: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the objects in the order of the tracks that they are given, and these; -1 for none.

    The sum of the objects' mean J is greatest; as TrackEval does it, with tracks without a mask
    added where there are fewer than objects.
    """
    n_truth, n_frames = truth_area.shape
    n_pred = len(pred_area)
    n_rows = max(n_pred, n_truth)
    mean = np.empty((n_rows, n_truth))
    order = np.argsort(pairs.pred, kind="stable")
    step = max(1, _MOST_CELLS // max(1, n_truth * n_frames))
    no_truth = truth_area == 0
    for first in range(0, n_rows, step):
        last = min(n_rows, first + step)
        no_pred = np.ones((last - first, n_frames), np.bool_)
        no_pred[: max(0, n_pred - first)] = pred_area[first:last] == 0
        # Where neither side has a pixel they agree.
        j = (no_pred[:, None] & no_truth).astype(np.float64)
        there = order[slice(*np.searchsorted(pairs.pred[order], (first, last)))]
        j[pairs.pred[there] - first, pairs.truth[there], pairs.frame[there]] = pairs.overlap[there]
        mean[first:last] = j.mean(axis=2)
    column = _core.assign(-mean)
    rows = np.flatnonzero(column >= 0)
    return column[rows].astype(np.int64), np.where(rows < n_pred, rows, -1)


def _contour_scores(
    truth: MaskTracks,
    pred: MaskTracks,
    place_of: NDArray[np.int64],
    given: NDArray[np.int64],
    n_frames: int,
    size: tuple[int, int] | None,
    rules: JAndFRules,
) -> NDArray[np.float64]:
    """Return F of each object, by its place, and frame."""
    n_objects = len(given)
    f = np.ones((n_objects, n_frames))  # of nothing on both sides
    if size is None or not n_frames:
        return f
    # Tracks that no object was given are not looked at.
    object_of = np.full(len(pred.ids), -1)
    object_of[given[given >= 0]] = np.flatnonzero(given >= 0)
    pred = pred.taken(object_of[pred.track] >= 0)
    sides = [
        (truth, place_of[truth.track]),
        (pred, object_of[pred.track]),
    ]
    if any(_overlap(side, n_frames) for side, _ in sides):
        # A pixel of several objects: a label map for each.
        layers = [np.array([k]) for k in range(n_objects)]
    else:
        layers = [np.arange(n_objects)]
    tolerance = BoundaryRules(ratio=0.5, tolerance=rules.tolerance).contour_tolerance(*size)
    step = max(1, _MOST_PIXELS // max(1, size[0] * size[1]))
    for layer in layers:
        kind: Any = np.uint8 if len(layer) < np.iinfo(np.uint8).max else np.uint16
        code = np.zeros(n_objects, kind)
        code[layer] = np.arange(1, len(layer) + 1)
        for first in range(0, n_frames, step):
            last = min(n_frames, first + step)
            maps = [_label_maps(side, code[of], first, last, size) for side, of in sides]
            counts = _core.boundary_counts(maps[0], maps[1], len(layer) + 1, 1, tolerance)
            f[layer, first:last] = _f_measure(counts[:, 1:, -4:].transpose(1, 0, 2))
    return f


def _overlap(side: MaskTracks, n_frames: int) -> bool:
    masks = side.masks
    found = _core.find_overlaps(masks.runs, masks.offset, masks.size, side.begin(n_frames), None)
    return len(found) > 0


def _label_maps(
    side: MaskTracks, value: NDArray[Any], first: int, last: int, size: tuple[int, int]
) -> NDArray[Any]:
    """Return the label maps of frames `first` to `last`, exclusive; masks of value 0 are not."""
    rows = slice(*np.searchsorted(side.frame, (first, last)).tolist())
    shown = np.flatnonzero(value[rows]) + rows.start
    if not len(shown):
        return np.zeros((last - first, *size), value.dtype)
    begin = np.searchsorted(side.frame[shown], np.arange(first, last + 1)).astype(np.int64)
    return side.masks[shown].painted(begin, value[shown])


def _f_measure(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return F of contour pixels of truth, those matched, those of the prediction, those matched.

    In the order of the reference's operations. Of nothing on both sides it is 1.
    """
    n_truth, truth_matched, n_pred, pred_matched = np.moveaxis(counts.astype(np.float64), -1, 0)
    precision = pred_matched / np.maximum(n_pred, 1)
    recall = truth_matched / np.maximum(n_truth, 1)
    both = precision + recall
    f = 2 * precision * recall / np.where(both == 0, 1, both)
    f[(n_truth == 0) & (n_pred == 0)] = 1
    measure: NDArray[np.float64] = f
    return measure
