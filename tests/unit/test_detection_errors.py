"""The six kinds of errors and what they cost, on cases worked by hand."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, RleMasks
from snellen.detection.error_types import DetectionErrors, detection_errors
from snellen.detection.error_types_result import DetectionErrorsResult
from snellen.detection.masks import Masks
from snellen.detection.protocols import COCO
from snellen.errors import InputError, MergeError, SchemaError

CLASSES = {1: "cat", 2: "dog"}
KINDS = ("cls", "loc", "both", "dupe", "bkg", "miss")
NAN = math.nan


def boxes(*rows: Any, scored: bool = False, **columns: Any) -> Boxes:
    """Return boxes 10 high of rows (left, width, label) or (left, width, label, score)."""
    return Boxes.from_xywh(
        [(row[0], 0, row[1], 10) for row in rows] or np.zeros((0, 4)),
        image_id=[1] * len(rows),
        label=[row[2] for row in rows] or np.zeros(0, int),
        score=[row[3] for row in rows] if scored else None,
        image_ids=[1],
        classes=CLASSES,
        **columns,
    )


def counts(truth: Boxes, pred: Boxes, **parameters: Any) -> dict[str, int]:
    data = detection_errors(truth, pred, **parameters).data
    return {name: data[f"n_{name}"] for name in KINDS if data[f"n_{name}"]}


CAT = boxes((0, 10, 1))


@pytest.mark.parametrize(
    ("left", "width", "label", "wanted"),
    [
        (0, 5, 1, {}),  # IoU 5/10 = 0.5: it matches
        (0, 4, 1, {"loc": 1}),  # IoU 0.4; the cat would be found, so it is not missed
        (0, 1, 1, {"loc": 1}),  # IoU 0.1, as much as the background threshold
        (0, 0.9, 1, {"bkg": 1, "miss": 1}),  # IoU 0.09
        (0, 5, 2, {"cls": 1}),  # IoU 0.5
        (0, 4, 2, {"both": 1, "miss": 1}),  # IoU 0.4 with another class
        (0, 1, 2, {"bkg": 1, "miss": 1}),  # IoU 0.1 with another class: background still
        (50, 5, 2, {"bkg": 1, "miss": 1}),
    ],
)
def test_one_detection(left: float, width: float, label: int, wanted: dict[str, int]) -> None:
    assert counts(CAT, boxes((left, width, label, 0.9), scored=True)) == wanted


def test_a_second_detection_of_an_object() -> None:
    # IoU 1 and 0.8: the second is what the first has found. One of IoU 0.5 exactly counts as badly
    # placed: that is asked first.
    first = (0, 10, 1, 0.9)
    assert counts(CAT, boxes(first, (0, 8, 1, 0.8), scored=True)) == {"dupe": 1}
    assert counts(CAT, boxes(first, (0, 5, 1, 0.8), scored=True)) == {"loc": 1}


def test_only_the_best_error_about_an_object_is_mended() -> None:
    # Two cats. The first has two detections of IoU 0.4 (left 0 and 6, width 4), the second none.
    truth = boxes((0, 10, 1), (50, 10, 1))
    pred = boxes((0, 4, 1, 0.8), (6, 4, 1, 0.9), scored=True)
    result = detection_errors(truth, pred)
    assert counts(truth, pred) == {"loc": 2, "miss": 1}
    # Mended: one true positive at rank 1 of two cats, the other detection is gone. Precision 1 at
    # the recalls 0, 0.01 … 0.5: 51 of 101.
    assert result.AP == 0.0
    assert result.dAP_loc == 51 / 101
    # Without the missed cat there is still no true positive.
    assert result.dAP_miss == 0.0
    # Perfect precision of none, perfect recall of none: no class has truth left, but detections.
    assert (result.dAP_fp, result.dAP_fn) == (0.0, 0.0)


def test_what_each_error_costs() -> None:
    # A cat found at 0.9; a dog taken for a cat at 0.8 (IoU 1); nothing at 0.95 as a cat.
    truth = boxes((0, 10, 1), (50, 10, 2))
    pred = boxes((0, 10, 1, 0.9), (50, 10, 1, 0.8), (90, 10, 1, 0.95), scored=True)
    result = detection_errors(truth, pred)
    assert counts(truth, pred) == {"cls": 1, "bkg": 1}
    # Cats: the true positive comes second, precision 1/2 at all recalls. Dogs: 0.
    np.testing.assert_array_equal(result.class_AP, [0.5, 0.0])
    assert result.AP == 0.25
    # cls mended: the dog is found at once, cats stay at 1/2: (0.5 + 1) / 2 - 0.25.
    assert result.dAP_cls == 0.5
    # bkg mended: the cat comes first: (1 + 0) / 2 - 0.25; fp the same.
    assert (result.dAP_bkg, result.dAP_fp) == (0.25, 0.25)
    # fn: dogs have no truth left and no detections: only cats remain.
    assert result.dAP_fn == 0.25
    assert result.dAP_miss == 0.0
    record = result.per_class()[1]
    assert (record["class"], record["n_truth"], record["AP"], record["dAP_cls"]) == ("dog", 1, 0, 1)
    assert math.isnan(record["dAP_fn"])
    assert [entry.metric for entry in result.undefined_of_classes()] == ["dAP_fn"]


def test_a_class_without_truth_lowers_ap() -> None:
    # The cat is found; a dog is made up: (1 + 0) / 2. Mended, no class of dogs is left: 1.
    result = detection_errors(CAT, boxes((0, 10, 1, 0.9), (50, 10, 2, 0.8), scored=True))
    assert (result.AP, result.dAP_bkg) == (0.5, 0.5)


def test_regions() -> None:
    truth = boxes((0, 10, 1), (50, 40, 1), crowd=[0, 1])
    # The second lies in the crowd: no false positive, though TIDE counts it as background. The
    # third is another class: it is a false positive, AP of dogs is 0.
    pred = boxes((0, 10, 1, 0.5), (60, 10, 1, 0.9), (60, 10, 2, 0.9), scored=True)
    result = detection_errors(truth, pred)
    assert counts(truth, pred) == {"bkg": 2}
    assert result.data["n_left_out"] == 1
    np.testing.assert_array_equal(result.class_AP, [1.0, 0.0])
    assert result.n_truth.tolist() == [1, 0]


def test_ignored_truth_is_a_region_where_the_rules_say_so() -> None:
    truth = boxes((0, 10, 1), (50, 10, 1), ignored=[0, 1])
    pred = boxes((0, 10, 1, 0.9), scored=True)
    assert detection_errors(truth, pred).data["n_miss"] == 1
    honours = dataclasses.replace(COCO, honours_ignored=True)
    result = detection_errors(truth, pred, protocol=honours)
    assert (result.data["n_miss"], result.AP) == (0, 1.0)


def test_cap_of_an_image_over_all_classes() -> None:
    pred = boxes((0, 10, 1, 0.5), (50, 5, 2, 0.9), (50, 5, 2, 0.8), scored=True)
    assert counts(CAT, pred, max_detections=2) == {"bkg": 2, "miss": 1}
    assert detection_errors(CAT, pred, max_detections=2).data["n_dropped_by_cap"] == 1


def test_what_rules_drop_of_an_image_is_dropped_by_a_cap() -> None:
    pred = boxes((0, 10, 1, 0.5), (50, 5, 2, 0.9), (50, 0, 2, 0.8), (50, 5, 2, 0.4), scored=True)
    rules = dataclasses.replace(COCO, per_image=3)
    assert detection_errors(CAT, pred, protocol=rules).data["n_dropped_by_cap"] == 1
    result = detection_errors(CAT, pred, protocol=rules, max_detections=2)
    assert result.data["n_dropped_by_cap"] == 2
    # One of the three has no area: the rules leave it out, no cap does.
    solid = dataclasses.replace(rules, drops_empty_predictions=True)
    result = detection_errors(CAT, pred, protocol=solid)
    assert (result.data["n_dropped_by_cap"], result.data["n_bkg"]) == (1, 1)
    result = detection_errors(CAT, pred, protocol=solid, max_detections=1)
    assert result.data["n_dropped_by_cap"] == 2


def test_nothing() -> None:
    nothing = boxes(), boxes(scored=True)
    result = detection_errors(*nothing)
    assert all(math.isnan(value) for value in result.metrics.values())
    assert {entry.reason for entry in result.undefined} == {
        "there are neither truth nor detections"
    }
    # A class of false alarms alone: mended, nothing is left.
    result = detection_errors(boxes(), boxes((0, 10, 1, 0.9), scored=True))
    assert result.AP == 0.0
    assert [entry.metric for entry in result.undefined] == ["dAP_bkg"]


def test_masks_are_compared_by_their_pixels() -> None:
    # Two triangles of one square: as boxes they are the same, as masks they share the diagonal.
    upper, lower = [0, 0, 10, 0, 10, 10], [0, 0, 0, 10, 10, 10]
    truth, pred = (
        Masks(boxes((0, 10, 1, 0.9), scored=scored), RleMasks.from_polygons([[shape]], (20, 20)))
        for scored, shape in ((False, upper), (True, lower))
    )
    assert detection_errors(truth.boxes, pred.boxes).AP == 1.0
    assert detection_errors(truth, pred).AP == 0.0
    metric = DetectionErrors().update(truth, pred)
    with pytest.raises(InputError, match="kind mask, as those before, got box"):
        metric.update(truth.boxes, pred.boxes)
    with pytest.raises(MergeError, match="kind mask, got box"):
        metric.merge(DetectionErrors().update(truth.boxes, pred.boxes))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iou_threshold": 0}, "above 0, at most 1, got 0 - at iou_threshold"),
        ({"iou_threshold": NAN}, "got nan"),
        ({"iou_threshold": "0.5"}, "got '0.5'"),
        ({"background_threshold": 0.6}, "at most the IoU threshold of 0.5, got 0.6"),
        ({"background_threshold": 0}, "above 0"),
        ({"max_detections": 0}, "whole number from 1 to 2147483647, got 0"),
        ({"max_detections": 1.5}, "whole number from 1 to 2147483647, got 1.5"),
        ({"protocol": "cocoa"}, "Did you mean"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DetectionErrors(**parameters)


def test_text_and_file(tmp_path: Path) -> None:
    truth = boxes((0, 10, 1), (50, 10, 2))
    pred = boxes((0, 10, 1, 0.9), (50, 10, 1, 0.8), (90, 10, 1, 0.95), scored=True)
    result = detection_errors(truth, pred)
    text = str(result)
    assert "AP at IoU 0.5: 0.2500" in text
    assert "cls    1  0.5000  right place, wrong class" in text.splitlines()
    assert "cat        1  0.5000    1    0     0     0    1     0" in text.splitlines()
    assert "predictions  3, none dropped by the cap of 100 an image" in result.composition()
    result.save(tmp_path / "result")
    loaded = DetectionErrorsResult.load(tmp_path / "result")
    assert (str(loaded), loaded.to_dict()) == (text, result.to_dict())
    (tmp_path / "other").write_bytes(DetectionErrors().to_bytes())
    with pytest.raises(SchemaError, match="expected a DetectionErrorsResult"):
        DetectionErrorsResult.load(tmp_path / "other")


def test_many_classes_are_cut() -> None:
    label = np.arange(150)
    columns: dict[str, Any] = {"image_id": label, "label": label}
    truth = Boxes.from_xywh(np.tile([0, 0, 9, 9], (150, 1)), **columns)
    pred = truth[label < 120]
    pred = Boxes.from_xywh(
        pred.xywh, image_id=pred.image, label=pred.label, score=np.ones(120), image_ids=label
    )
    lines = str(detection_errors(truth, pred)).splitlines()
    # The 30 that are missed, and of the others the first 70.
    assert lines[-1] == "and 50 classes with fewer errors"
    at = next(i for i, line in enumerate(lines) if line.startswith("class"))
    assert [int(line.split()[0]) for line in lines[at + 1 : -1]] == [*range(70), *range(120, 150)]
