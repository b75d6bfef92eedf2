"""Real poses: every number that the references gave or published for them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, read_coco_predictions, read_coco_truth
from snellen.detection.oks import oks
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO_KEYPOINTS, CROWDPOSE, DetectionProtocol

REFERENCES = [
    "keypoints/coco_val2014_100/reference_fakekeypoints100_keypoints.json",
    "keypoints/fce_keypoints/reference_dt_dataset_keypoints.json",
    "val2017/reference_synth_dt_val2017_keypoints_keypoints.json",
]
# The reference files' names for the headline numbers, in the order of ours.
STATS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")


def poses_of(truth: Path, pred: Path, *, strict: bool = False) -> tuple[Poses, Poses]:
    objects = read_coco_truth(truth, kind="keypoints", complete=strict)
    return objects, read_coco_predictions(pred, objects, complete=strict)


@pytest.mark.parametrize("name", REFERENCES)
def test_equals_pycocotools_to_the_last_bit(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    reference = json.loads(path.read_text())
    objects = poses_of(path.parent / reference["gt"], path.parent / reference["dt"], strict=True)
    result = AveragePrecision(protocol="coco-keypoints-strict").update(*objects).compute()

    for array_name, described in reference["arrays"].items():
        array = np.ascontiguousarray(getattr(result, array_name))
        assert list(array.shape) == described["shape"]
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        assert digest == described["sha256_float64_c_order"], array_name
    # How NumPy's mean adds up has changed between its releases; the arrays do not depend on it.
    same_numpy = np.__version__.split(".")[:2] == reference["versions"]["numpy"].split(".")[:2]
    got = dict(zip(STATS, result.metrics.values(), strict=True))
    assert got.keys() == reference["stats"].keys()
    for stat, value in got.items():
        tolerance = 0.0 if same_numpy else 2**-50
        assert math.isclose(value, reference["stats"][stat], rel_tol=tolerance), stat
    assert result.data["n_truth"] == reference["n"]["gt"]
    assert int(result.n_counted[0, 0]) == reference["gt_not_ignored_area_all"]


@pytest.mark.parametrize("name", REFERENCES)
def test_repaired_rules_give_the_same_here(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    reference = json.loads(path.read_text())
    objects = poses_of(path.parent / reference["gt"], path.parent / reference["dt"])
    result = AveragePrecision(protocol="coco-keypoints").update(*objects).compute()
    for value, expected in zip(result.metrics.values(), reference["stats"].values(), strict=True):
        assert math.isclose(value, expected, rel_tol=2**-50)


# ---------------------------------------------------------------------------------------------
# CrowdPose: sizes are 53 % of the box, whatever the annotation says; AP over all sizes, and over
# images by how crowded they are.


@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")  # no annotation has an area
def test_equals_crowdpose(conformance_data: Path) -> None:
    folder = conformance_data / "keypoints/fce_crowdpose"
    truth, pred = poses_of(
        folder / "example_crowdpose_val.json", folder / "example_crowdpose_preds.json"
    )
    reference = json.loads((folder / "reference_crowdpose.json").read_text())
    assert list(CROWDPOSE.sigmas or ()) == reference["sigmas"]
    result = AveragePrecision(protocol="crowdpose").update(truth, pred).compute()
    names = {"AP": "AP_all", "AR": "AR_all"}
    for name in ("AP50", "AP75", "AR50", "AR75"):
        names[name] = f"{name[:2]}_{name[2:]}"
    got = {names.get(name, name): value for name, value in result.metrics.items()}
    for name in ("AP_easy", "AP_medium", "AP_hard"):
        got[name] = round(got[name], 4)  # as the reference does, these alone
    for numbers in (reference["results"], reference["published_in_repository_test"]):
        assert got == pytest.approx(numbers, rel=2**-50, abs=0)


@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")
def test_crowdpose_from_memory(conformance_data: Path) -> None:
    """The same arrays, not read by us: the same numbers."""
    folder = conformance_data / "keypoints/fce_crowdpose"
    paths = folder / "example_crowdpose_val.json", folder / "example_crowdpose_preds.json"
    document, results = (json.loads(path.read_text()) for path in paths)
    images = document["images"]

    def poses(records: Any, **columns: Any) -> Poses:
        return Poses.from_keypoints(
            [each["keypoints"] for each in records],
            image_id=[each["image_id"] for each in records],
            label=[each["category_id"] for each in records],
            image_ids=[image["id"] for image in images],
            **columns,
        )

    annotations = document["annotations"]
    truth = poses(
        annotations,
        box=[each["bbox"] for each in annotations],
        crowd=[each["iscrowd"] for each in annotations],
        crowding={image["id"]: image["crowdIndex"] for image in images},
    )
    pred = poses(results, score=[each["score"] for each in results])
    found = AveragePrecision(protocol="crowdpose").update(truth, pred).compute()
    wanted = AveragePrecision(protocol="crowdpose").update(*poses_of(*paths)).compute()
    assert found.metrics == wanted.metrics
    assert not any(np.isnan(value) for value in found.metrics.values())


@pytest.mark.filterwarnings("ignore::snellen.errors.DataWarning")
def test_images_by_crowding_are_what_they_are_alone(conformance_data: Path) -> None:
    folder = conformance_data / "keypoints/fce_crowdpose"
    truth, pred = poses_of(
        folder / "example_crowdpose_val.json", folder / "example_crowdpose_preds.json"
    )
    whole = AveragePrecision(protocol="crowdpose").update(truth, pred).compute()
    images = json.loads((folder / "example_crowdpose_val.json").read_text())["images"]
    for label, low, high in CROWDPOSE.crowding_ranges:
        ids = [image["id"] for image in images if low <= image["crowdIndex"] < high]
        alone = AveragePrecision(protocol="crowdpose").update(
            on_images(truth, ids), on_images(pred, ids)
        )
        assert whole.metrics[f"AP_{label}"] == alone.compute().AP


def on_images(poses: Poses, image_ids: Sequence[int]) -> Poses:
    return poses[np.isin(poses.boxes.images.ids[poses.boxes.image], image_ids)]


# ---------------------------------------------------------------------------------------------
# BDD100K's poses of 18 keypoints, with the numbers that Scalabel's tests state.

PUBLISHED = {
    ("pose_sample.json", "pose_preds.json"): (
        *(14.059405940594061, 25.247524752475247, 12.871287128712872, 14.059405940594061, None),
        *(27.500000000000004, 50.0, 25.0, 27.500000000000004, None),
    ),
    ("pose_sample_2.json", "pose_preds.json"): (
        *(6.228194247996228, 16.124469589816123, 4.29042904290429, 6.228194247996228, None),
        *(16.25, 37.5, 12.5, 16.25, None),
    ),
}
VISIBILITY = {"V": 2, "H": 1, "N": 0, None: 0}


def frames_of(path: Path) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(path.read_text())
    return sorted(frames, key=lambda frame: str(frame["name"]))


def poses_of_frames(frames: Sequence[dict[str, Any]], *, scored: bool) -> Poses:
    labels = [(i, label) for i, frame in enumerate(frames) for label in frame["labels"]]
    labels = [(i, label) for i, label in labels if label["graph"]]
    columns: dict[str, Any] = {"score": [label["score"] for _, label in labels]}
    if not scored:
        # Scalabel counts the last pixel, too.
        columns = {
            "box": [
                [box["x1"], box["y1"], box["x2"] - box["x1"] + 1, box["y2"] - box["y1"] + 1]
                for box in (label["box2d"] for _, label in labels)
            ]
        }
    return Poses.from_keypoints(
        [
            [
                [*node["location"], VISIBILITY[node["visibility"]]]
                for node in label["graph"]["nodes"]
            ]
            for _, label in labels
        ],
        image_id=[i for i, _ in labels],
        label=1,
        image_ids=range(len(frames)),
        classes={1: "pedestrian"},
        **columns,
    )


def scalabel_rules(folder: Path) -> DetectionProtocol:
    if sys.version_info < (3, 11):
        pytest.skip("Python 3.10 cannot read TOML")
    import tomllib

    sigmas = tomllib.loads((folder / "pose_configs.toml").read_text())["poseSigmas"]
    return dataclasses.replace(COCO_KEYPOINTS, sigmas=tuple(sigmas))


@pytest.mark.parametrize(("truth_name", "pred_name"), PUBLISHED)
def test_equals_what_scalabel_states(
    conformance_data: Path, truth_name: str, pred_name: str
) -> None:
    folder = conformance_data / "keypoints/scalabel_pose"
    truth = frames_of(folder / truth_name)
    predicted = {frame["name"]: frame for frame in frames_of(folder / pred_name)}
    # One truth file has the same image twice, and the same predictions are taken for both.
    pred = [predicted.get(frame["name"], {"labels": []}) for frame in truth]
    rules = scalabel_rules(folder)
    result = (
        AveragePrecision(protocol=rules)
        .update(poses_of_frames(truth, scored=False), poses_of_frames(pred, scored=True))
        .compute()
    )
    for value, published in zip(
        result.metrics.values(), PUBLISHED[truth_name, pred_name], strict=True
    ):
        if published is None:
            assert math.isnan(value)
        else:
            assert value * 100 == pytest.approx(published, rel=1e-12)


def test_no_predictions_recall_nothing(conformance_data: Path) -> None:
    folder = conformance_data / "keypoints/scalabel_pose"
    truth = poses_of_frames(frames_of(folder / "pose_sample.json"), scored=False)
    pred = poses_of_frames(frames_of(folder / "pose_preds_empty.json"), scored=True)
    assert len(pred) == 0
    result = AveragePrecision(protocol=scalabel_rules(folder)).update(truth, pred).compute()
    assert (result.AP, result.AP50, result.AR, result.AR75) == (0.0, 0.0, 0.0, 0.0)


# ---------------------------------------------------------------------------------------------
# The 133 keypoints of whole bodies.


def test_whole_bodies_equal_themselves(conformance_data: Path) -> None:
    path = conformance_data / "keypoints/mmpose_coco4/test_keypoint_partition_metric.json"
    truth = read_coco_truth(path, kind="keypoints")
    assert truth.keypoints.shape == (14, 133, 3)
    assert truth.boxes.ignored is not None
    labelled = truth[truth.boxes.ignored == 0]  # two people have no keypoints
    assert len(labelled) == 12
    scores = np.linspace(1, 0.1, len(labelled))
    pred = Poses(
        dataclasses.replace(labelled.boxes, score=scores, crowd=None, ignored=None),
        labelled.keypoints,
    )
    sigmas = np.linspace(0.02, 0.1, 133)
    assert (np.diag(oks(pred, labelled, sigmas)) == 1).all()
    rules = dataclasses.replace(COCO_KEYPOINTS, sigmas=tuple(sigmas))
    result = AveragePrecision(protocol=rules).update(truth, pred).compute()
    # The reference adds 2^-52 to the number of detections.
    assert math.isclose(result.AP, 1, rel_tol=1e-15)
    assert result.AR == 1
