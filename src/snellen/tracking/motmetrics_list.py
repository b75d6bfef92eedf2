"""The list of numbers that py-motmetrics gives of a sequence, and of several together.

Its rule of matching differs from TrackEval's: a pair once matched stays together whenever it is
allowed, and of the rest as many pairs are matched as can be, by the least sum of distances. MOTP is
the mean *distance* of matched pairs. `columns_of` gives sums, which may be added over sequences;
`numbers_of` makes numbers of them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "KINDS",
    "NUMBERS",
    "MotEventList",
    "MotSequence",
    "columns_of",
    "distinct",
    "events_of",
    "id_true_positives",
    "numbers_of",
    "track_ratios",
]

KINDS: Final = ("RAW", "FP", "MISS", "SWITCH", "MATCH", "TRANSFER", "ASCEND", "MIGRATE")
"""The kinds of events by their number."""
RAW, FP, MISS, SWITCH, MATCH, TRANSFER, ASCEND, MIGRATE = range(len(KINDS))

NUMBERS: Final = (
    "num_frames",
    "num_matches",
    "num_switches",
    "num_transfer",
    "num_ascend",
    "num_migrate",
    "num_false_positives",
    "num_misses",
    "num_detections",
    "num_objects",
    "num_predictions",
    "num_unique_objects",
    "mostly_tracked",
    "partially_tracked",
    "mostly_lost",
    "num_fragmentations",
    "motp",
    "mota",
    "precision",
    "recall",
    "idfp",
    "idfn",
    "idtp",
    "idp",
    "idr",
    "idf1",
)
"""The names of what `numbers_of` gives, as py-motmetrics has them and in its order."""

_COUNTS = tuple(name for name in NUMBERS if name.startswith(("num_", "mostly_", "partially_")))
COLUMNS: Final = (*_COUNTS, "idfp", "idfn", "idtp", "n_sequences", "distance_sum", "motp_sum")
"""The names of what `columns_of` gives. The last two are float64, the others int64."""


@dataclasses.dataclass(frozen=True, eq=False)
class MotSequence:
    """Frames of a sequence with the distances of the pairs that are allowed.

    Rows of frame t are ``begin[t]`` … ``begin[t + 1] - 1``, pairs of truth row i are
    ``pair_begin[i]`` … ``pair_begin[i + 1] - 1``. A pair that is not listed is not allowed.

    Attributes
    ----------
    truth_begin, pred_begin : ndarray, shape (n_frames + 1,), int64
    truth_track, pred_track : ndarray, shape (n rows,), int32
        Positions of tracks; each once in a frame.
    n_truth_tracks, n_pred_tracks : int
    pair_begin : ndarray, shape (n truth rows + 1,), int64
    pair_pred : ndarray, shape (n pairs,), int32
        Rows of predictions of the same frame, ascending for each truth row.
    distance : ndarray, shape (n pairs,), float64
        Finite.
    time : ndarray, shape (n_frames,), float64, or None
        When frames are; 0, 1, 2, … without. Matters only where switches are limited in time.
    """

    truth_begin: NDArray[np.int64]
    pred_begin: NDArray[np.int64]
    truth_track: NDArray[np.int32]
    pred_track: NDArray[np.int32]
    n_truth_tracks: int
    n_pred_tracks: int
    pair_begin: NDArray[np.int64]
    pair_pred: NDArray[np.int32]
    distance: NDArray[np.float64]
    time: NDArray[np.float64] | None = None

    @property
    def n_frames(self) -> int:
        """The number of frames."""
        return len(self.truth_begin) - 1


class MotEventList(NamedTuple):
    """Events as columns, in the order of frames and, within a frame, of py-motmetrics.

    Attributes
    ----------
    frame : ndarray, shape (n,), int64
        Numbers of frames from 0.
    kind : ndarray, shape (n,), uint8
        Positions in `KINDS`. ASCEND, MIGRATE and TRANSFER come beside a SWITCH or MATCH.
    truth, pred : ndarray, shape (n,), int32
        Rows; -1 where there is none.
    distance : ndarray, shape (n,), float64
        NaN where it is not a pair.
    """

    frame: NDArray[np.int64]
    kind: NDArray[np.uint8]
    truth: NDArray[np.int32]
    pred: NDArray[np.int32]
    distance: NDArray[np.float64]


def events_of(sequence: MotSequence, *, max_switch_time: float = float("inf")) -> MotEventList:
    """Return the events of a sequence.

    Parameters
    ----------
    sequence : MotSequence
    max_switch_time : float
        An object that was away for longer than this does not switch, in the unit of `time`.

    Raises
    ------
    ValueError
        For positions out of range, and distances that are not finite.
    """
    time = sequence.time
    return MotEventList(
        *_core.MotEvents(max_switch_time=max_switch_time).update(
            sequence.truth_begin,
            sequence.pred_begin,
            sequence.truth_track,
            sequence.pred_track,
            sequence.pair_begin,
            sequence.pair_pred,
            sequence.distance,
            np.arange(sequence.n_frames, dtype=np.float64) if time is None else time,
            n_truth_tracks=sequence.n_truth_tracks,
            n_pred_tracks=sequence.n_pred_tracks,
            raw=False,
        )
    )


def id_true_positives(
    truth: NDArray[np.integer[Any]], pred: NDArray[np.integer[Any]], n_pred: int
) -> int:
    """Return how many pairs are right when each track is one track of the other side for good.

    Parameters
    ----------
    truth, pred : ndarray, shape (n,)
        Tracks of each pair that is allowed in a frame.
    n_pred : int
        The number of predicted tracks.

    Notes
    -----
    Of all ways to give truth tracks predicted ones, one to one, the one with the most pairs. That
    is the IDTP of the global assignment with the least IDFN + IDFP, since each pair that is right
    is one less of both.
    """
    cell, count = distinct(truth.astype(np.int64) * n_pred + pred)
    row, column = np.divmod(cell, max(n_pred, 1))
    # Only tracks with a pair take part.
    _, n_columns = distinct(row)
    begin = np.append(0, np.cumsum(n_columns))
    matched = _core.best_matching(
        begin, column.astype(np.int32), count.astype(np.float64), n_columns=n_pred
    )
    return int(count[column == np.repeat(matched, n_columns)].sum())


def distinct(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct values, ascending, and how often each occurs."""
    # np.unique looks values up in a hash table, which is slower than to sort them.
    values = np.sort(values)
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else values
    return values[first], np.diff(np.append(first, len(values)))


def track_ratios(sequence: MotSequence, events: MotEventList) -> NDArray[np.float64]:
    """Return for each truth track in how much of its frames it is matched; NaN without a frame."""
    present = np.bincount(sequence.truth_track, minlength=sequence.n_truth_tracks)
    tracks = sequence.truth_track[events.truth[_is_matched(events.kind)]]
    matched = np.bincount(tracks, minlength=sequence.n_truth_tracks)
    ratios: NDArray[np.float64] = _ratio(matched, present)
    return ratios


def columns_of(sequence: MotSequence, events: MotEventList | None = None) -> dict[str, Any]:
    """Return the sums of one sequence that its numbers follow from.

    Parameters
    ----------
    sequence : MotSequence
    events : MotEventList, optional
        What `events_of` gives of it, where it is at hand.

    Returns
    -------
    dict of name to ndarray, shape ()
        One for each of `COLUMNS`. Those of several sequences are those of each, added.
    """
    if events is None:
        events = events_of(sequence)
    counts = np.bincount(events.kind, minlength=len(KINDS))
    is_matched = _is_matched(events.kind)
    n_detections = counts[MATCH] + counts[SWITCH]
    n_objects, n_predictions = len(sequence.truth_track), len(sequence.pred_track)
    ratios = track_ratios(sequence, events)
    ratios = ratios[~np.isnan(ratios)]
    truth = np.repeat(sequence.truth_track, np.diff(sequence.pair_begin))
    idtp = id_true_positives(truth, sequence.pred_track[sequence.pair_pred], sequence.n_pred_tracks)
    # Zeros where nothing was matched are part of the tree that NumPy adds along.
    of_one_side = is_matched | (events.kind == MISS) | (events.kind == FP)
    distance_sum = np.sum(np.where(is_matched, events.distance, 0.0)[of_one_side])
    whole = {
        "num_frames": sequence.n_frames,
        "num_matches": counts[MATCH],
        "num_switches": counts[SWITCH],
        "num_transfer": counts[TRANSFER],
        "num_ascend": counts[ASCEND],
        "num_migrate": counts[MIGRATE],
        "num_false_positives": counts[FP],
        "num_misses": counts[MISS],
        "num_detections": n_detections,
        "num_objects": n_objects,
        "num_predictions": n_predictions,
        "num_unique_objects": len(ratios),
        "mostly_tracked": np.count_nonzero(ratios >= 0.8),
        "partially_tracked": np.count_nonzero((ratios >= 0.2) & (ratios < 0.8)),
        "mostly_lost": np.count_nonzero(ratios < 0.2),
        "num_fragmentations": _fragmentations(sequence, events.truth[is_matched]),
        "idfp": n_predictions - idtp,
        "idfn": n_objects - idtp,
        "idtp": idtp,
        "n_sequences": 1,
    }
    columns: dict[str, Any] = {name: np.int64(value) for name, value in whole.items()}
    columns["distance_sum"] = distance_sum
    columns["motp_sum"] = _ratio(distance_sum, n_detections) * n_detections
    return columns


def numbers_of(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return all numbers of sums.

    Parameters
    ----------
    columns : mapping of name to ndarray
        What `columns_of` gives, of one sequence or added over several; any leading axes.

    Returns
    -------
    dict of name to ndarray
        One for each of `NUMBERS`, of the same shape. A ratio to nothing is NaN, or infinite, as
        py-motmetrics has it. MOTP of several sequences is NaN where one of them has no match: it is
        the mean of those of the sequences.
    """
    n_matched = columns["num_detections"]
    n_objects, n_predictions = columns["num_objects"], columns["num_predictions"]
    idtp, idfp, idfn = columns["idtp"], columns["idfp"], columns["idfn"]
    errors = columns["num_misses"] + columns["num_switches"] + columns["num_false_positives"]
    # One sequence alone is not multiplied and divided again, which could change its last bit.
    distance = np.where(
        np.equal(columns["n_sequences"], 1), columns["distance_sum"], columns["motp_sum"]
    )
    ratios = {
        "motp": _ratio(distance, n_matched),
        "mota": 1.0 - _ratio(errors, n_objects),
        "precision": _ratio(n_matched, columns["num_false_positives"] + n_matched),
        "recall": _ratio(n_matched, n_objects),
        "idp": _ratio(idtp, idtp + idfp),
        "idr": _ratio(idtp, idtp + idfn),
        "idf1": _ratio(2 * idtp, n_objects + n_predictions),
    }
    return {name: ratios[name] if name in ratios else columns[name] for name in NUMBERS}


def _is_matched(kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    matched: NDArray[np.bool_] = (kind == MATCH) | (kind == SWITCH)
    return matched


def _fragmentations(sequence: MotSequence, matched_rows: NDArray[np.int32]) -> int:
    """Return how often tracks are lost and found again; frames without the object do not count."""
    matched = np.zeros(len(sequence.truth_track), bool)
    matched[matched_rows] = True
    order = np.argsort(sequence.truth_track, kind="stable")
    matched, track = matched[order], sequence.truth_track[order]
    starts = matched.copy()
    starts[1:] &= ~(matched[:-1] & (track[1:] == track[:-1]))
    # One run less than there are, of the tracks that have any.
    runs = np.bincount(track[starts], minlength=sequence.n_truth_tracks)
    return int(np.maximum(runs - 1, 0).sum())


def _ratio(part: Any, whole: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.true_divide(part, whole)
