"""Which files belong together: sequences of truth and their predictions, wherever they are.

Nothing has to be where a benchmark's own tools want it. Single files, folders of ``SEQ.txt``, of
``SEQ/gt/gt.txt`` (MOTChallenge), the trees that TrackEval reads (predictions in ``TRACKER/data``,
lists of sequences in ``seqmaps``), KITTI's ``label_02``, and any of it in a zip archive are found.
"""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from snellen.errors import IdError, InputError, SchemaError, did_you_mean
from snellen.readers.file_trees import FileTree
from snellen.readers.message_text import few, printable
from snellen.readers.sources import source_bytes, source_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from snellen.readers.sources import Source

__all__ = [
    "FoundSequences",
    "KittiList",
    "Missing",
    "SequenceFiles",
    "find_sequences",
    "sequence_length",
]

Missing = Literal["error", "zero", "skip"]
KittiList = Literal["tracking", "mots"]

# What a file is called where its folder has the sequence's name.
_GENERIC: Final = frozenset(
    (
        *("gt", "pred", "preds", "prediction", "predictions", "result", "results", "track"),
        *("tracks", "tracker", "test", "hyp", "output"),
    )
)
# MOT17: one video with three sets of detections.
_DETECTOR: Final = re.compile("(.+)-(?:DPM|FRCNN|SDP)")
# What lies beside sequences.
_NO_SEQUENCE: Final = re.compile(
    r"(?:readme|licen[cs]e|seqmap|seqinfo).*|.*_(?:summary|detailed)|.*\.seqmap", re.IGNORECASE
)
# MOTChallenge's images.
_NO_FOLDERS: Final = ("img1",)
# The lists of KITTI, and of several the one that TrackEval takes where nobody says which.
_KITTI_SEQMAP: Final[Mapping[KittiList, tuple[str, str]]] = {
    "tracking": ("evaluate_tracking.seqmap.", "training"),
    "mots": ("evaluate_mots.seqmap.", "val"),
}


class SequenceFiles(NamedTuple):
    """The files of one sequence.

    Attributes
    ----------
    name : str
        What the sequence is called on the side of truth.
    truth : Source
        A path, or the path of a zip archive and a member.
    pred : Source or None
        The same; None where there are no predictions (``missing="zero"``).
    n_frames : int or None
        How many frames the sequence has, where a file says so.
    seqinfo : str or None
        Its ``seqinfo.ini``.
    """

    name: str
    truth: Source
    pred: Source | None
    n_frames: int | None
    seqinfo: str | None


class FoundSequences(NamedTuple):
    """All sequences, ordered by name.

    Attributes
    ----------
    sequences : list of SequenceFiles
        At least one.
    notes : list of str
        What was found where, and what was left out.
    tracker : str
        What the predictions' folder or file is called.
    beside : list of str
        Lists and lengths of sequences that were read and lie outside of truth.
    """

    sequences: list[SequenceFiles]
    notes: list[str]
    tracker: str
    beside: list[str]


class _File(NamedTuple):
    """What may be a sequence."""

    name: str
    folder: str  # where all of its kind are
    nested: bool  # in a folder of its own, which has the name
    stem: str
    path: str  # in the tree
    source: Source


class _Group(NamedTuple):
    """What may be the sequences of one data set, or of one tracker."""

    folder: str
    files: dict[str, _File]

    @property
    def name(self) -> str:
        """The name of a folder that is not just ``data``."""
        parts = self.folder.split("/")
        while len(parts) > 1 and parts[-1].lower() == "data":
            parts.pop()
        return parts[-1]


def find_sequences(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    suffixes: Sequence[str] = (".txt",),
    frame_suffixes: Sequence[str] = (),
    tracker: str | None = None,
    seqmap: str | os.PathLike[str] | None = None,
    kitti_list: KittiList = "tracking",
    missing: Missing = "error",
) -> FoundSequences:
    """Find the sequences of truth and their predictions.

    Parameters
    ----------
    truth, pred : path
        A file, a folder or a zip archive.
    suffixes : sequence of str
        The endings of files that hold a sequence; they may be gzipped. A file that is given itself
        may have any.
    frame_suffixes : sequence of str
        Where given, a sequence is a folder of files with such endings: an image a frame.
    tracker : str, optional
        Which of several folders of predictions.
    seqmap : path, optional
        A list of the sequences to be evaluated, as TrackEval's or KITTI's. Without it, the one that
        lies where TrackEval looks for it, if any.
    kitti_list : {"tracking", "mots"}
        Which lists of KITTI are meant: those of boxes, ``evaluate_tracking.seqmap.SPLIT``, whose
        last column is the number of frames; or those of masks, ``evaluate_mots.seqmap.SPLIT``,
        whose last column is the number of the last frame, from 0 on.
    missing : {"error", "zero", "skip"}
        What to do with a sequence of one side: refuse it; take it as one without predictions (of
        predictions without truth: refuse it); leave it out.

    Raises
    ------
    InputError, IdError, SchemaError
        Where nothing belongs together, or not unmistakably.

    Examples
    --------
    ::

        found = find_sequences("MOT17/train", "results.zip")
        for sequence in found.sequences:
            read_track_columns(sequence.truth, is_truth=True, n_frames=sequence.n_frames)
    """
    if missing not in ("error", "zero", "skip"):
        raise InputError(f'expected missing="error", "zero" or "skip", got "{missing}"')
    of_truth = _Side("truth", truth, suffixes, frame_suffixes)
    of_pred = _Side("predictions", pred, suffixes, frame_suffixes)
    truths, preds, notes = _choose(of_truth, of_pred, tracker)
    listed = _read_seqmap(of_truth.tree, truths, seqmap, kitti_list)
    match, match_notes = _match(truths, of_pred, preds)
    notes += match_notes
    wanted = sorted(truths.files)
    if listed is not None:
        unknown = [name for name in listed.names if name not in truths.files]
        if unknown and missing != "skip":
            raise InputError(
                f"expected truth of each sequence that the seqmap lists, {len(unknown)} of "
                f'{len(listed.names)} have none: {few(unknown)}: missing="skip" leaves them out',
                listed.place,
            )
        wanted = [name for name in wanted if name in listed.names]
        n_others = len(truths.files) - len(wanted)
        note = f"the seqmap {listed.place} chooses {_sequences(len(wanted))}"
        note += f"; {n_others} more are left out" if n_others else ""
        note += f"; {len(unknown)} that it lists have no truth: left out" if unknown else ""
        notes.append(note)
    wanted = _checked_sides(of_truth, truths, wanted, of_pred, preds, match, missing, notes)
    sequences, lengths = [], []
    for name in wanted:
        file = truths.files[name]
        seqinfo = _find_seqinfo(of_truth.tree, file)
        lengths.append(seqinfo)
        n_frames = None if listed is None else listed.n_frames.get(name)
        if seqinfo is not None:
            n_frames = sequence_length(seqinfo)
        sequences.append(
            SequenceFiles(
                name,
                file.source,
                preds.files[match[name]].source if name in match else None,
                n_frames,
                None if seqinfo is None else source_name(seqinfo),
            )
        )
    where = (
        f"{_sequences(len(sequences))}: truth in {of_truth.shown(truths)}, predictions in "
        f"{of_pred.shown(preds)}"
    )
    read = [] if listed is None or seqmap is not None else [listed.source]
    read += [source for source in lengths if source is not None]
    inside = set(map(source_name, of_truth.tree.files.values()))
    beside = [name for source in read if (name := source_name(source)) not in inside]
    return FoundSequences(sequences, [where, *notes], of_pred.tracker(preds), beside)


def _sequences(n: int) -> str:
    return f"{n:,} sequence{'' if n == 1 else 's'}"


# ---- What is there ------------------------------------------------------------------------------


class _Side:
    """What may be sequences, of truth or of predictions."""

    def __init__(
        self,
        side: str,
        path: str | os.PathLike[str],
        suffixes: Sequence[str],
        frame_suffixes: Sequence[str],
    ) -> None:
        self.side = side
        self.tree = FileTree(path, _NO_FOLDERS)
        self._suffixes = tuple(suffix.lower() for suffix in suffixes)
        self._frame_suffixes = tuple(suffix.lower() for suffix in frame_suffixes)
        # TrackEval's way to keep a folder "data" in one file.
        self.tree.open_zips("/data")
        self.files = self._found()
        if not self.files:
            self.tree.open_zips()
            self.files = self._found()
        if not self.files:
            kind = ", ".join(frame_suffixes or suffixes)
            raise InputError(
                f"expected {side} in files that end in {kind}, there are none", self.tree.shown
            )

    @property
    def is_one(self) -> bool:
        """Whether what was given is a sequence itself, and no folder of sequences."""
        return self.tree.is_file or (
            len(self.files) == 1 and not self.tree.holds(self.files[0].folder)
        )

    def shown(self, group: _Group) -> str:
        """Return where a group is, for messages."""
        return self.tree.shown if self.is_one else self.tree.shown_path(group.folder)

    def tracker(self, group: _Group) -> str:
        """Return what the results of a group are called."""
        if self.is_one:
            return self._stem(posixpath.basename(self.tree.root))
        return group.name

    def _stem(self, base: str) -> str:
        """Return a file's name without its ending, the name itself where that is another one."""
        plain = base[: -len(".gz")] if base.lower().endswith(".gz") else base
        if self.tree.is_file:
            return posixpath.splitext(plain)[0]
        suffix = next((each for each in self._suffixes if plain.lower().endswith(each)), None)
        return base if suffix is None else plain[: -len(suffix)]

    def _found(self) -> list[_File]:
        if self._frame_suffixes:
            return self._found_folders()
        found = []
        for path, source in self.tree.files.items():
            folder, base = posixpath.split(path)
            stem = self._stem(base)
            if not self.tree.is_file and (
                stem == base
                or _NO_SEQUENCE.fullmatch(stem)
                or path.endswith("/det/det.txt")
                or folder.endswith("/seqmaps")
            ):
                continue
            found.append(self._file(path, stem, source))
        return found

    def _found_folders(self) -> list[_File]:
        found: dict[str, _File] = {}
        for path, source in self.tree.files.items():
            folder = posixpath.dirname(path)
            if folder in found or not path.lower().endswith(self._frame_suffixes):
                continue
            within, name = posixpath.split(folder)
            # A folder in an archive is what its members' names begin with.
            inside: Source = (
                (source[0], posixpath.dirname(source[1]))
                if isinstance(source, tuple)
                else self.tree.shown_path(folder)
            )
            found[folder] = _File(name, within, False, name, folder, inside)
        return list(found.values())

    def _file(self, path: str, stem: str, source: Source) -> _File:
        folder = posixpath.dirname(path)
        own = folder.removesuffix("/gt") if stem.lower() in _GENERIC else folder
        above, name = posixpath.split(own)
        if stem.lower() in _GENERIC or stem == name:
            return _File(name, above, True, stem, path, source)
        if self.tree.is_file:
            # A single file may be called anything.
            stem = self._name_in_seqinfo(folder) or stem
        return _File(stem, folder, False, stem, path, source)

    def _name_in_seqinfo(self, folder: str) -> str | None:
        for place in (folder, posixpath.dirname(folder)):
            seqinfo = self.tree.find(f"{place}/seqinfo.ini")
            if seqinfo is not None:
                return _seqinfo_value(seqinfo, "name")
        return None

    def groups(self, *, by_folder: bool = False) -> list[_Group]:
        """Return what may be data sets or trackers; with `by_folder`, each file in a folder.

        Raises
        ------
        IdError
            Where two files are of one sequence.
        """
        groups: dict[tuple[str, bool], _Group] = {}
        for file in self.files:
            if by_folder and not file.nested:
                within, name = posixpath.split(file.folder)
                file = file._replace(name=name, folder=within, nested=True)
            key = (file.folder, file.nested)
            files = groups.setdefault(key, _Group(file.folder, {})).files
            other = files.setdefault(file.name, file)
            if other is file:
                continue
            # Beside truth that is called gt, its predictions.
            is_gt = [each.stem == "gt" for each in (other, file)]
            if is_gt[0] == is_gt[1]:
                if by_folder:
                    return []
                raise IdError(
                    f"expected one file of sequence {file.name}, got two: "
                    f"{source_name(other.source)} and {source_name(file.source)}"
                )
            if is_gt[1] == (self.side == "truth"):
                files[file.name] = file
        return list(groups.values())


# ---- Which of it ---------------------------------------------------------------------------------


def _choose(
    of_truth: _Side, of_pred: _Side, tracker: str | None
) -> tuple[_Group, _Group, list[str]]:
    """Return the sequences of truth and of predictions that belong together."""
    truths, preds = of_truth.groups(), of_pred.groups()
    if tracker is not None:
        preds = _of_tracker(of_pred, preds, tracker)
    pairs = [(t, p) for t in truths for p in preds if _matched(t.files, p.files)]
    if not pairs and tracker is None:
        # A folder a sequence, in which the file is called anything.
        folders = of_pred.groups(by_folder=True)
        pairs = [(t, p) for t in truths for p in folders if _matched(t.files, p.files)]
    one_each = len(of_truth.files) == len(of_pred.files) == 1
    if not pairs and one_each and (of_truth.is_one or of_pred.is_one):
        pairs = [(truths[0], preds[0])]
    if not pairs:
        shown = [
            few(sorted({name for group in groups for name in group.files}))
            for groups in (truths, preds)
        ]
        raise InputError(
            "expected sequences of the same name on both sides, got none: truth "
            f"({of_truth.tree.shown}) has {shown[0]}, predictions have {shown[1]}",
            of_pred.tree.shown,
        )
    pairs = _narrowed(pairs, of_truth.tree.root, of_pred.tree.root)
    t_folders = sorted({t.folder for t, _ in pairs})
    if len(t_folders) > 1:
        raise InputError(
            f"expected truth of one data set, got {len(t_folders)} that predictions are of: "
            f"{of_truth.tree.below(t_folders)}: give the folder of one",
            of_truth.tree.shown,
        )
    if len(pairs) > 1:
        names = sorted({p.name for _, p in pairs})
        if len(names) == len(pairs):
            raise InputError(
                f"expected predictions of one tracker, got those of {len(names)}: "
                f"{few(names, 20)}: say which (tracker)",
                of_pred.tree.shown,
            )
        raise InputError(
            f"expected predictions in one folder, got some in {len(pairs)}: "
            f"{of_pred.tree.below(sorted(p.folder for _, p in pairs))}: give one of them",
            of_pred.tree.shown,
        )
    chosen_truth, chosen_pred = pairs[0]
    notes = []
    others = sum(len(group.files) for group in truths) - len(chosen_truth.files)
    if others > 0:
        notes.append(f"{_sequences(others)} of truth in other folders: left out")
    return chosen_truth, chosen_pred, notes


def _of_tracker(side: _Side, groups: list[_Group], tracker: str) -> list[_Group]:
    found = [group for group in groups if group.name == tracker]
    if not found:
        names = sorted({group.name for group in groups})
        raise InputError(
            f"expected a tracker of these: {few(names, 20)}, got {tracker}."
            f"{did_you_mean(tracker, names)}",
            side.tree.shown,
        )
    return found


def _narrowed(
    pairs: list[tuple[_Group, _Group]], truth_root: str, pred_root: str
) -> list[tuple[_Group, _Group]]:
    """Return the pairs that are meant where there are several."""
    for is_meant in (
        # What lies right in the folder that was given.
        lambda _t, p: p.folder == pred_root,
        lambda t, _p: t.folder == truth_root,
        # Trees of TrackEval: …/MOT17-train on both sides.
        lambda t, p: t.name in p.folder.split("/"),
    ):
        meant = [pair for pair in pairs if is_meant(*pair)]
        if meant:
            pairs = meant
    return pairs


def _video(name: str) -> str:
    detector = _DETECTOR.fullmatch(name)
    return detector[1] if detector else name


def _matched(truths: Iterable[str], preds: Iterable[str]) -> dict[str, str]:
    """Return which prediction belongs to which truth, by name.

    MOT17's sequences are called ``MOT17-02-FRCNN``: such a name goes with ``MOT17-02`` on the
    other side where there is no second that does.
    """
    left, right = set(truths), set(preds)
    match = {name: name for name in left & right}
    left -= match.keys()
    right -= match.keys()
    candidates = {name: _same_video(name, right) for name in left}
    for name, found in candidates.items():
        if len(found) == 1 and sum(found[0] in each for each in candidates.values()) == 1:
            match[name] = found[0]
    return match


def _same_video(name: str, others: Iterable[str]) -> list[str]:
    """Return those of the same video of which one side names no detector."""
    video = _video(name)
    return sorted(
        other
        for other in others
        if _video(other) == video and other != name and video in (name, other)
    )


def _match(truths: _Group, of_pred: _Side, preds: _Group) -> tuple[dict[str, str], list[str]]:
    match = _matched(truths.files, preds.files)
    notes = []
    if not match:
        # A single file, which may be called anything.
        (name,), (other,) = truths.files, preds.files
        file = source_name(preds.files[other].source)
        return {name: other}, [f"{file} is taken as the predictions of {name}"]
    renamed = sorted(name for name, other in match.items() if name != other)
    if renamed:
        first = renamed[0]
        more = f" (and {len(renamed) - 1} more)" if len(renamed) > 1 else ""
        notes.append(f"predictions {match[first]} are taken as those of {first}{more}")
    ambiguous = {
        name: found
        for name in sorted(truths.files)
        if name not in match
        and len(found := _same_video(name, set(preds.files) - set(match.values()))) > 1
    }
    if ambiguous:
        name, found = next(iter(ambiguous.items()))
        raise IdError(
            f"expected one prediction of sequence {name}, got {len(found)}: {few(found)}: give "
            "those of one detector",
            of_pred.shown(preds),
        )
    return match, notes


def _checked_sides(
    of_truth: _Side,
    truths: _Group,
    wanted: list[str],
    of_pred: _Side,
    preds: _Group,
    match: dict[str, str],
    missing: Missing,
    notes: list[str],
) -> list[str]:
    """Return which sequences of truth to evaluate; refuse or note those of one side.

    Who gives a single sequence means this one and no other.
    """
    without_pred = [name for name in wanted if name not in match]
    without_truth = sorted(set(preds.files) - set(match.values()))
    if without_pred and missing == "error" and not of_pred.is_one:
        raise InputError(
            f"expected predictions of each sequence, {len(without_pred)} of {len(wanted)} have "
            f'none: {few(without_pred)}: missing="zero" counts their objects as missed, '
            'missing="skip" leaves them out',
            of_pred.shown(preds),
        )
    if without_truth and missing != "skip" and not of_truth.is_one:
        raise InputError(
            f"expected truth of each predicted sequence, {len(without_truth)} of "
            f"{len(preds.files)} have none in {of_truth.shown(truths)}: {few(without_truth)}: "
            'missing="skip" leaves them out',
            of_pred.shown(preds),
        )
    if without_pred:
        done = "all of their objects are missed" if missing == "zero" else "left out"
        notes.append(
            f"{_sequences(len(without_pred))} without predictions ({few(without_pred)}): {done}"
        )
    if without_truth:
        notes.append(
            f"{_sequences(len(without_truth))} without truth ({few(without_truth)}): left out"
        )
    if missing == "zero":
        return wanted
    both = [name for name in wanted if name in match]
    if not both:
        raise InputError(
            "expected sequences that both sides have, got none of those that are chosen",
            of_pred.shown(preds),
        )
    return both


# ---- Lists of sequences, and their lengths -------------------------------------------------------


class _Seqmap(NamedTuple):
    source: Source
    place: str
    names: list[str]
    n_frames: dict[str, int]


def _read_seqmap(
    tree: FileTree, group: _Group, given: str | os.PathLike[str] | None, kitti_list: KittiList
) -> _Seqmap | None:
    source = os.fspath(given) if given is not None else _find_seqmap(tree, group, kitti_list)
    if source is None:
        return None
    place = source_name(source)
    lines = source_bytes(source).decode("utf-8-sig", "replace").splitlines()
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    lengths: dict[str, int] = {}
    if rows and all(len(line.split()) >= 4 for _, line in rows):
        # KITTI: name, "empty", first frame, number of frames (of MOTS: the last frame's number).
        is_last = kitti_list == "mots"
        for number, line in rows:
            name, _, _, length = line.split()[:4]
            if not re.fullmatch("[0-9]{1,15}", length):
                what = "the number of the last frame" if is_last else "a number of frames"
                raise SchemaError(
                    f'expected {what} in column 4, got "{printable(length)}"',
                    f"{place} line {number}",
                )
            lengths[name] = int(length) + is_last
        return _Seqmap(source, place, list(lengths), lengths)
    names = [line.split(",")[0].strip() for _, line in rows]
    # TrackEval leaves out the first line, whatever it says.
    if names and names[0] not in group.files:
        names = names[1:]
    names = [name for name in dict.fromkeys(names) if name]
    if not names:
        raise SchemaError("expected a list of sequences, there is none", place)
    return _Seqmap(source, place, names, lengths)


def _find_seqmap(tree: FileTree, group: _Group, kitti_list: KittiList) -> Source | None:
    """Return the list that TrackEval reads, where it lies."""
    folder = group.folder
    if tree.is_file or not tree.holds(folder):
        return None  # what was given is one sequence
    above, name = posixpath.split(folder)
    found = tree.find(f"{above}/seqmaps/{name}.txt")
    if found is not None:
        return found
    lists = [each for each in tree.names_in(f"{folder}/seqmaps") if each.endswith(".txt")]
    if len(lists) == 1:
        return tree.find(f"{folder}/seqmaps/{lists[0]}")
    beginning, usual = _KITTI_SEQMAP[kitti_list]
    for place in (folder, above):
        lists = [each for each in tree.names_in(place) if each.startswith(beginning)]
        if f"{beginning}{usual}" in lists:
            lists = [f"{beginning}{usual}"]
        if len(lists) == 1:
            return tree.find(f"{place}/{lists[0]}")
    return None


def _find_seqinfo(tree: FileTree, file: _File) -> Source | None:
    """Return where the length of a sequence is: beside its file, above it, or in a folder SEQ."""
    folder = posixpath.dirname(file.path)
    places = [f"{file.folder}/{file.name}", f"{posixpath.dirname(file.folder)}/{file.name}"]
    if file.nested or tree.is_file:
        places += [folder, posixpath.dirname(folder)]
    found = (tree.find(f"{place}/seqinfo.ini") for place in places)
    return next((source for source in found if source is not None), None)


def sequence_length(source: Source) -> int:
    """Return the number of frames that a ``seqinfo.ini`` gives.

    Raises
    ------
    SchemaError
        Where it gives none.
    """
    value = _seqinfo_value(source, "seqlength")
    place = source_name(source)
    if value is None:
        raise SchemaError("expected a line seqLength=…, there is none", place)
    if not re.fullmatch("[0-9]{1,15}", value):
        raise SchemaError(f'expected a whole number as seqLength, got "{printable(value)}"', place)
    return int(value)


def _seqinfo_value(source: Source, wanted: str) -> str | None:
    for line in source_bytes(source).decode("utf-8-sig", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip().lower() == wanted:
            return value.strip()
    return None
