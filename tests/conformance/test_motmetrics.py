"""Scripts for py-motmetrics give its numbers on real sequences: every value is the same double."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pandas")
mm = pytest.importorskip("snellen.compat.motmetrics")

# Folder and tracker; the least confidence of objects where nothing else says which count.
SEQUENCES = {
    "tud/motmetrics": -1,
    "mot20/UCMCTrack": 1,
    "dance/perturbed": 1,
    "ties/x": 1,
    "mot17val/exp1_06f3054": 1,
}
CASES = [
    (name, function)
    for name in SEQUENCES
    for function in ("compare_to_groundtruth", "CLEAR_MOT_M")
    if name != "tud/motmetrics" or function == "compare_to_groundtruth"
]


@pytest.mark.parametrize(("name", "function"), CASES)
def test_numbers_of_real_sequences(conformance_data: Path, name: str, function: str) -> None:
    path = conformance_data / "tracking" / "expected" / "motmetrics.json"
    expected = json.loads(path.read_text())["results"][f"{name}/{function}"]
    folder, tracker = name.split("/")
    home = conformance_data / "tracking" / folder
    names, accumulators = [], []
    for sequence in expected:
        if sequence == "OVERALL":
            continue
        (truth,) = home.glob(f"gt/mot_challenge/*/{sequence}/gt/gt.txt")
        (results,) = home.glob(f"trackers/mot_challenge/*/{tracker}/data/{sequence}.txt")
        dt = mm.io.loadtxt(results)
        if function == "CLEAR_MOT_M":
            inifile = truth.parents[1] / "seqinfo.ini"
            accumulator, _ = mm.utils.CLEAR_MOT_M(mm.io.loadtxt(truth), dt, inifile)
        else:
            gt = mm.io.loadtxt(truth, min_confidence=SEQUENCES[name])
            accumulator = mm.utils.compare_to_groundtruth(gt, dt)
        names.append(sequence)
        accumulators.append(accumulator)
    table = mm.metrics.create().compute_many(
        accumulators, metrics=list(expected["OVERALL"]), names=names, generate_overall=True
    )
    assert table.astype(float).to_dict("index") == expected
