"""Which files are read together: sequences by their names, or files that say what they hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen.errors import IdError, InputError
from snellen.readers.file_trees import FileTree
from snellen.readers.image_files import IMAGES
from snellen.readers.message_text import few
from snellen.readers.sources import source_name
from snellen.readers.track_folders import Missing, find_sequences
from snellen.readers.tracking_formats import SUFFIXES, read_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.readers.sources import Source
    from snellen.tracking.protocols import TrackingProtocol

__all__ = ["Pair", "first_file", "found_pairs", "n_sequences", "refuse_missing", "stem_of"]

# Files of these may hold several sequences, and say which.
_OF_MANY: Final = ("bdd100k", "coco", "table")
_ANY_SUFFIX: Final = (".txt", ".csv", ".tsv", ".parquet", ".jsonl", ".npz", ".json")
# MOTChallenge's images.
_NO_FOLDERS: Final = ("img1",)


class Pair(NamedTuple):
    """What is read together: a sequence, or two files that hold several."""

    truth: Source
    pred: Source | None
    sequence: str | None
    n_frames: int | None


def first_file(path: str | os.PathLike[str]) -> Source | None:
    """Return the file itself, or the first that may be a sequence."""
    tree = FileTree(path, _NO_FOLDERS)
    if not tree.is_file:
        tree.open_zips("/data")
    sources = list(tree.files.items())
    if tree.is_file:
        return sources[0][1]
    # Text first: images may lie beside it.
    for wanted in (_is_truth_text, _is_text, _is_sequence):
        for name, source in sources:
            if wanted(name):
                return source
    return None


def _is_truth_text(path: str) -> bool:
    return path.endswith(("/gt/gt.txt", "/gt/gt.txt.gz"))


def _is_text(path: str) -> bool:
    return not path.lower().endswith(".png") and _is_sequence(path)


def _is_sequence(path: str) -> bool:
    *folders, name = path.lower().removesuffix(".gz").split("/")
    return (
        name.endswith((*_ANY_SUFFIX, ".png"))
        and not name.startswith(("readme", "license", "licence", "seqinfo", "seqmap"))
        and not name.endswith(("_summary.txt", "_detailed.csv"))
        and not {"seqmaps", "img1", "det"}.intersection(folders)
    )


def found_pairs(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    written: tuple[str, str],
    protocol: TrackingProtocol,
    missing: Missing,
    tracker: str | None,
    seqmap: str | os.PathLike[str] | None,
) -> tuple[tuple[Pair, ...], dict[tuple[str, bool], Any], list[str], str, list[str]]:
    """Return pairs, what was read to find them, notes, and what the predictions are called.

    Last come files of `FoundSequences.beside`.
    """
    of_many = [each in _OF_MANY for each in written]
    one_truth = _single_file(truth, written[0]) if of_many[0] else None
    one_pred = _single_file(pred, written[1]) if of_many[1] else None
    note = f"truth in {os.fspath(truth)}, predictions in {os.fspath(pred)}"
    called = Path(pred).name.removesuffix(".gz").split(".")[0]
    if one_truth is not None and one_pred is not None:
        for name, value in (("tracker", tracker), ("seqmap", seqmap)):
            if value is not None:
                raise InputError(
                    f"expected no {name} with two files, which say themselves what they hold, got "
                    f"{value}",
                    name,
                )
        return (Pair(one_truth, one_pred, None, None),), {}, [note], called, []
    if written[0] == written[1] and written[0] in ("bdd100k", "table"):
        whole = one_truth if one_truth is not None else one_pred
        if whole is not None and seqmap is None and tracker is None:
            found = _file_and_folder(
                truth, pred, written[0], whole, one_truth is not None, protocol, missing
            )
            if found is not None:
                return (*found, called, [])
    if tracker is not None and FileTree(pred).is_file:
        raise InputError(f"expected no tracker with a single file, got {tracker}", "tracker")
    suffixes = dict.fromkeys(s for each in written for s in SUFFIXES.get(each, (".txt",)))
    sequences = find_sequences(
        truth,
        pred,
        suffixes=tuple(suffixes),
        frame_suffixes=tuple(sorted(IMAGES)) if written[0] == "davis" else (),
        tracker=tracker,
        seqmap=seqmap,
        kitti_list="mots" if written[0] == "kitti-mots" else "tracking",
        missing=missing,
    )
    pairs = tuple(Pair(s.truth, s.pred, s.name, s.n_frames) for s in sequences.sequences)
    return pairs, {}, list(sequences.notes), sequences.tracker, sequences.beside


def _single_file(path: str | os.PathLike[str], written: str) -> Source | None:
    """Return the one file that there is; None where there are several or none."""
    sources = _files_of(path, written)
    return sources[0][1] if len(sources) == 1 else None


def _files_of(path: str | os.PathLike[str], written: str) -> list[tuple[str, Source]]:
    """Return the name without its ending, and the place, of each file of a format."""
    tree = FileTree(path, _NO_FOLDERS)
    if tree.is_file:
        return [(stem_of(tree.root), tree.shown)]
    return [
        (stem_of(name), source)
        for name, source in tree.files.items()
        if name.lower().removesuffix(".gz").endswith(SUFFIXES[written]) and _is_sequence(name)
    ]


def stem_of(path: str) -> str:
    """Return the name of a file without its folders and its ending."""
    return os.path.splitext(os.path.basename(path).removesuffix(".gz"))[0]  # noqa: PTH119, PTH122


def _file_and_folder(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    written: str,
    whole: Source,
    whole_is_truth: bool,
    protocol: TrackingProtocol,
    missing: Missing,
) -> tuple[tuple[Pair, ...], dict[tuple[str, bool], Any], list[str]] | None:
    """Pair the sequences of one file with the files of a folder, by name."""
    read = read_side(
        written, protocol, whole, is_truth=whole_is_truth, sequence=None, n_frames=None
    )
    names = [str(name) for name in read.tracks.sequences.ids.tolist()]
    files = dict(_files_of(pred if whole_is_truth else truth, written))
    if not read.tracks.named or not files:
        return None
    of_truth, of_pred = (names, list(files)) if whole_is_truth else (list(files), names)
    without_pred = sorted(set(of_truth) - set(of_pred))
    without_truth = sorted(set(of_pred) - set(of_truth))
    place = os.fspath(pred)
    refuse_missing(missing, without_pred, without_truth, (of_truth, of_pred), place)
    notes = [f"truth in {os.fspath(truth)}, predictions in {place}"]
    if without_pred:
        done = "left out" if missing == "skip" else "all of their objects are missed"
        notes.append(
            f"{n_sequences(len(without_pred))} without predictions ({few(without_pred)}): {done}"
        )
    if without_truth:
        notes.append(
            f"{n_sequences(len(without_truth))} without truth ({few(without_truth)}): left out"
        )
    pairs = []
    for name in sorted(of_truth):
        other = files.get(name)
        if name in without_pred:
            if missing == "skip":
                continue
            other = None
        one = whole if whole_is_truth else files[name]
        two = other if whole_is_truth else (None if name in without_pred else whole)
        pairs.append(Pair(one, two, name, None))
    if not pairs:
        raise IdError(
            f"expected sequences that both sides have, got none: truth has {few(sorted(of_truth))},"
            f" predictions have {few(sorted(of_pred))}",
            place,
        )
    return tuple(pairs), {(source_name(whole), whole_is_truth): read}, notes


def refuse_missing(
    missing: Missing,
    without_pred: Sequence[Any],
    without_truth: Sequence[Any],
    sides: tuple[Any, Any],
    place: str,
) -> None:
    """Refuse sequences of one side, unless they are to be left out or taken as empty."""
    truth, pred = (len(side) if isinstance(side, list) else len(side.sequences) for side in sides)
    if without_pred and missing == "error":
        raise InputError(
            f"expected predictions of each sequence, {len(without_pred):,} of {truth:,} have none: "
            f'{few(without_pred)}: missing="zero" counts their objects as missed, missing="skip" '
            "leaves them out",
            place,
        )
    if without_truth and missing != "skip":
        raise InputError(
            f"expected truth of each predicted sequence, {len(without_truth):,} of {pred:,} have "
            f'none: {few(without_truth)}: missing="skip" leaves them out',
            place,
        )


def n_sequences(n: int) -> str:
    """Return a number of sequences in words."""
    return f"{n:,} sequence{'' if n == 1 else 's'}"
