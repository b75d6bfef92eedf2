"""CLEAR MOT: errors of tracking counted frame by frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.state import Moments
from snellen.tracking.family import Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["CLEAR", "clear_columns"]

_COUNTS: Final = ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag")


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    return clear_columns(coded, coded.kernel.clear(settings.threshold))


def clear_columns(coded: CodedFrames, matching: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a sequence, from the kernel's matching."""
    frames, match = coded.frames, matching["match"]
    rows = np.flatnonzero(match >= 0)
    n_truth, n_pred, tp = len(frames.truth), len(frames.pred), len(rows)
    share = matching["n_matched"] / np.maximum(1, matching["n_frames"])
    mt = int(np.count_nonzero(share > 0.8))
    pt = int(np.count_nonzero(share >= 0.2)) - mt
    # A sum that is rounded once: it is no number of the reference, and so needs no order of its.
    distance, n_distance = 0.0, 0
    if tp and frames.truth.centre is not None and frames.pred.centre is not None:
        steps = frames.truth.centre[rows] - frames.pred.centre[match[rows]]
        moments = Moments(distance=())
        moments.add(distance=np.sqrt((steps * steps).sum(axis=1)))
        distance = float(moments.total("distance"))
        n_distance = tp
    return {
        "tp": tp,
        "fn": n_truth - tp,
        "fp": n_pred - tp,
        "idsw": int(matching["n_switches"].sum()),
        "mt": mt,
        "pt": pt,
        "ml": len(coded.truth_ids) - mt - pt,
        "frag": int(np.maximum(0, matching["n_starts"] - 1).sum()),
        "frames": coded.n_frames,
        # The reference counts no frames of sequences where one side has nothing.
        "reference_frames": coded.n_frames if n_truth and n_pred else 0,
        "motp_sum": matching["motp_sum"],
        "distance": distance,
        "n_distance": n_distance,
    }


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    tp, fn, fp, idsw = sums["tp"], sums["fn"], sums["fp"], sums["idsw"]
    n_tracks = np.maximum(1.0, sums["mt"] + sums["ml"] + sums["pt"])
    n_truth = np.maximum(1.0, tp + fn)
    with np.errstate(divide="ignore"):
        safe_log_idsw = np.where(np.asarray(idsw) > 0, np.log10(np.asarray(idsw, np.float64)), 0.0)
    return {
        "MOTA": (tp - fp - idsw) / n_truth,
        "MOTP": sums["motp_sum"] / np.maximum(1.0, tp),
        "MODA": (tp - fp) / n_truth,
        "CLR_Re": tp / n_truth,
        "CLR_Pr": tp / np.maximum(1.0, tp + fp),
        "MTR": sums["mt"] / n_tracks,
        "PTR": sums["pt"] / n_tracks,
        "MLR": sums["ml"] / n_tracks,
        "sMOTA": (sums["motp_sum"] - fp - idsw) / n_truth,
        "CLR_F1": tp / np.maximum(1.0, tp + 0.5 * fn + 0.5 * fp),
        "FP_per_frame": fp / np.maximum(1.0, sums["frames"]),
        "MOTAL": (tp - fp - safe_log_idsw) / n_truth,
        "MOTP_distance": sums["distance"] / np.maximum(1.0, sums["n_distance"]),
        "MOTP_sum": sums["motp_sum"],
        "CLR_TP": tp,
        "CLR_FN": fn,
        "CLR_FP": fp,
        "IDSW": idsw,
        "MT": sums["mt"],
        "PT": sums["pt"],
        "ML": sums["ml"],
        "Frag": sums["frag"],
        "CLR_Frames": sums["frames"],
    }


def _gaps(sums: Columns) -> list[Gap]:
    tp, fn, fp = sums["tp"], sums["fn"], sums["fp"]
    unmatched = np.equal(tp, 0)
    of_truth = ("MOTA", "MODA", "sMOTA", "MOTAL", "CLR_Re", "MTR", "PTR", "MLR")
    return [
        Gap(("CLR_F1",), np.equal(tp + fn + fp, 0), "there are no objects"),
        Gap(of_truth, np.equal(tp + fn, 0), "there is no truth object"),
        Gap(("CLR_Pr",), np.equal(tp + fp, 0), "there is no prediction"),
        Gap(("MOTP", "MOTP_distance"), unmatched, "no prediction matches a truth object"),
        Gap(("MOTP_distance",), np.equal(sums["n_distance"], 0), "masks have no centre"),
        Gap(("FP_per_frame",), np.equal(sums["frames"], 0), "there are no frames"),
    ]


_INF = math.inf
CLEAR: Final = Family(
    name="clear",
    title="CLEAR",
    columns={
        **dict.fromkeys(("tp", "fn", "fp", "idsw", "mt", "pt", "ml", "frag"), np.int64),
        "frames": np.int64,
        "reference_frames": np.int64,
        "motp_sum": np.float64,
        "distance": np.float64,
        "n_distance": np.int64,
    },
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    settings=frozenset(("threshold",)),
    fields=(
        "MOTA",
        "MOTP",
        "MODA",
        "CLR_Re",
        "CLR_Pr",
        "MTR",
        "PTR",
        "MLR",
        "sMOTA",
        *_COUNTS,
        "CLR_F1",
        "FP_per_frame",
        "MOTAL",
        "MOTP_distance",
    ),
    counts=frozenset((*_COUNTS, "CLR_Frames")),
    lower_is_better=frozenset(
        ("CLR_FN", "CLR_FP", "IDSW", "ML", "MLR", "Frag", "FP_per_frame", "MOTP_distance")
    ),
    neither_is_better=frozenset(("PTR", "PT")),
    ranges={
        "": (0.0, 1.0),
        **dict.fromkeys(("MOTA", "MODA", "sMOTA", "MOTAL"), (-_INF, 1.0)),
        **dict.fromkeys((*_COUNTS, "FP_per_frame", "MOTP_distance"), (0.0, _INF)),
    },
    summary=("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR", "sMOTA", *_COUNTS),
    detailed=(
        *("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR", "sMOTA"),
        *("CLR_F1", "FP_per_frame", "MOTAL", "MOTP_sum", *_COUNTS, "CLR_Frames"),
    ),
)
"""Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics", 2008; Li, Huang and Nevatia, CVPR 2009 (MT, PT, ML, Frag)."""
