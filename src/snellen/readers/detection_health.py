"""A data set of any format for the check of its health: COCO's with all of its faults."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.detection.health_columns import CheckedData, checked_boxes
from snellen.errors import DataWarning, InputError
from snellen.readers.box_classes import are_of_predictions
from snellen.readers.coco_lenient import lenient_coco_predictions, lenient_coco_truth
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.readers.detection_formats import called, found_format

if TYPE_CHECKING:
    from snellen.detection.box_layouts import BoxLayout
    from snellen.readers.detection_files import ReadBoxes

__all__ = ["ForCheck", "read_for_check"]

_OPEN = ("box-text", "table")


class ForCheck(NamedTuple):
    """What is to be checked.

    Attributes
    ----------
    truth : CheckedData
    pred : CheckedData or None
    notes : tuple of str
        What was taken for what, and what readers warned of.
    """

    truth: CheckedData
    pred: CheckedData | None
    notes: tuple[str, ...]


def read_for_check(
    truth: str,
    predictions: str | None = None,
    *,
    truth_format: str = "auto",
    format: str = "auto",  # noqa: A002  # as the option is called
    images: str | None = None,
    classes: str | None = None,
    box: BoxLayout | None = None,
    relative: bool | None = None,
) -> ForCheck:
    """Read truth, and predictions for it, for `snellen.detection.health.check_detection`.

    COCO files are read with all of their faults. The files of other formats are read by their own
    readers, which refuse what cannot be read; objects of images or classes that are not listed
    are left out with a note.

    Parameters
    ----------
    truth, predictions : str
        Files or folders.
    truth_format, format, images, classes, box, relative
        As `read_detection_truth` and `read_detection_predictions` take them.

    Raises
    ------
    SnellenError
        For what cannot be read.
    """
    of_truth = found_format(truth) if truth_format == "auto" else truth_format
    notes = [f"{truth}: {called(of_truth)}"]
    written = None
    if predictions is not None:
        written = found_format(predictions, prefer=of_truth) if format == "auto" else format
        notes.append(f"{predictions}: {called(written)}")
    both_coco = of_truth == "coco" and written in ("coco", None)
    if (box, relative) != (None, None) and not {of_truth, written} & {*_OPEN}:
        raise InputError(
            f"expected it with texts of boxes or a table, got {called(of_truth)}",
            "box" if box is not None else "relative",
        )
    if both_coco and classes is not None:
        raise InputError("expected no classes beside COCO, whose files list them", "classes")
    if both_coco and images is None and not (predictions or "").lower().endswith(".npy"):
        found = lenient_coco_truth(truth)
        pred = None if predictions is None else lenient_coco_predictions(predictions, found)
        return ForCheck(found, pred, tuple(notes))

    def said(name: str) -> dict[str, Any]:
        return {"box": box, "relative": relative} if name in _OPEN else {}

    is_of_predictions = classes is not None and are_of_predictions(truth, of_truth, written or "")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        read = read_detection_truth(
            truth,
            format=of_truth,
            images=images,
            classes=None if is_of_predictions else classes,
            drop_unknown=True,
            **said(of_truth),
        )
        read_pred: ReadBoxes | None = None
        if predictions is not None and written is not None:
            read_pred = read_detection_predictions(
                predictions,
                read,
                format=written,
                classes=classes if is_of_predictions else None,
                drop_unknown=True,
                **said(written),
            )
    notes += [*read.notes, *(() if read_pred is None else read_pred.notes)]
    notes += [f"warning: {each.message}" for each in caught]
    if of_truth == "coco":
        checked = lenient_coco_truth(truth)
    else:
        checked = checked_boxes(read.boxes.boxes, truth, sizes=read.sizes, relative=read.relative)
    if read_pred is None or predictions is None:
        return ForCheck(checked, None, tuple(notes))
    pred = checked_boxes(read_pred.boxes.boxes, predictions, relative=read_pred.relative)
    return ForCheck(checked, _listed_as(pred, checked), tuple(notes))


def _listed_as(pred: CheckedData, truth: CheckedData) -> CheckedData:
    """Return predictions whose images and classes have the positions that they have in truth."""

    def codes(ids: Any, position: dict[Any, int]) -> Any:
        return np.fromiter((position.get(key, -1) for key in ids), np.int64, len(ids))

    objects = dataclasses.replace(
        pred.objects,
        image=codes(pred.objects.image_id, truth.images.position),
        label=codes(pred.objects.class_id, truth.classes.position),
    )
    return dataclasses.replace(pred, images=truth.images, classes=truth.classes, objects=objects)
