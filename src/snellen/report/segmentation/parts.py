"""What the page of a segmentation shows, from the state of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, Words
from snellen.report.class_table import class_table
from snellen.report.parts import Column, Facts, RunParts, Table
from snellen.segmentation.pixel_displays import class_iou, confusion_matrix, slice_iou
from snellen.segmentation.segmentation_result import SegmentationResult

if TYPE_CHECKING:
    from snellen.displays import Display
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_MOST_IMAGES: Final = 500
_PAIRS: Final = 3
_WORTH_SAYING: Final = 0.05


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a segmentation.

    Parameters
    ----------
    run : StoredRun
        The run; its ``result.json`` has the slices that were asked for.
    result : Result
        Its result: of pixels, of boundaries or of surfaces.
    """
    classes = class_table(result)
    if not isinstance(result, SegmentationResult):
        # The headline numbers stand above already.
        return RunParts(errors=result.displays()[:-1], classes=classes)
    slices = run.stored.get("per_slice") or []
    own: list[Display | Table] = [_rules(result)]
    images = result.per_image()
    if images:
        own.append(_images(images))
    return RunParts(
        facts=_facts(result, images),
        confusion=confusion_matrix(result),
        errors=(class_iou(result),),
        slices=(slice_iou(slices, result.metrics["mIoU"]),) if slices else (),
        classes=classes,
        own=tuple(own),
    )


def _facts(result: SegmentationResult, images: list[dict[str, Any]]) -> Facts | None:
    lines = [
        f"Of the pixels of {pair['truth']} {pair['share_of_truth']:.0%} were taken for "
        f"{pair['prediction']}."
        for pair in result.most_confused(_PAIRS)
        if pair["share_of_truth"] >= _WORTH_SAYING
    ]
    known = [image for image in images if image["mIoU"] == image["mIoU"]]
    if len(known) > 1:
        worst = known[0]
        of_class = f"; there {worst['worst_class']} has IoU {worst['worst_iou']:.3f}"
        lines.append(
            f"Lowest is image {worst['image']}: mIoU {worst['mIoU']:.3f}"
            f"{of_class if worst['worst_class'] else ''}."
        )
    return Facts("What to look at first", tuple(lines)) if lines else None


def _rules(result: SegmentationResult) -> BarsDisplay:
    """Return the mean IoU of the same pixels under every rule that papers average by."""
    rules = {name: value for name, value in result.by_rule.items() if value == value}
    names, values = list(rules), np.array(list(rules.values()), np.float64)
    if rules:
        low, high = int(values.argmin()), int(values.argmax())
        finding = (
            f"The same pixels have a mIoU between {values[low]:.3f} ({names[low]}) and "
            f"{values[high]:.3f} ({names[high]}), by what is averaged."
        )
    else:
        finding = "No rule defines a mean."
    return BarsDisplay(
        words=Words(
            name="mean_iou_by_rule",
            title="One prediction, several means",
            about="Toolkits average differently: over classes or images, with or without absent "
            "classes; compare numbers of the same rule only.",
            finding=finding,
            protocol=f"the headline number: {result.rules.rule}",
        ),
        categories=tuple(names),
        bars=(Bars("mIoU", values),),
        value_label="mIoU",
        value_range=(0.0, 1.0),
    )


def _images(records: list[dict[str, Any]]) -> Table:
    """Return the images, the lowest mean IoU first."""
    note = "" if len(records) <= _MOST_IMAGES else f"The {_MOST_IMAGES} lowest."
    known = [record for record in records if record["mIoU"] == record["mIoU"]]
    return Table(
        Words(
            name="images",
            title="Images, the lowest mIoU first",
            about="Each image by itself: the mean over the classes that its truth has, and which "
            "of them fits least.",
            finding=f"Lowest is {known[0]['image']}: {known[0]['mIoU']:.3f}."
            if known
            else "No image has pixels that count.",
            note=note,
        ),
        [
            Column("image", "image"),
            Column("mIoU", "mIoU", 3),
            Column("pixel_accuracy", "pixel accuracy", 3),
            Column("worst_class", "worst class"),
            Column("worst_iou", "its IoU", 3),
            Column("n_pixels", "pixels"),
        ],
        [{**record, "image": str(record["image"])} for record in records[:_MOST_IMAGES]],
    )
