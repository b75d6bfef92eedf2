"""Files of truth and of a tracker's results, whatever they are called and however they lie."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.errors import InputError, did_you_mean
from snellen.readers.sources import opened, source_bytes, source_name
from snellen.readers.track_folders import Missing, find_sequences
from snellen.tracking.protocols import protocol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from snellen.readers.sources import Source
    from snellen.tracking.protocols import TrackingProtocol
    from snellen.tracking.tracks import Tracks

__all__ = ["FORMATS", "TrackingFiles", "read_tracking"]

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

# The format of each protocol's files; of those of plain, their content tells.
_FORMAT_OF: Final = {
    "kitti": "kitti",
    "mots": "mots",
    "kitti-mots": "kitti-mots",
    "bdd100k": "bdd100k",
    "visdrone": "visdrone",
    "davis": "davis",
}
_SUFFIXES: Final = {
    "bdd100k": (".json",),
    "coco": (".json",),
    "table": (".csv", ".tsv", ".parquet", ".txt"),
}
_ANY_SUFFIX: Final = (".txt", ".csv", ".tsv", ".parquet", ".json")
_MOST_REPORTED: Final = 5


class _Pair(NamedTuple):
    """What is read together: a sequence, or files that hold several."""

    truth: Source
    pred: Source | None
    sequence: str | None
    n_frames: int | None


@dataclasses.dataclass(frozen=True, eq=False)
class TrackingFiles:
    """Sequences that are read one by one.

    Attributes
    ----------
    pairs : tuple
        What is read together.
    format : str
        How files are written; of `FORMATS`.
    protocol : TrackingProtocol
        The rules, which say what rows mean.
    notes : tuple of str
        What was found where, for people.
    tracker : str
        What the predictions are called.
    """

    pairs: tuple[_Pair, ...]
    format: str
    protocol: TrackingProtocol
    notes: tuple[str, ...]
    tracker: str

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, i: int) -> tuple[Tracks, Tracks]:
        """Return truth and predictions of pair i.

        Raises
        ------
        SnellenError
            Whose message ends with the place: file, and line or record.
        """
        pair = self.pairs[i]
        read = _READERS[self.format]
        truth = read(self, pair, pair.truth, True)
        if pair.pred is None:
            return truth, _nothing_of(truth)
        pred = read(self, pair, pair.pred, False)
        if pair.sequence is not None and pair.n_frames is None:
            truth, pred = _of_length(truth, pred, _last_frame(truth, pred, self.protocol))
        return truth, pred

    def batches(self) -> Iterator[tuple[Tracks, Tracks]]:
        """Yield truth and predictions, pair by pair."""
        for i in range(len(self.pairs)):
            yield self.read(i)

    def place(self, i: int) -> str:
        """Return what pair i is called in messages."""
        pair = self.pairs[i]
        pred = "" if pair.pred is None else f", {source_name(pair.pred)}"
        return f"{source_name(pair.truth)}{pred}"


def read_tracking(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    protocol: str | TrackingProtocol = "plain",
    format: str | None = None,  # noqa: A002 - the field's name for it
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
    tracker: str | None = None,
    seqmap: str | os.PathLike[str] | None = None,
    first_frame: int | None = None,
    **rules: Any,
) -> TrackingFiles:
    """Find the sequences of truth and predictions.

    Parameters
    ----------
    truth, pred : path
        Files, folders or zip archives; see docs/reference/tracking-files.md.
    protocol : str or TrackingProtocol
        The rules, which say what columns mean.
    format : str, optional
        How files are written, of `FORMATS`; that of the protocol, or what the content says.
    classes : sequence of str, optional
        The classes to be evaluated. Under ``"plain"`` rules the classes of MOT text mean nothing
        without them; with them they are called by their numbers.
    missing : {"error", "zero", "skip"}
        What to do with a sequence that only one side has: refuse it, take it as one without
        predictions, leave it out.
    tracker : str, optional
        Which of several folders of predictions.
    seqmap : path, optional
        A list of sequences to be evaluated.
    first_frame : int, optional
        The number of the first frame, where it is not the protocol's.
    **rules
        Others of the protocol's rules: ``similarity``, ``zero_distance``.

    Raises
    ------
    InputError, SchemaError, IdError
        Where nothing belongs together, or files cannot be read.

    Examples
    --------
    ::

        from snellen import Tracking, read_tracking

        files = read_tracking("MOT17/train", "results.zip", protocol="mot17")
        metric = Tracking(protocol=files.protocol)
        for truth, pred in files.batches():
            metric.update(truth, pred)
    """
    chosen = protocol_of(
        protocol,
        first_frame=first_frame,
        classes=None if classes is None else tuple(classes),
        **rules,
    )
    if format is not None and format not in FORMATS:
        raise InputError(
            f'expected a format of {", ".join(FORMATS)}, got "{format}".'
            f"{did_you_mean(format, FORMATS)}",
            "format",
        )
    written = format or _FORMAT_OF.get(chosen.name)
    if written is None and chosen.name != "plain":
        written = "mot"
    if written is None:
        written = _format_of_content(truth)
    if written in ("coco", "table", "bdd100k") and Path(truth).is_file() and Path(pred).is_file():
        # One file a side may hold many sequences, and says which.
        note = f"truth in {os.fspath(truth)}, predictions in {os.fspath(pred)}"
        pairs = (_Pair(os.fspath(truth), os.fspath(pred), None, None),)
        return TrackingFiles(pairs, written, chosen, (note,), Path(pred).stem)
    found = find_sequences(
        truth,
        pred,
        suffixes=_SUFFIXES.get(written, (".txt",)),
        frame_suffixes=(".png",) if written == "davis" else (),
        tracker=tracker,
        seqmap=seqmap,
        missing=missing,
    )
    return TrackingFiles(
        tuple(_Pair(s.truth, s.pred, s.name, s.n_frames) for s in found.sequences),
        written,
        chosen,
        tuple(found.notes),
        found.tracker,
    )


def _format_of_content(path: str | os.PathLike[str]) -> str:
    """Return what a file, or the first of a folder's or an archive's, is written in."""
    first = _first_file(Path(path))
    if first is None:
        return "mot"
    name = source_name(first).lower().removesuffix(".gz")
    if name.endswith(".png"):
        return "davis"
    if name.endswith(".json"):
        return "bdd100k" if _is_list_of_frames(first) else "coco"
    if name.endswith(".parquet"):
        return "table"
    with opened(first) as file:
        head = file.read(65536)
    line = head.decode("utf-8-sig", "replace").lstrip().split("\n", 1)[0].strip()
    cells = line.replace(";", ",").replace("\t", ",").split(",")
    if len(cells) > 1:
        return "mot" if _is_number(cells[0]) else "table"
    words = line.split()
    if len(words) == 6 and all(map(_is_number, words[:5])) and not _is_number(words[5]):
        return "mots"
    if len(words) >= 17 and not _is_number(words[2]):
        return "kitti"
    return "mot"


def _first_file(path: Path) -> Source | None:
    """Return the file itself, or the first that may be a sequence's truth."""
    if path.is_file() and path.suffix.lower() == ".zip":
        import zipfile

        try:
            with zipfile.ZipFile(path) as archive:
                names = sorted(
                    name
                    for name in archive.namelist()
                    if name.lower().endswith((*_ANY_SUFFIX, ".png")) and "__MACOSX" not in name
                )
        except zipfile.BadZipFile:
            return None  # the reader says so
        return (str(path), names[0]) if names else None
    if path.is_file():
        return str(path)
    for pattern in ("**/gt/gt.txt", "*.*", "**/*.*"):
        for file in sorted(path.glob(pattern)):
            name = file.name.lower()
            if name.startswith((".", "readme", "seqinfo", "seqmap")) or "seqmaps" in file.parts:
                continue
            if name.endswith((*_ANY_SUFFIX, ".png", ".gz")) and file.is_file():
                return str(file)
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_list_of_frames(source: Source) -> bool:
    """Return whether JSON begins as BDD100K's does: a list of frames, or an object of frames."""
    with opened(source) as file:
        head = file.read(4096).decode("utf-8-sig", "replace").lstrip()
    return '"frames"' in head or (head.startswith("[") and '"labels"' in head)


# ---- Each format ---------------------------------------------------------------------------------


def _read_mot(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_text import mot_tracks, read_track_columns

    protocol = files.protocol
    crowd = (13,) if protocol.name == "personpath22" else ()
    columns = read_track_columns(
        source,
        is_truth=is_truth,
        first_frame=protocol.first_frame,
        n_frames=pair.n_frames,
        region_classes=crowd if is_truth else (),
    )
    names: dict[int, str] | None = None
    if protocol.class_names and is_truth:
        names = dict(protocol.class_names)
        if columns.class_id is None and len(columns.frame):
            raise InputError(
                f"expected a class in column 8, as truth of {protocol.name} has, got "
                f"{columns.n_columns} columns: of other data say --protocol plain",
                source_name(source),
            )
    elif protocol.class_names:
        _refuse_other_classes(columns, protocol)
    elif protocol.name == "plain" and protocol.classes and columns.class_id is not None:
        ids = np.sort(columns.class_id)
        distinct = ids[np.append(True, ids[1:] != ids[:-1])] if len(ids) else ids
        names = {number: str(number) for number in distinct.tolist()}
    tracks = mot_tracks(
        columns,
        pair.sequence or "",
        classes=names,
        default_class=1 if names else None,
        region_classes=crowd if is_truth else (),
        n_frames=pair.n_frames,
        fractional_flags=protocol.fractional_flags,
    )
    if protocol.name == "ht21" and is_truth:
        from snellen.readers.track_personpath import head_tracking_meaning

        label = np.zeros(len(tracks), np.int64) if columns.class_id is None else columns.class_id
        mark = np.ones(len(tracks)) if columns.mark is None else columns.mark
        meaning = head_tracking_meaning(mark, label, columns.visibility, source_name(source))
        tracks = dataclasses.replace(tracks, counted=meaning.counted, extra=meaning.extra)
    return tracks


def _refuse_other_classes(columns: Any, protocol: TrackingProtocol) -> None:
    """Refuse predictions of a class that this benchmark's trackers don't have."""
    if columns.class_id is None or not (columns.class_id > 1).any():
        return
    row = int(np.argmax(columns.class_id > 1))
    raise InputError(
        f"expected predictions of class 1, {protocol.classes[0]}, or -1, got class "
        f"{columns.class_id[row]}: {protocol.name} has no other; of other data say --protocol "
        "plain --class",
        columns.row_place(row),
    )


def _read_kitti(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_kitti import read_kitti_tracks

    space = files.protocol.similarity in ("iou_3d", "distance_3d")
    return read_kitti_tracks(
        source_name(source),
        truth=is_truth,
        boxes="space" if space else "image",
        sequence=pair.sequence,
        n_frames=pair.n_frames,
        document=_document(source),
    )


def _read_mots(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_mots import decode_mots

    name = files.format if files.format == "kitti-mots" else "mots20"
    layout: Any = "kitti-mots" if files.protocol.first_frame == 0 else name
    return decode_mots(
        source_bytes(source),
        source_name(source),
        side="truth" if is_truth else "pred",
        layout=layout,
        sequence=pair.sequence or "",
        n_frames=pair.n_frames,
    )


def _read_visdrone(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_visdrone import read_visdrone_tracks

    del files
    return read_visdrone_tracks(
        source_name(source),
        truth=is_truth,
        sequence=pair.sequence,
        n_frames=pair.n_frames,
        document=_document(source),
    )


def _read_bdd(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_bdd import read_bdd_tracks

    del files
    return read_bdd_tracks(
        source_name(source),
        truth=is_truth,
        sequence=pair.sequence,
        document=_document(source),
    )


def _read_table(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    from snellen.readers.track_table import read_track_table

    del files
    if isinstance(source, tuple):
        raise InputError("expected a table as a file: unpack the archive", source_name(source))
    return read_track_table(
        os.fspath(source), truth=is_truth, sequence=pair.sequence, n_frames=pair.n_frames
    ).tracks


def _read_coco(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    raise NotImplementedError


def _read_davis(files: TrackingFiles, pair: _Pair, source: Source, is_truth: bool) -> Tracks:
    raise NotImplementedError


_READERS: Final[dict[str, Callable[[TrackingFiles, _Pair, Source, bool], Tracks]]] = {
    "mot": _read_mot,
    "kitti": _read_kitti,
    "mots": _read_mots,
    "kitti-mots": _read_mots,
    "visdrone": _read_visdrone,
    "bdd100k": _read_bdd,
    "coco": _read_coco,
    "davis": _read_davis,
    "table": _read_table,
}


def _document(source: Source) -> bytes | None:
    """Return what a member of an archive holds; None for a file, which is read by its name."""
    return source_bytes(source) if isinstance(source, tuple) else None


def _nothing_of(truth: Tracks) -> Tracks:
    """Return predictions of the same sequences, of which there are none."""
    return dataclasses.replace(
        truth[:0],
        score=np.zeros(0),
        counted=None,
        region=None,
        extra={},
        seen=np.zeros((0, 2), np.int64),
    )


def _last_frame(truth: Tracks, pred: Tracks, protocol: TrackingProtocol) -> int:
    """Return how many frames there are up to the last that either side has."""
    last = max(
        (int(side.frame[-1]) for side in (truth, pred) if len(side)),
        default=protocol.first_frame - 1,
    )
    return last - protocol.first_frame + 1


def _of_length(truth: Tracks, pred: Tracks, n_frames: int) -> tuple[Tracks, Tracks]:
    lengths = np.full(1, n_frames, np.int64)
    if len(truth.sequences) != 1 or truth.n_frames[0] >= 0:
        return truth, pred
    return dataclasses.replace(truth, n_frames=lengths), pred
