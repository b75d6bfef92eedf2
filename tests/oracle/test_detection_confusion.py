"""The confusion matrix of a detector, against plain versions of three ways to count.

The two of tools follow ultralytics 8.4.190 (`ConfusionMatrix.process_batch`) and supervision 0.31.2
(`ConfusionMatrix.from_detections`), image by image; neither is a dependency of the tests.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.detector_scenes import scene

from snellen import Boxes
from snellen.detection.detection_confusion import detection_confusion
from snellen.detection.matching import box_iou, matches
from snellen.detection.protocols import COCO, AreaRange
from snellen.testing import detection_batches


def by_image(truth: Boxes, pred: Boxes, n: int, pairs_of: Any, above: Any) -> Any:
    """Return the matrix of truth without crowds, by a rule that pairs the objects of one image."""
    matrix = np.zeros((n + 1, n + 1), np.int64)
    for image in range(len(truth.images)):
        here, there = truth[truth.image == image], pred[pred.image == image]
        assert there.score is not None
        there = there[above(there.score)]
        pairs = pairs_of(here, there, box_iou(there, here))  # rows are detections
        for d, t in pairs:
            matrix[here.label[t], there.label[d]] += 1
        for t in set(range(len(here))) - {t for _, t in pairs}:
            matrix[here.label[t], n] += 1
        for d in set(range(len(there))) - {d for d, _ in pairs}:
            matrix[n, there.label[d]] += 1
    return matrix


def pairs_of_ultralytics(truth: Boxes, pred: Boxes, iou: Any) -> list[tuple[int, int]]:
    """By score each detection claims the best truth that is free, whatever the classes."""
    pairs = []
    free = iou.copy()
    assert pred.score is not None
    for d in sorted(range(len(pred)), key=lambda d: -float(pred.score[d])):  # type: ignore[index]
        if len(truth) and free[d].max() > 0.45:
            t = int(free[d].argmax())
            pairs.append((d, t))
            free[:, t] = 0
    return pairs


def pairs_of_supervision(truth: Boxes, pred: Boxes, iou: Any) -> list[tuple[int, int]]:
    """Pairs of one class go first, then those of the highest IoU."""
    listed = [
        (pred.label[d] != truth.label[t], -iou[d, t], t, d)
        for t in range(len(truth))
        for d in range(len(pred))
        if iou[d, t] > 0.5
    ]
    pairs: list[tuple[int, int]] = []
    for _, _, t, d in sorted(listed):
        if all(d != other and t != one for other, one in pairs):
            pairs.append((d, t))
    return pairs


RULES = {
    "ultralytics": (pairs_of_ultralytics, lambda score: score > 0.25),
    "supervision": (pairs_of_supervision, lambda score: score >= 0.3),
}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_tools_on_scenes(rules: str, seed: int) -> None:
    truth, pred = scene(seed, n_truth=300, n_pred=600)
    truth = truth[truth.crowd == 0]
    got = detection_confusion(truth, pred, rules=rules)
    pairs_of, above = RULES[rules]
    np.testing.assert_array_equal(got.matrix, by_image(truth, pred, 6, pairs_of, above))


@pytest.mark.parametrize("rules", RULES)
@settings(deadline=None, max_examples=60)
@given(batches=detection_batches(max_batches=1, wide_ids=False))
def test_tools_on_small_data(rules: str, batches: list[tuple[Boxes, Boxes]]) -> None:
    for truth, pred in batches:
        truth = truth[np.zeros(len(truth), bool) if truth.crowd is None else truth.crowd == 0]
        got = detection_confusion(truth, pred, rules=rules)
        n = len(got.classes)
        pairs_of, above = RULES[rules]
        if pred.score is not None:
            np.testing.assert_array_equal(got.matrix, by_image(truth, pred, n, pairs_of, above))


def check_diagonal(truth: Boxes, pred: Boxes) -> None:
    """Compare the diagonal and what is left out with COCO's matching of the same detections."""
    assert pred.score is not None
    kept = pred[pred.score >= 0.25]
    rules = dataclasses.replace(
        COCO,
        iou_thresholds=(0.5,),
        max_detections=(1000,),
        area_ranges=(AreaRange("all", 0.0, math.inf),),
    )
    matched = matches(truth, kept, rules).matched
    outcome = matched.pred["outcome"][:, 0, 0]
    n = len(matched.classes)
    true = np.bincount(matched.pred["label"][outcome & 1 > 0], minlength=n)
    counted = np.bincount(matched.pred["label"][outcome & 0x10001 > 0], minlength=n)
    result = detection_confusion(truth, pred)
    np.testing.assert_array_equal(result.matrix.diagonal()[:-1], true)
    # What COCO leaves out may still be paired across classes here.
    predicted = result.matrix[:, :-1].sum(axis=0)
    assert (predicted >= counted).all()
    assert result.data["n_left_out"] <= len(kept) - int(counted.sum())
    assert int(predicted.sum()) + result.data["n_left_out"] == len(kept)


@pytest.mark.parametrize("seed", range(5))
def test_the_diagonal_is_the_true_positives_of_coco_on_scenes(seed: int) -> None:
    check_diagonal(*scene(seed))


@settings(deadline=None, max_examples=100)
@given(batches=detection_batches(max_batches=1))
def test_the_diagonal_is_the_true_positives_of_coco(batches: list[tuple[Boxes, Boxes]]) -> None:
    for truth, pred in batches:
        if pred.score is not None:
            check_diagonal(truth, pred)
