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
from snellen.detection.detection_confusion import DetectionConfusion, detection_confusion
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


def pairs_of_class_first(truth: Boxes, pred: Boxes, iou: Any) -> list[tuple[int, int]]:
    """By score each detection takes the best truth of its class that is free; then of others."""
    assert pred.score is not None
    score = pred.score.tolist()
    turns = sorted(range(len(pred)), key=lambda d: -score[d])
    taken: dict[int, int] = {}  # detection: truth
    for own in (True, False):
        for d in turns:
            free = [
                t
                for t in range(len(truth))
                if d not in taken
                and t not in taken.values()
                and (truth.label[t] == pred.label[d]) is np.bool_(own)
                and iou[d, t] >= 0.5
            ]
            if free:
                taken[d] = max(free, key=lambda t: (iou[d, t], t))
    return list(taken.items())


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


EVERY_RULES = {**RULES, "class-first": (pairs_of_class_first, lambda score: score >= 0.25)}


def check_every_threshold(truth: Boxes, pred: Boxes, rules: str) -> None:
    """Compare what one state says at any score with a plain count of what is left there."""
    check_as_if_kept(truth, pred, rules)  # with crowds, which the plain count knows nothing of
    truth = truth[np.zeros(len(truth), bool) if truth.crowd is None else truth.crowd == 0]
    pairs_of, _ = EVERY_RULES[rules]
    metric = DetectionConfusion(rules, every_score=True).update(truth, pred)
    n = len(metric.compute().classes)
    assert pred.score is not None
    for threshold in (-1.0, *np.unique(pred.score)[::3], 2.0):
        got = metric.compute(score_threshold=threshold)

        def above(score: Any, least: float = threshold) -> Any:
            return score > least if rules == "ultralytics" else score >= least

        np.testing.assert_array_equal(got.matrix, by_image(truth, pred, n, pairs_of, above))


def check_as_if_kept(truth: Boxes, pred: Boxes, rules: str) -> None:
    """Compare one state with states that kept what reaches a score alone."""
    metric = DetectionConfusion(rules, every_score=True).update(truth, pred)
    assert pred.score is not None
    for threshold in np.unique(pred.score)[::3]:
        got = metric.compute(score_threshold=threshold)
        kept = DetectionConfusion(rules, score_threshold=threshold).update(truth, pred).compute()
        assert got.data == kept.data
        for name, column in kept.events.items():
            np.testing.assert_array_equal(got.events[name], column, name)


@pytest.mark.parametrize("rules", EVERY_RULES)
@pytest.mark.parametrize("seed", range(3))
def test_any_score_threshold_of_one_state_on_scenes(rules: str, seed: int) -> None:
    check_every_threshold(*scene(seed, n_truth=120, n_pred=260), rules)


@pytest.mark.parametrize("rules", EVERY_RULES)
@settings(deadline=None, max_examples=60)
@given(batches=detection_batches(max_batches=1, wide_ids=False))
def test_any_score_threshold_of_one_state(rules: str, batches: list[tuple[Boxes, Boxes]]) -> None:
    for truth, pred in batches:
        if pred.score is not None:
            check_every_threshold(truth, pred, rules)


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
