"""Files of one detection format to another, and what that loses."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import InputError
from snellen.writers.detection_files import check_written, whole_pixels, written_files
from snellen.writers.detections import Loss
from snellen.writers.placed_files import place_files
from snellen.writers.unread import unread_losses

if TYPE_CHECKING:
    from snellen.detection.box_layouts import BoxLayout
    from snellen.writers.source import Source

__all__ = ["Conversion", "convert_detections"]


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
    data, read_as, notes = source.read()
    losses = unread_losses(source.path, read_as, is_truth=data.is_truth, kind=data.kind)
    if drop_scores:
        losses.append(Loss("scores", len(data.boxes), "scores: written as truth"))
        data = data.with_boxes(dataclasses.replace(data.boxes, score=None))
    if round_pixels:
        data, rounded = whole_pixels(data)
        losses += rounded
    written = written_files(data, to, place, to_box)
    losses = [loss for loss in (*losses, *written.losses) if loss.n]
    notes += [f"{place}: {note}" for note in written.notes]
    is_written = lossy or not losses
    if is_written:
        n_others = place_files(place, written.files, force=force)
        if n_others:
            notes.append(f"{place}: {n_others:,} other files stay beside: readers take them, too")
    return Conversion(
        source=source.path,
        target=place,
        read_as=read_as,
        written_as=to,
        is_truth=data.is_truth,
        n_images=len(data.boxes.images),
        n_objects=len(data.boxes),
        n_classes=len(data.boxes.classes),
        n_files=len(written.files) if is_written else 0,
        losses=losses,
        notes=notes,
        is_written=is_written,
    )
