"""Metrics of labels and of sets of labels beside Keras, under its conventions.

Absent classes count as 0; scores must be above the threshold.
"""

from __future__ import annotations

import math
import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from snellen import Classes, ConfusionMatrix, MultilabelConfusion

# Keras computes in float32 (unit 6e-8) and adds 1e-7 to the denominators of precision, recall and
# F: with at least one sample each, that takes at most 1e-7 from precision and recall and half of it
# again from F, which is at most 1; means add a few roundings.
EPSILON = {"rtol": 0.0, "atol": 1e-6}
SEEDS = range(8)


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), **EPSILON)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("seed", SEEDS)
def test_f_of_single_labels(seed: int, average: str | None) -> None:
    random = np.random.default_rng(seed)
    k, n = int(random.integers(3, 10)), int(random.integers(20, 200))
    truth = random.integers(0, k - seed % 2, n)  # the last class may be absent
    score = random.random((n, k - seed % 2))
    score[np.arange(n), truth] += 0.5
    score = np.pad(score, ((0, 0), (0, seed % 2))).astype(np.float32)
    theirs = keras.metrics.FBetaScore(average=average, beta=2.0)
    theirs.update_state(np.eye(k, dtype=np.float32)[truth], score)
    metric = ConfusionMatrix(Classes(range(k)), beta=2, absent_classes="zero")
    check(metric.update(truth, score).compute(), average, theirs)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    accuracy.update_state(truth[:, None], score)
    close(metric.compute().accuracy, accuracy.result())


def check(result: Any, average: str | None, theirs: Any) -> None:
    if average is None:
        close(np.nan_to_num(result.class_values()["f2"]), theirs.result())
    else:
        close(result.metrics[f"f2_{average}"], theirs.result())


def sets(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return flags and scores, of which some equal the threshold; a class may be absent."""
    random = np.random.default_rng(seed)
    n, k = int(random.integers(20, 200)), int(random.integers(3, 10))
    truth = random.random((n, k)) < random.random(k) ** 2
    score = np.where(truth, random.random((n, k)), random.random((n, k)) ** 3).round(1)
    if seed % 2:
        truth[:, 0] = False
        score[:, 0] = 0.0
    truth[0, -1] = True
    return truth, score.astype(np.float32)


def counted(truth: np.ndarray, score: np.ndarray, weight: Any = None) -> Any:
    metric = MultilabelConfusion(
        beta=2, absent_classes="zero", threshold=float(np.nextafter(0.5, 1))
    )
    return metric.update(truth, score, weight=weight).compute()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("seed", SEEDS)
def test_f_of_sets(seed: int, average: str | None, weighted: bool) -> None:
    truth, score = sets(seed)
    weight = np.random.default_rng(seed).integers(1, 4, len(truth)).astype(np.float32)
    theirs = keras.metrics.FBetaScore(average=average, beta=2.0, threshold=0.5)
    theirs.update_state(truth.astype(np.float32), score, weight if weighted else None)
    check(counted(truth, score, weight if weighted else None), average, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_precision_and_recall_of_sets(seed: int) -> None:
    truth, score = sets(seed)
    result = counted(truth, score)
    values = result.class_values()
    flags = truth.astype(np.float32)
    for name, kind in (("precision", keras.metrics.Precision), ("recall", keras.metrics.Recall)):
        whole = kind(thresholds=0.5)
        whole.update_state(flags, score)
        close(result.metrics[f"{name}_micro"], whole.result())
        for k in range(truth.shape[1]):
            one = kind(thresholds=0.5, class_id=k)
            one.update_state(flags, score)
            ours = values[name][k]
            close(0.0 if math.isnan(ours) else ours, one.result())
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.5)
    accuracy.update_state(flags, score)
    close(result.accuracy_micro, accuracy.result())


@pytest.mark.parametrize("seed", SEEDS)
def test_binary(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, 100)
    pred = np.where(random.random(100) < 0.7, truth, 1 - truth)
    result = ConfusionMatrix(Classes([0, 1])).update(truth, pred).compute()
    for name, kind in (("precision", keras.metrics.Precision), ("recall", keras.metrics.Recall)):
        theirs = kind()
        theirs.update_state(truth, pred)
        close(result.metrics[name], theirs.result())


def test_the_worked_example() -> None:
    # docs/metrics/absent-classes.md: truth 0, 0, 1; predicted 0, 0, 0; class 2 nowhere.
    theirs = keras.metrics.F1Score(average="macro")
    theirs.update_state(np.eye(3)[[0, 0, 1]], np.eye(3)[[0, 0, 0]])
    close(0.8 / 3, theirs.result())
    result = ConfusionMatrix(Classes([0, 1, 2]), absent_classes="zero").update([0, 0, 1], [0, 0, 0])
    assert result.compute().f1_macro == pytest.approx(0.8 / 3, rel=1e-15)
