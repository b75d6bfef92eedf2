"""Objects that are followed over the frames of videos, as columns, one row an object in a frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_finite, to_flags, to_numpy
from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, ShapeError, first_few
from snellen.state import Keys, id_array
from snellen.tracking.shapes import Boxes2D, Boxes3D, Points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.tracking.shapes import Shapes

__all__ = ["Tracks", "refuse_repeated_ids"]

SEQUENCE = "sequence id"
UNNAMED = Keys([0], SEQUENCE)
"""The sequence of objects of which none was named."""

UNLABELLED = "object"
"""The class of objects that have none."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Tracks:
    """Truth or predicted objects in the frames of one or several sequences.

    Made by `from_xyxy`, `from_xywh`, `from_cxcywh`, `from_points`, `from_boxes_3d`, `from_masks`,
    or a reader; all of them check what they are given. The plain constructor checks nothing: rows
    must be ordered by sequence, then frame.

    Attributes
    ----------
    sequence : ndarray, shape (n,), int32
        Positions in `sequences`.
    frame : ndarray, shape (n,), int64
        Numbers of frames; 0 throughout where `numbered` is false.
    track : ndarray, shape (n,), int64
        The id of the object that is followed; a position in `track_names` where that is given.
    label : ndarray, shape (n,), int32
        Positions in `classes`.
    shape : Shapes
        Where the objects are: `Boxes2D`, `Points`, `Boxes3D` or `RleMasks`.
    sequences : Keys
        The ids of all sequences that were looked at.
    classes : Classes
        Ids and names.
    n_frames : ndarray, shape (S,), int64
        How many frames each sequence has; -1 where that is not known.
    seen : ndarray, shape (m, 2), int64
        Sequence (position) and number of frames that were looked at, whether they have objects or
        not; frames with objects need not be among them.
    score : ndarray, shape (n,), float64, or None
        Confidence; None where there is none.
    counted : ndarray, shape (n,), uint8, or None
        0 for a truth object that is not to be counted, such as one that MOTChallenge marks with 0.
    region : ndarray, shape (n,), uint8, or None
        1 for an area to be ignored, which is no object.
    extra : mapping of str to ndarray, each (n,), float64
        What else rows have: ``occlusion``, ``truncation``, ``visibility``.
    track_names : tuple of str, or None
        The ids where they are texts, in ascending order.
    numbered : bool
        Whether frames have numbers; else all rows are one frame.
    named : bool
        Whether sequences have ids; else there is one, called 0.
    labelled : bool
        Whether objects have classes; else all are of one.
    """

    sequence: NDArray[np.int32]
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    label: NDArray[np.int32]
    shape: Shapes
    sequences: Keys
    classes: Classes
    n_frames: NDArray[np.int64]
    seen: NDArray[np.int64]
    score: NDArray[np.float64] | None = None
    counted: NDArray[np.uint8] | None = None
    region: NDArray[np.uint8] | None = None
    extra: Mapping[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)
    track_names: tuple[str, ...] | None = None
    numbered: bool = True
    named: bool = True
    labelled: bool = True

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Tracks:
        """Return some rows in their order, by a mask or a slice; sequences and classes stay."""
        names = ("sequence", "frame", "track", "label", "shape", "score", "counted", "region")
        taken: dict[str, Any] = {
            name: None if (column := getattr(self, name)) is None else column[rows]
            for name in names
        }
        extra = {name: column[rows] for name, column in self.extra.items()}
        return dataclasses.replace(self, **taken, extra=extra)

    def __repr__(self) -> str:
        return (
            f"Tracks({len(self)} {self.shape.kind}, {len(self.sequences)} sequences, "
            f"{len(self.classes)} classes)"
        )

    @classmethod
    def from_xyxy(
        cls,
        box: ArrayLike,
        *,
        track_id: ArrayLike,
        frame: ArrayLike | None = None,
        sequence: ArrayLike | None = None,
        label: ArrayLike | None = None,
        score: ArrayLike | None = None,
        counted: ArrayLike | None = None,
        region: ArrayLike | None = None,
        extra: Mapping[str, ArrayLike] | None = None,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        n_frames: int | Mapping[Any, int] | None = None,
        frames: ArrayLike | None = None,
    ) -> Tracks:
        """Make tracks from boxes given by left, top, right, bottom.

        Parameters
        ----------
        box : array-like, shape (n, 4)
            Boxes in pixels; right and bottom at least left and top.
        track_id : array-like, shape (n,)
            The id of the object that each box belongs to: whole numbers or texts, each once a
            frame.
        frame : array-like, shape (n,), or int, optional
            The number of each box's frame; a single number is that of all, and of the frame that
            was looked at where there are no boxes. Without it all boxes are of one frame, which a
            metric numbers as the next.
        sequence : array-like, shape (n,), or int or str, optional
            The id of each box's sequence, or one for all.
        label : array-like, shape (n,), or int or str, optional
            The class of each object. Without it all are of one class.
        score : array-like, shape (n,), optional
            Confidence, for predictions.
        counted : array-like, shape (n,), optional
            0 for truth that is not to be counted.
        region : array-like, shape (n,), optional
            Non-zero for an area to be ignored; its track id means nothing.
        extra : mapping of str to array-like of shape (n,), optional
            What some protocols ask for: ``occlusion``, ``truncation``, ``visibility``.
        classes : mapping of id to name, or sequence of names, optional
            All classes; those of `label` where not given.
        n_frames : int, or mapping of sequence id to int, optional
            How many frames sequences have. What is given with it is whole: a metric takes no more
            frames of these sequences.
        frames : array-like of int, optional
            Frames of a single sequence that were looked at, with objects or without.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            For lengths that differ, ids that repeat within a frame, classes that are not listed,
            values that are not finite, negative sizes.
        """
        corners = np.array(to_finite(box, "box", width=4))  # the caller may use theirs again
        negative = corners[:, 2:] < corners[:, :2]
        if negative.any():
            row = int(np.argmax(negative.any(axis=1)))
            raise InputError(
                "expected right and bottom of at least left and top, "
                f"got {corners[row].tolist()}: of widths and heights use from_xywh",
                f"box[{row}]",
            )
        return cls._checked(
            Boxes2D(corners),
            "box",
            track_id=track_id,
            frame=frame,
            sequence=sequence,
            label=label,
            score=score,
            counted=counted,
            region=region,
            extra=extra,
            classes=classes,
            n_frames=n_frames,
            frames=frames,
        )

    @classmethod
    def from_xywh(cls, box: ArrayLike, **columns: Any) -> Tracks:
        """Make tracks from left, top, width, height; the columns are those of `from_xyxy`."""
        rows = to_finite(box, "box", width=4)
        negative = rows[:, 2:] < 0
        if negative.any():
            row = int(np.argmax(negative.any(axis=1)))
            raise InputError(
                "expected a width and height of at least 0, "
                f"got {rows[row, 2]:g} and {rows[row, 3]:g}",
                f"box[{row}]",
            )
        return cls.from_xyxy(
            np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1), **columns
        )

    @classmethod
    def from_cxcywh(cls, box: ArrayLike, **columns: Any) -> Tracks:
        """Make tracks from centre, width, height; the columns are those of `from_xyxy`."""
        rows = to_finite(box, "box", width=4)
        return cls.from_xywh(
            np.concatenate([rows[:, :2] - rows[:, 2:] / 2, rows[:, 2:]], axis=1), **columns
        )

    @classmethod
    def from_points(cls, point: ArrayLike, **columns: Any) -> Tracks:
        """Make tracks from points, (n, 2) or (n, 3); the columns are those of `from_xyxy`."""
        width = np.shape(to_numpy(point, "point"))[-1:]
        if width not in ((2,), (3,), (0,)):
            raise ShapeError(
                f"expected points of 2 or 3 coordinates, got {width[0] if width else 'a number'}",
                "point",
            )
        return cls._checked(
            Points(np.array(to_finite(point, "point", width=width[0] or 2))), "point", **columns
        )

    @classmethod
    def from_boxes_3d(cls, box: ArrayLike, **columns: Any) -> Tracks:
        """Make tracks from boxes in space, (n, 7), see `Boxes3D`; else as `from_xyxy`."""
        rows = np.array(to_finite(box, "box", width=7))
        negative = rows[:, 3:6] < 0
        if negative.any():
            row = int(np.argmax(negative.any(axis=1)))
            raise InputError(
                f"expected length, width and height of at least 0, got {rows[row, 3:6].tolist()}",
                f"box[{row}]",
            )
        return cls._checked(Boxes3D(rows), "box", **columns)

    @classmethod
    def from_masks(cls, mask: Any, **columns: Any) -> Tracks:
        """Make tracks from masks.

        Parameters
        ----------
        mask : RleMasks, sequence of COCO RLE mappings, or array-like of shape (n, H, W)
            A mask for each object.
        **columns
            Those of `from_xyxy`.
        """
        from snellen.rle_masks import RleMasks

        return cls._checked(RleMasks.of(mask), "mask", **columns)

    @classmethod
    def _checked(
        cls,
        shape: Shapes,
        what: str,
        *,
        track_id: ArrayLike,
        frame: ArrayLike | None = None,
        sequence: ArrayLike | None = None,
        label: ArrayLike | None = None,
        score: ArrayLike | None = None,
        counted: ArrayLike | None = None,
        region: ArrayLike | None = None,
        extra: Mapping[str, ArrayLike] | None = None,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        n_frames: int | Mapping[Any, int] | None = None,
        frames: ArrayLike | None = None,
    ) -> Tracks:
        n = len(shape)
        track, track_names = _track_ids(track_id)
        frame_of = np.zeros(n, np.int64) if frame is None else _whole(frame, n, "frame")
        sequences, sequence_of = _sequences(sequence, n)
        known, label_of = _labels(label, classes, n)
        columns: dict[str, NDArray[Any] | None] = {
            "score": None if score is None else to_finite(score, "score"),
            "counted": None if counted is None else to_flags(counted, "counted"),
            "region": None if region is None else to_flags(region, "region"),
        }
        more = {name: to_finite(column, name) for name, column in (extra or {}).items()}
        row_columns: dict[str, NDArray[Any] | None] = {
            "track_id": track,
            "frame": frame_of,
            "sequence": sequence_of,
            "label": label_of,
            **columns,
            **more,
        }
        for name, column in row_columns.items():
            if column is not None and len(column) != n:
                raise ShapeError(f"expected {n} values, one a {what}, got {len(column)}", name)
        if frame is None and frames is not None:
            raise InputError("expected numbers of frames with the rows too", "frame")
        if n and frame_of.min() < 0:
            row = int(frame_of.argmin())
            raise InputError(
                f"expected numbers of frames of at least 0, got {frame_of[row]}", f"frame[{row}]"
            )
        order = _row_order(sequence_of, frame_of)
        tracks = cls(
            sequence_of,
            frame_of,
            track,
            label_of,
            shape,
            sequences,
            known,
            _lengths(n_frames, sequences),
            _seen(frame, frames, sequences),
            extra=more,
            track_names=track_names,
            numbered=frame is not None,
            named=sequence is not None,
            labelled=label is not None or classes is not None,
            **columns,
        )
        if order is not None:
            tracks = tracks[order]
        refuse_repeated_ids(tracks)
        return tracks

    def of_sequence(self, code: int) -> Tracks:
        """Return the rows and frames of one sequence, by its position."""
        if len(self.sequences) == 1:
            return self
        first, last = np.searchsorted(self.sequence, [code, code + 1]).tolist()
        return dataclasses.replace(self[first:last], seen=self.seen[self.seen[:, 0] == code])

    def track_name(self, track: int) -> int | str:
        """Return the id of an object as it was given."""
        return track if self.track_names is None else self.track_names[track]


def refuse_repeated_ids(tracks: Tracks) -> None:
    """Refuse an id that comes twice in a frame, areas to be ignored aside.

    Raises
    ------
    IdError
        Naming id, frame and sequence of the first, and how many there are.
    """
    rows = np.flatnonzero(tracks.region == 0) if tracks.region is not None else slice(None)
    sequence, frame, track = tracks.sequence[rows], tracks.frame[rows], tracks.track[rows]
    order = np.lexsort((track, frame, sequence))
    same = np.ones(max(0, len(order) - 1), np.bool_)
    for column in (sequence, frame, track):
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    if not same.any():
        return
    again = order[1:][same]
    row = int(again.min())
    of_sequence = f" of sequence {tracks.sequences.ids[sequence[row]]}" if tracks.named else ""
    in_frame = f"frame {frame[row]}{of_sequence}" if tracks.numbered else f"one frame{of_sequence}"
    others = f"; {len(again) - 1:,} more repeat" if len(again) > 1 else ""
    raise IdError(
        f"expected each track id once a frame, got {tracks.track_name(int(track[row]))} twice in "
        f"{in_frame}{others}: give each object of a frame an id of its own",
        "track_id",
    )


def _whole(value: ArrayLike, n: int, name: str) -> NDArray[np.int64]:
    """Return whole numbers in one axis; a single one stands for all rows."""
    array = to_numpy(value, name)
    if array.ndim == 0:
        array = np.full(n, array)
    if not array.size:
        return np.zeros(array.shape[0] if array.ndim == 1 else 0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InputError(f"expected whole numbers, got {array.dtype} {array.shape}", name)
    if array.dtype.kind == "f":
        # From 2^53 on not every whole number is a float: what stands there may be another's.
        bad = ~((array == np.floor(array)) & (np.abs(array) < 2**53))
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"expected whole numbers (floats below 2^53), got {array[row]:.17g}",
                f"{name}[{row}]",
            )
    elif array.dtype.kind == "u" and int(array.max()) >= 2**63:
        raise InputError("expected whole numbers below 2^63", name)
    return array.astype(np.int64)


def _track_ids(value: ArrayLike) -> tuple[NDArray[np.int64], tuple[str, ...] | None]:
    array = to_numpy(value, "track_id")
    if array.ndim == 0:
        raise ShapeError("expected a track id for each object, got a single one", "track_id")
    if array.dtype.kind in "UO":
        keys = Keys(id_array(value, "track id"), "track id")
        return keys.codes(value).astype(np.int64), tuple(keys.ids.tolist())
    return _whole(array, len(array), "track_id"), None


def _sequences(value: ArrayLike | None, n: int) -> tuple[Keys, NDArray[np.int32]]:
    if value is None:
        return UNNAMED, np.zeros(n, np.int32)
    if np.ndim(value) == 0:
        return Keys(np.asarray([value]), SEQUENCE), np.zeros(n, np.int32)
    keys = Keys(value, SEQUENCE)
    return keys, keys.codes(value)


def _labels(value: ArrayLike | None, classes: Any, n: int) -> tuple[Classes, NDArray[np.int32]]:
    if value is None:
        known = Classes([1], [UNLABELLED]) if classes is None else Classes.of(classes)
        if len(known) != 1:
            raise ClassError(
                f"expected a label for each object, there are {len(known)} classes", "label"
            )
        return known, np.zeros(n, np.int32)
    given = to_numpy(value, "label")
    if given.ndim == 0:
        given = np.full(n, given)
    elif given.dtype.kind == "f" and (given == np.floor(given)).all():
        given = given.astype(np.int64)
    elif given.dtype.kind in "UO":
        given = id_array(value, "label")
    known = Classes(Keys(given, "class id").ids) if classes is None else Classes.of(classes)
    codes = known.keys.codes(given)
    if (codes < 0).any():
        absent = Keys(given[codes < 0], "class id").ids.tolist()
        raise ClassError(
            f"expected labels of classes, got {len(absent)} others: {first_few(absent)}", "label"
        )
    return known, codes


def _row_order(sequence: NDArray[np.int32], frame: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the stable order by sequence and frame; None where rows have it already."""
    step = np.diff(sequence)
    # Differences of numbers of 64 bits may be beyond them.
    if ((step > 0) | ((step == 0) & (frame[1:] >= frame[:-1]))).all():
        return None
    return np.lexsort((frame, sequence))


def _lengths(n_frames: int | Mapping[Any, int] | None, sequences: Keys) -> NDArray[np.int64]:
    if n_frames is None:
        return np.full(len(sequences), -1, np.int64)
    if isinstance(n_frames, Mapping):
        missing = [name for name in sequences.ids.tolist() if name not in n_frames]
        if missing:
            raise IdError(
                f"expected a length of each sequence, got none of {first_few(missing)}", "n_frames"
            )
        lengths = [n_frames[name] for name in sequences.ids.tolist()]
    else:
        lengths = [n_frames] * len(sequences)
    for length in lengths:
        if isinstance(length, bool) or not isinstance(length, (int, np.integer)) or length < 0:
            raise InputError(
                f"expected a number of frames of at least 0, got {length!r}", "n_frames"
            )
    return np.asarray(lengths, np.int64)


def _seen(frame: ArrayLike | None, frames: ArrayLike | None, sequences: Keys) -> NDArray[np.int64]:
    listed: list[int] = []
    if frame is not None and np.ndim(frame) == 0:
        listed = _whole(frame, 1, "frame").tolist()
    if frames is not None:
        given = to_numpy(frames, "frames")
        listed += _whole(given, len(given), "frames").tolist()
    if not listed:
        return np.zeros((0, 2), np.int64)
    if len(sequences) != 1:
        raise InputError(
            f"expected frames of a single sequence, got {len(sequences)} sequences", "frames"
        )
    if min(listed) < 0:
        raise InputError(
            f"expected numbers of frames of at least 0, got {min(listed)}",
            "frame" if frames is None else "frames",
        )
    return np.array([(0, number) for number in sorted(set(listed))], np.int64)
