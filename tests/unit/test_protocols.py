from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from snellen import AreaRange, DetectionProtocol
from snellen.detection.protocols import COCO, COCO_STRICT, PROTOCOLS, protocol_named
from snellen.errors import InputError


def test_grids_are_those_of_numpy() -> None:
    # What pycocotools' Params make them with.
    assert COCO.iou_thresholds == tuple(np.linspace(0.5, 0.95, 10).tolist())
    assert COCO.recall_thresholds == tuple(np.linspace(0.0, 1.0, 101).tolist())
    # They are no decimal literals.
    assert COCO.iou_thresholds[8] == 0.8999999999999999
    assert COCO.recall_thresholds[35] == 0.35000000000000003


def test_strict_differs_where_it_says() -> None:
    differ = {
        field.name: getattr(COCO_STRICT, field.name)
        for field in dataclasses.fields(COCO)
        if getattr(COCO, field.name) != getattr(COCO_STRICT, field.name)
    }
    assert differ == {
        "name": "coco-strict",
        "id_zero_matches": False,
        "ap_only_at": 100,
        "complete_records": True,
        "minus_one": True,
    }


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=str)
def test_to_dict_and_back_through_json(protocol: DetectionProtocol) -> None:
    plain = json.loads(json.dumps(protocol.to_dict()))
    assert DetectionProtocol.from_dict(plain) == protocol


def test_protocols_are_values() -> None:
    assert protocol_named("coco") is COCO
    assert protocol_named(COCO_STRICT) is COCO_STRICT
    assert hash(COCO) == hash(dataclasses.replace(COCO))
    with pytest.raises(dataclasses.FrozenInstanceError):
        COCO.name = "mine"  # type: ignore[misc]


def test_unknown_name() -> None:
    with pytest.raises(
        InputError,
        match='expected a protocol of coco, coco-strict, .*, got "coco-stric"'
        r'\. Did you mean "coco-strict"\? - at protocol',
    ):
        protocol_named("coco-stric")


@pytest.mark.parametrize(
    ("caps", "wanted"),
    [
        (300, (1, 10, 300)),
        (100, (1, 10, 100)),
        (10, (1, 10)),
        (5, (1, 5)),
        (1, (1,)),
        ((2, 5), (2, 5)),
        ([100, 1], (1, 100)),
        (np.int64(300), (1, 10, 300)),
        (np.array([5, 1]), (1, 5)),
    ],
)
def test_caps(caps: Any, wanted: tuple[int, ...]) -> None:
    got = COCO.with_max_detections(caps).max_detections
    assert got == wanted
    assert all(type(cap) is int for cap in got)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iou_thresholds": ()}, "expected ascending finite numbers.* - at iou_thresholds"),
        ({"iou_thresholds": (0.7, 0.5)}, "expected ascending finite numbers"),
        ({"iou_thresholds": (0.5, 0.5)}, "expected ascending finite numbers"),
        ({"iou_thresholds": (0.5, math.nan)}, "expected ascending finite numbers"),
        ({"iou_thresholds": (-0.1, 0.5)}, "expected numbers from 0 to 1"),
        ({"iou_thresholds": (0.5, 50)}, "expected numbers from 0 to 1"),
        ({"recall_thresholds": ()}, "expected ascending finite numbers.* - at recall_thresholds"),
        ({"recall_thresholds": (0.5, 1.5)}, "expected numbers from 0 to 1"),
        ({"max_detections": ()}, "expected ascending whole numbers from 1.* - at max_detections"),
        ({"max_detections": (0, 1)}, "expected ascending whole numbers from 1"),
        ({"max_detections": (10, 1)}, "expected ascending whole numbers from 1"),
        ({"max_detections": (1, 1)}, "expected ascending whole numbers from 1"),
        ({"max_detections": (1, 2.5)}, "expected ascending whole numbers from 1"),
        ({"area_ranges": ()}, "expected 1 to 32 area ranges, got 0"),
        ({"area_ranges": (AreaRange("a", 0, 1),) * 33}, "expected 1 to 32 area ranges, got 33"),
        (
            {"area_ranges": (AreaRange("tiny", 2, 1),)},
            r"expected low <= high, got 2 and 1 - at area_ranges\[tiny\]",
        ),
        ({"area_ranges": (AreaRange("tiny", math.nan, 1),)}, "expected low <= high"),
        ({"area_ranges": [("all", 0)]}, "expected a label, a lower and an upper bound"),
        ({"area_ranges": None}, "expected a label, a lower and an upper bound"),
        (
            {"area_ranges": (AreaRange("all", 0, 9), AreaRange("all", 9, 99))},
            r"expected each label once, got \['all', 'all'\] - at area_ranges",
        ),
        ({"per_image": 2.5}, "expected a whole number, got 2.5 - at per_image"),
        ({"per_class": "5"}, "expected a whole number, got '5' - at per_class"),
        ({"per_class": 0}, "expected a whole number from 1 to 2147483647, got 0 - at per_class"),
        ({"ap_only_at": "100"}, "expected a whole number, got '100' - at ap_only_at"),
        ({"class_groups": "rare"}, "expected a list of groups, got 'rare' - at class_groups"),
        ({"class_groups": ("small",)}, "expected other groups than the labels of ranges"),
        ({"class_groups": ("rare", "rare")}, "expected other groups than the labels of ranges"),
        ({"class_agnostic": "no"}, "expected True or False, got 'no' - at class_agnostic"),
    ],
)
def test_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(COCO, **change)


def test_numbers_of_numpy_are_plain() -> None:
    rules = dataclasses.replace(COCO, per_image=np.int64(5), class_agnostic=np.bool_(True))
    assert rules == dataclasses.replace(COCO, per_image=5, class_agnostic=True)
    assert json.loads(json.dumps(rules.to_dict()))["per_image"] == 5


def test_every_flag_is_checked() -> None:
    flags = {field.name for field in dataclasses.fields(COCO) if str(field.type) == "bool"}
    for name in flags:
        with pytest.raises(InputError, match=f"expected True or False, got 2 - at {name}"):
            dataclasses.replace(COCO, **{name: 2})


def test_outcome_shape() -> None:
    def words(n: int) -> tuple[int, int]:
        thresholds = tuple((np.arange(n) / n).tolist())
        return dataclasses.replace(COCO, iou_thresholds=thresholds).outcome_shape

    assert [words(n) for n in (1, 16, 17, 32, 33)] == [(4, 1), (4, 1), (4, 2), (4, 2), (4, 3)]


def test_str_says_what_decides_numbers() -> None:
    assert str(COCO_STRICT) == (
        "coco-strict: IoU 0.50:0.95 (10), 101 recall points, areas all/small/medium/large, "
        "caps 1/10/100"
    )


@pytest.mark.parametrize(
    ("name", "similarity", "said"),
    [
        ("coco", None, "coco: IoU 0.50:0.95 (10), 101 recall points, areas all/small/medium/large"),
        ("coco", "boundary", "coco: boundary IoU 0.50:0.95 (10), 101 recall points, areas all/"),
        ("coco-keypoints", None, "coco-keypoints: OKS 0.50:0.95 (10), "),
        ("open-images", None, "open-images: IoU 0.50, area below the curve, no caps"),
    ],
)
def test_rules_say_what_thresholds_are_of(name: str, similarity: str | None, said: str) -> None:
    rules = protocol_named(name)
    if similarity is not None:
        rules = dataclasses.replace(rules, similarity=similarity)
    assert str(rules).startswith(said)
