"""VACE: tracking accuracy by time in common, and detection accuracy by area in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.tracking.family import Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["VACE"]


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    sums = coded.kernel.vace(settings.threshold)
    return {
        "stda": sums["stda"],
        "fda": sums["fda"],
        "filled_frames": sums["n_frames"],
        "ids": len(coded.pred_ids),
        "truth_ids": len(coded.truth_ids),
    }


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ata = np.divide(sums["stda"], 0.5 * (sums["ids"] + sums["truth_ids"]))
        sfda = np.divide(sums["fda"], np.asarray(sums["filled_frames"], np.float64))
    return {
        "SFDA": sfda,
        "ATA": ata,
        "STDA": sums["stda"],
        "FDA": sums["fda"],
        "VACE_IDs": sums["ids"],
        "VACE_GT_IDs": sums["truth_ids"],
        "num_non_empty_timesteps": sums["filled_frames"],
    }


def _gaps(sums: Columns) -> list[Gap]:
    return [Gap(VACE.fields, np.equal(sums["filled_frames"], 0), "there are no objects")]


VACE: Final = Family(
    name="vace",
    title="VACE",
    columns={
        "stda": np.float64,
        "fda": np.float64,
        "filled_frames": np.int64,
        "ids": np.int64,
        "truth_ids": np.int64,
    },
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    settings=frozenset(("threshold",)),
    fields=("SFDA", "ATA", "STDA", "FDA"),
    counts=frozenset(("VACE_IDs", "VACE_GT_IDs", "num_non_empty_timesteps")),
    ranges={"": (0.0, 1.0), **dict.fromkeys(("STDA", "FDA"), (0.0, math.inf))},
    summary=("SFDA", "ATA"),
    detailed=(
        *("STDA", "ATA", "FDA", "SFDA"),
        *("VACE_IDs", "VACE_GT_IDs", "num_non_empty_timesteps"),
    ),
)
"""Manohar et al., "Performance Evaluation of Object Detection and Tracking in Video", ACCV 2006;
the relaxed form, with a threshold on the overlap in each frame."""
