"""Files of truth and of a tracker's results, whatever they are called and however they lie."""

from __future__ import annotations

import dataclasses
import os
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import (
    ClassError,
    DataWarning,
    IdError,
    InputError,
    SchemaError,
    did_you_mean,
)
from snellen.readers.message_text import few
from snellen.readers.sources import source_name
from snellen.readers.tracking_formats import (
    FORMAT_OF,
    FORMATS,
    FROM_ZERO,
    classes_of_format,
    content_format,
    document_of,
    explained,
    read_side,
)
from snellen.readers.tracking_pairs import (
    Pair,
    first_file,
    found_pairs,
    n_sequences,
    refuse_missing,
)
from snellen.readers.tracking_sequences import (
    named_alike,
    nothing_of,
    of_one_kind,
    of_sequences,
    only,
    with_lengths,
)
from snellen.state import Keys
from snellen.tracking.protocols import protocol_of
from snellen.tracking.tracks import SEQUENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snellen.errors import SnellenError
    from snellen.readers.sources import Source
    from snellen.readers.track_coco import VideoTruth
    from snellen.readers.track_folders import Missing
    from snellen.readers.track_text_ahead import TextsAhead
    from snellen.readers.tracking_formats import SideRead
    from snellen.tracking.judged_classes import JudgedClasses
    from snellen.tracking.protocols import TrackingProtocol
    from snellen.tracking.tracks import Tracks

__all__ = ["TrackingFiles", "read_tracking"]

_SIMILARITY_OF: Final = {
    "boxes": "iou",
    "masks": "mask_iou",
    "points": "distance",
    "boxes in space": "iou_3d",
}
_FIRST_FRAMES: Final = {"mot": (), "table": (), "mots": (0, 1), "kitti-mots": (0, 1)}


@dataclasses.dataclass
class _Met:
    """What was met while reading, of all pairs."""

    classes: set[str] = dataclasses.field(default_factory=set)
    without_pred: list[str] = dataclasses.field(default_factory=list)
    without_truth: list[str] = dataclasses.field(default_factory=list)
    n_truth: int = 0
    n_pred: int = 0
    n_fractions: int = 0
    n_swapped: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class TrackingFiles:
    """Sequences that are read one by one.

    Attributes
    ----------
    pairs : tuple
        What is read together.
    format : str
        How truth is written; of `FORMATS`.
    pred_format : str
        How predictions are.
    protocol : TrackingProtocol
        The rules, which say what rows mean; of ``"plain"`` with the similarity that fits what
        objects are.
    notes : tuple of str
        What was found where and taken for what, for people.
    notes_of_rules : tuple of str
        Which similarity was chosen, and what the rules do not heed: of no matter to track mAP and
        to J and F.
    tracker : str
        What the predictions are called.
    missing : {"error", "zero", "skip"}
        What is done with a sequence of one side.
    by_video : bool
        Whether predictions are of whole videos, with one score for all frames (YouTube-VIS).
    beside : tuple of str
        Lists and lengths of sequences that were read and lie outside of truth.
    """

    pairs: tuple[Pair, ...]
    format: str
    pred_format: str
    protocol: TrackingProtocol
    notes: tuple[str, ...]
    notes_of_rules: tuple[str, ...]
    tracker: str
    missing: Missing
    by_video: bool
    beside: tuple[str, ...]
    _asked: tuple[str, ...] | None
    _video_rules: dict[str, Any]
    # What was read already: sides by the names of their files.
    _whole: dict[tuple[str, bool], Any]
    _met: _Met = dataclasses.field(default_factory=_Met)
    _judged: dict[int, JudgedClasses] = dataclasses.field(default_factory=dict)
    _ahead: TextsAhead | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, i: int) -> tuple[Tracks, Tracks]:
        """Return truth and predictions of pair i: the same sequences, with their lengths.

        Raises
        ------
        SnellenError
            Whose message ends with the place: file, and line or record.
        """
        pair = self.pairs[i]
        if self.format == "coco":
            truth, pred = self._videos(i)
        elif self.format == "davis":
            truth, pred = _label_images(pair)
        else:
            truth, pred = self._sides(pair)
        truth, pred = self._same_sequences(pair, truth, pred)
        truth, pred = of_one_kind(truth, pred)
        truth, pred = with_lengths(truth, pred, self.protocol.first_frame)
        self._check_classes(pair, truth, pred)
        self._met.n_truth += len(truth)
        self._met.n_pred += len(pred)
        return truth, pred

    def batches(self) -> Iterator[tuple[Tracks, Tracks]]:
        """Yield truth and predictions, pair by pair; then `finish`."""
        for i in range(len(self.pairs)):
            yield self.read(i)
        self.finish()

    def judged(self, i: int) -> JudgedClasses | None:
        """Return which classes annotators looked for in pair i; None where the files don't say."""
        return self._judged.get(i)

    def finish(self) -> None:
        """Say what was met in all pairs, which were read: what is missing, what looks wrong.

        Raises
        ------
        ClassError
            For a class that was asked for and that no file has.
        """
        met = self._met
        absent = [name for name in self._asked or () if name not in met.classes]
        if absent:
            raise ClassError(
                f"expected classes that the files have ({few(sorted(met.classes), 20) or 'none'}), "
                f'got "{absent[0]}".{did_you_mean(absent[0], met.classes)}',
                "classes",
            )
        for message in self._doubts():
            warnings.warn(message, DataWarning, stacklevel=2)

    def _doubts(self) -> Iterator[str]:
        met = self._met
        for names, side, zero in (
            (met.without_pred, "predictions", ": all of their objects are missed"),
            (met.without_truth, "truth", ""),
        ):
            if names:
                done = zero if self.missing == "zero" and zero else ": left out"
                yield f"{n_sequences(len(names))} without {side} ({few(sorted(names))}){done}"
        for n, side in ((met.n_truth, "truth"), (met.n_pred, "predictions")):
            if not n:
                yield f"expected objects in {side}, there are none: is it the right file?"
        if met.n_swapped:
            yield (
                "are truth and predictions swapped? Column 7 of truth looks like scores, and "
                "predictions have flags and classes, as truth has"
            )
        elif 2 * met.n_fractions > met.n_truth:
            counts = "count" if self.protocol.fractional_flags else "do not count, as in TrackEval"
            yield (
                f"{met.n_fractions:,} of {met.n_truth:,} flags (column 7) of truth are between 0 "
                f"and 1; such objects {counts}: are these scores, and truth and predictions "
                "swapped?"
            )

    def located(self, i: int, error: SnellenError) -> SnellenError:
        """Return an error of pair i that is not the readers', with the files it is of."""
        pair = self.pairs[i]
        truth, pred = (source_name(side) for side in (pair.truth, pair.pred or pair.truth))
        side = error.place.split(".")[0]
        place = {"truth": truth, "pred": pred}.get(side, f"{truth}, {pred}")
        if truth in error.place or pred in error.place:
            return error
        return type(error)(error.message, place)

    # ---------------------------------------------------------------------------------- one pair

    def _sides(self, pair: Pair) -> tuple[Tracks, Tracks | None]:
        truth = self._side(pair, pair.truth, True)
        met = self._met
        met.n_fractions += truth.n_fractions
        if pair.pred is None:
            return truth.tracks, None
        pred = self._side(pair, pair.pred, False)
        met.n_swapped += truth.looks_like == "predictions" and pred.looks_like == "truth"
        return truth.tracks, pred.tracks

    def _side(self, pair: Pair, source: Source, is_truth: bool) -> SideRead:
        name = pair.sequence
        read = self._whole.get((source_name(source), is_truth))
        if read is None:
            read = read_side(
                self.format if is_truth else self.pred_format,
                self.protocol,
                source,
                is_truth=is_truth,
                sequence=name,
                n_frames=pair.n_frames,
                ahead=self._ahead,
            )
        if name is None:
            return read
        tracks = read.tracks
        if len(tracks.sequences) == 1:
            # Files that are one sequence each go together by their names.
            tracks = dataclasses.replace(tracks, sequences=Keys([name], SEQUENCE), named=True)
        elif name in tracks.sequences.ids.tolist():
            tracks = only(tracks, name)
        return read._replace(tracks=tracks)

    def _videos(self, i: int) -> tuple[Tracks, Tracks | None]:
        from snellen.readers.track_coco import read_video_predictions

        pair = self.pairs[i]
        truth = self._whole.get((source_name(pair.truth), True))
        if truth is None:
            truth = _video_truth(pair.truth, self._video_rules["shape"], self.protocol)
        if truth.judged is not None:
            self._judged[i] = truth.judged
        if pair.pred is None:
            return truth.tracks, None
        rules = {name: value for name, value in self._video_rules.items() if name != "shape"}
        place, document = source_name(pair.pred), document_of(pair.pred)
        try:
            pred = read_video_predictions(place, truth, document=document, **rules)
        except SchemaError as error:
            raise explained(error, "coco", self.protocol, pair.pred) from error
        return truth.tracks, pred

    def _same_sequences(
        self, pair: Pair, truth: Tracks, pred: Tracks | None
    ) -> tuple[Tracks, Tracks]:
        """Return both sides with the same sequences: those of one side are refused, or left out."""
        if pred is None:
            return truth, nothing_of(truth)
        truth, pred = named_alike(pair, truth, pred)
        of_truth, of_pred = (set(side.sequences.ids.tolist()) for side in (truth, pred))
        if of_truth == of_pred:
            return truth, pred
        without_pred, without_truth = sorted(of_truth - of_pred), sorted(of_pred - of_truth)
        place = source_name(pair.pred or pair.truth)
        refuse_missing(self.missing, without_pred, without_truth, (truth, pred), place)
        met = self._met
        met.without_pred += map(str, without_pred)
        met.without_truth += map(str, without_truth)
        kept = of_truth & of_pred if self.missing == "skip" else of_truth
        if not kept:
            raise IdError(
                f"expected sequences that both sides have, got none: truth has "
                f"{few(sorted(of_truth))}, predictions have {few(sorted(of_pred))}",
                place,
            )
        keys = Keys(sorted(kept), SEQUENCE)
        return of_sequences(truth, keys), of_sequences(pred, keys)

    def _check_classes(self, pair: Pair, truth: Tracks, pred: Tracks) -> None:
        """Refuse what would be counted without looking at its class."""
        protocol = self.protocol
        for side in (truth, pred):
            if side.labelled:
                self._met.classes.update(side.classes.display_names())
        if protocol.class_names and len(truth) and not truth.labelled:
            raise ClassError(
                f"expected truth with classes, as that of {protocol.name} has, got none: of other "
                'data say protocol="plain"',
                source_name(pair.truth),
            )
        if not len(pred) or pair.pred is None:
            return
        if pred.labelled and not protocol.by_class:
            names = pred.classes.display_names()
            used = np.flatnonzero(np.bincount(pred.label, minlength=len(names))).tolist()
            others = [names[k] for k in used if names[k] not in protocol.classes]
            if others:
                raise ClassError(
                    f"expected predictions of {', '.join(protocol.classes)}, got {few(others)}: "
                    f'{protocol.name} has no other; of other data say protocol="plain"',
                    source_name(pair.pred),
                )
        several = len(protocol.classes) > 1 and protocol.by_class
        if several and truth.labelled and not pred.labelled:
            raise ClassError(
                f"expected a class for each prediction, to evaluate {', '.join(protocol.classes)}, "
                "got none: evaluate one class, or give predictions theirs",
                source_name(pair.pred),
            )


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
    similarity: str | None = None,
    zero_distance: float | None = None,
    max_per_image: int | None = None,
    unique_ids: bool = False,
    ahead: TextsAhead | None = None,
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
        predictions, leave it out. With ``"skip"`` also records of videos and images that COCO's
        truth does not list are left out.
    tracker : str, optional
        Which of several folders of predictions.
    seqmap : path, optional
        A list of sequences to be evaluated.
    first_frame : int, optional
        The number of the first frame, where it is not the protocol's.
    similarity : str, optional
        As in `TrackingProtocol`; without it the protocol's, of ``"plain"`` rules that which fits
        what objects are: IoU of boxes, of masks, of boxes in space, distance of points.
    zero_distance : float, optional
        The distance of similarity 0.
    max_per_image, unique_ids
        Of COCO video JSON; see `snellen.readers.track_coco.read_video_predictions`.
    ahead : TextsAhead, optional
        What may have read the first files already, of MOT text.

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
        similarity=similarity,
        zero_distance=zero_distance,
        classes=None if classes is None else tuple(classes),
    )
    for path in (truth, pred):
        _refuse_absent(path)
    written, pred_written = _formats(truth, pred, format, chosen)
    if first_frame is None and protocol == "plain" and written in FROM_ZERO:
        chosen = dataclasses.replace(chosen, first_frame=0)
    _check_first_frame(first_frame, written, chosen)
    asked = _asked_classes(classes, written, protocol)
    pairs, whole, notes, called, beside = found_pairs(
        truth, pred, (written, pred_written), chosen, missing, tracker, seqmap
    )
    shape = None
    if similarity is not None:
        shape = "masks" if similarity.startswith("mask") else "boxes"
    by_video = False
    first = pairs[0]
    if written == "coco":
        known: Any = _video_truth(first.truth, shape, chosen)
        whole[source_name(first.truth), True] = known
        by_video = known.lists.by_video
    elif written == "table" or pred_written == "table":
        # What objects are, and which column is what, the first of the tables says.
        for source, is_truth in ((first.truth, True), (first.pred, False)):
            side_format = written if is_truth else pred_written
            if side_format == "table" and source is not None:
                read = whole.get((source_name(source), is_truth)) or read_side(
                    side_format,
                    chosen,
                    source,
                    is_truth=is_truth,
                    sequence=first.sequence,
                    n_frames=first.n_frames,
                )
                whole[source_name(source), is_truth] = read
                notes += read.notes
    notes_of_rules = []
    if similarity is None and protocol == "plain":
        kind = _kind_of_objects(first, written, whole)
        chosen = dataclasses.replace(chosen, similarity=_SIMILARITY_OF[kind])
        if chosen.similarity == "distance":
            notes_of_rules.append(
                f"objects are points: they are alike by distance, not at all from "
                f"{chosen.zero_distance:g} on (zero_distance)"
            )
        elif chosen.similarity != "iou":
            notes_of_rules.append(f"objects are {kind}: they are alike by {chosen.similarity}")
    if written == "coco" and known.judged is not None and not chosen.judged_classes:
        notes_of_rules.append(
            "truth says in which videos which classes were looked for; predictions of the others "
            'are false here, and left out with protocol="tao"'
        )
    return TrackingFiles(
        pairs,
        written,
        pred_written,
        chosen,
        tuple(notes),
        tuple(notes_of_rules),
        called,
        missing,
        by_video,
        tuple(beside),
        asked,
        {
            "shape": shape,
            "max_per_image": max_per_image,
            "unique_ids": unique_ids,
            "drop_unknown": missing == "skip",
        },
        whole,
        _ahead=ahead,
    )


# ---- What files are ------------------------------------------------------------------------------


def _refuse_absent(path: str | os.PathLike[str]) -> None:
    place = os.fspath(path)
    if os.path.lexists(place):
        return
    folder, name = os.path.split(os.path.abspath(place))  # noqa: PTH100  # links stay as they are
    beside = os.listdir(folder) if os.path.isdir(folder) else []  # noqa: PTH112, PTH208
    raise InputError(
        f"expected a file, a folder or a zip archive, there is none.{did_you_mean(name, beside)}",
        place,
    )


def _formats(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    given: str | None,
    protocol: TrackingProtocol,
) -> tuple[str, str]:
    """Return how truth and predictions are written."""
    if given is not None:
        if given not in FORMATS:
            raise InputError(
                f'expected a format of {", ".join(FORMATS)}, got "{given}".'
                f"{did_you_mean(given, FORMATS)}",
                "format",
            )
        return given, given
    if protocol.name != "plain":
        written = FORMAT_OF.get(protocol.name, "mot")
        return written, written
    found: list[str | None] = []
    for path in (truth, pred):
        first = first_file(path)
        content = None if first is None else content_format(first)
        found.append(None if content == "binary" else content)
    # What is empty is as the other side is; a table without names of columns is none.
    known = [each for each in found if each is not None]
    written, pred_written = (
        each or ("mot" if not known or known[0] == "table" else known[0]) for each in found
    )
    if written == pred_written or {written, pred_written} <= {"mot", "table"}:
        return written, pred_written
    if {written, pred_written} == {"mots", "kitti-mots"}:
        # One of them has frame 0.
        return "kitti-mots", "kitti-mots"
    if "bdd100k" in (written, pred_written) and "coco" in (written, pred_written):
        return written, written
    raise InputError(
        f"expected truth and predictions in one format, got {written} and {pred_written}: convert "
        "one of them, or say which it is (format)",
        os.fspath(pred),
    )


def _check_first_frame(first_frame: int | None, written: str, protocol: TrackingProtocol) -> None:
    if first_frame is None:
        return
    if written not in _FIRST_FRAMES:
        expected = "0" if written in FROM_ZERO else "that of the file"
        raise InputError(
            f"expected no first frame, as {written} files have none but {expected}, got "
            f"{first_frame}",
            "first_frame",
        )
    allowed = _FIRST_FRAMES[written]
    if allowed and protocol.first_frame not in allowed:
        raise InputError(
            f"expected a first frame of 0 or 1, as {written} files have, got {first_frame}",
            "first_frame",
        )


def _asked_classes(
    classes: Sequence[str] | None, written: str, protocol: str | TrackingProtocol
) -> tuple[str, ...] | None:
    """Return the classes that are to be found in files; refuse those that cannot be."""
    if classes is None:
        return None
    known = classes_of_format(written, protocol_of(protocol))
    if known is None:
        return tuple(classes)
    for name in classes:
        if name not in known:
            raise ClassError(
                f'expected a class of {", ".join(known)}, got "{name}".{did_you_mean(name, known)}',
                "classes",
            )
    return None


def _kind_of_objects(first: Pair, written: str, whole: dict[tuple[str, bool], Any]) -> str:
    if written in ("mots", "kitti-mots", "davis"):
        return "masks"
    for source, is_truth in ((first.truth, True), (first.pred, False)):
        read = None if source is None else whole.get((source_name(source), is_truth))
        if read is not None and (len(read.tracks) or written == "coco"):
            return str(read.tracks.shape.kind)
    return "boxes"


# ---- Both sides together -------------------------------------------------------------------------


def _video_truth(source: Source, shape: Any, protocol: TrackingProtocol) -> VideoTruth:
    from snellen.readers.track_coco import read_video_truth

    try:
        return read_video_truth(source_name(source), shape=shape, document=document_of(source))
    except SchemaError as error:
        if "video" not in error.message.removeprefix("expected videos with annotations"):
            raise explained(error, "coco", protocol, source) from error
        raise SchemaError(
            f"{error.message}: detections in single images are evaluated by snellen evaluate "
            "detection",
            error.place,
        ) from error


def _label_images(pair: Pair) -> tuple[Tracks, Tracks | None]:
    from snellen.readers.track_davis import find_davis, read_davis_frames

    folders = []
    for side in (pair.truth, pair.pred or pair.truth):
        if isinstance(side, tuple):
            raise InputError("expected a folder of images: unpack the archive", source_name(side))
        folders.append(os.fspath(side))
    try:
        (found,) = find_davis(*folders)
    except IdError as error:
        message = error.message.replace("not in pred:", "not in predictions:")
        raise IdError(message, ", ".join(folders)) from error
    name = pair.sequence or found.name
    truth = read_davis_frames(found.truth, side="truth", sequence=name)
    if pair.pred is None:
        return truth, None
    return truth, read_davis_frames(found.pred, side="pred", sequence=name)
