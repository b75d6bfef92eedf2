"""Which frames of a tracker's sequences are shown: where it errs most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.tracking.sequence_rows import EVENT_KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.tracking_result import TrackingResult

__all__ = ["APART", "Happening", "WorstFrame", "worst_frames"]

APART: Final = 10
"""Frames of a sequence that are shown are so far from one another: neighbours show the same."""

# Of `EVENT_KINDS`: what is matched comes first, then what is not; transfers are told of matches.
_MATCH, _SWITCH, _MISS, _FALSE_POSITIVE, _TRANSFER = range(len(EVENT_KINDS))


class Happening(NamedTuple):
    """What happened to an object in a frame.

    Attributes
    ----------
    kind : str
        ``"match"``, ``"switch"``, ``"miss"`` or ``"false positive"``.
    truth, pred : int or str, or None
        The ids of the object of truth and of the predicted one; None where there is none.
    similarity : float
        How alike they are; 0 where one is missing.
    label : str
        The class that it was counted in.
    was : int or str, or None
        Of a switch: the id of the predicted object that followed it before.
    """

    kind: str
    truth: int | str | None
    pred: int | str | None
    similarity: float
    label: str
    was: int | str | None


class WorstFrame(NamedTuple):
    """A frame with errors.

    Attributes
    ----------
    sequence : int or str
        The id of its sequence.
    number : int
        Its number.
    badness : float
        Its errors; of a sequence's second frame half of them, of its third a third, … , so that no
        sequence takes all of a page.
    happenings : list of Happening
        What happened to all of its objects that count.
    """

    sequence: int | str
    number: int
    badness: float
    happenings: list[Happening]


def worst_frames(result: TrackingResult, n: int) -> list[WorstFrame]:
    """Return at most n frames with the most errors: wrong, missed, and switched objects.

    Of a sequence the frame with the most errors comes first, the earlier of equals; then that of
    all that are at least `APART` from it, and so on.

    Parameters
    ----------
    result : TrackingResult
        With events.
    n : int
        How many frames at most.
    """
    events = result.kept.events
    # Rows are ordered by sequence already.
    begin = np.searchsorted(events["sequence"], np.arange(len(result.kept.sequences) + 1))
    ranked: list[tuple[float, int, int]] = []
    for code, (first, last) in enumerate(zip(begin[:-1].tolist(), begin[1:].tolist(), strict=True)):
        kind, frame = events["kind"][first:last], events["frame"][first:last]
        is_error = (kind != _MATCH) & (kind != _TRANSFER)
        number, errors = np.unique(frame[is_error], return_counts=True)
        chosen = _spread(number, errors, n)
        ranked += [
            (-float(errors[place]) / (1 + rank), code, int(number[place]))
            for rank, place in enumerate(chosen)
        ]
    ranked = sorted(ranked)[:n]
    sequences: list[int | str] = result.kept.sequences.ids.tolist()
    of_sequences = {
        code: _Sequence(result, int(begin[code]), int(begin[code + 1]))
        for code in sorted({code for _, code, _ in ranked})
    }
    return [
        WorstFrame(sequences[code], of_frame, -badness, of_sequences[code].of_frame(of_frame))
        for badness, code, of_frame in ranked
    ]


def _spread(number: NDArray[np.int64], errors: NDArray[np.int64], n: int) -> list[int]:
    """Return the positions of at most n frames, the most errors first, none near another."""
    chosen: list[int] = []
    is_free = np.ones(len(number), np.bool_)
    for place in np.argsort(-errors, kind="stable").tolist():
        if is_free[place]:
            chosen.append(place)
            if len(chosen) == n:
                break
            low, high = np.searchsorted(number, number[place] + [1 - APART, APART])
            is_free[low:high] = False
    return chosen


class _Sequence:
    """The events of one sequence."""

    def __init__(self, result: TrackingResult, first: int, last: int) -> None:
        self._events = {name: values[first:last] for name, values in result.kept.events.items()}
        self._ids: tuple[list[Any], list[Any]] = (
            result.kept.truth_tracks.ids.tolist(),
            result.kept.pred_tracks.ids.tolist(),
        )
        self._classes: list[str] = result.kept.classes.ids.tolist()
        kind, truth, label = (self._events[name] for name in ("kind", "truth", "label"))
        # Rows of an object are ascending by frame: a class has all of its rows together.
        self._before = np.full(len(kind), -1)
        matched = np.flatnonzero(kind <= _SWITCH)
        matched = matched[np.lexsort((truth[matched], label[matched]))]
        self._before[matched[1:]] = matched[:-1]
        # By frame, to find the rows of one.
        self._order = np.argsort(self._events["frame"], kind="stable")
        self._frame = self._events["frame"][self._order]

    def of_frame(self, number: int) -> list[Happening]:
        """Return what happened in a frame."""
        first, last = np.searchsorted(self._frame, [number, number + 1]).tolist()
        rows = self._order[first:last]
        kinds = self._events["kind"][rows].tolist()
        return [
            self._happening(row, kind)
            for row, kind in zip(rows.tolist(), kinds, strict=True)
            if kind != _TRANSFER
        ]

    def _happening(self, row: int, kind: int) -> Happening:
        truth_ids, pred_ids = self._ids
        pred = self._events["pred"]
        return Happening(
            EVENT_KINDS[kind],
            None if kind == _FALSE_POSITIVE else truth_ids[int(self._events["truth"][row])],
            None if kind == _MISS else pred_ids[int(pred[row])],
            float(self._events["similarity"][row]) if kind <= _SWITCH else 0.0,
            self._classes[int(self._events["label"][row])],
            pred_ids[int(pred[self._before[row]])] if kind == _SWITCH else None,
        )
