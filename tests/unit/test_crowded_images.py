"""Images by how crowded they are, as CrowdPose's rules part them."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, read_coco_truth
from snellen.detection.crowded_images import with_crowding
from snellen.detection.poses import Poses
from snellen.detection.protocols import (
    COCO,
    CROWDPOSE,
    PROTOCOLS,
    AreaRange,
    CrowdingRange,
    DetectionProtocol,
)
from snellen.detection.slices import slices_of_images, slices_of_objects
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.detection_protocol import read_detection_protocol

# Rules of boxes, of two sizes and three ranges of crowding, in which 0.5 is of the upper one.
RULES = dataclasses.replace(
    COCO,
    name="crowded boxes",
    area_ranges=(AreaRange("all", 0, math.inf), AreaRange("small", 0, 900)),
    max_detections=(2, 10),
    crowding_ranges=(
        CrowdingRange("calm", 0, 0.5),
        CrowdingRange("busy", 0.5, math.inf),
        CrowdingRange("never", 9, 10),
    ),
)


def test_outcomes_by_hand() -> None:
    # Images: calm, busy, of no range, not known. Of one area range 1 is true, 1 << 16 is false.
    columns = {
        "truth_image": np.array([0, 0, 1, 2, 3], np.int32),
        "truth_ignored": np.array([0, 1, 0, 0, 0], np.uint32),
        "pred_image": np.array([0, 1, 2, 3], np.int32),
        "pred_outcome": np.array([1, 1 << 16, 1, 1], np.uint32).reshape(4, 1, 1),
        "more": np.arange(3),
    }
    crowding = np.array([0.2, 0.5, -1.0, math.nan])
    found = with_crowding(columns, crowding, 1, RULES.crowding_ranges)
    # Bit 0 stays; bit 1 is clear in image 0 for what counts, bit 2 in image 1, bit 3 nowhere.
    assert found["truth_ignored"].tolist() == [0b1100, 0b1111, 0b1010, 0b1110, 0b1110]
    assert found["pred_outcome"][:, :, 0].tolist() == [
        [1, 1, 0, 0],
        [1 << 16, 0, 1 << 16, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
    ]
    assert found["more"] is columns["more"]
    assert columns["truth_ignored"].tolist() == [0, 1, 0, 0, 0]
    unknown = with_crowding(columns, None, 1, RULES.crowding_ranges)
    assert (unknown["truth_ignored"] >> 1 == 7).all()
    assert not unknown["pred_outcome"][:, 1:].any()


def boxes(seed: int, n_images: int = 20) -> tuple[Boxes, Boxes, Any]:
    random = np.random.default_rng(seed)
    crowding = random.choice([0.1, 0.4999, 0.5, 0.9, math.nan], n_images)
    n, n_pred = 120, 400

    def columns(n: int) -> dict[str, Any]:
        return {
            "image_id": random.integers(0, n_images, n),
            "label": random.integers(0, 3, n),
            "image_ids": np.arange(n_images),
            "classes": ["a", "b", "c"],
        }

    def places(n: int) -> Any:
        return np.concatenate([random.integers(0, 3, (n, 2)), random.integers(1, 5, (n, 2))], 1) * 9

    truth = Boxes.from_xywh(places(n), crowd=random.random(n) < 0.1, **columns(n))
    pred = Boxes.from_xywh(
        places(n_pred), score=random.integers(0, 9, n_pred) / 8, **columns(n_pred)
    )
    return dataclasses.replace(truth, crowding=crowding), pred, crowding


@pytest.mark.parametrize("seed", range(4))
def test_a_range_is_what_its_images_are_alone(seed: int) -> None:
    truth, pred, crowding = boxes(seed)
    metric = AveragePrecision(protocol=RULES).update(truth, pred)
    whole = metric.compute()
    assert whole.precision.shape[3:] == (5, 2)
    names = ("calm" if c < 0.5 else "busy" if c >= 0.5 else "" for c in crowding)
    slices = slices_of_images(metric, {i: name for i, name in enumerate(names) if name})
    plain = dataclasses.replace(RULES, crowding_ranges=())
    for place, name in enumerate(("calm", "busy"), 2):
        low, high = next(each[1:] for each in RULES.crowding_ranges if each.label == name)
        inside = (crowding >= low) & (crowding < high)
        alone = (
            AveragePrecision(protocol=plain)
            .update(truth[inside[truth.image]], pred[inside[pred.image]])
            .compute()
        )
        assert 0 < alone.AP < 1
        assert whole.metrics[f"AP_{name}"] == alone.AP == slices.value(name, "AP")
        for array in ("precision", "scores"):
            got, wanted = getattr(whole, array)[..., place, :], getattr(alone, array)[..., 0, :]
            assert np.array_equal(got, wanted, equal_nan=True)
        assert np.array_equal(whole.n_counted[:, place], alone.n_counted[:, 0])
    assert math.isnan(whole.AP_never)
    # What is not asked of ranges of crowding stays as it was.
    without = AveragePrecision(protocol=plain).update(truth, pred).compute()
    assert [whole.metrics[name] for name in without.metrics] == [*without.metrics.values()]


def test_resampled_ranges_are_those_of_the_images() -> None:
    truth, pred, _ = boxes(7)
    metric = AveragePrecision(protocol=RULES).update(truth, pred)
    units = metric.units()
    values = units.values(np.ones((1, 20), np.int32))
    whole = metric.compute()
    for name in ("AP", "AP_small", "AP_calm", "AP_busy"):
        assert values[name][0] == pytest.approx(whole.metrics[name], rel=1e-12)
    # Busy images left out, twice the calm ones.
    assert truth.crowding is not None
    twice = np.where(truth.crowding < 0.5, 2, 0)[None]
    values = units.values(twice.astype(np.int32))
    assert values["AP"][0] == pytest.approx(values["AP_calm"][0], rel=1e-12)
    assert math.isnan(values["AP_busy"][0])


def test_objects_are_sliced_without_ranges() -> None:
    truth, pred, _ = boxes(3)
    slices = slices_of_objects(truth, pred, ["one"] * len(truth), protocol=RULES)
    plain = dataclasses.replace(RULES, crowding_ranges=())
    assert (
        slices.value("one", "AP")
        == AveragePrecision(protocol=plain).update(truth, pred).compute().AP
    )


# ---------------------------------------------------------------------------------------------
# CrowdPose's rules.


def pose(x: float, **columns: Any) -> dict[str, Any]:
    keypoints = np.zeros((1, 14, 3))
    keypoints[0, :, 0], keypoints[0, :, 2] = x, 2
    return {"keypoints": keypoints, "labels": [1], **columns}


def test_areas_are_parts_of_boxes() -> None:
    # One labelled point with sigma 0.079, off by d: similarity exp(-d^2 / (8 sigma^2 area)) with an
    # area of 0.53 * 100 * 100 = 5300, whatever the annotation says. It is 0.75 at
    # d^2 = -ln(0.75) * 8 * 0.079^2 * 5300 = 76.13, d = 8.73.
    for d, passes in ((8.7, True), (8.75, False)):
        truth = pose(0, boxes=[[0, 0, 100, 100]], area=[1.0], crowding=0.5)
        truth["keypoints"][0, 1:, 2] = 0
        pred = pose(d, boxes=[[0, 0, 100, 100]], scores=[0.5])
        result = AveragePrecision(protocol="crowdpose").update([truth], [pred]).compute()
        assert (result.AR75 == 1) is passes
        assert result.AP_medium == result.AP


def test_truth_that_does_not_say_has_no_ranges() -> None:
    truth, pred = pose(0, boxes=[[0, 0, 9, 9]]), pose(0, boxes=[[0, 0, 9, 9]], scores=[0.5])
    result = AveragePrecision(protocol="crowdpose").update([truth], [pred]).compute()
    assert pytest.approx(1) == result.AP
    reasons = {each.metric: each.reason for each in result.undefined}
    assert reasons == {
        f"AP_{name}": f"no truth box counts in images called {name}"
        for name in ("easy", "medium", "hard")
    }
    assert str(result).splitlines()[-1] == (
        " Average Precision  (AP) @[ IoU=0.50:0.95 | type=  hard | maxDets= 20 ] = nan"
    )


def test_files_say_how_crowded_images_are() -> None:
    document: dict[str, Any] = {
        "images": [{"id": 9, "crowdIndex": 0.25}, {"id": 3}, {"id": 5, "crowdIndex": 1}],
        "annotations": [],
        "categories": [{"id": 1}],
    }
    crowding = read_coco_truth(document, kind="keypoints").boxes.crowding
    assert crowding is not None
    assert np.array_equal(crowding, [math.nan, 1, 0.25], equal_nan=True)  # of images 3, 5, 9
    for kind in ("box", "mask"):
        assert read_coco_truth(document, kind=kind).boxes.crowding is None  # type: ignore[call-overload]
    for image in document["images"]:
        image.pop("crowdIndex", None)
    assert read_coco_truth(document, kind="keypoints").boxes.crowding is None
    document["images"][1]["crowdIndex"] = "high"
    with pytest.raises(SchemaError, match=r'got "high" - at truth \$.images\[1\].crowdIndex'):
        read_coco_truth(document, kind="keypoints")


def test_columns_say_it_by_image() -> None:
    """Three images with one pose each: the crowded one's is missed, one is of no range."""
    points = np.stack([pose(x)["keypoints"][0] for x in (0, 0, 0)])
    keys: dict[str, Any] = {"image_id": ["a", "b", "c"], "label": 1, "box": [[0, 0, 50, 50]] * 3}
    truth = Poses.from_keypoints(points, crowding={"c": 0.1, "a": np.float32(0.9)}, **keys)
    assert truth.boxes.crowding is not None
    wanted = [np.float32(0.9), math.nan, 0.1]
    assert np.array_equal(truth.boxes.crowding, wanted, equal_nan=True)
    keys = {"image_id": ["b", "c"], "label": 1, "box": [[0, 0, 50, 50]] * 2}
    pred = Poses.from_keypoints(points[1:], score=[0.9, 0.8], **keys)
    result = AveragePrecision(protocol="crowdpose").update(truth, pred).compute()
    assert (result.AP_easy, result.AP_hard) == (pytest.approx(1), 0)
    assert math.isnan(result.AP_medium)
    # As mappings say it.
    records = [
        pose(0, boxes=[[0, 0, 50, 50]], **crowding)
        for crowding in ({"crowding": np.float32(0.9)}, {}, {"crowding": 0.1})
    ]
    of_images = Poses.from_images(records, image_id=["a", "b", "c"])
    assert np.array_equal(of_images.boxes.crowding, truth.boxes.crowding, equal_nan=True)
    # An image without poses can be crowded, too; without a word nothing is known.
    one: dict[str, Any] = {"image_id": [1], "label": 1, "box": [[0, 0, 5, 5]]}
    truth = Poses.from_keypoints(points[:1], image_ids=[1, 2], crowding={2: 0.5}, **one)
    assert np.array_equal(truth.boxes.crowding, [math.nan, 0.5], equal_nan=True)
    assert Poses.from_keypoints(points[:1], **one).boxes.crowding is None


@pytest.mark.parametrize(
    ("crowding", "error", "message"),
    [
        ([0.5], InputError, "expected a mapping of image id to how crowded it is.*got list"),
        ({7: 0.5}, IdError, "expected image ids that objects or image_ids have, got 7"),
        ({"1": 0.5}, IdError, "got '1'"),
        ({1: math.nan}, InputError, r"expected one finite number, got nan - at crowding\[1\]"),
        ({1: [0.5, 0.5]}, InputError, r"expected one finite number.*crowding\[1\]"),
        ({1: "much"}, InputError, r"crowding\[1\]"),
        ({1.5: 0.5}, IdError, "image id"),
        ({1: None}, InputError, r"crowding\[1\]"),
    ],
)
def test_columns_refuse(crowding: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Poses.from_keypoints([[[1, 2, 2]] * 14], image_id=1, label=1, crowding=crowding)


def test_rows_keep_what_is_of_images() -> None:
    truth = Poses.from_images([pose(0, crowding=0.5), pose(1)], image_id=[1, 2])
    assert truth[:1].boxes.crowding is truth.boxes.crowding


def test_rules_are_data(tmp_path: Path) -> None:
    plain = json.loads(json.dumps(CROWDPOSE.to_dict()))
    assert DetectionProtocol.from_dict(plain) == CROWDPOSE
    assert plain["crowding_ranges"] == [
        ["easy", 0.0, 0.2],
        ["medium", 0.2, 0.8],
        ["hard", 0.8, None],
    ]
    path = tmp_path / "thirds.json"
    path.write_text(
        '{"base": "crowdpose", "crowding_ranges": [["few", 0, 0.3], ["many", 0.3, null]]}'
    )
    rules = read_detection_protocol(path)
    assert rules.range_labels == ("all", "few", "many")
    assert str(rules).endswith("101 recall points, images few/many, caps 20")
    assert ": OKS 0.50:0.95 (10), " in str(rules)
    path.write_text('{"base": "crowdpose", "crowding_ranges": [["few", 0.3]]}')
    with pytest.raises(SchemaError, match=r"lower and upper bound.*crowding_ranges\[0\]"):
        read_detection_protocol(path)
    # Rules of states that were written before there were such ranges.
    older = PROTOCOLS["coco"].to_dict()
    del older["crowding_ranges"]
    assert DetectionProtocol.from_dict(older) == PROTOCOLS["coco"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crowding_ranges": [("small", 0, 1)]}, "expected other labels than those of area_ranges"),
        ({"crowding_ranges": [("a", 0, 1), ("a", 1, 2)]}, "each once"),
        ({"crowding_ranges": [("a", 1, 1)]}, r"expected low < high, got 1 and 1 - at .*\[a\]"),
        ({"crowding_ranges": [("a", math.nan, 1)]}, "expected low < high"),
        ({"crowding_ranges": [(str(i), 0, 1) for i in range(29)]}, "expected 1 to 32 area ranges"),
        ({"box_area_share": 0.0}, "expected a part of the box, above 0, got 0.0"),
        ({"box_area_share": math.nan}, "expected a part of the box"),
    ],
)
def test_refused_rules(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(COCO, **changes)
