"""Truth and predictions to files of any format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.box_layouts import LAYOUTS
from snellen.errors import InputError, did_you_mean
from snellen.readers.detection_formats import FORMATS, called
from snellen.readers.message_text import printable
from snellen.writers.detections import Detections, Loss, Written
from snellen.writers.placed_files import check_target, place_files

if TYPE_CHECKING:
    from snellen.detection.box_layouts import BoxLayout

__all__ = ["check_written", "refuse_losses", "whole_pixels", "write_detections", "written_files"]

_ENDINGS: Final = {
    "coco": (".json", ".json.gz"),
    "open-images": (".csv",),
    "cvat": (".xml",),
    "table": (".csv", ".tsv", ".parquet"),
}
"""The formats that are one file, and how its name ends; the others are folders."""


def write_detections(
    target: str | os.PathLike[str],
    data: Detections,
    format: str,  # noqa: A002  # as the option is called
    *,
    box: BoxLayout | None = None,
    lossy: bool = False,
    force: bool = False,
) -> Written:
    """Write truth or predictions in a format.

    Parameters
    ----------
    target : path
        The file or folder, as the format is one or the other.
    data : Detections
        Predictions, if they have scores.
    format : str
        One of `snellen.readers.detection_formats.FORMATS`.
    box : {"xywh", "xyxy", "cxcywh"}, optional
        What four numbers texts of boxes have; without, ``"xywh"``.
    lossy : bool
        Write also what the format does not hold wholly; without, this is refused.
    force : bool
        Replace files of the same names.

    Returns
    -------
    Written
        What was written, and what was lost.

    Raises
    ------
    SnellenError
        Of data that the format cannot hold, of a target that is there already, and of losses.
    OSError
        Where something cannot be written; nothing is then.
    """
    place = os.fspath(target)
    check_written(place, format, box, force=force)
    written = written_files(data, format, place, box)
    if not lossy:
        refuse_losses(written.losses, format, place)
    n_others = place_files(place, written.files, force=force)
    if not n_others:
        return written
    note = f"{n_others:,} other files stay in the folders of {place}: readers take them, too"
    return written._replace(notes=[*written.notes, note])


def check_written(target: str, written: str, box: str | None, *, force: bool) -> None:
    """Refuse, before the work is done, what cannot be written.

    Raises
    ------
    InputError
        For an unknown format, a name that is not of its kind, and a target that is there already.
    """
    if written not in FORMATS:
        raise InputError(
            f'expected a format ({", ".join(FORMATS)}), got "{printable(written, 40)}".'
            f"{did_you_mean(written, FORMATS)}",
            "format",
        )
    if box is not None and written != "box-text":
        raise InputError(
            f"expected no layout of boxes beside {called(written)}, which has one", "box"
        )
    if box not in (None, *LAYOUTS):
        raise InputError(
            f'expected a layout of boxes ({", ".join(LAYOUTS)}), got "{printable(box, 40)}"', "box"
        )
    endings = _ENDINGS.get(written)
    if endings is not None and not os.fspath(target).lower().endswith(endings):
        raise InputError(
            f"expected a file whose name ends with {' or '.join(endings)}, as {called(written)} is "
            "one",
            target,
        )
    check_target(target, is_folder=endings is None, force=force)


def written_files(
    data: Detections, written: str, target: str, box: BoxLayout | None = None
) -> Written:
    """Return the files of a format, not on disk yet; see `write_detections`."""
    if written == "coco":
        from snellen.writers.coco import write_coco

        return write_coco(data, packed=target.lower().endswith(".gz"))
    if written == "yolo":
        from snellen.writers.yolo import write_yolo

        return write_yolo(data)
    if written == "voc-xml":
        from snellen.writers.voc_xml import write_voc_xml

        return write_voc_xml(data)
    if written == "voc-results":
        from snellen.writers.voc_results import write_voc_results

        return write_voc_results(data)
    if written == "box-text":
        from snellen.writers.box_text import write_box_text

        return write_box_text(data, box or "xywh")
    if written == "open-images":
        from snellen.writers.open_images import write_open_images

        return write_open_images(data)
    if written == "kitti":
        from snellen.writers.kitti_labels import write_kitti_labels

        return write_kitti_labels(data)
    if written == "cvat":
        from snellen.writers.cvat_xml import write_cvat_xml

        return write_cvat_xml(data)
    if written == "table":
        from snellen.writers.box_table import write_box_table

        return write_box_table(data, target)
    from snellen.writers.dota import write_dota

    return write_dota(data)


def refuse_losses(losses: list[Loss], written: str, place: str) -> None:
    """Refuse what would be lost.

    Raises
    ------
    InputError
        With the first losses.
    """
    if losses:
        shown = "; ".join(f"{loss.n:,} {loss.text}" for loss in losses)
        raise InputError(
            f"expected what {called(written)} can hold, it would lose: {shown}. Say --lossy "
            "(lossy=True) to write it all the same",
            place,
        )


def whole_pixels(data: Detections) -> tuple[Detections, list[Loss]]:
    """Return boxes whose corners are whole numbers, for tools that read these alone.

    Raises
    ------
    InputError
        For boxes that are parts of unknown sizes, and for masks, keypoints and turned boxes.
    """
    import dataclasses

    from snellen.detection.boxes import Boxes

    if not isinstance(data.columns, Boxes):
        raise InputError("expected upright boxes to round, got other shapes", data.place)
    data.refuse_relative("a box of whole pixels")
    xywh = data.columns.xywh
    first = np.rint(xywh[:, :2])
    rounded = np.concatenate([first, np.rint(xywh[:, :2] + xywh[:, 2:]) - first], axis=1)
    n = int(np.count_nonzero((rounded != xywh).any(axis=1)))
    losses = [Loss("sub_pixels", n, "boxes between pixels: rounded")] if n else []
    return data._replace(columns=dataclasses.replace(data.columns, xywh=rounded)), losses
