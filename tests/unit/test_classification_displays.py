"""What pictures of classifiers and regressions show are the numbers of their results."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from snellen.classification.calibration import CalibrationError
from snellen.classification.classification import Classification
from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.classification.curves import ThresholdCurves
from snellen.classification.label_displays import class_rates, confusion_matrix
from snellen.classification.score_displays import precision_recall, reliability, roc
from snellen.displays.thinning import MOST_ON_A_LINE
from snellen.regression.regression import Regression
from snellen.regression.sample_displays import (
    predicted_over_true,
    residual_histogram,
    residuals,
)


def labels(n: int = 400, k: int = 4, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, softmax scores and what is called, of k classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(0, 1, (n, k))
    logits[np.arange(n), truth] += 1.2
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, scores, scores.argmax(axis=1)


def test_the_matrix_and_its_words() -> None:
    # Of true 0: 3 right, 1 called 1; of true 1: 2 right.
    result = ConfusionMatrix(["a", "b"]).update([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]).compute()
    picture = confusion_matrix(result)
    assert picture.counts.tolist() == [[3, 1], [0, 2]]
    assert picture.rows == picture.columns == ("a", "b")
    assert picture.words.finding == (
        "83.3% of 6 samples are right. Most often confused: of true a 25% were called b."
    )


def test_no_confusion_is_said() -> None:
    result = ConfusionMatrix(["a", "b"]).update([0, 1], [0, 1]).compute()
    assert confusion_matrix(result).words.finding.endswith("No two classes are confused.")
    assert confusion_matrix(ConfusionMatrix(["a", "b"]).compute()).words.finding == (
        "There are no samples."
    )


def test_rates_of_classes_the_lowest_first() -> None:
    truth, _, called = labels()
    result = ConfusionMatrix(list("abcd")).update(truth, called).compute()
    picture = class_rates(result)
    values = {bars.label: bars.values for bars in picture.bars}
    assert values["F1"].tolist() == sorted(result.class_values()["f1"].tolist())
    order = [list("abcd").index(name) for name in picture.categories]
    assert values["recall"].tolist() == result.class_values()["recall"][order].tolist()


def test_roc_is_that_of_scikit_learn() -> None:
    truth, scores, _ = labels(k=2)
    result = ThresholdCurves().update(truth, scores[:, 1]).compute()
    (line,) = roc(result).lines
    x, y, _ = roc_curve(truth, scores[:, 1], drop_intermediate=False)
    # Every point of scikit-learn's lies on ours, and the areas are equal.
    on_ours = {(round(a, 12), round(b, 12)) for a, b in zip(line.x, line.y, strict=True)}
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    corners = points[:1]
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        if not any(before[axis] == point[axis] == after[axis] for axis in (0, 1)):
            corners.append(point)
    rounded = {(round(a, 12), round(b, 12)) for a, b in corners}
    assert rounded <= on_ours
    assert math.isclose(np.trapezoid(line.y, line.x), roc_auc_score(truth, scores[:, 1]))
    (mark,) = roc(result).marks
    best = int(np.argmax(y - x))
    assert (mark.x, mark.y) == pytest.approx((x[best], y[best]))


def test_classes_of_lowest_area_are_named() -> None:
    truth, scores, _ = labels(n=900, k=9)
    result = ThresholdCurves().update(truth, scores).compute()
    picture = precision_recall(result)
    areas = [average_precision_score(truth == k, scores[:, k]) for k in range(9)]
    order = np.argsort(areas)
    assert [line.label for line in picture.lines] == [
        f"{k}: AP {areas[k]:.3f}" for k in order.tolist()
    ]
    assert [line.muted for line in picture.lines] == [False] * 3 + [True] * 6
    assert "Named are the 3 of lowest area." in picture.words.note


def test_long_curves_are_thinned_and_say_so() -> None:
    truth, scores, _ = labels(n=40_000, k=2)
    result = ThresholdCurves().update(truth, scores[:, 1]).compute()
    picture = roc(result)
    assert len(picture.lines[0].x) <= 2 * MOST_ON_A_LINE
    assert "more than 1,000 points" in picture.words.note
    area = np.trapezoid(picture.lines[0].y, picture.lines[0].x)
    assert abs(area - roc_auc_score(truth, scores[:, 1])) < 2e-3


def test_reliability() -> None:
    truth, scores, _ = labels()
    result = CalibrationError().update(truth, scores).compute()
    (line,) = reliability(result).lines
    table = [row for row in result.reliability() if row["n"]]
    assert line.x.tolist() == [row["mean_confidence"] for row in table]
    assert line.y.tolist() == [row["accuracy"] for row in table]


def test_a_classification_has_the_pictures_of_its_parts() -> None:
    truth, scores, _ = labels()
    result = Classification(scores="probabilities").update(truth, scores).compute()
    assert [each.name for each in result.displays()] == [
        "confusion_matrix", "class_rates", "roc", "precision_recall", "reliability", "metrics",
    ]  # fmt: skip


# ---- Regression ----------------------------------------------------------------------------------


def test_samples_and_their_errors() -> None:
    metric = Regression(keep_samples=True)
    metric.update([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], sample_id=["c", "a", "b"])
    rows = metric.samples()
    assert rows is not None
    (points,) = predicted_over_true(rows, 0, "").points
    by_name = dict(
        zip(points.names, zip(points.x.tolist(), points.y.tolist(), strict=True), strict=True)
    )
    assert by_name == {"c": (1, 1.5), "a": (2, 2), "b": (4, 3)}
    (left,) = residuals(rows, 0, "").points
    assert dict(zip(left.names, left.y.tolist(), strict=True)) == {"c": 0.5, "a": 0, "b": -1}
    # Of 0.5, 0, −1 the middle size is 0.5; one of three is above 0.
    assert residuals(rows, 0, "").words.finding == (
        "Half of the errors are smaller than 0.5; the largest is -1. 33% of predictions are too "
        "high."
    )
    histogram = residual_histogram(rows, 0, "")
    assert histogram.counts[0].values.sum() == 3
    assert (histogram.edges[0], histogram.edges[-1]) == (-1, 0.5)


def test_many_samples_are_thinned_and_the_worst_stay() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1, 9_000)
    pred = truth + rng.normal(0, 0.1, 9_000)
    pred[1234] += 50
    metric = Regression(keep_samples=True).update(truth, pred)
    rows = metric.samples()
    assert rows is not None
    picture = residuals(rows, 0, "")
    assert len(picture.points[0].x) <= 2_050
    assert picture.points[0].y.max() > 49
    assert "2,000 at equal distances" in picture.words.note


def test_equal_errors_have_a_histogram() -> None:
    metric = Regression(keep_samples=True).update([1.0, 2.0], [1.0, 2.0])
    rows = metric.samples()
    assert rows is not None
    assert residual_histogram(rows, 0, "").counts[0].values.sum() == 2
    assert Regression().update([1.0, 2.0], [1.0, 2.0]).samples() is None
