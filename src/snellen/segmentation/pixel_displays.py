"""Pictures of segmentation: what pixels were taken for what, and how well each class fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, MatrixDisplay, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.segmentation.panoptic_result import PanopticQualityResult
    from snellen.segmentation.segmentation_result import SegmentationResult

__all__ = ["class_iou", "class_qualities", "confusion_matrix", "slice_iou"]

_MOST: Final = 40  # classes whose bars are drawn


def confusion_matrix(result: SegmentationResult) -> MatrixDisplay:
    """Return the confusion matrix of pixels; what was called no class is a column of its own."""
    names = tuple(result.classes.display_names())
    counts = result.matrix[:-1].astype(np.float64)
    columns = (*names, "no class")
    if not counts[:, -1].any():
        counts, columns = counts[:, :-1], names
    total = counts.sum()
    if total:
        finding = f"{np.trace(counts) / total:.1%} of {total:,.0f} pixels are right."
        pairs = result.most_confused(1)
        if pairs:
            one = pairs[0]
            finding += (
                f" Most often confused: of true {one['truth']} {one['share_of_truth']:.0%} were "
                f"taken for {one['prediction']}."
            )
    else:
        finding = "There are no pixels of a class."
    return MatrixDisplay(
        words=Words(
            name="confusion_matrix",
            title="What was taken for what",
            about="A row is a true class: its cells say what its pixels were taken for; what is "
            "right stands on the diagonal.",
            finding=finding,
            protocol="counts of pixels; void pixels of truth are left out",
        ),
        rows=names,
        columns=columns,
        counts=counts,
    )


def class_iou(result: SegmentationResult) -> BarsDisplay:
    """Return the IoU of each class, the lowest first."""
    records = sorted(_known(result.per_class(), "iou"), key=lambda record: record["iou"])
    return BarsDisplay(
        words=Words(
            name="class_iou",
            title="IoU of each class",
            about="IoU is the pixels that truth and prediction share, over those that either has: "
            "1 where they are the same.",
            finding=_between(records, "iou", "IoU"),
            protocol=result.rules.rule,
            note=_most(records),
        ),
        categories=tuple(record["class"] for record in records[:_MOST]),
        bars=(Bars("IoU", _column(records[:_MOST], "iou")),),
        value_label="IoU",
        value_range=(0.0, 1.0),
    )


def slice_iou(slices: Sequence[dict[str, Any]], whole: float) -> BarsDisplay:
    """Return the mean IoU of each slice, beside that of all.

    Parameters
    ----------
    slices : sequence of dict
        ``slice``, ``n_images`` and ``mIoU`` of each; None where undefined.
    whole : float
        That of all images.
    """
    known = [each for each in slices if each["mIoU"] is not None and each["mIoU"] == each["mIoU"]]
    if known:
        worst = min(known, key=lambda each: float(each["mIoU"]))
        finding = (
            f"mIoU is lowest in {worst['slice']}: {worst['mIoU']:.3f}, beside {whole:.3f} of all."
        )
    else:
        finding = "No slice has pixels that count."
    values = [whole, *(np.nan if each["mIoU"] is None else each["mIoU"] for each in slices)]
    return BarsDisplay(
        words=Words(
            name="slices",
            title="mIoU by slice",
            about="The same number over parts of the images: a part that is much lower than the "
            "whole is where to look.",
            finding=finding,
        ),
        categories=("all", *(f"{each['slice']} ({each['n_images']:,})" for each in slices)),
        bars=(Bars("mIoU", np.array(values, np.float64)),),
        value_label="mIoU",
        value_range=(0.0, 1.0),
    )


def class_qualities(result: PanopticQualityResult) -> BarsDisplay:
    """Return panoptic, segmentation and recognition quality of each class, the lowest PQ first."""
    records = sorted(_known(result.per_class(), "PQ"), key=lambda record: record["PQ"])
    shown = records[:_MOST]
    return BarsDisplay(
        words=Words(
            name="class_qualities",
            title="Panoptic quality of each class",
            about="PQ is recognition (RQ: are segments found?) times segmentation (SQ: how well do "
            "those fit that are found?).",
            finding=_between(records, "PQ", "PQ"),
            protocol="segments match above IoU 0.5",
            note=_most(records),
        ),
        categories=tuple(record["class"] for record in shown),
        bars=tuple(Bars(name, _column(shown, name)) for name in ("PQ", "SQ", "RQ")),
        value_label="quality",
        value_range=(0.0, 1.0),
    )


def _known(records: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [record for record in records if not np.isnan(record[name])]


def _column(records: list[dict[str, Any]], name: str) -> Any:
    return np.array([record[name] for record in records], np.float64)


def _between(records: list[dict[str, Any]], name: str, called: str) -> str:
    if not records:
        return "No class counts."
    worst, best = records[0], records[-1]
    return (
        f"{called} goes from {worst[name]:.3f} ({worst['class']}) to {best[name]:.3f} "
        f"({best['class']})."
    )


def _most(records: list[dict[str, Any]]) -> str:
    return f"The {_MOST} lowest of {len(records):,} classes." if records[_MOST:] else ""
