"""What pictures of a detector show are the numbers of its results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes
from snellen.detection.average_precision import average_precision
from snellen.detection.count_displays import confusion_matrix, error_costs, slice_numbers
from snellen.detection.curve_displays import (
    precision_recall,
    raw_precision_recall,
    reliability,
    score_curves,
)
from snellen.detection.detection_calibration import detection_calibration
from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.error_types import DetectionErrors
from snellen.detection.operating_points import operating_points
from snellen.detection.slices import by_crowding, slices_of_images


def some_boxes(seed: int = 7, n_images: int = 30, n_classes: int = 9) -> tuple[Boxes, Boxes]:
    """Return truth, and it moved, renamed, thinned, with false alarms; the last class has none."""
    rng = np.random.default_rng(seed)
    n = 6 * n_images
    image, label = rng.integers(0, n_images, n), rng.integers(0, n_classes - 1, n)
    place = rng.uniform(0, 200, (n, 2))
    size = rng.uniform(10, 90, (n, 2))
    names = {k: f"class {k}" for k in range(n_classes)}
    common: dict[str, Any] = {"classes": names}
    truth = Boxes.from_xywh(
        np.hstack([place, size]), image_id=image, label=label, image_ids=np.arange(n_images),
        **common,
    )  # fmt: skip
    kept = rng.random(n) < 0.8
    moved = np.hstack([place, size])[kept] + rng.normal(0, 4, (kept.sum(), 4))
    other = np.where(rng.random(kept.sum()) < 0.1, 0, label[kept])
    alarms = np.hstack([rng.uniform(0, 200, (40, 2)), rng.uniform(10, 60, (40, 2))])
    pred = Boxes.from_xywh(
        np.vstack([np.maximum(moved, 1), alarms]),
        image_id=np.concatenate([image[kept], rng.integers(0, n_images, 40)]),
        label=np.concatenate([other, rng.integers(0, n_classes, 40)]),
        score=np.round(rng.beta(4, 2, kept.sum() + 40), 2),
        **common,
    )
    return truth, pred


def test_precision_over_recall() -> None:
    truth, pred = some_boxes()
    result = average_precision(truth, pred)
    picture = precision_recall(result)
    assert picture is not None
    lines = {line.label: line for line in picture.lines}
    # Eight of nine classes have truth.
    assert len(lines) == 2 + 8
    assert "class 8" not in lines
    line = lines["class 3"]
    assert line.y.tolist() == result.precision[0, :, 3, 0, -1].tolist()
    assert line.x.tolist() == list(result.rules.recall_thresholds)
    mean = lines["mean of classes, IoU 0.5"].y
    np.testing.assert_allclose(mean, result.precision[0, :, :8, 0, -1].mean(axis=1), rtol=1e-14)
    assert math.isclose(mean.mean(), result.AP50, rel_tol=1e-12)
    assert math.isclose(
        lines["mean of classes and of IoU 0.5 to 0.95"].y.mean(), result.AP, rel_tol=1e-12
    )
    # Those of lowest AP are named.
    order = np.argsort(result.precision[0, :, :8, 0, -1].mean(axis=0))
    assert [line.label for line in picture.lines[2:] if not line.muted] == [
        f"class {k}" for k in order[:3]
    ]
    assert f"{result.AP50:.3f}" in picture.words.finding


def test_rules_without_recall_thresholds_have_raw_curves() -> None:
    truth, pred = some_boxes()
    metric = AveragePrecision(protocol="voc12").update(truth, pred)
    assert precision_recall(metric.compute()) is None
    points = operating_points(metric)
    line = {each.label: each for each in raw_precision_recall(points).lines}["class 2"]
    curve = points.curve(2)
    n = int(points.n_truth[2])
    for k in (0, len(line.x) // 2, len(line.x) - 1):
        # Each is a point of the class: so many are right, of so many that are kept.
        tp = round(line.x[k] * n)
        at = np.flatnonzero((curve["tp"] == tp) & np.isclose(curve["precision"], line.y[k]))
        assert at.size
    assert (np.diff(line.x) >= 0).all()


def test_a_strict_protocol_has_no_minus_one_on_its_curves() -> None:
    truth, pred = some_boxes()
    result = average_precision(
        Boxes.from_xywh(
            truth.xywh, image_id=truth.image, label=truth.label + 1, area=truth.xywh[:, 2],
            crowd=np.zeros(len(truth), np.uint8), id=np.arange(1, len(truth) + 1),
            classes={k + 1: f"class {k}" for k in range(9)},
        ),
        Boxes.from_xywh(
            pred.xywh, image_id=pred.image, label=pred.label + 1, score=pred.score,
            classes={k + 1: f"class {k}" for k in range(9)},
        ),
        protocol="coco-strict",
    )  # fmt: skip
    picture = precision_recall(result)
    assert picture is not None
    assert min(float(line.y.min()) for line in picture.lines) >= 0


def test_over_the_score() -> None:
    truth, pred = some_boxes()
    points = operating_points(AveragePrecision().update(truth, pred))
    whole, of_classes = score_curves(points)
    f1, precision, recall = whole.lines
    for k in (0, 50, 117, 200):
        expected = points.at(float(f1.x[k])).micro()
        got = (precision.y[k], recall.y[k], f1.y[k])
        np.testing.assert_allclose(got, expected, rtol=1e-14)
    (mark,) = whole.marks
    assert (mark.x, mark.y) == (points.threshold_micro, points.f1_micro)
    assert mark.x in f1.x
    assert f1.y.max() == pytest.approx(points.f1_micro, rel=1e-14)
    line = {each.label: each for each in of_classes.lines}["class 2"]
    for k in (3, 90, 199):
        assert line.y[k] == pytest.approx(points.at(float(line.x[k])).f[2], rel=1e-14)


def test_reliability() -> None:
    truth, pred = some_boxes()
    result = detection_calibration(AveragePrecision().update(truth, pred))
    (line,) = reliability(result).lines
    table = [row for row in result.reliability() if row["n"]]
    assert line.x.tolist() == [row["mean_score"] for row in table]
    assert line.y.tolist() == [row["precision"] for row in table]


def test_confusion_has_margins_and_no_corner() -> None:
    truth, pred = some_boxes()
    result = DetectionConfusion(score_threshold=0.3).update(truth, pred).compute()
    picture = confusion_matrix(result)
    assert picture.rows[-1] == "false alarm"
    assert picture.columns[-1] == "missed"
    assert picture.counts[:-1].tolist() == result.matrix[:-1].tolist()
    assert math.isnan(picture.counts[-1, -1])
    assert f"{result.data['n_correct']:,} were found" in picture.words.finding


def test_errors_are_ordered_by_what_they_cost() -> None:
    truth, pred = some_boxes()
    result = DetectionErrors().update(truth, pred).compute()
    picture = error_costs(result)
    (bars,) = picture.bars
    assert sorted(bars.values.tolist(), reverse=True) == bars.values.tolist()
    assert sorted(bars.values.tolist()) == sorted(
        result.metrics[f"dAP_{kind}"] for kind in result.kinds
    )
    assert picture.categories[0].startswith(
        {"cls": "wrong class (", "loc": "badly", "both": "wrong class and", "dupe": "found twice",
         "bkg": "background", "miss": "missed"}[
            max(result.kinds, key=lambda kind: result.metrics[f"dAP_{kind}"])
        ]
    )  # fmt: skip


def test_slices() -> None:
    truth, pred = some_boxes()
    metric = AveragePrecision().update(truth, pred)
    result = slices_of_images(metric, by_crowding(metric))
    picture = slice_numbers(result)
    assert picture.bars[0].values.tolist() == pytest.approx(
        result.values[:, 0].tolist(), nan_ok=True
    )
    assert picture.categories[0] == f"all ({int(result.n_truth[0])})"


def test_nothing_at_all() -> None:
    truth = Boxes.from_xywh(np.zeros((0, 4)), image_id=[], label=[], image_ids=[1], classes=["cat"])
    pred = Boxes.from_xywh(np.zeros((0, 4)), image_id=[], label=[], score=[], classes=["cat"])
    metric = AveragePrecision().update(truth, pred)
    picture = precision_recall(metric.compute())
    assert picture is not None
    assert picture.lines == ()
    assert picture.words.finding == "There is no truth that counts, so there is no curve."
    whole, of_classes = score_curves(operating_points(metric))
    assert whole.marks == ()
    assert of_classes.lines == ()
    assert reliability(detection_calibration(metric)).lines[0].x.size == 0
    for each in (picture, whole, of_classes):
        each.specification()
        each.records()
