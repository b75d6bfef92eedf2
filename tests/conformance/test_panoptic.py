"""Panoptic files of other projects' tests: every number that panopticapi gave for them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from snellen import PanopticQuality, PanopticQualityResult
from snellen.readers.panoptic import read_panoptic

FOLDERS = (
    "bdd100k_pan_seg",
    "deeplab2_team_only",
    "deeplab2_testdata",
    "panopticapi_sample",
    "scalabel_pan_seg",
)


def evaluated(folder: Path, protocol: str) -> tuple[PanopticQualityResult, dict[str, Any]]:
    files = read_panoptic(folder / "coco_gt.json", folder / "coco_pred.json", protocol=protocol)
    metric = PanopticQuality(files.classes, things=files.things, protocol=protocol)
    for batch in files.batches(metric.count):
        metric.update(*batch)
    return metric.compute(), json.loads((folder / "reference_pq.json").read_text())


@pytest.mark.parametrize("protocol", ["coco", "coco-strict"])
@pytest.mark.parametrize("name", FOLDERS)
def test_all_numbers(conformance_data: Path, name: str, protocol: str) -> None:
    result, reference = evaluated(conformance_data / "panoptic" / name, protocol)
    assert result.data["n_images"] == reference["n"]["images"]
    assert result.data["n_truth"] + result.data["n_crowd"] == reference["n"]["gt_segments"]
    assert result.data["n_pred"] == reference["n"]["pred_segments"]
    for group, suffix in (("All", ""), ("Things", "_things"), ("Stuff", "_stuff")):
        wanted = reference["results"][group]
        for metric in ("PQ", "SQ", "RQ"):
            value = result.metrics[f"{metric}{suffix}"]
            assert value == wanted[metric.lower()] or (math.isnan(value) and wanted["n"] == 0)
    by_class = reference["results"]["per_class"]
    assert len(by_class) == len(result.rules.classes)
    for record in result.per_class():
        for metric in ("PQ", "SQ", "RQ"):
            value = record[metric]
            if protocol == "coco" and math.isnan(value):  # undefined, which they write as 0
                value = 0
            assert value == by_class[str(record["id"])][metric.lower()]


@pytest.mark.parametrize("name", ["deeplab2_team_only", "deeplab2_testdata"])
def test_published_numbers(conformance_data: Path, name: str) -> None:
    """What deeplab2's own tests expect, in float32."""
    result, reference = evaluated(conformance_data / "panoptic" / name, "coco")
    for metric in ("PQ", "SQ", "RQ"):
        assert result.metrics[metric] == pytest.approx(
            reference["published"][metric.lower()], abs=1e-7
        )


@pytest.mark.parametrize("name", ["bdd100k_pan_seg", "scalabel_pan_seg"])
def test_numbers_of_bdd100k(conformance_data: Path, name: str) -> None:
    """What the tests of bdd100k and scalabel expect, in percent."""
    # BDD100K's truth has void, which scalabel leaves in unions: its IoUs are a little less.
    near = 3e-3 if name.startswith("bdd") else 1e-12
    result, reference = evaluated(conformance_data / "panoptic" / name, "coco")
    published = reference["published"]
    for ours, theirs in (
        ("PQ", "PQ"),
        ("SQ", "SQ"),
        ("RQ", "RQ"),
        ("PQ_stuff", "PQ/STUFF"),
        ("PQ_things", "PQ/THING"),
    ):
        assert 100 * result.metrics[ours] == pytest.approx(published[theirs], abs=near)
