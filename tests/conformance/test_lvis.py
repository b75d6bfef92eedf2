"""LVIS annotations and synthetic results: the array of precision that lvis-api 0.5.3 gave."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from snellen import average_precision, read_coco_predictions
from snellen.compat.lvis import LVIS, LVISEval, LVISResults
from snellen.readers.lvis import read_lvis_truth


@pytest.mark.parametrize(("kind", "name"), [("box", "bbox"), ("mask", "segm")])
def test_equals_lvis_api(conformance_data: Path, kind: str, name: str) -> None:
    folder = conformance_data / "lvis"
    reference = json.loads((folder / "reference_synth.json").read_text())[f"{name}/lvis-api"]
    truth = read_lvis_truth(folder / "lvis_val_100.json", kind=kind)  # type: ignore[call-overload]
    pred = read_coco_predictions(folder / "synth_lvis_results_100_segm.json", truth, complete=True)
    result = average_precision(truth, pred, protocol="lvis-strict")
    precision = np.ascontiguousarray(result.precision[..., 0])
    assert list(precision.shape) == reference["precision_shape"]
    assert hashlib.sha256(precision.tobytes()).hexdigest() == reference["precision_sha256"]
    # Means under another NumPy than the reference's differ in the last bits.
    for ours, theirs in zip(result.metrics.values(), reference["results"].values(), strict=True):
        assert math.isclose(ours, theirs, rel_tol=2**-50)


@pytest.mark.parametrize("name", ["bbox", "segm"])
def test_by_the_names_of_lvis_api(conformance_data: Path, name: str) -> None:
    folder = conformance_data / "lvis"
    reference = json.loads((folder / "reference_synth.json").read_text())[f"{name}/lvis-api"]
    truth = LVIS(folder / "lvis_val_100.json")
    results = LVISResults(truth, str(folder / "synth_lvis_results_100_segm.json"))
    evaluation = LVISEval(truth, results, name)
    evaluation.run()
    precision = evaluation.eval["precision"]
    assert list(precision.shape) == reference["precision_shape"]
    assert hashlib.sha256(precision.tobytes()).hexdigest() == reference["precision_sha256"]
    assert list(evaluation.get_results()) == list(reference["results"])
    for key, value in reference["results"].items():
        assert math.isclose(evaluation.get_results()[key], value, rel_tol=2**-50)
