from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from snellen import AreaRange, Boxes, box_iou
from snellen.detection.matching import Matched, match
from snellen.detection.protocols import COCO
from snellen.errors import ClassError, IdError, InputError

# Two thresholds and two size buckets: outcome words are easily read.
RULES = dataclasses.replace(
    COCO,
    iou_thresholds=(0.5, 0.8),
    area_ranges=(AreaRange("all", 0, 1e10), AreaRange("small", 0, 100)),
)


def fates(matched: Matched) -> list[list[str]]:
    """Return, for each detection and area range, a letter for each threshold.

    T: true positive, F: false positive, a dot: left out.
    """
    words = matched.pred["outcome"][:, :, 0]
    letters = {(0, 0): ".", (1, 0): "T", (0, 1): "F"}
    return [
        ["".join(letters[word >> t & 1, word >> 16 + t & 1] for t in (0, 1)) for word in row]
        for row in words.tolist()
    ]


def test_outcomes() -> None:
    truth = Boxes.from_xywh(
        [[0, 0, 10, 10], [20, 0, 20, 10]], image_id=[1, 1], label=["cat", "cat"], image_ids=[1, 2]
    )
    pred = Boxes.from_xywh(
        # IoUs: 0.6 with the first truth box; 1 with the second, which is not small; none.
        [[0, 0, 10, 6], [20, 0, 20, 10], [0, 0, 30, 10]],
        image_id=[1, 1, 2],
        label=["cat", "cat", "dog"],
        score=[0.5, 0.9, 0.1],
    )
    matched = match(truth, pred, RULES)
    assert matched.images.ids.tolist() == [1, 2]
    assert matched.classes.keys.ids.tolist() == ["cat", "dog"]
    # The second truth box is left out of "small", bit 1.
    assert matched.truth["ignored"].tolist() == [0b00, 0b10]
    assert matched.pred["score"].tolist() == [0.9, 0.5, 0.1]
    assert matched.pred["label"].tolist() == [0, 0, 1]
    assert matched.pred["image"].tolist() == [0, 0, 1]
    assert fates(matched) == [["TT", ".."], ["TF", "TF"], ["FF", ".."]]


def test_rows_come_in_class_image_rank_order() -> None:
    truth = Boxes.from_xywh([], image_id=[], label=[], image_ids=["b", "a"])
    columns: dict[str, Any] = {
        "image_id": ["b", "a", "b", "a", "a"],
        "label": [2, 1, 1, 2, 1],
        "score": [0.1, 0.2, 0.3, 0.4, 0.9],
    }
    matched = match(truth, Boxes.from_xywh([[0, 0, 1, 1]] * 5, **columns), RULES)
    assert matched.pred["label"].tolist() == [0, 0, 0, 1, 1]
    assert matched.pred["image"].tolist() == [0, 0, 1, 0, 1]
    assert matched.pred["score"].tolist() == [0.9, 0.2, 0.3, 0.4, 0.1]


def test_equal_scores_stay_as_they_came() -> None:
    truth = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[1])
    for boxes, wanted in (
        ([[0, 0, 10, 10], [50, 0, 10, 10]], [["TT", "TT"], ["FF", "FF"]]),
        ([[50, 0, 10, 10], [0, 0, 10, 10]], [["FF", "FF"], ["TT", "TT"]]),
    ):
        pred = Boxes.from_xywh(boxes, image_id=[1, 1], label=[1, 1], score=[0.5, 0.5])
        assert fates(match(truth, pred, RULES)) == wanted


def test_the_cap_is_of_one_class_in_one_image() -> None:
    truth = Boxes.from_xywh([], image_id=[], label=[], image_ids=[1, 2])
    pred = Boxes.from_xywh(
        [[0, 0, 1, 1]] * 6,
        image_id=[1, 1, 1, 1, 1, 2],
        label=[1, 1, 1, 2, 2, 1],
        score=[0.1, 0.3, 0.2, 0.5, 0.6, 0.0],
    )
    rules = dataclasses.replace(RULES, max_detections=(1, 2))
    assert match(truth, pred, rules).pred["score"].tolist() == [0.3, 0.2, 0.0, 0.6, 0.5]


def test_boxes_without_ids_match_under_strict_rules() -> None:
    strict = dataclasses.replace(RULES, id_zero_matches=False)
    one: dict[str, Any] = {"image_id": [1], "label": [1]}
    pred = Boxes.from_xywh([[0, 0, 10, 10]], score=[0.5], **one)
    assert fates(match(Boxes.from_xywh([[0, 0, 10, 10]], **one), pred, strict))[0][0] == "TT"
    zero = Boxes.from_xywh([[0, 0, 10, 10]], id=[0], **one)
    assert fates(match(zero, pred, strict))[0][0] == "FF"
    assert fates(match(zero, pred, RULES))[0][0] == "TT"


def test_images_of_pred_without_boxes_need_not_be_listed() -> None:
    truth = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[1])
    pred = Boxes.from_xywh(
        [[0, 0, 10, 10]], image_id=[1], label=[1], score=[0.5], image_ids=[1, 2, 3]
    )
    matched = match(truth, pred, RULES)
    assert matched.images.ids.tolist() == [1]
    assert fates(matched)[0][0] == "TT"


def test_codes_of_unlike_tables() -> None:
    """Image 5 and class "b" have other positions in truth than in pred."""
    truth = Boxes.from_xywh(
        [[0, 0, 10, 10]], image_id=[5], label=["b"], image_ids=[1, 5], classes={"a": "", "b": ""}
    )
    pred = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[5], label=["b"], score=[0.5])
    matched = match(truth, pred, RULES)
    assert matched.pred["image"].tolist() == [1]
    assert matched.pred["label"].tolist() == [1]
    assert fates(matched)[0][0] == "TT"


@pytest.mark.parametrize(
    ("pred", "error", "message"),
    [
        ({"score": None}, InputError, "expected predicted objects with scores, got none - at pred"),
        (
            {"image_id": [2]},
            IdError,
            "got 1 unknown image ids: 2; list images without objects in image_ids",
        ),
        ({"image_id": ["1"]}, IdError, "truth has texts as image ids and pred has numbers, or"),
        ({"classes": {1: "dog"}}, ClassError, 'one name for class 1, got "cat" and "dog"'),
        ({"label": ["1"]}, IdError, "expected class ids of one kind"),
    ],
)
def test_pred_that_does_not_fit(pred: dict[str, Any], error: Any, message: str) -> None:
    truth = Boxes.from_xywh([[0, 0, 1, 1]], image_id=[1], label=[1], classes={1: "cat"})
    columns = {"image_id": [1], "label": [1], "score": [0.5], **pred}
    with pytest.raises(error, match=message):
        match(truth, Boxes.from_xywh([[0, 0, 1, 1]], **columns), RULES)


def test_box_iou() -> None:
    same: dict[str, Any] = {"image_id": [1, 2], "label": [1, 2]}
    pred = Boxes.from_xywh([[0, 0, 10, 10], [0, 0, 10, 5]], **same)
    truth = Boxes.from_xywh([[0, 0, 10, 10], [0, 0, 5, 5]], **same)
    # 100/100, 25/100; 50/100, 25/50.
    assert box_iou(pred, truth).tolist() == [[1.0, 0.25], [0.5, 0.5]]
    crowd = Boxes.from_xywh([[0, 0, 10, 10], [0, 0, 5, 5]], crowd=[1, 0], **same)
    # Of the crowd only the prediction's own area counts: 50/50.
    assert box_iou(pred, crowd).tolist() == [[1.0, 0.25], [1.0, 0.5]]


def test_box_iou_of_nothing() -> None:
    some = Boxes.from_xywh([[0, 0, 1, 1]] * 3, image_id=[1] * 3, label=[1] * 3)
    none = some[:0]
    assert box_iou(none, some).shape == (0, 3)
    assert box_iou(some, none).shape == (3, 0)
    assert box_iou(some, some).dtype == np.float64
