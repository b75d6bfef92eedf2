"""How many objects and tracks there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.tracking.family import Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["COUNT"]

_COUNTS: Final = ("Dets", "GT_Dets", "IDs", "GT_IDs")


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    del settings
    return {
        "dets": len(coded.frames.pred),
        "truth_dets": len(coded.frames.truth),
        "ids": len(coded.pred_ids),
        "truth_ids": len(coded.truth_ids),
        "frames": coded.n_frames,
    }


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    return {
        "Dets": sums["dets"],
        "GT_Dets": sums["truth_dets"],
        "IDs": sums["ids"],
        "GT_IDs": sums["truth_ids"],
        "Frames": sums["frames"],
    }


def _gaps(sums: Columns) -> list[Gap]:
    del sums  # none of nothing is 0
    return []


COUNT: Final = Family(
    name="count",
    title="Count",
    columns=dict.fromkeys(("dets", "truth_dets", "ids", "truth_ids", "frames"), np.int64),
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    fields=_COUNTS,
    counts=frozenset((*_COUNTS, "Frames")),
    neither_is_better=frozenset(_COUNTS),
    ranges={"": (0.0, math.inf)},
    summary=_COUNTS,
    detailed=_COUNTS,
)
"""Objects and tracks on either side, after what the protocol leaves out."""
