"""The formats of tracks: what a file is written in, and how one side of a sequence is read."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.image_files import IMAGES, ending
from snellen.readers.sources import opened, source_bytes, source_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snellen.readers.sources import Source
    from snellen.readers.track_text import TextTracks
    from snellen.readers.track_text_ahead import TextsAhead
    from snellen.tracking.protocols import TrackingProtocol
    from snellen.tracking.tracks import Tracks

__all__ = [
    "FORMATS",
    "FORMAT_OF",
    "FROM_ZERO",
    "SUFFIXES",
    "SideRead",
    "classes_of_format",
    "content_format",
    "document_of",
    "explained",
    "read_side",
]

FORMATS: Final = (
    "mot",
    "kitti",
    "mots",
    "kitti-mots",
    "visdrone",
    "bdd100k",
    "coco",
    "davis",
    "table",
)
"""What files can be written in; see docs/reference/tracking-files.md."""

FORMAT_OF: Final = {
    "kitti": "kitti",
    "mots": "mots",
    "kitti-mots": "kitti-mots",
    "bdd100k": "bdd100k",
    "visdrone": "visdrone",
    "tao": "coco",
    "davis": "davis",
}
"""The format of a protocol's files where it is not MOT text."""

SUFFIXES: Final = {
    "bdd100k": (".json",),
    "coco": (".json",),
    "table": (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".npz"),
}
"""How names of files end; those of the other formats in .txt."""

FROM_ZERO: Final = ("kitti", "kitti-mots", "bdd100k", "davis")
"""The formats whose first frame has number 0."""

_CALLED: Final = {
    "mot": "MOT text",
    "kitti": "KITTI tracking text",
    "mots": "MOTS text",
    "kitti-mots": "KITTI MOTS text",
    "visdrone": "VisDrone text",
    "bdd100k": "BDD100K JSON",
    "coco": "COCO video JSON",
    "davis": "a label image",
    "table": "a table whose columns have names",
}
# PersonPath22's crowds.
_CROWD: Final = 13
# The fewest of MOT text.
_MOT_COLUMNS: Final = 6
# So many lines say what a text is.
_LINES: Final = 50


class SideRead(NamedTuple):
    """One side of a sequence, or of several that are in one file.

    Attributes
    ----------
    tracks : Tracks
        Its rows.
    notes : tuple of str
        What was taken for what, for people.
    n_fractions : int
        How many flags of truth are neither 0 nor 1, but between.
    looks_like : {"", "truth", "predictions"}
        What columns that truth and predictions use differently say it is.
    """

    tracks: Tracks
    notes: tuple[str, ...] = ()
    n_fractions: int = 0
    looks_like: str = ""


# ---- What a file is ------------------------------------------------------------------------------


def content_format(source: Source) -> str | None:
    """Return what a file is written in, as far as its name and beginning say.

    Returns
    -------
    str or None
        One of `FORMATS`, or ``"binary"`` for what is no text; None where nothing is known.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    name = source_name(source).lower().removesuffix(".gz")
    if ending(name) in IMAGES:
        return "davis"
    if name.endswith((".parquet", ".jsonl", ".npz")):
        return "table"
    with opened(source) as file:
        document = file.read(1 << 16)
    if b"\0" in document and not document.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "binary"
    head = document.decode("utf-8-sig", "replace").lstrip()
    if not head:
        return None
    if name.endswith(".json") or head[0] in "[{":
        return _json_format(head)
    return _text_format(head.splitlines()[:_LINES])


def _text_format(lines: list[str]) -> str | None:
    """Return what lines of text are."""
    first = lines[0].strip()
    cells = [cell.strip() for cell in first.replace(";", ",").replace("\t", ",").split(",")]
    words = first.split()
    if len(words) >= 17 and not _is_number(words[2]):
        return "kitti"
    of_all = [each for line in lines if (each := line.split())]
    has_six = all(
        len(each) == 6 and all(map(_is_number, each[:5])) for each in of_all[:-1] or of_all
    )
    # A mask of few runs may be a number; not every one is.
    if has_six and not all(_is_number(each[-1]) for each in of_all):
        return "kitti-mots" if words[0] == "0" else "mots"
    if len(cells) > 1:
        return "mot" if _is_number(cells[0]) else "table"
    # Of blanks only what is all numbers: a mask may have lost its last cell.
    return "mot" if len(words) >= _MOT_COLUMNS and all(map(_is_number, words)) else None


def _json_format(head: str) -> str:
    """Return what JSON is: frames of BDD100K with labels, else videos."""
    if head.startswith("["):
        return "bdd100k" if '"labels"' in head or '"videoName"' in head else "coco"
    is_videos = any(f'"{key}"' in head for key in ("annotations", "videos", "images"))
    return "bdd100k" if '"frames"' in head and not is_videos else "coco"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def classes_of_format(written: str, protocol: TrackingProtocol) -> tuple[str, ...] | None:
    """Return the classes that files of a format can have; None where the files say it."""
    if not protocol.by_class:
        return protocol.classes
    if written == "kitti":
        from snellen.readers.track_kitti import KITTI_CLASSES

        return tuple(name for name in KITTI_CLASSES.names if name != "dontcare")
    if written == "visdrone":
        from snellen.readers.track_visdrone import VISDRONE_CLASSES

        return VISDRONE_CLASSES.names[1:-1]
    if written == "bdd100k":
        from snellen.readers.track_bdd import BDD_EVALUATED

        return BDD_EVALUATED
    if written in ("mots", "kitti-mots"):
        return ("car", "pedestrian")
    return tuple(protocol.class_names.values()) or None


class _Asked(NamedTuple):
    """What is asked for; see `read_side`."""

    protocol: TrackingProtocol
    source: Source
    is_truth: bool
    sequence: str | None
    n_frames: int | None
    ahead: TextsAhead | None


# ---- One side ------------------------------------------------------------------------------------


def read_side(
    written: str,
    protocol: TrackingProtocol,
    source: Source,
    *,
    is_truth: bool,
    sequence: str | None,
    n_frames: int | None,
    ahead: TextsAhead | None = None,
) -> SideRead:
    """Read truth, or predictions, of what is in one file.

    Parameters
    ----------
    written : str
        The format; those of which both sides must be read together (``"coco"``, ``"davis"``)
        aside.
    protocol : TrackingProtocol
        The rules, which say what columns mean.
    source : path, or (path of a zip archive, member)
        The file.
    is_truth : bool
        Which side it is.
    sequence : str or None
        What the sequence is called where the file does not say it.
    n_frames : int or None
        Its length, where it is known.
    ahead : TextsAhead, optional
        What may have read the file already, of MOT text.

    Raises
    ------
    SnellenError
        Whose message ends with the place: file, and line or record.
    """
    try:
        return _READERS[written](_Asked(protocol, source, is_truth, sequence, n_frames, ahead))
    except (IdError, ClassError):
        raise  # it was read
    except InputError as error:
        raise explained(error, written, protocol, source) from error


def explained(
    error: InputError, written: str, protocol: TrackingProtocol, source: Source
) -> InputError:
    """Return what to say of a file that could not be read: that it is another one, if it is."""
    other = content_format(source)
    if other == "binary":
        return type(error)(f"{error.message}: is this a text file?", error.place)
    looks = {"visdrone": "mot", "kitti-mots": "mots"}
    if other is None or looks.get(other, other) == looks.get(written, written):
        return error
    if other in FORMAT_OF:
        remedy = f'protocol="{other}"'
    elif other == "table" or protocol.name == "plain":
        remedy = f'format="{other}"'
    else:
        remedy = 'protocol="plain", or that of its data set'
    return SchemaError(
        f"expected {_CALLED[written]}, got what looks like {_CALLED[other]}: is it that? Say "
        f"{remedy}",
        source_name(source),
    )


def _read_mot(asked: _Asked) -> SideRead:
    from snellen.readers.track_text import mot_tracks, read_track_columns

    protocol, source, is_truth, sequence, n_frames, ahead = asked
    crowd = (_CROWD,) if protocol.name == "personpath22" and is_truth else ()
    columns = read_track_columns(
        source,
        is_truth=is_truth,
        first_frame=protocol.first_frame,
        n_frames=n_frames,
        region_classes=crowd,
        ahead=ahead,
    )
    names = _class_names(columns, protocol)
    tracks = mot_tracks(
        columns,
        sequence or "",
        classes=names,
        default_class=1 if names and 1 in names else None,
        region_classes=crowd,
        n_frames=n_frames,
        fractional_flags=protocol.fractional_flags,
    )
    if protocol.name == "ht21" and is_truth:
        from snellen.readers.track_personpath import head_tracking_meaning

        label = np.zeros(len(tracks), np.int64) if columns.class_id is None else columns.class_id
        mark = np.ones(len(tracks)) if columns.mark is None else columns.mark
        meaning = head_tracking_meaning(mark, label, columns.visibility, source_name(source))
        tracks = dataclasses.replace(tracks, counted=meaning.counted, extra=meaning.extra)
    fractions = 0
    if is_truth and columns.mark is not None:
        fractions = int(np.count_nonzero((columns.mark > 0) & (columns.mark < 1)))
    return SideRead(tracks, n_fractions=fractions, looks_like=_looks_like(columns))


def _class_names(columns: TextTracks, protocol: TrackingProtocol) -> dict[int, str] | None:
    """Return what the classes of a text are called; None where its rows are of one class.

    Raises
    ------
    InputError
        Where classes are missing, or are not the protocol's.
    """
    class_id = columns.class_id
    if protocol.class_names:
        if columns.is_truth:
            _check_truth_classes(columns, protocol)
            return dict(protocol.class_names)
        if class_id is not None and (class_id > 1).any():
            row = int(np.argmax(class_id > 1))
            raise InputError(
                f"expected predictions of class 1, {protocol.classes[0]}, or -1, got class "
                f"{class_id[row]}: {protocol.name} has no other; of other data say "
                'protocol="plain"',
                columns.row_place(row),
            )
        return None
    if protocol.name != "plain" or not protocol.classes:
        return None
    if class_id is None or not len(class_id):
        if columns.is_truth and len(columns.frame):
            raise ClassError(
                f"expected a class in column 8 of truth, to evaluate {', '.join(protocol.classes)},"
                f" got {columns.n_columns} columns",
                columns.place,
            )
        return None
    if not columns.is_truth and (class_id < 0).all():
        return None
    return {number: str(number) for number in _distinct(class_id)}


def _check_truth_classes(columns: TextTracks, protocol: TrackingProtocol) -> None:
    if not len(columns.frame):
        return
    class_id = columns.class_id
    got = None
    if class_id is None:
        got = f"{columns.n_columns} columns"
    elif (class_id < 0).all():
        got = "-1 in every row"
    if got is not None:
        raise InputError(
            f"expected a class in column 8, as truth of {protocol.name} has, got {got}: are truth "
            'and predictions swapped? Of other data say protocol="plain"',
            columns.place,
        )


def _distinct(numbers: NDArray[np.int64]) -> list[int]:
    ordered = np.sort(numbers)
    distinct: list[int] = ordered[np.append(True, ordered[1:] != ordered[:-1])].tolist()
    return distinct


def _looks_like(columns: TextTracks) -> str:
    """Return which side the columns 7 and 8 are of, where they say so."""
    if columns.mark is None or not len(columns.mark):
        return ""
    has_class = columns.class_id is not None and bool((columns.class_id > 0).all())
    if has_class and bool(((columns.mark == 0) | (columns.mark == 1)).all()):
        return "truth"
    has_scores = bool(((columns.mark != np.floor(columns.mark)) | (columns.mark > 1)).any())
    is_unclassed = columns.class_id is None or bool((columns.class_id < 0).all())
    return "predictions" if is_unclassed and has_scores else ""


def _read_kitti(asked: _Asked) -> SideRead:
    from snellen.readers.track_kitti import read_kitti_tracks

    in_space = asked.protocol.similarity in ("iou_3d", "distance_3d")
    return SideRead(
        read_kitti_tracks(
            source_name(asked.source),
            truth=asked.is_truth,
            boxes="space" if in_space else "image",
            sequence=asked.sequence,
            n_frames=asked.n_frames,
            document=document_of(asked.source),
        )
    )


def _read_mots(asked: _Asked) -> SideRead:
    from snellen.readers.track_mots import decode_mots

    return SideRead(
        decode_mots(
            source_bytes(asked.source),
            source_name(asked.source),
            side="truth" if asked.is_truth else "pred",
            layout="kitti-mots" if asked.protocol.first_frame == 0 else "mots20",
            sequence=asked.sequence or "",
            n_frames=asked.n_frames,
        )
    )


def _read_visdrone(asked: _Asked) -> SideRead:
    from snellen.readers.track_visdrone import read_visdrone_tracks

    return SideRead(
        read_visdrone_tracks(
            source_name(asked.source),
            truth=asked.is_truth,
            sequence=asked.sequence,
            n_frames=asked.n_frames,
            document=document_of(asked.source),
        )
    )


def _read_bdd(asked: _Asked) -> SideRead:
    from snellen.readers.track_bdd import read_bdd_tracks

    return SideRead(
        read_bdd_tracks(
            source_name(asked.source),
            truth=asked.is_truth,
            sequence=asked.sequence,
            document=document_of(asked.source),
        )
    )


def _read_table(asked: _Asked) -> SideRead:
    from snellen.readers.track_table import read_track_table

    protocol, source, is_truth, sequence, n_frames, _ = asked
    if isinstance(source, tuple):
        raise InputError("expected a table as a file: unpack the archive", source_name(source))
    numbers: Mapping[int, str] | None = protocol.class_names
    if protocol.by_class and not numbers:
        numbers = None  # any class may be called by a number
    crowd = protocol.name == "personpath22" and is_truth
    # A length is that of one sequence; a table may hold several.
    found = read_track_table(
        os.fspath(source),
        truth=is_truth,
        sequence=sequence,
        class_numbers=numbers,
        default_class=None if protocol.by_class or not numbers else min(numbers),
        region_classes=(protocol.class_names[_CROWD],) if crowd else (),
    )
    tracks = found.tracks
    if n_frames is not None and len(tracks.sequences) == 1:
        tracks = dataclasses.replace(tracks, n_frames=np.full(1, n_frames, np.int64))
    return SideRead(tracks, found.notes)


_READERS: Final[dict[str, Callable[[_Asked], SideRead]]] = {
    "mot": _read_mot,
    "kitti": _read_kitti,
    "mots": _read_mots,
    "kitti-mots": _read_mots,
    "visdrone": _read_visdrone,
    "bdd100k": _read_bdd,
    "table": _read_table,
}


def document_of(source: Source) -> bytes | None:
    """Return what a member of an archive holds; None for a file, which is read by its name."""
    return source_bytes(source) if isinstance(source, tuple) else None
