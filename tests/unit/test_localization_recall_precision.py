from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, RleMasks
from snellen.detection.localization_recall_precision import (
    LocalizationRecallPrecision,
    localization_recall_precision,
)
from snellen.detection.localization_recall_precision_result import (
    LocalizationRecallPrecisionResult,
)
from snellen.detection.masks import Masks
from snellen.detection.operating_points_result import OperatingPointsResult
from snellen.errors import InputError, MergeError, SchemaError

CLASSES = {1: "cat", 2: "dog", 3: "cow"}


def boxes(rows: list[list[float]], **columns: Any) -> Boxes:
    return Boxes.from_xywh(rows, image_id=1, image_ids=[1], classes=CLASSES, **columns)


# Cats: three, one found at IoU 0.8 (0.9), one at 0.6 (0.3); false ones at 0.5 and 0.2.
TRUTH = boxes(
    [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10], [0, 50, 10, 10]], label=[1, 1, 1, 2]
)
PRED = boxes(
    [[0, 0, 10, 8], [100, 0, 10, 10], [20, 0, 10, 6], [100, 20, 10, 10], [100, 50, 10, 10]],
    label=[1, 1, 1, 1, 2],
    score=[0.9, 0.5, 0.3, 0.2, 0.7],
)


def test_the_numbers_by_hand() -> None:
    result = localization_recall_precision(TRUTH, PRED)
    # Cats, τ = 0.5; at the score    0.9: (0.2 / 0.5 + 0 + 2) / 3             = 0.8
    #                                0.5: (0.2 / 0.5 + 1 + 2) / 4             = 0.85
    #                                0.3: ((0.2 + 0.4) / 0.5 + 1 + 1) / 4     = 0.8
    #                                0.2: ((0.2 + 0.4) / 0.5 + 2 + 1) / 5     = 0.84
    # Rounding decides between 0.9 and 0.3; both are 0.8 to 15 digits.
    cat, dog, cow = result.per_class()
    assert math.isclose(cat["olrp"], 0.8)
    assert cat["threshold"] in (0.9, 0.3)
    at = [result.at(score).lrp[0] for score in (0.9, 0.5, 0.3, 0.2)]
    assert np.allclose(at, [0.8, 0.85, 0.8, 0.84], rtol=1e-14)
    parts = result.at(0.2)
    assert math.isclose(parts.localization[0], 0.3)
    assert parts.false_positive[0] == 0.5
    assert parts.false_negative[0] == 1 / 3
    # One dog, not found.
    assert dog["olrp"] == dog["olrp_fn"] == 1.0
    assert math.isnan(dog["threshold"])
    assert math.isnan(dog["olrp_loc"])
    # No cow.
    assert cow["n_truth"] == 0
    assert math.isnan(cow["olrp"])
    assert math.isclose(result.olrp, 0.9)
    reasons = {
        (each.class_name, each.metric): each.reason for each in result.undefined_of_classes()
    }
    assert reasons["dog", "threshold"] == "no detection is a true positive"
    assert reasons["cow", "olrp"] == "no truth object counts"


def test_nothing_scores_so_much() -> None:
    result = localization_recall_precision(TRUTH, PRED)
    parts = result.at(0.95)
    assert parts.lrp.tolist()[:2] == [1.0, 1.0]
    assert math.isnan(parts.false_positive[0])
    own = result.at([0.9, 0.1, math.nan])
    assert np.allclose(own.lrp[:2], [0.8, 1.0])


def test_given_thresholds() -> None:
    # 0.6 keeps what 0.9 does; of equal errors the highest threshold is taken.
    result = localization_recall_precision(TRUTH, PRED, score_thresholds=[0.6, 0.25, 0.55])
    assert result.best_threshold.tolist()[0] == 0.6
    assert result.protocol["score_thresholds"] == [0.25, 0.55, 0.6]


def test_what_is_found_is_best_of_equal_errors() -> None:
    # A cat found with the least IoU there is, behind a false one. At 0.9: (0 + 1 + 1) / 2 = 1; at
    # 0.4 and 0.3: (0.5 / 0.5 + 1 + 0) / 2 = 1, and (1 + 2) / 3 = 1.
    pred = boxes(
        [[100, 0, 10, 10], [0, 0, 10, 5], [100, 50, 10, 10]], label=[1] * 3, score=[0.9, 0.4, 0.3]
    )
    result = localization_recall_precision(TRUTH[:1], pred)
    assert (result.olrp, result.best_threshold[0]) == (1.0, 0.4)
    assert (result.olrp_loc, result.olrp_fp, result.olrp_fn) == (0.5, 0.5, 0.0)
    assert {each.class_name for each in result.undefined_of_classes()} == {"dog", "cow"}
    grid = [0.2, 0.35, 0.38, 0.95]
    result = localization_recall_precision(TRUTH[:1], pred, score_thresholds=grid)
    assert (result.olrp, result.best_threshold[0]) == (1.0, 0.38)


def test_no_error_is_above_one() -> None:
    # Three of an IoU of 0.6, as much as it takes: each loses all, 3 · 0.4 / 0.4 = 3 of 3. In floats
    # the sum of the losses is 1.2000000000000002, which is more. With the false one ahead
    # it is 4 of 4.
    truth = boxes([[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]], label=[1] * 3)
    pred = boxes(
        [[0, 0, 10, 6], [20, 0, 10, 6], [40, 0, 10, 6], [100, 0, 10, 10]],
        label=[1] * 4,
        score=[0.5, 0.5, 0.5, 0.9],
    )
    for rows in (pred, pred[:3]):
        result = localization_recall_precision(truth, rows, iou_threshold=0.6)
        assert (result.olrp, result.best_threshold[0]) == (1.0, 0.5)


def test_a_stricter_match() -> None:
    # τ = 0.75: the IoU of 0.6 is no match. (0.2 / 0.25 + 0 + 2) / 3 at 0.9
    result = localization_recall_precision(TRUTH, PRED, iou_threshold=0.75)
    assert math.isclose(result.per_class()[0]["olrp"], 2.8 / 3)


def test_masks() -> None:
    def masks(pictures: list[Any], **columns: Any) -> Masks:
        rle = RleMasks.from_arrays(np.array(pictures, np.uint8))
        rows = [[0, 0, 4, 4]] * len(pictures)
        return Masks(Boxes.from_xywh(rows, image_id=1, label=1, **columns), rle)

    whole, most = np.ones((4, 4)), np.ones((4, 4))
    most[3] = 0
    result = localization_recall_precision(masks([whole]), masks([most], score=[0.5]))
    # The boxes are equal, of the mask 12 of 16 pixels are found: (1 − 0.75) / 0.5
    assert result.olrp == 0.5
    metric = LocalizationRecallPrecision().update(masks([whole]), masks([most], score=[0.5]))
    with pytest.raises(InputError, match="of the kind mask"):
        metric.update(TRUTH, PRED)
    with pytest.raises(MergeError, match="kind"):
        metric.merge(LocalizationRecallPrecision().update(TRUTH, PRED))


def test_text_and_file(tmp_path: Path) -> None:
    result = localization_recall_precision(TRUTH, PRED)
    lines = str(result).splitlines()
    assert lines[0].startswith("LRP at IoU 0.50, area all")
    assert [line.split()[0] for line in lines[3:]] == ["mean", "cat", "dog", "cow"]
    assert "4, 4 of them count" in result.composition()
    result.save(tmp_path / "lrp")
    again = LocalizationRecallPrecisionResult.load(tmp_path / "lrp")
    assert str(again) == str(result)
    assert again.to_dict() == result.to_dict()
    with pytest.raises(SchemaError):
        OperatingPointsResult.load(tmp_path / "lrp")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iou_threshold": 0.0}, "between 0 and 1"),
        ({"iou_threshold": 1.0}, "between 0 and 1"),
        ({"iou_threshold": math.nan}, "between 0 and 1"),
        ({"area": "huge"}, "all, small, medium, large, got 'huge'"),
        ({"score_thresholds": []}, "expected score thresholds, got none"),
        ({"score_thresholds": [math.nan]}, "finite"),
        ({"protocol": "cocoa"}, "coco"),
    ],
)
def test_parameters_that_are_none(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LocalizationRecallPrecision(**parameters)
