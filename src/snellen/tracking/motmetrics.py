"""The numbers of py-motmetrics, by its own rule of matching."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.tracking.family import Family, Gap
from snellen.tracking.motmetrics_list import COLUMNS, NUMBERS, MotSequence, columns_of, numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["MOTMETRICS"]

_SHARES: Final = frozenset(("motp", "mota", "precision", "recall", "idp", "idr", "idf1"))
_COUNTS: Final = tuple(name for name in NUMBERS if name not in _SHARES)


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    frames = coded.frames
    filled = (np.diff(frames.truth.begin) + np.diff(frames.pred.begin)) > 0
    begins = [
        np.append(side.begin[:-1][filled], side.begin[-1]) for side in (frames.truth, frames.pred)
    ]
    distance = 1.0 - frames.pairs.similarity
    allowed = distance <= 1.0 - settings.threshold
    row = np.repeat(np.arange(len(frames.truth)), np.diff(frames.pairs.begin))[allowed]
    pair_begin = np.zeros(len(frames.truth) + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=len(frames.truth)), out=pair_begin[1:])
    return columns_of(
        MotSequence(
            begins[0],
            begins[1],
            coded.truth_track,
            coded.pred_track,
            len(coded.truth_ids),
            len(coded.pred_ids),
            pair_begin,
            frames.pairs.pred[allowed],
            distance[allowed],
        )
    )


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(value) for name, value in numbers_of(sums).items()}


def _gaps(sums: Columns) -> list[Gap]:
    nothing = np.equal(sums["num_objects"] + sums["num_predictions"], 0)
    numbers = _numbers(sums)
    reasons = {
        "motp": "a sequence has no match: py-motmetrics has no number then",
        "mota": "there is no truth object",
        "recall": "there is no truth object",
        "idr": "there is no truth object",
        "precision": "there is no prediction",
        "idp": "there is no prediction",
        "idf1": "there are no objects",
    }
    return [
        Gap(tuple(reasons), nothing, "there are no objects"),
        Gap(
            ("motp",),
            np.equal(sums["num_detections"], 0),
            "no prediction matches a truth object",
        ),
        *(Gap((name,), ~np.isfinite(numbers[name]), why) for name, why in reasons.items()),
    ]


MOTMETRICS: Final = Family(
    name="motmetrics",
    title="py-motmetrics",
    columns={
        **dict.fromkeys(COLUMNS, np.int64),
        "distance_sum": np.float64,
        "motp_sum": np.float64,
    },
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    settings=frozenset(("threshold",)),
    fields=NUMBERS,
    counts=frozenset(_COUNTS),
    lower_is_better=frozenset(
        (
            *("num_switches", "num_transfer", "num_ascend", "num_migrate", "num_false_positives"),
            *("num_misses", "mostly_lost", "num_fragmentations", "motp", "idfp", "idfn"),
        )
    ),
    neither_is_better=frozenset(
        (
            *("num_frames", "num_objects", "num_predictions", "num_unique_objects"),
            "partially_tracked",
        )
    ),
    ranges={
        "": (0.0, 1.0),
        "mota": (-math.inf, 1.0),
        **dict.fromkeys(_COUNTS, (0.0, math.inf)),
    },
    summary=NUMBERS,
    detailed=NUMBERS,
)
"""Heindl, "py-motmetrics", 1.4.0: earlier pairs go on, the others by the least sum of distances.

``motp`` is a mean distance, 1 - similarity; less of it is better.
"""
