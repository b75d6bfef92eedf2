"""Files of one detection format to another, and what that loses."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import InputError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.readers.detection_formats import called, found_format
from snellen.writers.detection_files import check_written, whole_pixels, written_files
from snellen.writers.detections import Detections, Loss
from snellen.writers.placed_files import place_files
from snellen.writers.unread import unread_losses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.readers.box_joining import ReadBoxes
    from snellen.readers.box_rows import BoxLayout
    from snellen.writers.detections import Written

__all__ = ["Conversion", "Source", "convert_detections"]

# What their numbers are has to be said, where it does not show.
_OPEN = ("box-text", "table")


class Source(NamedTuple):
    """What is converted.

    Attributes
    ----------
    path : str
        The file or folder.
    truth : str or None
        What predictions are of; without, `path` is truth.
    format, truth_format : str
        See `read_detection_truth`.
    images, classes : path or mapping, optional
        See `read_detection_truth`; of predictions those of their truth. Beside a COCO truth
        `classes` are the names of the predictions' numbers.
    box : {"xyxy", "xywh", "cxcywh"}, optional
    relative : bool, optional
    drop_unknown : bool
        See `read_detection_truth`.
    """

    path: str
    truth: str | None = None
    format: str = "auto"
    truth_format: str = "auto"
    images: str | Mapping[Any, tuple[int, int]] | None = None
    classes: str | None = None
    box: BoxLayout | None = None
    relative: bool | None = None
    drop_unknown: bool = False


class Conversion(NamedTuple):
    """What was converted, and what of it was lost.

    Attributes
    ----------
    source, target : str
        The paths.
    read_as, written_as : str
        The formats.
    is_truth : bool
        Whether it is truth, or predictions.
    n_images, n_objects, n_classes, n_files : int
        How many there are.
    losses : list of Loss
        What reading the target would not give.
    n_rounded : int
        How many boxes come back with another last bit.
    furthest : float
        By how much at most, in pixels or parts of the image.
    notes : list of str
        What was taken for what, and what a reader has to know.
    is_written : bool
        Whether anything was written: not where something would have been lost.
    """

    source: str
    target: str
    read_as: str
    written_as: str
    is_truth: bool
    n_images: int
    n_objects: int
    n_classes: int
    n_files: int
    losses: list[Loss]
    n_rounded: int
    furthest: float
    notes: list[str]
    is_written: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **self._asdict(),
            "losses": [{"what": what, "n": n, "text": text} for what, n, text in self.losses],
        }


def convert_detections(
    source: Source,
    target: str | os.PathLike[str],
    to: str,
    *,
    to_box: BoxLayout | None = None,
    round_pixels: bool = False,
    drop_scores: bool = False,
    lossy: bool = False,
    force: bool = False,
) -> Conversion:
    """Convert truth or predictions.

    Parameters
    ----------
    source : Source
        What is read, and how.
    target : path
        The file or folder to write.
    to : str
        The format, one of `snellen.readers.detection_formats.FORMATS`.
    to_box : {"xywh", "xyxy", "cxcywh"}, optional
        What four numbers texts of boxes get.
    round_pixels : bool
        Round corners to whole pixels, for tools that read no others.
    drop_scores : bool
        Write predictions as truth.
    lossy : bool
        Write it also where something is lost.
    force : bool
        Replace files of the same names.

    Returns
    -------
    Conversion
        Where something would be lost, and `lossy` is not said, nothing was written.

    Raises
    ------
    SnellenError
        Of bad input, and of a target that cannot be written or is there already.
    """
    place = os.fspath(target)
    if drop_scores and source.truth is None:
        raise InputError(
            "expected predictions whose scores are to be left out, got truth", "drop_scores"
        )
    check_written(place, to, to_box, force=force)
    read, truth = _read(source)
    data = Detections.of_read(read, source.path, truth)
    losses = unread_losses(source.path, read.format)
    if drop_scores:
        losses.append(Loss("scores", len(data.boxes), "scores: written as truth"))
        data = data._replace(columns=dataclasses.replace(data.boxes, score=None))
    if round_pixels:
        data, rounded = whole_pixels(data)
        losses += rounded
    written = written_files(data, to, place, to_box)
    losses = [loss for loss in (*losses, *written.losses) if loss.n]
    n_rounded, furthest = _rounding(data, written)
    notes = [*(truth.notes if truth is not None else ()), *read.notes]
    notes += [f"{place}: {note}" for note in written.notes]
    is_written = lossy or not losses
    if is_written:
        n_others = place_files(place, written.files, force=force)
        if n_others:
            notes.append(f"{place}: {n_others:,} other files stay beside: readers take them, too")
    return Conversion(
        source=source.path,
        target=place,
        read_as=read.format,
        written_as=to,
        is_truth=data.is_truth,
        n_images=len(data.boxes.images),
        n_objects=len(data.boxes),
        n_classes=len(data.boxes.classes),
        n_files=len(written.files) if is_written else 0,
        losses=losses,
        n_rounded=n_rounded,
        furthest=furthest,
        notes=notes,
        is_written=is_written,
    )


def _rounding(data: Detections, written: Written) -> tuple[int, float]:
    """Return how many boxes come back otherwise, and by how much at most."""
    if written.numbers is None or not len(data.boxes):
        return 0, 0.0
    off = np.abs(written.numbers - data.boxes.xywh).max(axis=1)
    return int(np.count_nonzero(off)), float(off.max())


def _read(source: Source) -> tuple[ReadBoxes, ReadBoxes | None]:
    """Return what was read, and of predictions the truth."""
    if source.truth is None:
        return _read_truth(source, source.path, source.format), None
    truth = _read_truth(source, source.truth, source.truth_format)
    written = source.format
    if written == "auto":
        written = found_format(source.path, prefer=truth.format)
    read = read_detection_predictions(
        source.path,
        truth,
        format=written,
        classes=source.classes if truth.format == "coco" else None,
        drop_unknown=source.drop_unknown,
        **_of_numbers(source, written),
    )
    return read, truth


def _read_truth(source: Source, path: str, written: str) -> ReadBoxes:
    if written == "auto":
        written = found_format(path)
    is_of_predictions = source.truth is not None and written == "coco"
    return read_detection_truth(
        path,
        format=written,
        images=source.images,
        classes=None if is_of_predictions else source.classes,
        drop_unknown=source.drop_unknown,
        **_of_numbers(source, written),
    )


def _of_numbers(source: Source, written: str) -> dict[str, Any]:
    """Return what says the meaning of numbers, for formats that leave it open."""
    if written in _OPEN:
        return {"box": source.box, "relative": source.relative}
    if source.truth is None and (source.box, source.relative) != (None, None):
        raise InputError(
            f"expected box and relative (--box, --relative) with texts of boxes or a table, got "
            f"{called(written)}, which say it themselves",
            source.path,
        )
    return {}
