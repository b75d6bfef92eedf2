from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes
from snellen.detection.detection_calibration import (
    DetectionCalibrationResult,
    detection_calibration,
)
from snellen.errors import InputError


def metric_of(rows: list[tuple[int, float, bool]]) -> AveragePrecision:
    """Return a metric of detections (label, score, whether right), all truth among them."""
    place = 20.0 * np.arange(len(rows))
    boxes = np.stack([place, 0 * place, 0 * place + 9, 0 * place + 9], axis=1)
    columns: dict[str, Any] = {"image_ids": [1], "classes": {1: "cat", 2: "dog", 3: "cow"}}
    right = np.array([row[2] for row in rows], bool)
    label = np.array([row[0] for row in rows], int)
    truth = Boxes.from_xywh(
        boxes[right], image_id=np.ones(right.sum(), int), label=label[right], **columns
    )
    pred = Boxes.from_xywh(
        boxes,
        image_id=np.ones(len(rows), int),
        label=label,
        score=[row[1] for row in rows],
        **columns,
    )
    return AveragePrecision().update(truth, pred)


METRIC = metric_of(
    [(1, 1.0, True), (1, 0.75, True), (1, 0.5, False), (2, 0.5, True), (2, 0.25, False),
     (2, 0.0, False)]
)  # fmt: skip


def test_equal_width_by_hand() -> None:
    result = detection_calibration(METRIC, bins=2)
    # (0, 0.5], 0 too: scores 0.5 + 0.5 + 0.25 + 0, one right; (0.5, 1]: 1.75, two right.
    assert result.low.tolist() == [0.0, 0.5]
    assert result.high.tolist() == [0.5, 1.0]
    assert result.n.tolist() == [4, 2]
    assert result.n_true.tolist() == [1, 2]
    assert result.total_score.tolist() == [1.25, 1.75]
    assert result.ece == (0.25 + 0.25) / 6
    assert result.mce == 0.125
    assert result.rmsce == math.sqrt((0.25**2 / 4 + 0.25**2 / 2) / 6)
    assert (result.mean_score, result.precision) == (0.5, 0.5)
    cat, dog, cow = result.per_class()
    # Cats: |0.5 − 0| and |1.75 − 2| over 3; dogs: |0.75 − 1| over 3.
    assert (cat["n"], cat["ece"], cat["mce"]) == (3, 0.25, 0.5)
    assert (dog["ece"], dog["mce"]) == (0.25 / 3, 0.25 / 3)
    assert math.isnan(cow["ece"])
    assert result.classwise_ece == (0.25 + 0.25 / 3) / 2
    first = result.reliability()[0]
    assert (first["mean_score"], first["precision"], first["gap"]) == (0.3125, 0.25, 0.0625)
    (undefined, _) = result.undefined_of_classes()
    assert (undefined.class_name, undefined.reason) == ("cow", "no detection counts")


def test_equal_mass_by_hand() -> None:
    result = detection_calibration(METRIC, bins=3, binning="equal-mass")
    # Below 0, 0.25, 0.5, 0.5, 0.75, 1 lie 0, 1, 2, 2, 4, 5: bins ⌊3 r / 6⌋ = 0, 0, 1, 1, 2, 2.
    assert result.low.tolist() == [0.0, 0.5, 0.75]
    assert result.high.tolist() == [0.25, 0.5, 1.0]
    assert result.n.tolist() == [2, 2, 2]
    assert result.ece == (0.25 + 0.0 + 0.25) / 6
    # Each cat is a bin of its own: 0, 0.25, 0.5. Dogs: 0.5 off, 0.25 and 0.
    cat, dog, _ = result.per_class()
    assert cat["ece"] == dog["ece"] == 0.75 / 3


def test_equal_scores_share_a_bin() -> None:
    metric = metric_of([(1, 0.5, True), (1, 0.5, False), (1, 0.5, False), (1, 0.9, True)])
    result = detection_calibration(metric, bins=4, binning="equal-mass")
    assert result.n.tolist() == [3, 1]  # bins that stay empty are left out
    assert result.low.tolist() == result.high.tolist() == [0.5, 0.9]


def test_low_scores_left_out() -> None:
    result = detection_calibration(METRIC, bins=2, lowest_score=0.5)
    assert result.n.tolist() == [2, 2]
    assert result.data["n_left_out"] == 2
    assert "2 below 0.5 left out" in result.composition()


def test_what_is_undefined() -> None:
    outside = metric_of([(1, 1.5, True), (1, 0.5, True), (2, -0.5, False)])
    result = detection_calibration(outside)
    assert all(math.isnan(value) for value in result.metrics.values())
    assert {entry.reason for entry in result.undefined} == {"2 scores lie outside [0, 1]"}
    assert detection_calibration(outside, lowest_score=0.0).data["n_outside"] == 1
    for binning in ("equal-width", "equal-mass"):
        nothing = detection_calibration(metric_of([]), binning=binning)
        assert all(math.isnan(value) for value in nothing.metrics.values())
        assert {entry.reason for entry in nothing.undefined} == {"no detection counts"}
        str(nothing)
    none = detection_calibration(AveragePrecision())
    assert set(none.metrics) == {entry.metric for entry in none.undefined}


def test_what_is_left_out_of_the_matching_is_left_out_here() -> None:
    truth = Boxes.from_xywh([[0, 0, 50, 50]], image_id=1, label=1, crowd=[1])
    pred = Boxes.from_xywh([[0, 0, 50, 50]], image_id=1, label=1, score=[0.9])
    result = detection_calibration(AveragePrecision().update(truth, pred))
    assert result.data["n_predictions"] == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bins": 0}, "1 to 100,000 bins, got 0"),
        ({"bins": True}, "bins"),
        ({"bins": 2.5}, "bins"),
        ({"binning": "quantile"}, "equal-width or equal-mass, got 'quantile'"),
        ({"lowest_score": math.nan}, "finite"),
        ({"iou_threshold": 0.3}, "IoU threshold"),
    ],
)
def test_parameters_that_are_none(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        detection_calibration(METRIC, **parameters)


def test_text_and_file(tmp_path: Path) -> None:
    for result in (
        detection_calibration(METRIC, bins=2, lowest_score=0.1),
        detection_calibration(METRIC, bins=3, binning="equal-mass"),
    ):
        result.save(tmp_path / "calibration")
        again = DetectionCalibrationResult.load(tmp_path / "calibration")
        assert str(again) == str(result)
        assert again.to_dict() == result.to_dict()
        assert "ece" in str(result)
        assert result.composition()
