"""Masks of videos as DAVIS stores them: a folder for each sequence, a label image for each frame.

The value of a pixel is the id of its object, the same in all frames: 0 is background, 255 in truth
are pixels that are not judged. Images are indexed PNGs, or any other lossless label image.
"""

from __future__ import annotations

import os
import posixpath
import warnings
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from snellen.errors import DataWarning, IdError, InputError, SchemaError, ShapeError
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.label_image import DEFAULT_MAX_PIXELS, read_label_image
from snellen.readers.message_text import few
from snellen.rle_masks import LabelledMasks, RleMasks
from snellen.threads import in_threads
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["VOID", "DavisSequence", "find_davis", "read_davis", "read_davis_frames"]

VOID: Final = 255
"""The value of truth pixels that are not judged."""


class DavisSequence(NamedTuple):
    """The files of a sequence, by frame.

    Attributes
    ----------
    name : str
        The name of its folder.
    truth, pred : list of str
        A file for each frame on either side, in the order of their names.
    """

    name: str
    truth: list[str]
    pred: list[str]


def find_davis(truth: str | os.PathLike[str], pred: str | os.PathLike[str]) -> list[DavisSequence]:
    """Find the sequences of two folders.

    Parameters
    ----------
    truth, pred : path
        Folders of folders of label images, however deep; or of a single sequence's images.

    Returns
    -------
    list of DavisSequence
        By name. What only `pred` has is left out, with a warning.

    Raises
    ------
    InputError
        For folders that cannot be read, or without images.
    IdError
        For sequences and frames that one side lacks; frames are matched by the names of their
        files without the ending.
    """
    of_truth, of_pred = _sequences(os.fspath(truth)), _sequences(os.fspath(pred))
    if len(of_truth) == 1 and len(of_pred) == 1:
        # Of single sequences the folders may be called anything.
        of_pred = dict(zip(of_truth, of_pred.values(), strict=True))
    missing = [name for name in of_truth if name not in of_pred]
    if missing:
        raise IdError(
            f"expected a prediction of each of {len(of_truth)} sequences, none of "
            f"{len(missing)}: {few(missing)}",
            os.fspath(pred),
        )
    others = [name for name in of_pred if name not in of_truth]
    if others:
        warnings.warn(
            f"{len(others):,} sequences without truth are left out: {few(others)} - at "
            f"{os.fspath(pred)}",
            DataWarning,
            stacklevel=2,
        )
    found = []
    for name, files in of_truth.items():
        predicted = of_pred[name]
        for one, other, side in ((files, predicted, "pred"), (predicted, files, "truth")):
            absent = [frame for frame in one if frame not in other]
            if absent:
                raise IdError(
                    f"expected the same frames on both sides, {len(absent)} are not in {side}: "
                    f"{few(absent)}",
                    f"sequence {name}",
                )
        found.append(
            DavisSequence(name, list(files.values()), [predicted[frame] for frame in files])
        )
    return found


def read_davis(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Iterator[tuple[Tracks, Tracks]]:
    """Yield truth and prediction of each sequence of two folders.

    Parameters
    ----------
    truth, pred : path
        See `find_davis`.
    max_pixels : int, optional
        Images of more pixels are refused; None lifts the limit.

    Raises
    ------
    InputError, IdError, SchemaError, ShapeError
        As `find_davis` and `read_davis_frames`.
    """
    for name, truth_files, pred_files in find_davis(truth, pred):
        yield (
            read_davis_frames(truth_files, side="truth", sequence=name, max_pixels=max_pixels),
            read_davis_frames(pred_files, side="pred", sequence=name, max_pixels=max_pixels),
        )


def read_davis_frames(
    files: Sequence[str],
    *,
    side: Literal["truth", "pred"],
    sequence: int | str,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Tracks:
    """Read the masks of a sequence.

    Parameters
    ----------
    files : sequence of str
        A label image for each frame.
    side : {"truth", "pred"}
        Of truth the pixels of value `VOID` become regions to ignore; in a prediction 255 is an id
        as any other.
    sequence : int or str
        The id of the sequence.
    max_pixels : int, optional
        Images of more pixels are refused; None lifts the limit.

    Returns
    -------
    Tracks
        With `RleMasks`; frames are numbered from 0.

    Raises
    ------
    SchemaError, InputError
        For files that are no label images, and for colours.
    ShapeError
        For images of different sizes.
    """
    first: tuple[int, int] | None = None
    parts: list[RleMasks] = []
    frames: list[np.ndarray] = []
    values: list[np.ndarray] = []

    def read(path: str) -> tuple[tuple[int, int], LabelledMasks]:
        image = read_label_image(path, max_pixels=max_pixels)
        if image.kind == "colours":
            raise SchemaError(
                "expected a label image whose values are ids (indexed or gray), got colours: save "
                "it with a palette",
                path,
            )
        height, width = image.values.shape
        return (height, width), RleMasks.from_labels(image.values[np.newaxis], path)

    for frame, (size, found) in enumerate(in_threads(read, files)):
        first = first or size
        if size != first:
            raise ShapeError(
                f"expected {first[0]} × {first[1]} pixels as in {files[0]}, got {size[0]} × "
                f"{size[1]}",
                files[frame],
            )
        parts.append(found.masks)
        frames.append(np.full(len(found.value), frame, np.int64))
        values.append(found.value)
    if not parts:
        raise InputError("expected at least one frame", f"sequence {sequence}")
    track = np.concatenate(values)
    return Tracks.from_masks(
        RleMasks.joined(parts),
        track_id=track,
        frame=np.concatenate(frames),
        sequence=sequence,
        region=track == VOID if side == "truth" else None,
        n_frames=len(files),
        frames=np.arange(len(files)),
    )


def _sequences(root: str) -> dict[str, dict[str, str]]:
    """Return the files of each sequence by frame; frames are names without their ending."""
    by_folder: dict[str, dict[str, str]] = {}
    for below, path in files_below(root):
        if ending(below) not in IMAGES:
            continue
        folder, name = posixpath.split(below)
        frames = by_folder.setdefault(folder, {})
        frame = posixpath.splitext(name)[0]
        if frame in frames:
            raise IdError(
                f"expected one file a frame, got {frames[frame]} too: take one away", path
            )
        frames[frame] = path
    if not by_folder:
        raise InputError("expected a folder of sequences with label images, there are none", root)
    # A sequence is called as its folder, unless several are: 480p/bear is bear.
    last = [posixpath.basename(folder or os.path.abspath(root)) for folder in by_folder]  # noqa: PTH100  # a path may be text
    names = last if len(set(last)) == len(last) else list(by_folder)
    found = dict(zip(names, by_folder.values(), strict=True))
    return {
        name: {frame: found[name][frame] for frame in sorted(found[name])} for name in sorted(found)
    }
