"""From the frames of a sequence and class to the rows that are kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.state import prefixed
from snellen.tracking.clear import CLEAR, clear_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.state import Keys
    from snellen.tracking.family import Family, Settings
    from snellen.tracking.frames import CodedFrames, Pairs, Side

__all__ = [
    "BASE",
    "CLASS",
    "EVENT_KINDS",
    "LEDGERS",
    "OF_PRED_TRACKS",
    "OF_TRUTH_TRACKS",
    "NewRows",
    "sequence_rows",
]

EVENT_KINDS: Final = ("match", "switch", "miss", "false positive", "transfer")
"""What can happen to an object in a frame, by the number that rows of events have."""

CLASS: Final = "class"
LEDGERS: Final = ("rows", "tracks", "preds", "events")
"""What is kept: of a sequence and class, of each object of truth, of each predicted one, and what
happened."""
BASE: Final = ("n_frames", "n_truth", "n_pred", "truth_left_out", "pred_left_out")
OF_TRUTH_TRACKS: Final = ("first", "last", "n_frames", "n_matched", "n_starts", "n_switches")
OF_PRED_TRACKS: Final = ("first", "last", "n_frames", "n_matched", "n_transfers")

_MATCH, _SWITCH, _MISS, _FALSE_POSITIVE, _TRANSFER = range(len(EVENT_KINDS))


class NewRows(NamedTuple):
    """Rows for one of `LEDGERS`, as `Ledger.append` takes them."""

    ledger: str
    keys: Mapping[str, Keys]
    columns: Mapping[str, NDArray[Any]]


def sequence_rows(
    families: tuple[Family, ...],
    settings: Settings,
    keys: Mapping[str, Keys],
    coded: CodedFrames,
    *,
    events: bool,
) -> Iterator[NewRows]:
    """Yield what is kept of a sequence and class.

    Parameters
    ----------
    families : tuple of Family
        What is measured.
    settings : Settings
        What they are told.
    keys : mapping of str to Keys
        The one sequence and the one class.
    coded : CodedFrames
        All frames.
    events : bool
        Whether what happens in each frame is kept, too.
    """
    columns: dict[str, Any] = {
        "n_frames": coded.n_frames,
        "n_truth": len(coded.frames.truth),
        "n_pred": len(coded.frames.pred),
        "truth_left_out": coded.frames.left_out[0],
        "pred_left_out": coded.frames.left_out[1],
    }
    dtypes: dict[str, Any] = dict.fromkeys(BASE, np.int64)
    for family in families:
        prefix = f"{family.name}."
        if family is CLEAR:
            # Its matching tells of objects and frames, too.
            matching = coded.kernel.clear(settings.threshold)
            measured = clear_columns(coded, matching)
            yield _truth_tracks(keys, coded, matching)
            yield _predicted_tracks(keys, coded, matching)
            if events:
                yield _events(keys, coded, matching)
        else:
            measured = family.measure(coded, settings)
        columns |= prefixed(prefix, measured)
        dtypes |= {f"{prefix}{name}": dtype for name, dtype in family.columns.items()}
    row = {
        name: np.asarray(value, np.dtype(dtypes[name]).base)[None]
        for name, value in columns.items()
    }
    yield NewRows("rows", keys, {**_zeros("sequence", "label", n=1), **row})


def _truth_tracks(
    keys: Mapping[str, Keys], coded: CodedFrames, matching: Mapping[str, Any]
) -> NewRows:
    n_tracks = len(coded.truth_ids)
    side = coded.frames.truth
    first, last = _first_and_last(coded.frames.number, side, coded.truth_track, n_tracks)
    counts = {
        name: matching[name].astype(np.int64)
        for name in ("n_frames", "n_matched", "n_starts", "n_switches")
    }
    columns: dict[str, NDArray[Any]] = {
        **_zeros("sequence", "label", n=n_tracks),
        "track": np.arange(n_tracks, dtype=np.int32),
        "first": first,
        "last": last,
        **counts,
    }
    return NewRows("tracks", {**keys, "track": coded.truth_ids}, columns)


def _predicted_tracks(
    keys: Mapping[str, Keys], coded: CodedFrames, matching: Mapping[str, Any]
) -> NewRows:
    n_tracks, track = len(coded.pred_ids), coded.pred_track
    match = matching["match"]
    first, last = _first_and_last(coded.frames.number, coded.frames.pred, track, n_tracks)
    columns: dict[str, NDArray[Any]] = {
        **_zeros("sequence", "label", n=n_tracks),
        "track": np.arange(n_tracks, dtype=np.int32),
        "first": first,
        "last": last,
        "n_frames": _times(track, n_tracks),
        "n_matched": _times(track[match[match >= 0]], n_tracks),
        "n_transfers": _times(track[matching["transfer"] != 0], n_tracks),
    }
    return NewRows("preds", {**keys, "track": coded.pred_ids}, columns)


def _events(keys: Mapping[str, Keys], coded: CodedFrames, matching: Mapping[str, Any]) -> NewRows:
    """Return what happened to each object, frame by frame: truth first, then predictions."""
    frames, match = coded.frames, matching["match"]
    has_match = match >= 0
    is_matched = np.zeros(len(frames.pred), np.bool_)
    is_matched[match[has_match]] = True
    false_positive = np.flatnonzero(~is_matched)
    transferred = np.flatnonzero(matching["transfer"])
    truth_of = np.zeros(len(frames.pred), np.int64)
    truth_of[match[has_match]] = np.flatnonzero(has_match)
    # Rows of truth, of transfers, of false positives; -1 where there is no object.
    truth_row = np.concatenate(
        [np.arange(len(match)), truth_of[transferred], np.full(len(false_positive), -1)]
    )
    pred_row = np.concatenate([match, transferred, false_positive])
    of_truth = np.where(matching["switch"] != 0, _SWITCH, _MATCH)
    kind = np.concatenate(
        [
            np.where(has_match, of_truth, _MISS),
            np.full(len(transferred), _TRANSFER),
            np.full(len(false_positive), _FALSE_POSITIVE),
        ]
    )
    similarity_of = _similarity_of(frames.pairs, match)
    similarity = np.concatenate(
        [similarity_of, similarity_of[truth_of[transferred]], np.zeros(len(false_positive))]
    )
    truth_frame = _frame_of(frames.truth, frames.number)
    pred_frame = _frame_of(frames.pred, frames.number)
    frame = np.concatenate([truth_frame, pred_frame[transferred], pred_frame[false_positive]])
    order = np.argsort(frame, kind="stable")
    columns: dict[str, NDArray[Any]] = {
        **_zeros("sequence", "label", n=len(kind)),
        "truth": _code_of(coded.truth_track, truth_row)[order],
        "pred": _code_of(coded.pred_track, pred_row)[order],
        "frame": frame[order].astype(np.int64),
        "kind": kind[order].astype(np.int32),
        "similarity": similarity[order],
    }
    return NewRows("events", {**keys, "truth": coded.truth_ids, "pred": coded.pred_ids}, columns)


def _zeros(*names: str, n: int) -> dict[str, NDArray[np.int32]]:
    return {name: np.zeros(n, np.int32) for name in names}


def _times(track: NDArray[np.int32], n_tracks: int) -> NDArray[np.int64]:
    return np.bincount(track, minlength=n_tracks).astype(np.int64)


def _frame_of(side: Side, number: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(number, np.diff(side.begin))


def _first_and_last(
    number: NDArray[np.int64], side: Side, track: NDArray[np.int32], n_tracks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last frame of each object."""
    frame = _frame_of(side, number)
    first, last = np.zeros(n_tracks, np.int64), np.zeros(n_tracks, np.int64)
    last[track] = frame  # of equal positions the last holds
    first[track[::-1]] = frame[::-1]
    return first, last


def _code_of(track: NDArray[np.int32], row: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the object of each row; any object where there is no row, -1 where there are none."""
    if not len(track):
        return np.full(len(row), -1, np.int32)
    return np.where(row >= 0, track[row], np.int32(0)).astype(np.int32)


def _similarity_of(pairs: Pairs, match: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the similarity of each truth row and its match; 0 where there is none."""
    row = np.repeat(np.arange(len(match)), np.diff(pairs.begin))
    hit = pairs.pred == match[row]
    found = np.zeros(len(match))
    found[row[hit]] = pairs.similarity[hit]
    return found
