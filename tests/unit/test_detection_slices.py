from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes
from snellen.detection.protocols import COCO, OPEN_IMAGES, OPEN_IMAGES_CHALLENGE
from snellen.detection.slices import by_crowding, slices_of_images, slices_of_objects
from snellen.detection.slices_result import DetectionSlices
from snellen.errors import IdError, InputError, ShapeError

IDS = [3, 5, 7, 9]
TRUTH = Boxes.from_xywh(
    [[0, 0, 10, 10], [20, 0, 10, 10], [0, 0, 10, 10]],
    image_id=[3, 3, 5],
    label=[1, 2, 1],
    image_ids=IDS,
)
PRED = Boxes.from_xywh(
    [[0, 0, 10, 10], [20, 0, 10, 10], [50, 0, 10, 10]],
    image_id=[3, 3, 7],
    label=[1, 2, 1],
    score=[0.5, 0.5, 0.9],
    image_ids=IDS,
)
METRIC = AveragePrecision().update(TRUTH, PRED)
ONE = 0.9999999999999998


def test_slices_by_hand() -> None:
    slices = slices_of_images(METRIC, {3: "day", 5: "night", 7: "night"})
    assert slices.names == ("all", "day", "night")
    assert slices.n_images.tolist() == [4, 1, 2]
    assert slices.n_truth.tolist() == [3, 2, 1]
    assert slices.n_predictions.tolist() == [3, 2, 1]
    assert math.isclose(slices.value("day", "AP50"), 1.0)
    assert slices.value("night", "AP") == 0.0
    # All: of label 1, one of two is found behind a false one: 51 of 101 points at 1 / 2.
    assert math.isclose(slices.AP50, (51 / 101 / 2 + 1) / 2)
    assert repr(slices.metrics) == repr(METRIC.compute().metrics)
    day = [record["day"] for record in slices.per_class()]
    assert np.allclose(day, [1.0, 1.0])
    night = [record["night"] for record in slices.per_class()]
    assert night[0] == 0.0
    assert math.isnan(night[1])
    assert [each.metric for each in slices.undefined_of_classes()] == ["night"]


def test_names_as_people_count() -> None:
    names = {3: "10 or more", 5: "2 to 9", 7: "0 to 1"}
    assert slices_of_images(METRIC, names).names[1:] == ("0 to 1", "2 to 9", "10 or more")


def test_crowding() -> None:
    assert by_crowding(METRIC, edges=(1, 2)) == {
        3: "2 or more objects", 5: "1 object", 7: "0 objects", 9: "0 objects",
    }  # fmt: skip
    for edges in ([], [0, 2], [3, 2], [2, 2]):
        with pytest.raises(InputError, match="ascending"):
            by_crowding(METRIC, edges=edges)


def test_no_slices() -> None:
    assert slices_of_images(METRIC, {}).names == ("all",)


def test_unknown_images() -> None:
    with pytest.raises(IdError, match="got 2 others: 4, 6"):
        slices_of_images(METRIC, {3: "a", 4: "a", 6: "b"})
    with pytest.raises(IdError):
        slices_of_images(METRIC, {"3": "a"})


def test_unknown_names() -> None:
    slices = slices_of_images(METRIC, {3: "day"})
    with pytest.raises(InputError, match=r'slice of all, day, got "dya"\. Did you mean'):
        slices.value("dya", "AP")
    with pytest.raises(InputError, match="metric of AP"):
        slices.value("day", "ap")


def test_objects_by_hand() -> None:
    slices = slices_of_objects(TRUTH, PRED, ["far", "near", "far"])
    # Far: both of label 1, one found, behind the false one. Near: label 2, found; the false one is
    # of label 1, of which there is nothing near.
    assert slices.n_truth.tolist() == [3, 2, 1]
    assert slices.n_images.tolist() == [4, 2, 1]
    assert math.isclose(slices.value("far", "AP50"), 51 / 101 / 2)
    assert slices.value("far", "AR_100") == 0.5
    assert math.isclose(slices.value("near", "AP50"), 1.0)
    # The false one ranks first of its class, and stays false in every slice.
    assert slices.value("far", "AR_1") == 0.5


def test_false_positives_count_against_every_slice() -> None:
    one: dict[str, Any] = {"image_id": 1, "label": 1}
    truth = Boxes.from_xywh([[0, 0, 9, 9], [20, 0, 9, 9]], **one)
    pred = Boxes.from_xywh(
        [[50, 0, 9, 9], [0, 0, 9, 9], [20, 0, 9, 9]], score=[0.9, 0.8, 0.7], **one
    )
    slices = slices_of_objects(truth, pred, ["a", "b"])
    # In both one false one, then the right one; the other's is left out.
    assert slices.value("a", "AP") == slices.value("b", "AP") == 0.5
    none = slices_of_objects(truth, pred, ["", ""])
    assert none.names == ("all",)


def test_a_cap_of_a_class_holds_over_all_images() -> None:
    # One object in each image; a false one at 0.9, then both objects. Two of the class count.
    truth = Boxes.from_xywh([[0, 0, 9, 9], [0, 0, 9, 9]], image_id=[1, 2], label=1)
    pred = Boxes.from_xywh(
        [[0, 0, 9, 9], [50, 0, 9, 9], [0, 0, 9, 9]],
        image_id=[2, 2, 1],
        label=1,
        score=[0.7, 0.9, 0.8],
    )
    rules = dataclasses.replace(COCO, per_class=2, area_ranges=COCO.area_ranges[:1])
    slices = slices_of_objects(truth, pred, ["first", "second"], protocol=rules)
    assert slices.n_predictions.tolist() == [2, 2, 2]
    # All: one of two is found, behind the false one.
    assert math.isclose(slices.AP, 51 / 101 / 2)
    assert repr(slices.metrics) == repr(
        AveragePrecision(protocol=rules).update(truth, pred).compute().metrics
    )
    assert (slices.value("first", "AP"), slices.value("first", "AR_100")) == (0.5, 1.0)
    assert (slices.value("second", "AP"), slices.value("second", "AR_100")) == (0.0, 0.0)


def test_groups_are_objects_where_rules_have_them_found() -> None:
    # The case of docs/metrics/open-images.md: a group G, a box A, a false one at 0.95, A at 0.9,
    # two in G at 0.8 and 0.7. Truth has G first, which is matched last.
    columns: dict[str, Any] = {"image_id": 1, "label": 1}
    truth = Boxes.from_xywh([[50, 0, 40, 40], [0, 0, 10, 10]], crowd=[1, 0], **columns)
    pred = Boxes.from_xywh(
        [[60, 0, 9, 9], [200, 0, 9, 9], [0, 0, 10, 10], [50, 0, 9, 9]],
        score=[0.7, 0.95, 0.9, 0.8],
        **columns,
    )
    rules = dataclasses.replace(OPEN_IMAGES_CHALLENGE, verified_only=False)
    slices = slices_of_objects(truth, pred, ["group", "single"], protocol=rules)
    assert slices.n_truth.tolist() == [2, 1, 1]
    assert math.isclose(slices.AP, 2 / 3)
    whole = AveragePrecision(protocol=rules).update(truth, pred).compute()
    assert repr(slices.metrics) == repr(whole.metrics)
    # Each behind the false one; the other's true positive is left out.
    for name in ("group", "single"):
        assert (slices.value(name, "AP"), slices.value(name, "AR")) == (0.5, 1.0)
    # Where groups are not to be found, there is one object.
    slices = slices_of_objects(truth, pred, ["group", "single"], protocol=OPEN_IMAGES)
    assert slices.n_truth.tolist() == [1, 0, 1]
    assert slices.AP == slices.value("single", "AP") == 0.5
    assert math.isnan(slices.value("group", "AP"))


@pytest.mark.parametrize("name", ["all", "class", "id"])
def test_names_that_tables_have(name: str) -> None:
    message = f'other than all, class, id.*got "{name}"; give it another name - at slice_of'
    with pytest.raises(InputError, match=message):
        slices_of_images(METRIC, {3: "day", 5: name})
    with pytest.raises(InputError, match=message):
        slices_of_objects(TRUTH, PRED, ["day", "", name])


def test_as_many_slices_as_objects() -> None:
    with pytest.raises(ShapeError, match="slices of 3 truth objects"):
        slices_of_objects(TRUTH, PRED, ["a"])


def test_text_and_file(tmp_path: Path) -> None:
    slices = slices_of_images(METRIC, {3: "day", 5: "night"})
    lines = str(slices).splitlines()
    assert lines[0].split()[:5] == ["slice", "images", "truth", "AP", "AP50"]
    assert "AP_large" not in lines[0]  # there are none
    assert [line.split()[0] for line in lines[1:]] == ["all", "day", "night"]
    assert "2 of them in slices" in slices.composition()
    assert slices.to_dict()["slices"][2]["AP"] == 0.0
    slices.save(tmp_path / "slices")
    again = DetectionSlices.load(tmp_path / "slices")
    assert str(again) == str(slices)
    assert again.to_dict() == slices.to_dict()
    assert again.names == slices.names


def test_nothing() -> None:
    slices = slices_of_images(AveragePrecision(), {})
    assert {entry.metric for entry in slices.undefined} == set(slices.metrics)
    str(slices)
