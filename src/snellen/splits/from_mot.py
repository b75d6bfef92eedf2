"""MOT sequences as samples: frames, each sequence a group."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from snellen.errors import InputError, SchemaError
from snellen.splits.from_folder import file_of_row, group_by_pattern, images_below
from snellen.splits.groups import Groups
from snellen.splits.hashing import normalised_keys
from snellen.splits.source import Columns, Source
from snellen.splits.strata import factorised

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_mot", "read_mot"]

# MOT17 holds each video three times, with the boxes of three detectors.
_DETECTOR = re.compile(r"-(?:DPM|FRCNN|SDP)$")


def _sequences(path: Path) -> list[Path]:
    """Return the folders of sequences, at most two folders deep."""
    candidates = [path, *path.glob("*/"), *path.glob("*/*/")]
    return sorted(
        folder
        for folder in candidates
        if folder.is_dir()
        and not folder.name.startswith(".")
        and ((folder / "seqinfo.ini").is_file() or (folder / "gt" / "gt.txt").is_file())
    )


def is_mot(path: Path) -> bool:
    """Return whether a folder holds sequences: with seqinfo.ini, or gt/gt.txt."""
    return bool(_sequences(path))


def read_mot(path: Path, columns: Columns) -> Source:
    """Read the frames of sequences; the frames of one stay together.

    Frames are the images, else as many as seqinfo.ini says, else up to the last one in gt.txt.

    Raises
    ------
    SchemaError
        Where a sequence has no frames.
    """
    columns.for_no_table("MOT sequences")
    keys: list[str] = []
    places: list[str] = []
    groups: list[str] = []
    with_images = True
    sequences = _sequences(path)
    for folder in sequences:
        own = folder.name or folder.resolve().name
        name = own if folder == path else folder.relative_to(path).as_posix()
        images = sorted(images_below(folder / "img1")) if (folder / "img1").is_dir() else []
        within = "img1/" if folder == path else f"{name}/img1/"
        frames = [f"{within}{image}" for image, _ in images]
        places += [place for _, place in images]
        if not frames:
            with_images = False
            frames = [f"{name}/{number:06d}" for number in range(1, _n_frames(folder) + 1)]
        keys += frames
        groups += [_DETECTOR.sub("", own)] * len(frames)
    keys = normalised_keys(keys, str(path))
    names, code = factorised(groups)
    notes = [
        f"{path}: {len(sequences)} MOT sequences of {len(keys):,} frames; each sequence stays whole"
    ]
    if len(names) < len(sequences):
        notes.append(f"{len(names)} videos: sequences of one video under several detectors")

    files = file_of_row(path, places) if with_images else None
    chosen = group_by_pattern(keys, columns, notes) or Groups(tuple(names), code)
    return Source("MOT", path, keys, None, chosen, tuple(notes), files)


def _n_frames(folder: Path) -> int:
    info = folder / "seqinfo.ini"
    try:
        if info.is_file():
            parser = configparser.ConfigParser()
            parser.read(info, encoding="utf-8-sig")
            n_frames = parser.getint("Sequence", "seqLength")
        else:
            lines = (folder / "gt" / "gt.txt").read_text(encoding="utf-8").split()
            n_frames = max((int(float(line.split(",")[0])) for line in lines), default=0)
    except (OSError, ValueError, configparser.Error) as error:
        raise InputError(
            f"expected a sequence with frames: {' '.join(str(error).split())}", str(folder)
        ) from None
    if not 1 <= n_frames <= 10_000_000:
        raise SchemaError(f"expected a sequence with frames, got {n_frames}", str(folder))
    return n_frames
