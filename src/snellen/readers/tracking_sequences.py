"""Tracks of several sequences: chosen, renamed, and as long as the last frame that was met."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import IdError
from snellen.readers.sources import source_name
from snellen.readers.tracking_pairs import n_sequences, stem_of
from snellen.state import Keys
from snellen.tracking.tracks import SEQUENCE

if TYPE_CHECKING:
    from snellen.readers.tracking_pairs import Pair
    from snellen.tracking.tracks import Tracks

__all__ = ["named_alike", "nothing_of", "of_one_kind", "of_sequences", "only", "with_lengths"]


def named_alike(pair: Pair, truth: Tracks, pred: Tracks) -> tuple[Tracks, Tracks]:
    """Return both sides with names of sequences: a side that has none is of the other's one."""
    if not truth.named and not pred.named:
        keys = Keys([pair.sequence or stem_of(source_name(pair.truth))], SEQUENCE)
        return (
            dataclasses.replace(truth, sequences=keys, named=True),
            dataclasses.replace(pred, sequences=keys, named=True),
        )
    if truth.named and pred.named:
        kinds = {side.sequences.ids.dtype.kind for side in (truth, pred)}
        if len(kinds) > 1:  # "1" in one file is 1 in another
            truth, pred = _as_text(truth), _as_text(pred)
        return truth, pred
    named, other = (truth, pred) if truth.named else (pred, truth)
    if len(named.sequences) != 1 and len(other):
        has, lacks = (pair.truth, pair.pred) if truth.named else (pair.pred, pair.truth)
        raise IdError(
            f"expected sequences on both sides, got {n_sequences(len(named.sequences))} in "
            f"{source_name(has or pair.truth)} and no names of them here",
            source_name(lacks or pair.truth),
        )
    filled = dataclasses.replace(other, sequences=named.sequences, named=True)
    return (truth, filled) if truth.named else (filled, pred)


def _as_text(tracks: Tracks) -> Tracks:
    names = [str(name) for name in tracks.sequences.ids.tolist()]
    keys = Keys(names, SEQUENCE)
    return _moved(tracks, keys, keys.codes(names))


def _moved(tracks: Tracks, keys: Keys, place: Any) -> Tracks:
    """Return tracks whose sequences are others, in whose order the rows are then."""
    n_frames = np.full(len(keys), -1, np.int64)
    n_frames[place] = tracks.n_frames
    seen = tracks.seen.copy()
    seen[:, 0] = place[seen[:, 0]]
    sequence = place[tracks.sequence].astype(np.int32)
    moved = dataclasses.replace(
        tracks, sequence=sequence, sequences=keys, n_frames=n_frames, seen=seen
    )
    if (np.diff(sequence) >= 0).all():
        return moved
    return moved[np.argsort(sequence, kind="stable")]


def of_sequences(tracks: Tracks, keys: Keys) -> Tracks:
    """Return the rows of some sequences, of which the tracks may lack some."""
    code = keys.codes(tracks.sequences.ids)
    if (code < 0).any():
        seen = tracks.seen[code[tracks.seen[:, 0]] >= 0]
        tracks = dataclasses.replace(tracks[code[tracks.sequence] >= 0], seen=seen)
        ids = tracks.sequences.ids[code >= 0]
        narrow = Keys(ids, SEQUENCE)
        renumbered = np.cumsum(code >= 0) - 1
        seen = tracks.seen.copy()
        seen[:, 0] = renumbered[seen[:, 0]]
        tracks = dataclasses.replace(
            tracks,
            sequence=renumbered[tracks.sequence].astype(np.int32),
            sequences=narrow,
            n_frames=tracks.n_frames[code >= 0],
            seen=seen,
        )
    return _moved(tracks, keys, keys.codes(tracks.sequences.ids))


def only(tracks: Tracks, name: Any) -> Tracks:
    """Return the rows of one sequence, by its name."""
    return of_sequences(tracks, Keys([name], SEQUENCE))


def nothing_of(truth: Tracks) -> Tracks:
    """Return predictions of the same sequences, of which there are none."""
    return dataclasses.replace(
        truth[:0],
        score=np.zeros(0),
        counted=None,
        region=None,
        extra={},
        seen=np.zeros((0, 2), np.int64),
        labelled=False,  # nothing is known of what there is not
    )


def of_one_kind(truth: Tracks, pred: Tracks) -> tuple[Tracks, Tracks]:
    """Return both sides; no objects are of no kind, and so of the other side's."""
    if truth.shape.kind != pred.shape.kind:
        if not len(pred):
            return truth, dataclasses.replace(pred, shape=truth[:0].shape)
        if not len(truth):
            return dataclasses.replace(truth, shape=pred[:0].shape), pred
    return truth, pred


def with_lengths(truth: Tracks, pred: Tracks, first_frame: int) -> tuple[Tracks, Tracks]:
    """Return both sides; where no file says how long a sequence is, up to the last frame met."""
    n = len(truth.sequences)
    known = np.maximum(truth.n_frames, pred.n_frames)
    if (known >= 0).all():
        return truth, pred
    first = np.full(n, first_frame, np.int64)
    last = np.full(n, first_frame - 1, np.int64)
    for side in (truth, pred):
        # Rows are ordered by sequence and frame.
        begin = np.searchsorted(side.sequence, np.arange(n + 1))
        filled = begin[1:] > begin[:-1]
        first[filled] = np.minimum(first[filled], side.frame[begin[:-1][filled]])
        last[filled] = np.maximum(last[filled], side.frame[begin[1:][filled] - 1])
        np.minimum.at(first, side.seen[:, 0], side.seen[:, 1])
        np.maximum.at(last, side.seen[:, 0], side.seen[:, 1])
    lengths = np.where(known >= 0, known, last - first + 1)
    return dataclasses.replace(truth, n_frames=lengths), pred
