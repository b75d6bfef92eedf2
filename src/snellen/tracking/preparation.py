"""From truth and predictions of a sequence to the frames that are counted, under a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import ClassError, InputError, did_you_mean, first_few
from snellen.tracking.frames import Frames, Pairs, Side
from snellen.tracking.protocols import EPS
from snellen.tracking.similarity import covered_preds, covered_share, similar_pairs
from snellen.tracking.tracks import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.tracking.protocols import TrackingProtocol
    from snellen.tracking.tracks import Tracks

__all__ = [
    "Judgement",
    "check_labels",
    "check_sides",
    "classes_of",
    "frame_numbers",
    "prepared",
]

_FAR = 10_000.0  # what a pair costs that is none, where the most pairs are wanted


class Judgement(NamedTuple):
    """How far annotators looked for a class in a sequence.

    Attributes
    ----------
    is_absent : bool
        Whether it is known not to be there.
    is_exhaustive : bool
        Whether all of its objects are in truth.
    """

    is_absent: bool
    is_exhaustive: bool


def prepared(
    truth: Tracks,
    pred: Tracks,
    number: NDArray[np.int64],
    protocol: TrackingProtocol,
    classes: tuple[str, ...],
    judged: Mapping[str, Judgement] | None = None,
) -> Iterator[tuple[str, Frames]]:
    """Yield each class and its frames, without what the protocol leaves out.

    Parameters
    ----------
    truth, pred : Tracks
        The rows of one sequence.
    number : ndarray, shape (F,), int64
        Its frames; see `frame_numbers`.
    protocol : TrackingProtocol
        The rules.
    classes : tuple of str
        The classes to be evaluated, by name.
    judged : mapping of str to Judgement, optional
        How far annotators looked for each class in the sequence.

    Raises
    ------
    ClassError, InputError
        For classes that the protocol does not know, and shapes without such a similarity.
    """
    objects, regions = truth, truth[:0]
    if truth.region is not None and truth.region.any():
        is_object = truth.region == 0
        objects, regions = truth[is_object], truth[~is_object]
    truth_begin, pred_begin = _begins(objects, number), _begins(pred, number)
    all_pairs = similar_pairs(
        objects.shape,
        pred.shape,
        truth_begin,
        pred_begin,
        protocol.similarity,
        protocol.zero_distance,
    )
    truth_names = objects.classes.display_names()
    pred_names = pred.classes.display_names()
    covered = None
    truth_covered = np.zeros(len(objects), np.bool_)
    if protocol.region_threshold is not None and len(regions):
        region_begin = _begins(regions, number)
        if protocol.region_rule == "union":
            truth_covered, covered = (
                covered_share(regions.shape, shape, region_begin, begin)
                >= protocol.region_threshold
                for shape, begin in ((objects.shape, truth_begin), (pred.shape, pred_begin))
            )
        elif len(pred):
            covered = covered_preds(
                regions.shape,
                pred.shape,
                region_begin,
                pred_begin,
                protocol.region_threshold + EPS,
            )
    truth_centre, pred_centre = objects.shape.centres(), pred.shape.centres()
    truth_track, pred_track = _track_values(objects), _track_values(pred)
    within = _within_limits(objects, protocol)
    for name in classes:
        distractors = protocol.distractors.get(name, ())
        truth_rows = np.ones(len(objects), np.bool_)
        pred_rows = np.ones(len(pred), np.bool_)
        if protocol.by_class and objects.labelled:
            truth_rows = _among((name, *distractors), truth_names)[objects.label]
        if protocol.by_class and pred.labelled:
            pred_rows = _among((name,), pred_names)[pred.label]
        of_class = truth_rows
        if objects.labelled and (protocol.by_class or protocol.class_names):
            of_class = _among((name,), truth_names)[objects.label]
        counted = of_class & within & ~truth_covered
        if objects.counted is not None:
            counted &= objects.counted != 0
        forgiving = (_among(distractors, truth_names)[objects.label] | ~within) & truth_rows
        left_out = _left_out(
            protocol,
            (truth_begin, pred_begin, *all_pairs),
            truth_rows,
            pred_rows,
            forgiving,
            covered,
            pred,
            None if judged is None else judged[name],
        )
        kept = pred_rows & ~left_out
        begins = _core.kept_pairs(
            truth_begin,
            pred_begin,
            *all_pairs,
            counted.view(np.uint8),
            kept.view(np.uint8),
        )
        yield (
            name,
            Frames(
                number,
                Side(begins[0], truth_track[counted], _rows_of(truth_centre, counted)),
                Side(begins[1], pred_track[kept], _rows_of(pred_centre, kept)),
                Pairs(*begins[2:]),
                (
                    int(np.count_nonzero(of_class & ~counted)),
                    int(np.count_nonzero(pred_rows & ~kept)),
                ),
            ),
        )


def _left_out(
    protocol: TrackingProtocol,
    frames: tuple[Any, ...],
    truth_rows: NDArray[np.bool_],
    pred_rows: NDArray[np.bool_],
    forgiving: NDArray[np.bool_],
    covered: NDArray[np.bool_] | None,
    pred: Tracks,
    judgement: Judgement | None,
) -> NDArray[np.bool_]:
    """Return the predictions that are matched to what forgives, or lie where nothing counts."""
    left_out = np.zeros(len(pred_rows), np.bool_)
    looks_at_unmatched = (
        covered is not None or protocol.min_height is not None or judgement is not None
    )
    if not len(pred_rows) or not (forgiving.any() or looks_at_unmatched):
        return left_out
    matched = _matched(protocol, frames, truth_rows, pred_rows)
    has_match = matched >= 0
    left_out[has_match] = forgiving[matched[has_match]]
    if covered is not None:
        left_out |= covered & ~has_match if protocol.region_rule == "unmatched" else covered
    if protocol.min_height is not None:
        corners: Any = pred.shape
        if pred.shape.kind != "boxes":
            raise InputError(
                f"expected boxes in the image, at whose heights {protocol.name} looks, got "
                f"{pred.shape.kind}: of them say --protocol plain",
                "pred",
            )
        height = corners.xyxy[:, 3] - corners.xyxy[:, 1]
        left_out |= (height <= protocol.min_height + EPS) & ~has_match
    if judgement is not None:
        if not judgement.is_exhaustive:
            left_out |= ~has_match
        # In frames without any truth nobody looked for anything.
        left_out |= np.repeat(np.diff(frames[0]) == 0, np.diff(frames[1]))
        if not judgement.is_absent:
            # Of a frame without truth of the class nothing is known.
            n_truth = np.diff(np.append(0, np.cumsum(truth_rows))[frames[0]])
            left_out |= np.repeat(n_truth == 0, np.diff(frames[1]))
    return left_out


def _matched(
    protocol: TrackingProtocol,
    frames: tuple[Any, ...],
    truth_rows: NDArray[np.bool_],
    pred_rows: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Return the truth row that each prediction is matched to before counting; -1 for none."""
    whole = truth_rows.all() and pred_rows.all()
    if not whole:
        kept_rows = (truth_rows.view(np.uint8), pred_rows.view(np.uint8))
        frames = _core.kept_pairs(*(*frames, *kept_rows))
    if protocol.most_matches:
        matched = _most_matched(frames, protocol.match_threshold - EPS)
    else:
        matched = _core.matched_preds(*(*frames, protocol.match_threshold))
    if whole:
        return matched
    place = np.append(np.flatnonzero(truth_rows), -1).astype(np.int32)
    of_all = np.full(len(pred_rows), -1, np.int32)
    of_all[pred_rows] = place[matched]
    return of_all


def _most_matched(frames: tuple[Any, ...], threshold: float) -> NDArray[np.int32]:
    """Return the truth row of each prediction where the most pairs are matched in each frame.

    As the reference does it, with its ties: what falls short of the threshold costs very much.
    """
    truth_begin, pred_begin, pair_begin, pair_pred, similarity = frames
    matched = np.full(int(pred_begin[-1]), -1, np.int32)
    pair_truth = np.repeat(np.arange(len(pair_begin) - 1), np.diff(pair_begin))
    good = similarity >= threshold
    for t in np.flatnonzero(np.diff(truth_begin) * np.diff(pred_begin)).tolist():
        first_truth, first_pred = int(truth_begin[t]), int(pred_begin[t])
        rows = slice(int(pair_begin[first_truth]), int(pair_begin[truth_begin[t + 1]]))
        cost = np.full(
            (int(truth_begin[t + 1]) - first_truth, int(pred_begin[t + 1]) - first_pred), _FAR
        )
        chosen = good[rows]
        place = (pair_truth[rows][chosen] - first_truth, pair_pred[rows][chosen] - first_pred)
        cost[place] = -similarity[rows][chosen]
        column = _core.assign(cost)
        row = np.flatnonzero(column >= 0)
        row = row[cost[row, column[row]] < -EPS]
        matched[first_pred + column[row]] = first_truth + row
    return matched


def frame_numbers(truth: Tracks, pred: Tracks) -> NDArray[np.int64]:
    """Return the numbers of all frames that either side has or looked at, ascending."""
    # Rows are ordered by frame: only few numbers are left to be sorted.
    number = np.sort(
        np.concatenate(
            [
                _without_repeats(column)
                for side in (truth, pred)
                for column in (side.frame, np.sort(side.seen[:, 1]))
            ]
        )
    )
    return _without_repeats(number)


def _without_repeats(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(ascending):
        return ascending
    is_new = np.append(True, ascending[1:] != ascending[:-1])
    distinct: NDArray[np.int64] = ascending[is_new]
    return distinct


def _begins(tracks: Tracks, number: NDArray[np.int64]) -> NDArray[np.int64]:
    begin = np.searchsorted(tracks.frame, number)
    return np.append(begin, len(tracks)).astype(np.int64)


def _track_values(tracks: Tracks) -> NDArray[Any]:
    if tracks.track_names is None:
        return tracks.track
    return np.array(tracks.track_names, np.str_)[tracks.track]


def _within_limits(truth: Tracks, protocol: TrackingProtocol) -> NDArray[np.bool_]:
    within = np.ones(len(truth), np.bool_)
    for name, (low, high) in protocol.limits.items():
        if name in truth.extra:
            within &= (truth.extra[name] >= low) & (truth.extra[name] <= high)
    return within


def _rows_of(
    column: NDArray[np.float64] | None, rows: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    return None if column is None else column[rows]


def _among(wanted: tuple[str, ...], names: list[str]) -> NDArray[np.bool_]:
    """Return which names are among those wanted; False at the end, where there are no names."""
    return np.array([name in wanted for name in names] or [False])


def _used_names(tracks: Tracks, names: list[str]) -> list[str]:
    """Return the classes that objects have."""
    used = np.flatnonzero(np.bincount(tracks.label, minlength=len(names))).tolist()
    return [names[code] for code in used]


def classes_of(truth: Tracks, pred: Tracks, protocol: TrackingProtocol) -> tuple[str, ...]:
    """Return the classes that are to be evaluated: the protocol's, or those of the objects."""
    if protocol.classes:
        return protocol.classes
    objects = truth if truth.region is None else truth[truth.region == 0]
    if not protocol.by_class or not (truth.labelled or pred.labelled):
        return (UNLABELLED,)
    names = {
        name
        for side in (objects, pred)
        if side.labelled
        for name in _used_names(side, side.classes.display_names())
    }
    return tuple(sorted(names))


def check_labels(kinds: Mapping[tuple[str, str], int], protocol: TrackingProtocol) -> None:
    """Refuse sides of which one has classes that the other would need.

    Parameters
    ----------
    kinds : mapping
        Whether objects of each side have classes, as far as that is known; see `Batch`.
    protocol : TrackingProtocol

    Raises
    ------
    ClassError
    """
    has = {side: kinds.get((side, "label")) for side in ("truth", "pred")}
    if not protocol.by_class:
        if protocol.class_names and has["truth"] == 0:
            raise ClassError(
                f"expected classes of truth, which the rules of {protocol.name} look at, got none: "
                "of objects that all count say plain",
                "truth",
            )
        return
    if len(protocol.classes) == 1:
        return  # what has no class is of that one
    for side, other in (("truth", "pred"), ("pred", "truth")):
        if has[side] == 0 and (protocol.classes or has[other] == 1):
            raise ClassError(
                f"expected classes of {side}, as {other} has, got none: give both sides classes or "
                'none, or say which one class is evaluated, such as classes=["car"]',
                side,
            )


def check_sides(truth: Tracks, pred: Tracks, protocol: TrackingProtocol) -> None:
    """Refuse columns that mean nothing where they are, and those that rules lack.

    Raises
    ------
    ClassError
        For classes that the protocol does not know.
    InputError
        For areas to be ignored among predictions, and for truth without a column that rules look
        at.
    """
    if pred.region is not None and pred.region.any():
        raise InputError("expected areas to be ignored in truth only, got some", "pred")
    if pred.counted is not None and not pred.counted.all():
        raise InputError("expected truth only to say what is not to be counted", "pred")
    objects = truth if truth.region is None else truth[truth.region == 0]
    for name in protocol.limits:
        if len(objects) and name not in truth.extra:
            raise InputError(
                f"expected the column {name} of truth (extra), at which the rules of "
                f"{protocol.name} look, got {', '.join(truth.extra) or 'none'}",
                "truth",
            )
    known = set(protocol.class_names.values())
    for side, tracks in (("truth", objects), ("pred", pred)):
        allowed = known
        if side == "pred" and not protocol.by_class and known:
            allowed = set(protocol.classes)
        if not allowed or not tracks.labelled:
            continue
        names = _used_names(tracks, tracks.classes.display_names())
        strange = [name for name in names if name not in allowed]
        if strange:
            shown = (
                ", ".join(sorted(allowed))
                if side == "pred"
                else ", ".join(protocol.class_names.values())
            )
            raise ClassError(
                f"expected classes of {protocol.name} ({shown}), got {first_few(strange)}."
                f"{did_you_mean(strange[0], allowed) or ' Of other data say plain'}",
                side,
            )
