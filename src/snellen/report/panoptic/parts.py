"""What the page of a panoptic segmentation shows, from the state of its run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from snellen.displays import Words
from snellen.report.class_table import class_table
from snellen.report.parts import Column, Facts, RunParts, Table
from snellen.segmentation.panoptic_result import PanopticQualityResult
from snellen.segmentation.pixel_displays import class_qualities

if TYPE_CHECKING:
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_MOST_IMAGES: Final = 500
_FACTS: Final = 3
_WORTH_SAYING: Final = 0.05


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a panoptic segmentation.

    Parameters
    ----------
    run : StoredRun
        The run; everything follows from the result.
    result : Result
        Its result.
    """
    del run
    classes = class_table(result)
    if not isinstance(result, PanopticQualityResult):
        return RunParts(curves=result.displays(), classes=classes)
    images = result.per_image()
    return RunParts(
        facts=_facts(result),
        errors=(class_qualities(result),),
        classes=classes,
        own=(_images(images),) if images else (),
    )


def _facts(result: PanopticQualityResult) -> Facts | None:
    """Return which classes are missed or made up most, and which are found but fit badly."""
    records = result.per_class()
    lines = []
    for what, wrong, of in (("missed", "fn", "of"), ("false", "fp", "predicted as")):
        share = {
            record["class"]: (record[wrong] / total, record[wrong], total)
            for record in records
            if (total := record["tp"] + record[wrong])
        }
        # By how many: a rare class that is all wrong is no reason for a low number of all.
        worst = sorted(share, key=lambda name: (-share[name][1], name))[:_FACTS]
        lines += [
            f"{n:,} of {total:,} {'segment' if total == 1 else 'segments'} {of} {name} "
            f"{'is' if n == 1 else 'are'} {what} ({part:.0%})."
            for name, (part, n, total) in ((name, share[name]) for name in worst)
            if part >= _WORTH_SAYING
        ]
    known = [record for record in records if record["tp"] and math.isfinite(record["SQ"])]
    if known:
        loose = min(known, key=lambda record: record["SQ"])
        lines.append(
            f"Segments of {loose['class']} that are found fit least: SQ {loose['SQ']:.3f}."
        )
    return Facts("What to look at first", tuple(lines)) if lines else None


def _images(records: list[dict[str, Any]]) -> Table:
    """Return the images, the lowest quality first."""
    known = [record for record in records if math.isfinite(record["PQ"])]
    return Table(
        Words(
            name="images",
            title="Images, the lowest PQ first",
            about="Each image by itself: its qualities, and how many of its segments match, are "
            "false, are missed.",
            finding=f"Lowest is {known[0]['image']}: {known[0]['PQ']:.3f}."
            if known
            else "No image has segments that count.",
            note="" if len(records) <= _MOST_IMAGES else f"The {_MOST_IMAGES} lowest.",
        ),
        [
            Column("image", "image"),
            *(Column(name, name, 3) for name in ("PQ", "SQ", "RQ")),
            Column("tp", "matched"),
            Column("fp", "false"),
            Column("fn", "missed"),
        ],
        [{**record, "image": str(record["image"])} for record in records[:_MOST_IMAGES]],
    )
