from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes
from snellen.detection.operating_points import operating_points
from snellen.detection.operating_points_result import OperatingPointsResult
from snellen.errors import InputError

CLASSES = {1: "cat", 2: "dog", 3: "cow"}


def metric_of(truth: list[tuple[int, float]], pred: list[tuple[int, float, float]]) -> Any:
    """Return a metric: truth as (label, place), predictions as (label, place, score)."""

    def boxes(rows: list[Any], **columns: Any) -> Boxes:
        return Boxes.from_xywh(
            np.array([[row[1], 0, 9, 9] for row in rows]).reshape(-1, 4),
            image_id=np.ones(len(rows), int),
            label=[row[0] for row in rows],
            image_ids=[1],
            classes=CLASSES,
            **columns,
        )

    scored = boxes(pred, score=[row[2] for row in pred])
    return AveragePrecision().update(boxes(truth), scored)


# Four cats: right at 0.9, wrong at 0.8, right at 0.7 and 0.7, wrong at 0.6. Two dogs: right at 0.3.
# No cow, but one is seen.
METRIC = metric_of(
    [(1, 0), (1, 20), (1, 40), (1, 60), (2, 0), (2, 20)],
    [
        *[(1, 0, 0.9), (1, 100, 0.8), (1, 20, 0.7), (1, 40, 0.7), (1, 120, 0.6)],
        *[(2, 0, 0.3), (3, 0, 0.65)],
    ],
)


def test_the_numbers_by_hand() -> None:
    points = operating_points(METRIC)
    curve = points.curve(1)
    assert curve["threshold"].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve["tp"].tolist() == [1, 1, 3, 3]
    assert curve["fp"].tolist() == [0, 1, 1, 2]
    assert curve["fn"].tolist() == [3, 3, 1, 1]
    # Raw: the envelope of average precision would say 3 / 4 at 0.8.
    assert curve["precision"].tolist() == [1.0, 0.5, 0.75, 0.6]
    assert curve["f"].tolist() == [2 / 5, 2 / 6, 6 / 8, 6 / 9]
    cat, dog, cow = points.per_class()
    assert (cat["threshold"], cat["tp"], cat["fp"], cat["fn"]) == (0.7, 3, 1, 1)
    assert (dog["threshold"], dog["f1"]) == (0.3, 2 / 3)
    assert math.isnan(cow["threshold"])
    # All: at 0.7 2·3 / (6 + 4) = 0.6; at 0.3 2·4 / (6 + 7) = 0.615.
    assert points.threshold_micro == 0.3
    assert points.f1_micro == 8 / 13
    # Mean of cats and dogs: at 0.7 (0.75 + 0) / 2; at 0.3 (2 / 3 + 2 / 3) / 2.
    assert points.threshold_macro == 0.3
    assert math.isclose(points.f1_macro, 2 / 3)
    assert points.f1_own == (0.75 + 2 / 3) / 2
    assert points.precision_own == (0.75 + 1) / 2
    assert points.recall_own == (0.75 + 0.5) / 2


def test_beta() -> None:
    # Recall counts four times as much: of cats, 5·3 / (4·4 + 4) at 0.7.
    points = operating_points(METRIC, beta=2)
    assert points.per_class()[0]["f_beta"] == 15 / 20
    assert "f_beta_micro" in points.metrics
    # Precision alone, nearly: the highest score.
    assert operating_points(METRIC, beta=0.01).per_class()[0]["threshold"] == 0.9


def test_at_a_threshold() -> None:
    points = operating_points(METRIC)
    at = points.at(0.65)
    assert at.tp.tolist() == [3, 0, 0]
    assert at.fp.tolist() == [1, 0, 1]
    assert at.fn.tolist() == [1, 2, 0]
    assert at.micro() == (3 / 5, 3 / 6, 6 / 11)
    # The dogs' precision is 0/0 and counts as 0; cows have no truth and do not count.
    assert at.macro() == (0.375, 0.375, 0.375)
    own = points.at([0.8, 0.3, math.nan])
    assert own.tp.tolist() == [1, 1, 0]
    assert own.fp.tolist() == [1, 0, 0]
    assert points.at(1.0).tp.sum() == 0


def test_equal_f_takes_the_highest_threshold() -> None:
    # F1 of one right of two, 2 / 3; with a wrong and a right one more, 4 / 5 … and with 2 right,
    # 4 wrong of 2 as high as at first: 4 / 8 = 2 / 4.
    points = operating_points(
        metric_of(
            [(1, 0), (1, 20)],
            [(1, 100, 0.9), (1, 0, 0.8), (1, 120, 0.7), (1, 140, 0.6), (1, 160, 0.5), (1, 20, 0.4)],
        )
    )
    assert points.curve(1)["f"].tolist() == [0, 0.5, 0.4, 2 / 6, 2 / 7, 0.5]
    assert points.per_class()[0]["threshold"] == points.threshold_micro == 0.8
    assert points.threshold_macro == 0.8


@pytest.mark.parametrize(
    ("truth", "pred", "reason"),
    [
        ([], [], "no truth object counts"),
        ([], [(1, 0, 0.5)], "no truth object counts"),
        ([(1, 0)], [], "no detection is a true positive"),
        ([(1, 0)], [(1, 100, 0.5)], "no detection is a true positive"),
    ],
)
def test_what_is_undefined(truth: list[Any], pred: list[Any], reason: str) -> None:
    points = operating_points(metric_of(truth, pred))
    undefined = {entry.metric: entry.reason for entry in points.undefined}
    nan = {name for name, value in points.metrics.items() if math.isnan(value)}
    assert set(undefined) == nan
    assert "threshold_micro" in nan
    assert all(reason in each for each in undefined.values())
    if truth:
        assert points.f1_micro == points.recall_macro == points.f1_own == 0.0
    str(points)


def test_other_ious_and_sizes() -> None:
    assert (
        operating_points(METRIC, iou_threshold=0.9).protocol["iou_threshold"] == 0.8999999999999999
    )
    with pytest.raises(InputError, match=r"0\.5, 0\.55.*, got 0\.52"):
        operating_points(METRIC, iou_threshold=0.52)
    with pytest.raises(InputError, match="all, small, medium, large, got 'tiny'"):
        operating_points(METRIC, area="tiny")
    with pytest.raises(InputError, match="above 0"):
        operating_points(METRIC, beta=0)
    for wrong in (1, -3, 2.5, 3.0, math.nan, "3", True, [3]):
        with pytest.raises(InputError, match=r"expected a whole number from 2, got .*n_scores"):
            operating_points(METRIC, n_scores=wrong)  # type: ignore[arg-type]
    assert operating_points(METRIC, n_scores=np.int64(2)).protocol["n_scores"] == 2  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one of 3 classes, got 7"):
        operating_points(METRIC).curve(7)
    assert math.isnan(operating_points(METRIC, area="large").f1_micro)


def test_text_and_file(tmp_path: Path) -> None:
    points = operating_points(METRIC)
    lines = str(points).splitlines()
    assert lines[0].startswith("F1 at IoU 0.50, area all")
    assert lines[-3].split() == ["cat", "4", "0.7000", "0.7500", "0.7500", "0.7500", "3", "1", "1"]
    assert lines[-1].split() == ["cow", "0", "-", "-", "-", "-", "0", "0", "0"]
    points.save(tmp_path / "points")
    again = OperatingPointsResult.load(tmp_path / "points")
    assert str(again) == str(points)
    assert again.to_dict() == points.to_dict()
    assert {each.metric for each in points.undefined_of_classes()} >= {"threshold", "f1"}


def test_macro_threshold_is_found_among_many() -> None:
    """The running sum points to it; the exact mean decides. Against all thresholds, one by one."""
    random = np.random.default_rng(0)
    for _ in range(20):
        truth = [(int(random.integers(1, 4)), 20.0 * i) for i in range(30)]
        pred = [
            (truth[i][0], truth[i][1] + 200 * float(random.random() < 0.4), score)
            for i, score in zip(
                random.integers(0, 30, 60).tolist(),
                (random.integers(0, 30, 60) / 30).tolist(),
                strict=True,
            )
        ]
        points = operating_points(metric_of(truth, pred))
        means = {t: points.at(t).macro()[2] for t in {row[2] for row in pred}}
        best = max(means.values())
        assert points.f1_macro == best
        assert points.threshold_macro == max(t for t, mean in means.items() if mean == best)
