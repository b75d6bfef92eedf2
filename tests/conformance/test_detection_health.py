"""The check of health on real data sets: what it finds was looked at by eye."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snellen.detection.health import check_detection
from snellen.detection.health_report import HealthReport
from snellen.readers.detection_health import read_for_check

DATA = Path(
    os.environ.get("SNELLEN_CONFORMANCE", Path(__file__).parents[3] / "shared" / "conformance")
)
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"there is no {DATA}")


def report_of(truth: str, pred: str | None = None) -> HealthReport:
    read = read_for_check(str(DATA / truth), None if pred is None else str(DATA / pred))
    return check_detection(read.truth, read.pred)


def counts(report: HealthReport, *severities: str) -> dict[str, int]:
    return {
        f"{each.part}: {each.kind}": each.count
        for each in report.findings
        if each.severity in severities
    }


# Errors and warnings of each: nothing else is wrong with these sets.
FOUND: dict[tuple[str, str | None], dict[str, int]] = {
    ("val2017/coco_val2017_boxes_int.json", "val2017/synth_dt_val2017_boxes.json.gz"): {
        # A person and a bird that are there twice.
        "truth: near-duplicate-box": 2,
    },
    ("val2017/coco_val2017_person_keypoints_noarea.json", None): {"truth: near-duplicate-box": 1},
    ("detection/coco_val2014_100/gt.json", "detection/coco_val2014_100/fakesegm100.json"): {},
    ("detection/coco_val2014_100/gt.json", "detection/coco_val2014_100/fakebbox100.json"): {},
    ("detection/bdd100k_scalabel/det_gt.json", "detection/bdd100k_scalabel/det_dt.json"): {},
    ("detection/medwaste_d2/gt.json", "detection/medwaste_d2/dt.json"): {
        "truth: annotation-id-zero": 1,
        # Its areas are those of boxes beside masks.
        "truth: mask-area": 117,
    },
    ("detection/sahi_visdrone/gt.json", "detection/sahi_visdrone/dt.json"): {
        # All areas are 1020², and there are 131 cars in a picture.
        "truth: area-above-box": 249,
        "truth: image-over-cap": 1,
    },
    ("detection/kerascv_sample/gt.json", "detection/kerascv_sample/dt.json"): {
        "predictions: box-larger-than-image": 4,
        "predictions: box-leaves-image": 61,
    },
    ("detection/fce_small/gt_ignore_test.json", "detection/fce_small/dt_ignore_test.json"): {
        # The image's id is a text, that of all but one annotation a number.
        "truth: orphan-image": 13,
        "predictions: orphan-image": 63,
        "predictions: image-without-predictions": 1,
    },
    ("lvis/lvis_val_100.json", "lvis/synth_lvis_results_100_segm.json"): {
        "truth: missing-iscrowd": 977,
        # In image 179898 boxes and outlines are of different objects.
        "truth: mask-beside-box": 13,
        # The synthetic results find some objects twice, mask for mask.
        "predictions: duplicate-prediction": 12,
    },
}


@pytest.mark.parametrize("files", FOUND, ids=lambda files: files[1] or files[0])
def test_what_is_wrong_with_known_sets(files: tuple[str, str | None]) -> None:
    assert counts(report_of(*files), "error", "warning") == FOUND[files]


@pytest.mark.parametrize(
    "truth",
    sorted(
        str(path.relative_to(DATA))
        for folder in ("detection", "keypoints", "lvis", "val2017")
        for path in (DATA / folder).rglob("*.json")
        if ("gt" in path.name or folder in ("lvis", "val2017")) and path.parent.name != "raw"
        if not path.name.startswith(("reference", "synth"))
    ),
)
def test_every_annotation_file_is_read(truth: str) -> None:
    report = report_of(truth)
    assert report.n_objects > 0
    assert not report.of_kind("unreadable-field")
    assert str(report)
    assert report.to_dict()["n_images"] == report.n_images


@pytest.mark.parametrize(
    ("truth", "n_images", "n_objects"),
    [
        # The second image has no plane.
        ("obb/mmrotate_labelTxt", 2, 4),
        ("openimages/rodm_voc100_openimages_format.csv", 100, 273),
        ("voc/rodm_voc100/gts_pascalvoc_xml", 100, 273),
    ],
)
def test_other_formats(truth: str, n_images: int, n_objects: int) -> None:
    report = report_of(truth)
    assert (report.n_images, report.n_objects) == (n_images, n_objects)
    assert counts(report, "error", "warning") == {}


def test_texts_with_predictions() -> None:
    folder = DATA / "voc/cartucho_85"
    read = read_for_check(
        str(folder / "ground-truth"), str(folder / "detection-results"), box="xyxy"
    )
    report = check_detection(read.truth, read.pred)
    assert report.n_objects == 686
    assert report.n_errors == 0
