"""Real detections under Pascal VOC's rules: average precisions of two published tools."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from snellen import average_precision
from snellen.detection.protocols import PROTOCOLS
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)

# Folder, truth, predictions, names of classes.
SETS = {
    "padilla_sample7/reference_padilla.json": ("groundtruths", "detections", None),
    "rodm_test_case_1/reference_rodm.json": ("gts", "dets", None),
    "rodm_toy/reference_rodm.json": ("gts_vocpascal_xml", "dets_classname_abs_xywh", None),
    "rodm_voc100/reference_rodm.json": ("gts_pascalvoc_xml", "dets_abs_xywh", "voc.names"),
}


def read(folder: Path, name: str) -> tuple[ReadBoxes, ReadBoxes]:
    truth_name, pred_name, classes = SETS[name]
    place = folder / Path(name).parent
    named: dict[str, Any] = {} if classes is None else {"classes": place / classes}
    box: dict[str, Any] = {} if "xml" in truth_name else {"box": "xywh"}
    truth = read_detection_truth(place / truth_name, **named, **box)
    return truth, read_detection_predictions(place / pred_name, truth, box="xywh")


def by_class(results: Any) -> dict[str, float]:
    if isinstance(results, list):
        return {each["class"]: each["AP"] for each in results}
    return {name: each["AP"] for name, each in results["per_class"].items()}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")
def test_padilla(conformance_data: Path, name: str) -> None:
    """R. Padilla's tools, at all points and at eleven."""
    folder = conformance_data / "voc"
    reference = json.loads((folder / name).read_text())
    truth, pred = read(folder, name)
    assert len(reference["results"]) == 8
    for key, expected in reference["results"].items():
        points, threshold = key.split("@")
        base = PROTOCOLS["voc12" if points == "every_point" else "voc07"]
        # These tools take difficult boxes as others.
        rules = dataclasses.replace(base, iou_thresholds=(float(threshold),), honours_ignored=False)
        result = average_precision(truth.boxes, pred.boxes, protocol=rules)
        got = {each["class"]: each["AP"] for each in result.per_class()}
        wanted = by_class(expected)
        assert wanted
        for each, value in wanted.items():
            # They add up from left to right, and at eleven points divide once.
            assert math.isclose(got[each], value, rel_tol=1e-14), (key, each)
        if "mAP" in expected:
            assert math.isclose(result.AP, expected["mAP"], rel_tol=1e-14)


def test_cartucho(conformance_data: Path) -> None:
    """J. Cartucho's tool: average precisions as it prints them, of truth with difficult boxes."""
    folder = conformance_data / "voc/cartucho_85"
    text = (folder / "reference_cartucho_results.txt").read_text()
    wanted = {name: float(value) for value, name in re.findall(r"([\d.]+)% = (.+) AP ", text)}
    assert len(wanted) == 30
    truth = read_detection_truth(folder / "ground-truth", box="xyxy")
    with pytest.warns(UserWarning, match="44 boxes of 8 classes"):
        pred = read_detection_predictions(
            folder / "detection-results", truth, box="xyxy", drop_unknown=True
        )
    result = average_precision(truth.boxes, pred.boxes, protocol="voc12")
    got = {each["class"]: 100 * each["AP"] for each in result.per_class()}
    assert {name: f"{got[name]:.2f}" for name in wanted} == {
        name: f"{value:.2f}" for name, value in wanted.items()
    }
