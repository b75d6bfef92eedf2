"""Text of tracks as MOTChallenge has it: a line an object in a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, SchemaError, SnellenError
from snellen.readers.message_text import few, printable
from snellen.readers.sources import source_name
from snellen.readers.track_text_ahead import TextRequest, read_text
from snellen.state import Keys
from snellen.tracking.shapes import Boxes2D
from snellen.tracking.tracks import SEQUENCE, Tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from snellen import _core
    from snellen.readers.sources import Source
    from snellen.readers.track_text_ahead import TextsAhead

__all__ = ["TextTracks", "mot_tracks", "read_track_columns"]

_COLUMNS = ("frame", "id", "left", "top", "width", "height", "column 7", "class", "visibility")


class TextTracks(NamedTuple):
    """The columns of a text of tracks, ordered by frame; in a frame, rows are as in the text.

    Attributes
    ----------
    frame : ndarray, shape (n,), int64
        The number of each row's frame.
    track : ndarray, shape (n,), int64
        The id of the object.
    xywh : ndarray, shape (n, 4), float64
        Left, top, width, height.
    mark : ndarray, shape (n,), float64, or None
        The seventh column: whether a row of truth counts, how sure a prediction is.
    class_id : ndarray, shape (n,), int64, or None
        The eighth column, without its fraction.
    visibility : ndarray, shape (n,), float64, or None
        The ninth column of truth.
    n_columns : int
        How many columns the text has; 0 where it has no rows.
    is_truth : bool
        Whether it was read as truth.
    place : str
        The file, for messages.
    """

    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    xywh: NDArray[np.float64]
    mark: NDArray[np.float64] | None
    class_id: NDArray[np.int64] | None
    visibility: NDArray[np.float64] | None
    n_columns: int
    is_truth: bool
    place: str

    def row_place(self, row: int) -> str:
        """Return where a row stands, for messages: ``gt.txt frame 3 id 7``."""
        return f"{self.place} frame {self.frame[row]} id {self.track[row]}"


def read_track_columns(
    source: Source,
    *,
    is_truth: bool,
    first_frame: int = 1,
    n_frames: int | None = None,
    region_classes: Collection[int] = (),
    ahead: TextsAhead | None = None,
) -> TextTracks:
    """Read a text whose lines are ``frame, id, left, top, width, height[, mark[, class[, …]]]``.

    Parameters
    ----------
    source : path, or (path of a zip archive, member)
        The text, gzipped where its name ends in ``.gz``. Cells are separated by commas,
        semicolons, tabs or any number of blanks; the first line says which.
    is_truth : bool
        Whether the seventh column is a flag and the ninth a visibility.
    first_frame : int
        The number of the first frame.
    n_frames : int, optional
        How many frames there are; later ones are refused.
    region_classes : collection of int
        Classes of areas and not of objects, whose ids may repeat.
    ahead : TextsAhead, optional
        What may have read it already.

    Raises
    ------
    SchemaError, IdError, InputError
        For text that cannot be read; the message ends with file and line.
    """
    place = source_name(source)
    request = TextRequest(source, is_truth, first_frame, n_frames, tuple(region_classes))
    found = None if ahead is None else ahead.take(request)
    text, fine = found or read_text(request)
    if not fine:
        raise _error(text, place, first_frame, n_frames)
    n_repeats, frame, track, earlier, line = text.repeats()
    if n_repeats:
        others = n_repeats - 1
        more = f", and {others:,} more such row{'' if others == 1 else 's'}" if others else ""
        remedy = (
            "are these detections that were not tracked?"
            if track < 0
            else "give each object of a frame an id of its own"
        )
        raise IdError(
            f"expected each id once a frame, got {track} twice in frame {frame} (lines "
            f"{earlier:,} and {line:,}){more}: {remedy}",
            f"{place} line {line}",
        )
    return TextTracks(
        text.frame(),
        text.track(),
        text.xywh(),
        text.mark(),
        text.label(),
        text.visibility(),
        text.n_columns,
        is_truth,
        place,
    )


def _error(
    text: _core.TrackText, place: str, first_frame: int, n_frames: int | None
) -> SnellenError:
    """Return what is wrong with the line that could not be read."""
    what, line, column, n_columns, raw = text.fault()
    where = f"{place} line {line}"
    cell = printable(raw.decode("utf-8", "replace"), 60)
    name = _COLUMNS[column - 1] if column else ""
    if what == "encoding":
        return SchemaError("expected UTF-8 text, got UTF-16: save the file as UTF-8", place)
    if what == "long line":
        return SchemaError(
            "expected a line of numbers, got one of more than 1 MiB: is this a text file?", where
        )
    if what == "columns":
        return SchemaError(_columns_message(n_columns, text.n_columns), where)
    if what == "not a number":
        if not cell:
            return SchemaError(f"expected a number as {name} (column {column}), got nothing", where)
        remedy = ": such a file has no line of names" if line == 1 and column == 1 else ""
        return SchemaError(
            f'expected a number as {name} (column {column}), got "{cell}"{remedy}', where
        )
    if what == "not finite":
        return InputError(f"expected a finite number as {name}, got {cell}", where)
    if what == "negative size":
        return InputError(
            f"expected a {name} of at least 0, got {cell}: boxes are left, top, width, height",
            where,
        )
    if what == "not whole":
        return InputError(f"expected a whole number as {name}, got {cell}", where)
    if what == "too wide":
        return IdError(
            f"expected a whole number of 64 bits (with a fraction or exponent, below 2^53) as "
            f"{name}, got {cell}",
            where,
        )
    remedy = ""
    if what == "frame too early":
        if first_frame == 1 and float(cell) == 0:
            remedy = ": where frames are counted from 0, say first_frame=0"
        return InputError(f"expected frames from {first_frame} on, got {cell}{remedy}", where)
    return InputError(
        f"expected frames from {first_frame} to {first_frame + (n_frames or 0) - 1}, as the "
        f"sequence has {n_frames:,}, got {cell}: is this file of another sequence?",
        where,
    )


def _columns_message(n: int, n_first: int) -> str:
    got = f"{n} column{'' if n == 1 else 's'}"
    if n == n_first:
        return (
            f"expected at least 6 columns ({', '.join(_COLUMNS[:6])}), separated by commas, "
            f"semicolons, tabs or blanks, got {got}"
        )
    cut = ": was the file cut off?" if n < n_first else ""
    return f"expected {n_first} columns, as in the first line, got {got}{cut}"


def mot_tracks(
    columns: TextTracks,
    sequence: str,
    *,
    classes: Mapping[int, str] | None = None,
    default_class: int | None = None,
    region_classes: Collection[int] = (),
    n_frames: int | None = None,
    fractional_flags: bool = False,
) -> Tracks:
    """Return the columns of a text as tracks of a sequence.

    Parameters
    ----------
    columns : TextTracks
        What `read_track_columns` returns.
    sequence : str
        The id of the sequence.
    classes : mapping of int to str, optional
        The names of all class ids. Without it the column of classes means nothing: all objects are
        of one class.
    default_class : int, optional
        The class of rows of a text that has no column of classes, and of predictions whose class
        is less than 1 and not listed.
    region_classes : collection of int
        Classes of areas to be ignored.
    n_frames : int, optional
        How many frames the sequence has.
    fractional_flags : bool
        Whether a truth object with a flag between 0 and 1 counts; TrackEval cuts it to 0.

    Raises
    ------
    ClassError
        For class ids that are not listed; the first is named with its frame and id.
    """
    known, label = _labels(columns, classes, default_class)
    region = None
    if region_classes and columns.class_id is not None:
        region = np.isin(columns.class_id, list(region_classes)).astype(np.uint8)
    counted = score = None
    if columns.is_truth:
        if columns.mark is not None:
            least = np.nextafter(0, 1) if fractional_flags else 1
            counted = (np.abs(columns.mark) >= least).astype(np.uint8)
    else:
        score = columns.mark
    corners = columns.xywh.copy()
    corners[:, 2:] += corners[:, :2]
    return Tracks(
        sequence=np.zeros(len(columns.frame), np.int32),
        frame=columns.frame,
        track=columns.track,
        label=label,
        shape=Boxes2D(corners),
        sequences=Keys([sequence], SEQUENCE),
        classes=known,
        n_frames=np.array([-1 if n_frames is None else n_frames], np.int64),
        seen=np.zeros((0, 2), np.int64),
        score=score,
        counted=counted,
        region=region,
        extra={} if columns.visibility is None else {"visibility": columns.visibility},
        labelled=classes is not None,
    )


def _labels(
    columns: TextTracks, classes: Mapping[int, str] | None, default_class: int | None
) -> tuple[Classes, NDArray[np.int32]]:
    n = len(columns.frame)
    if classes is None:
        return Classes([1], ["object"]), np.zeros(n, np.int32)
    known = Classes.of(classes)
    default = -1 if default_class is None else int(known.keys.codes([default_class])[0])
    if columns.class_id is None:
        if n and default < 0:
            raise ClassError(
                f"expected a class in column 8, got {columns.n_columns} columns", columns.place
            )
        return known, np.full(n, default, np.int32)
    label = known.keys.codes(columns.class_id)
    if not columns.is_truth and default >= 0:
        label[(label < 0) & (columns.class_id < 1)] = default
    if (label < 0).any():
        unknown = Keys(columns.class_id[label < 0], "class id").ids.tolist()
        row = int(np.argmax(label < 0))
        listed = few((f"{i} {name}".strip() for i, name in classes.items()), 8)
        raise ClassError(
            f"expected classes that are listed ({listed}), got others: {few(unknown)}",
            columns.row_place(row),
        )
    return known, label
