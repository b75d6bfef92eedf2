"""Identity: for how long each object has the one track that fits it best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.tracking.family import Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["IDENTITY"]

_COUNTS: Final = ("IDTP", "IDFN", "IDFP")


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    idtp = coded.kernel.identity(settings.threshold)["idtp"]
    return {
        "idtp": idtp,
        "idfn": len(coded.frames.truth) - idtp,
        "idfp": len(coded.frames.pred) - idtp,
    }


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    tp, fn, fp = sums["idtp"], sums["idfn"], sums["idfp"]
    return {
        "IDF1": tp / np.maximum(1.0, tp + 0.5 * fp + 0.5 * fn),
        "IDR": tp / np.maximum(1.0, tp + fn),
        "IDP": tp / np.maximum(1.0, tp + fp),
        "IDTP": tp,
        "IDFN": fn,
        "IDFP": fp,
    }


def _gaps(sums: Columns) -> list[Gap]:
    tp, fn, fp = sums["idtp"], sums["idfn"], sums["idfp"]
    return [
        Gap(("IDF1",), np.equal(tp + fn + fp, 0), "there are no objects"),
        Gap(("IDR",), np.equal(tp + fn, 0), "there is no truth object"),
        Gap(("IDP",), np.equal(tp + fp, 0), "there is no prediction"),
    ]


IDENTITY: Final = Family(
    name="identity",
    title="Identity",
    columns=dict.fromkeys(("idtp", "idfn", "idfp"), np.int64),
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    settings=frozenset(("threshold",)),
    fields=("IDF1", "IDR", "IDP", *_COUNTS),
    counts=frozenset(_COUNTS),
    lower_is_better=frozenset(("IDFN", "IDFP")),
    ranges={"": (0.0, 1.0), **dict.fromkeys(_COUNTS, (0.0, math.inf))},
    summary=("IDF1", "IDR", "IDP", *_COUNTS),
    detailed=("IDF1", "IDR", "IDP", *_COUNTS),
)
"""Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking",
ECCV workshops 2016."""
