"""py-motmetrics, as its program with preprocessing does it (apps/evaluateTracking.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tracking_sides import sequences, write_numbers

# The last release calls what NumPy 2 no longer has; without this it measures no distance.
np.asfarray = lambda a, dtype=float: np.asarray(a, dtype)  # noqa: NPY201

import motmetrics as mm  # noqa: E402 (after what it needs)

_NAMES = {
    "idf1": "IDF1",
    "idp": "IDP",
    "idr": "IDR",
    "recall": "CLR_Re",
    "precision": "CLR_Pr",
    "num_unique_objects": "GT_IDs",
    "mostly_tracked": "MT",
    "partially_tracked": "PT",
    "mostly_lost": "ML",
    "num_false_positives": "CLR_FP",
    "num_misses": "CLR_FN",
    "num_switches": "IDSW",
    "num_fragmentations": "Frag",
    "mota": "MOTA",
}


def from_files(truth: str, pred: str, out: str) -> None:
    """Folders to the numbers of all sequences: no HOTA, no VACE."""
    names = sequences(truth)
    accumulators: list[Any] = []
    analyses: list[Any] = []
    for name in names:
        folder = Path(truth) / name
        known = mm.io.loadtxt(str(folder / "gt" / "gt.txt"), fmt="mot16")
        found = mm.io.loadtxt(str(Path(pred) / f"{name}.txt"), fmt="mot16")
        both = mm.utils.CLEAR_MOT_M(known, found, str(folder / "seqinfo.ini"), distth=0.5)
        accumulators.append(both[0])
        analyses.append(both[1])
    summary = mm.metrics.create().compute_many(
        accumulators,
        anas=analyses,
        names=names,
        metrics=mm.metrics.motchallenge_metrics,
        generate_overall=True,
    )
    overall = summary.loc["OVERALL"]
    numbers = {ours: overall[theirs] for theirs, ours in _NAMES.items()}
    write_numbers(out, {**numbers, "MOTP": 1 - overall["motp"]})  # there, a distance
