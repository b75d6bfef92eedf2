"""Pictures of boundaries and surfaces: how well, and how far off, the outline of each class is."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.segmentation.boundary_result import BoundaryQualityResult
    from snellen.segmentation.surface_distance_result import SurfaceDistanceResult

__all__ = ["class_boundaries", "class_distances", "class_surface_dice"]

_MOST: Final = 40  # classes whose bars are drawn


def class_boundaries(result: BoundaryQualityResult) -> BarsDisplay:
    """Return Boundary IoU, boundary F and the IoU of masks of each class, the lowest first."""
    names = {"boundary_iou": "Boundary IoU", "boundary_f": "boundary F", "mask_iou": "mask IoU"}
    return _bars(
        result.per_class(),
        "class",
        names,
        "boundary_iou",
        Words(
            name="class_boundaries",
            title="Boundaries of each class",
            about="Boundary IoU compares the zones along outlines, boundary F the outlines, mask "
            "IoU all pixels: a class whose mask fits and whose boundary does not is drawn roughly.",
            finding="",
            protocol=str(result.rules),
        ),
        "share",
        (0.0, 1.0),
    )


def class_distances(result: SurfaceDistanceResult) -> BarsDisplay:
    """Return how far apart the surfaces of each class are, the farthest first."""
    _, robust, average, _ = result.names
    unit = result.unit_of(average)
    names = {robust: robust.upper(), average: "ASSD"}
    return _bars(
        result.per_class(),
        "name",
        names,
        average,
        Words(
            name="class_distances",
            title="Distance between surfaces of each class",
            about="ASSD is the mean distance between the surfaces of truth and prediction, "
            f"{robust.upper()} the one that all but the farthest parts stay below.",
            finding="",
            protocol=result.protocol_text,
        ),
        f"distance [{unit}]",
        None,
        descending=True,
        unit=unit,
    )


def class_surface_dice(result: SurfaceDistanceResult) -> BarsDisplay:
    """Return the share of each class's surface that is right, the lowest first."""
    share = result.names[-1]
    return _bars(
        result.per_class(),
        "name",
        {share: "NSD"},
        share,
        Words(
            name="class_surface_dice",
            title="Share of the surface that is right, of each class",
            about="NSD is the part of both surfaces that lies within the tolerance of the other.",
            finding="",
            protocol=result.protocol_text,
        ),
        "NSD",
        (0.0, 1.0),
    )


def _bars(
    records: Sequence[dict[str, Any]],
    key: str,
    names: dict[str, str],
    by: str,
    words: Words,
    value_label: str,
    value_range: tuple[float, float] | None,
    *,
    descending: bool = False,
    unit: str = "",
) -> BarsDisplay:
    """Return bars of some numbers of each class, in the order of one of them."""
    known = [record for record in records if not math.isnan(record[by])]
    known.sort(key=lambda record: -record[by] if descending else record[by])
    shown = known[:_MOST]
    finding = "No class counts."
    if len(known) == 1:
        finding = f"{names[by]} of {known[0][key]} is {_said(known[0][by], unit)}."
    elif known:
        ends = [f"{_said(each[by], unit)} ({each[key]})" for each in (known[0], known[-1])]
        finding = f"{names[by]} goes from {ends[0]} to {ends[1]}."
    which = "farthest" if descending else "lowest"
    note = f"The {_MOST} {which} of {len(known):,} classes." if known[_MOST:] else ""
    return BarsDisplay(
        words=dataclasses.replace(words, finding=finding, note=note),
        categories=tuple(str(record[key]) for record in shown),
        bars=tuple(
            Bars(name, np.array([record[column] for record in shown], np.float64))
            for column, name in names.items()
        ),
        value_label=value_label,
        value_range=value_range,
    )


def _said(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if unit else f"{value:.3f}"
