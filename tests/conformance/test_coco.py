"""Real annotations and results: every number that pycocotools 2.0.11 gave for them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, read_coco_predictions, read_coco_truth
from snellen.detection.protocols import PROTOCOLS
from snellen.errors import SchemaError

REFERENCES = [
    "detection/bdd100k_scalabel/reference_det_dt_bbox.json",
    "detection/coco_sampled100_rodm/reference_dt_bbox.json",
    "detection/coco_val2014_100/reference_fakebbox100_bbox.json",
    "detection/coco_val2017_d2test/reference_dt_bbox.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_base_bbox.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_darknet53_bbox.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_im700_bbox.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_resnet50_bbox.json",
    "detection/fce_small/reference_dt_dataset_bbox.json",
    "detection/fce_small/reference_dt_ignore_test_bbox.json",
    "detection/kerascv_sample/reference_dt_bbox.json",
    "detection/medwaste_d2/reference_dt_bbox.json",
    "detection/sahi_visdrone/reference_dt_bbox.json",
    "detection/bdd100k_scalabel/reference_det_dt_bbox_agnostic.json",
    "detection/bdd100k_scalabel/reference_insseg_dt_segm.json",
    "detection/coco_sampled100_rodm/reference_dt_bbox_agnostic.json",
    "detection/coco_val2014_100/reference_fakebbox100_bbox_agnostic.json",
    "detection/coco_val2014_100/reference_fakesegm100_segm.json",
    "detection/coco_val2017_d2test/reference_dt_bbox_agnostic.json",
    "detection/coco_val2017_d2test/reference_dt_segm.json",
    "detection/coco_val2017_d2test/reference_dt_segm_nobbox.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_base_bbox_agnostic.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_darknet53_bbox_agnostic.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_im700_bbox_agnostic.json",
    "detection/coco_val2017_yolact100/reference_dt_yolact_resnet50_bbox_agnostic.json",
    "detection/fce_small/reference_dt_dataset_bbox_agnostic.json",
    "detection/fce_small/reference_dt_dataset_segm.json",
    "detection/fce_small/reference_dt_ignore_test_bbox_agnostic.json",
    "detection/kerascv_sample/reference_dt_bbox_agnostic.json",
    "detection/medwaste_d2/reference_dt_bbox_agnostic.json",
    "detection/sahi_visdrone/reference_dt_bbox_agnostic.json",
    "keypoints/coco_val2014_100/reference_fakekeypoints100_keypoints.json",
    "keypoints/fce_keypoints/reference_dt_dataset_keypoints.json",
    "keypoints/mmpose_coco4/reference_test_coco_det_AP_H_56_bbox.json",
    "keypoints/mmpose_coco4/reference_test_coco_det_AP_H_56_bbox_agnostic.json",
    "val2017/reference_synth_dt_val2017_boxes_bbox.json",
    "val2017/reference_synth_dt_val2017_keypoints_keypoints.json",
    "voc/rodm_voc100/reference_coco_dt_bbox.json",
    "voc/rodm_voc100/reference_coco_dt_bbox_agnostic.json",
]
KINDS = {"bbox": "box", "segm": "mask", "keypoints": "keypoints"}
# The reference files' names for the headline numbers, in the order of ours.
STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
KEYPOINT_STATS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
PER_CLASS = {
    "AP": "AP",
    "AP50": "AP50",
    "AP75": "AP75",
    "AP_small": "AP_small",
    "AP_medium": "AP_medium",
    "AP_large": "AP_large",
}


def evaluate(folder: Path, reference: dict[str, Any], *, strict: bool) -> Any:
    """Evaluate the pair of files that a reference was made from."""
    kind = KINDS[reference["iou_type"]]
    # Some of these files have detections of categories that they do not list, which the reference
    # leaves out.
    truth = read_coco_truth(folder / reference["gt"], kind=kind, complete=strict, drop_unknown=True)
    source: Any = folder / reference["dt"]
    if reference["dt_bbox_key_dropped_before_loadRes"]:
        source = [
            {key: value for key, value in record.items() if key != "bbox"}
            for record in json.loads(source.read_text())
        ]
    pred = read_coco_predictions(source, truth, complete=strict, drop_unknown=True)
    name = "coco-keypoints" if kind == "keypoints" else "coco"
    rules = PROTOCOLS[f"{name}-strict" if strict else name]
    if not reference["use_cats"]:
        rules = dataclasses.replace(rules, class_agnostic=True)
    return AveragePrecision(protocol=rules).update(truth, pred).compute()


def stats_of(result: Any) -> dict[str, float]:
    """Return the headline numbers under the names that the reference files have for them."""
    names = KEYPOINT_STATS if len(result.metrics) == len(KEYPOINT_STATS) else STATS
    return {
        name: as_reference(value)
        for name, value in zip(names, result.metrics.values(), strict=True)
    }


def as_reference(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def assert_means_equal(
    got: dict[str, float], expected: dict[str, float], reference: dict[str, Any]
) -> None:
    """Compare means: exactly under the NumPy that the reference ran on, else to the rounding.

    How NumPy's mean adds up has changed between its releases, and so has the last bit of what
    pycocotools prints (tests/oracle compares with it under the installed NumPy, exactly). The
    arrays that the means are taken of never depend on it.
    """
    assert got.keys() == expected.keys()
    same_numpy = np.__version__.split(".")[:2] == reference["versions"]["numpy"].split(".")[:2]
    tolerance = 0.0 if same_numpy else 2**-50
    for name, value in got.items():
        assert math.isclose(value, expected[name], rel_tol=tolerance), name


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")
def test_equals_pycocotools_to_the_last_bit(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    reference = json.loads(path.read_text())
    result = evaluate(path.parent, reference, strict=True)

    for array_name, described in reference["arrays"].items():
        array = np.ascontiguousarray(getattr(result, array_name))
        assert list(array.shape) == described["shape"]
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        assert digest == described["sha256_float64_c_order"], array_name
    assert_means_equal(stats_of(result), reference["stats"], reference)
    if not reference["use_cats"]:
        return

    of_class = {record["id"]: record for record in result.per_class()}
    # The reference lists the classes that have truth boxes.
    listed = {expected["id"] for expected in reference["per_category"]}
    assert {class_id for class_id, record in of_class.items() if record["n_truth"]} <= listed
    for expected in reference["per_category"]:
        record = of_class[expected["id"]]
        assert record["class"] == expected["name"]
        wanted = {
            ours: -1.0 if expected[theirs] is None else expected[theirs]
            for ours, theirs in PER_CLASS.items()
            if theirs in expected
        }
        means = {name: as_reference(record[name]) for name in wanted}
        assert_means_equal(means, wanted, reference)


# Masks that come with boxes have the boxes' areas in the reference.
@pytest.mark.parametrize(
    "name", [name for name in REFERENCES if not name.endswith("dt_dataset_segm.json")]
)
@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")
def test_default_protocol_differs_only_where_it_says(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    reference = json.loads(path.read_text())
    result = evaluate(path.parent, reference, strict=False)
    # Where an annotation has id 0 the reference loses its match; with ids from 1 it does not.
    expected = reference.get("stats_if_gt_ids_start_at_1", reference["stats"])
    assert_means_equal(stats_of(result), expected, reference)


def test_ids_of_two_kinds_are_refused(conformance_data: Path) -> None:
    """A real file whose annotations call one image both "2299" and 2299."""
    path = conformance_data / "detection/fce_small/gt_ignore_test.json"
    with pytest.raises(SchemaError, match=r"\$\.annotations\[1\]\.image_id"):
        read_coco_truth(path)


def test_published_table(conformance_data: Path) -> None:
    """The lines that COCO's authors published for their own sample, as printed."""
    folder = conformance_data / "detection/coco_val2014_100"
    published = (folder / "published_val2014_fake_eval_res.txt").read_text()
    truth = read_coco_truth(folder / "gt.json")
    pred = read_coco_predictions(folder / "fakebbox100.json", truth)
    printed = str(AveragePrecision().update(truth, pred).compute())
    assert len(printed.splitlines()) == 12
    squeezed = [" ".join(line.split()) for line in published.splitlines()]
    for line in printed.splitlines():
        assert " ".join(line.split()) in squeezed


def test_boundaries(conformance_data: Path) -> None:
    """Boundary IoU's AP of boundary-iou-api: the whole array of precision."""
    folder = conformance_data / "detection/coco_val2014_100"
    reference = json.loads((folder / "reference_fakesegm100_boundary.json").read_text())
    truth = read_coco_truth(folder / reference["gt"], kind="mask")
    pred = read_coco_predictions(folder / reference["dt"], truth)
    rules = dataclasses.replace(PROTOCOLS["coco-strict"], similarity="boundary")
    result = AveragePrecision(protocol=rules).update(truth, pred).compute()
    precision = np.ascontiguousarray(result.precision)
    assert list(precision.shape) == reference["precision_shape"]
    assert hashlib.sha256(precision.tobytes()).hexdigest() == reference["precision_sha256"]
    assert_means_equal(stats_of(result), reference["stats"], reference)
