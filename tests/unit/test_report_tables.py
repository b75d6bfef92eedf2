"""What is kept of classifiers and regressions for their pages, and what these show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.classification.classification import Classification
from snellen.classification.labels import Labels
from snellen.displays import MatrixDisplay
from snellen.readers.targets import Targets
from snellen.regression.regression import Regression
from snellen.report.classification.examples import examples_of
from snellen.report.regression.examples import examples_of as largest_errors
from snellen.report.run_parts import parts_of


def no_image(name: str) -> None:
    del name


class Run:
    """The state of a run, as a folder would hand it out."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    kind = "evaluation"
    parent = None

    def metric(self) -> Any:
        return self._metric


def test_the_surest_mistakes_come_first() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
    truth = Labels.of([0, 0, 0, 1], classes=["cat", "dog"], sample_id=["p", "q", "r", "s"])
    pred = Labels(truth.classes, score=scores)
    metric = Classification(truth.classes, scores="probabilities").update(truth, pred)
    found, pictures = examples_of(truth, pred, metric, n=9, images=no_image)
    # p is right; r is wrong with 0.8, s with 0.7, q with 0.6.
    assert [image.id for image in found.images] == ["r", "s", "q"]
    assert [(image.label, image.predicted) for image in found.images] == [
        ("cat", "dog"), ("dog", "cat"), ("cat", "dog"),
    ]  # fmt: skip
    assert found.images[0].scores == [("dog", 0.8), ("cat", 0.2)]
    assert found.images[0].numbers == {"confidence": 0.8}
    assert found.rule == (
        "3 of the 3 samples that are wrong (4 in all), the most confident ones first"
    )
    assert pictures == {}
    assert len(examples_of(truth, pred, metric, n=2, images=no_image)[0].images) == 2


def test_sets_with_most_wrong_labels_come_first() -> None:
    member = np.array([[1, 0, 1], [0, 0, 1], [0, 0, 0]], np.uint8)
    scores = np.array([[0.9, 0.7, 0.1], [0.1, 0.2, 0.9], [0.6, 0.1, 0.1]])
    metric = Classification(["a", "b", "c"], multilabel=True, scores="probabilities")
    metric.update(member, scores, sample_id=["x", "y", "z"])
    truth = Labels(metric.classes, member=member, sample_id=np.array(["x", "y", "z"]))
    found, _ = examples_of(
        truth, Labels(metric.classes, score=scores), metric, n=9, images=no_image
    )
    # x: b is false, c is missed; z: a is false; y is right.
    assert [(image.id, image.label, image.predicted) for image in found.images] == [
        ("x", "a, c", "a, b"), ("z", "none", "a"),
    ]  # fmt: skip
    assert found.images[0].numbers == {"missed": 1, "false": 1}


def test_what_a_classifier_shows() -> None:
    truth = [0, 0, 0, 0, 1, 1]
    called = [0, 0, 0, 1, 1, 1]
    metric = Classification(["a", "b", "c"]).update(truth, called)
    run: Any = Run(metric)
    found = parts_of(run, metric.compute())
    assert isinstance(found.confusion, MatrixDisplay)
    assert found.facts is not None
    assert found.facts.lines == (
        "Of true a 25% were called b (1 sample).",
        "1 class has no sample in truth: c.",
    )
    assert found.classes is not None
    # a: 2 * 3 / 7; b: 2 * 2 / 5; c has none.
    assert [record["class"] for record in found.classes.records] == ["b", "a", "c"]


@pytest.mark.parametrize("n", [1, 2])
def test_the_largest_errors_come_first(n: int) -> None:
    # Of two outputs in parts of the mean error: of "x" 1 and 2 by 1.5, of "y" 10 and 500 by 255.
    truth = np.array([[0.0, 0.0], [10.0, 1000.0]])
    pred = np.array([[1.0, 10.0], [12.0, 500.0]])
    table = Targets(truth[:, :n], pred[:, :n], ("x", "y")[:n], np.array(["p", "q"]), None, None, ())
    metric = Regression(["x", "y"][:n]).update(table.truth, table.pred)
    found, _ = largest_errors(table, metric.compute(), n=9, images=no_image)
    assert [image.id for image in found.images] == ["q", "p"]
    assert found.images[0].badness == [2.0, 500 / 255][n - 1]
    assert found.images[0].label == ["10", "10, 1000"][n - 1]
    assert found.images[0].numbers == [
        {"error": 2.0}, {"error of x": 2.0, "error of y": -500.0},
    ][n - 1]  # fmt: skip


def test_what_a_regression_shows() -> None:
    metric = Regression(["x", "y"], keep_samples=True)
    metric.update([[1.0, 2.0], [3.0, 4.0]], [[1.5, 2.0], [3.0, 5.0]])
    run: Any = Run(metric)
    found = parts_of(run, metric.compute())
    assert [each.words.name for each in found.own] == [
        f"{name}_{k}"
        for k in (0, 1)
        for name in ("predicted_over_true", "residuals", "residual_histogram")
    ]
    assert found.classes is not None
    assert found.classes.words.title == "Outputs"
    bare: Any = Run(Regression(["x"]).update([1.0, 2.0], [1.0, 3.0]))
    assert parts_of(bare, bare.metric().compute()).own == ()
