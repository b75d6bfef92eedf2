"""motrics, by its own functions, which it calls faster than its copy of TrackEval's API."""

from __future__ import annotations

from pathlib import Path

import motrics
import numpy as np

from tracking_sides import BENCHMARK, sequences, write_numbers


def from_files(truth: str, pred: str, out: str) -> None:
    """Folders to the numbers of all sequences: no VACE, and what combines is counts and HOTA."""
    counts = dict.fromkeys(
        ("CLR_TP", "CLR_FP", "CLR_FN", "IDSW", "MT", "PT", "ML", "Frag", "IDTP", "IDFP", "IDFN"), 0
    )
    curves = []
    for name in sequences(truth):
        known = motrics.load_motchallenge_gt(Path(truth) / name / "gt" / "gt.txt")
        found = motrics.load_motchallenge(Path(pred) / f"{name}.txt")
        sides = motrics.preprocess_motchallenge(known, found, benchmark=BENCHMARK)
        result = motrics.evaluate(motrics.Frames(*sides[:2]), motrics.Frames(*sides[2:]))
        clear, identity, hota = result.clear, result.identity, result.hota
        for field, value in (
            ("CLR_TP", clear.num_matches),
            ("CLR_FP", clear.num_false_positives),
            ("CLR_FN", clear.num_misses),
            ("IDSW", clear.num_switches),
            ("MT", clear.mt),
            ("PT", clear.pt),
            ("ML", clear.ml),
            ("Frag", clear.frag),
            ("IDTP", identity.idtp),
            ("IDFP", identity.idfp),
            ("IDFN", identity.idfn),
        ):
            counts[field] += value
        curves.append(
            [hota.hota_tp_alphas, hota.hota_fn_alphas, hota.hota_fp_alphas, hota.assa_alphas]
        )
    tp, fn, fp, ass_a = np.moveaxis(np.array(curves), 1, 0)  # (sequences, thresholds) each
    ass_a = (ass_a * tp).sum(0) / np.maximum(1, tp.sum(0))
    det_a = tp.sum(0) / np.maximum(1, (tp + fn + fp).sum(0))
    n_truth = counts["CLR_TP"] + counts["CLR_FN"]
    identity_share = counts["IDTP"] + 0.5 * (counts["IDFP"] + counts["IDFN"])
    numbers = {
        **counts,
        "MOTA": (counts["CLR_TP"] - counts["CLR_FP"] - counts["IDSW"]) / max(1, n_truth),
        "IDF1": counts["IDTP"] / max(1, identity_share),
        "HOTA": np.mean(np.sqrt(det_a * ass_a)),
        "DetA": np.mean(det_a),
        "AssA": np.mean(ass_a),
    }
    write_numbers(out, numbers)
