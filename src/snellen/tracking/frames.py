"""The frames of one sequence and one class: whose object is where, and which are alike.

This is all that metrics of tracking look at: boxes, masks and points are gone.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import IdError, first_few
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["CodedFrames", "Frames", "Pairs", "Side"]


class Pairs(NamedTuple):
    """Which objects of a frame are alike; what is not listed has similarity 0.

    Attributes
    ----------
    begin : ndarray, shape (n_truth + 1,), int64
        The pairs of truth row i are ``begin[i]`` … ``begin[i + 1] - 1``.
    pred : ndarray, shape (n_pairs,), int32
        The prediction's row, ascending for each truth row.
    similarity : ndarray, shape (n_pairs,), float64
        More than 0.
    """

    begin: NDArray[np.int64]
    pred: NDArray[np.int32]
    similarity: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """The objects of truth, or of predictions, in F frames.

    Attributes
    ----------
    begin : ndarray, shape (F + 1,), int64
        The rows of frame t are ``begin[t]`` … ``begin[t + 1] - 1``.
    track : ndarray, shape (n,), int64 or str
        The id of each row's object.
    centre : ndarray, shape (n, d), float64, or None
        Where it is; None where shapes have no centre.
    """

    begin: NDArray[np.int64]
    track: NDArray[Any]
    centre: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.track)

    def of_frames(self, first: int, last: int) -> Side:
        """Return the rows of frames first … last - 1."""
        low, high = int(self.begin[first]), int(self.begin[last])
        centre = None if self.centre is None else self.centre[low:high]
        return Side(self.begin[first : last + 1] - low, self.track[low:high], centre)

    def filled(self, has_objects: NDArray[np.bool_]) -> Side:
        """Return the rows in frames that have objects, of either side."""
        begin = np.append(self.begin[:-1][has_objects], self.begin[-1])
        if not len(self):
            return Side(begin, np.zeros(0, np.int64), None)
        return Side(begin, self.track, self.centre)

    @classmethod
    def joined(cls, parts: Sequence[Side]) -> Side:
        """Return the frames of all parts, one after the other."""
        filled = [part for part in parts if len(part)]
        # No objects are of no kind: their ids are neither numbers nor texts.
        track = np.concatenate([part.track for part in filled] or [np.zeros(0, np.int64)])
        centres = [part.centre for part in filled if part.centre is not None]
        return cls(
            _joined_begins([part.begin for part in parts]),
            track,
            np.concatenate(centres) if filled and len(centres) == len(filled) else None,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Frames:
    """F frames of one sequence and class, ascending.

    Attributes
    ----------
    number : ndarray, shape (F,), int64
        The number of each frame that was looked at.
    truth, pred : Side
        Their objects.
    pairs : Pairs
        Which of them are alike.
    left_out : tuple of (int, int)
        How many objects of truth and of predictions were left out under the protocol's rules.
    """

    number: NDArray[np.int64]
    truth: Side
    pred: Side
    pairs: Pairs
    left_out: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.number)

    def of_frames(self, first: int, last: int) -> Frames:
        """Return frames first … last - 1."""
        truth, pred = self.truth.begin[[first, last]], self.pred.begin[[first, last]]
        begin = self.pairs.begin[truth[0] : truth[1] + 1]
        low, high = int(begin[0]), int(begin[-1])
        pairs = Pairs(
            begin - low,
            self.pairs.pred[low:high] - np.int32(pred[0]),
            self.pairs.similarity[low:high],
        )
        return Frames(
            self.number[first:last],
            self.truth.of_frames(first, last),
            self.pred.of_frames(first, last),
            pairs,
        )

    def filled(self) -> Frames:
        """Return the frames that have objects; the same in whatever parts they came."""
        has_objects = np.diff(self.truth.begin) + np.diff(self.pred.begin) > 0
        return dataclasses.replace(
            self,
            number=self.number[has_objects],
            truth=self.truth.filled(has_objects),
            pred=self.pred.filled(has_objects),
        )

    @classmethod
    def joined(cls, parts: Sequence[Frames]) -> Frames:
        """Return the frames of all parts, ascending; at least one part.

        Raises
        ------
        IdError
            Where two parts have the same frame.
        """
        if len(parts) == 1:
            return parts[0]
        left_out = (
            sum(part.left_out[0] for part in parts),
            sum(part.left_out[1] for part in parts),
        )
        pieces = sorted((part for part in parts if len(part)), key=lambda part: part.number[0])
        if any(a.number[-1] >= b.number[0] for a, b in itertools.pairwise(pieces)):
            # They interleave: frame by frame.
            pieces = [part.of_frames(t, t + 1) for part in pieces for t in range(len(part))]
            pieces.sort(key=lambda part: part.number[0])
        if not pieces:
            return dataclasses.replace(parts[0], left_out=left_out)
        number = np.concatenate([piece.number for piece in pieces])
        again = number[1:][number[1:] == number[:-1]]
        if len(again):
            raise IdError(
                f"expected each frame once, got {len(again):,} more than once: "
                f"{first_few(again.tolist())}",
                "frame",
            )
        first_pred = np.cumsum([0, *(len(piece.pred) for piece in pieces)])
        pairs = Pairs(
            _joined_begins([piece.pairs.begin for piece in pieces]),
            np.concatenate(
                [
                    piece.pairs.pred + np.int32(first)
                    for piece, first in zip(pieces, first_pred.tolist(), strict=False)
                ]
            ),
            np.concatenate([piece.pairs.similarity for piece in pieces]),
        )
        return cls(
            number,
            Side.joined([piece.truth for piece in pieces]),
            Side.joined([piece.pred for piece in pieces]),
            pairs,
            left_out,
        )

    def coded(self, n_frames: int) -> CodedFrames:
        """Return the frames as kernels count them; -1 for as many frames as were looked at."""
        truth_ids, truth_track = _coded(self.truth.track)
        pred_ids, pred_track = _coded(self.pred.track)
        begins, pairs = (self.truth.begin, self.pred.begin), self.pairs
        for array in (*begins, truth_track, pred_track, *pairs):
            array.setflags(write=False)  # the kernel has checked it, and looks at it from now on
        kernel = _core.TrackPairs(
            *begins,
            truth_track,
            pred_track,
            len(truth_ids),
            len(pred_ids),
            pairs.begin,
            pairs.pred,
            pairs.similarity,
        )
        return CodedFrames(
            self,
            kernel,
            truth_ids,
            pred_ids,
            truth_track,
            pred_track,
            len(self.number) if n_frames < 0 else n_frames,
        )


class CodedFrames(NamedTuple):
    """All frames of one sequence and class, ready to be measured.

    Attributes
    ----------
    frames : Frames
        What they were made of.
    kernel : _core.TrackPairs
        The same for kernels.
    truth_ids, pred_ids : Keys
        The ids of the objects, ascending.
    truth_track, pred_track : ndarray, int32
        The position of each row's object among them.
    n_frames : int
        How many frames the sequence has, with objects and without.
    """

    frames: Frames
    kernel: _core.TrackPairs
    truth_ids: Keys
    pred_ids: Keys
    truth_track: NDArray[np.int32]
    pred_track: NDArray[np.int32]
    n_frames: int


def _joined_begins(begins: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    lengths = [np.diff(begin) for begin in begins]
    return np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)


def _coded(track: NDArray[Any]) -> tuple[Keys, NDArray[np.int32]]:
    """Return the ids that there are, and the position of each row's among them."""
    if track.dtype.kind == "i" and len(track):
        low, high = int(track.min()), int(track.max())
        if high - low < 4 * len(track) + 1024:
            # Ids are small numbers as a rule: a table of them is soon made, and sorts them.
            is_there = np.zeros(high - low + 1, np.bool_)
            is_there[track - low] = True
            ids = np.flatnonzero(is_there) + low
            code = np.cumsum(is_there, dtype=np.int32) - np.int32(1)
            return Keys(ids, "track id"), code[track - low]
    keys = Keys(track, "track id")
    return keys, keys.codes(track)
