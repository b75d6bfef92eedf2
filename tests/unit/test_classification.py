"""Everything of a classification at once: what resampling is made of gives the report's numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Classification, ConfusionMatrix, Labels, ThresholdCurves
from snellen.errors import InputError


def both(metric: Classification, name: str) -> tuple[float, float]:
    """Return a number of the report and of the units that intervals and comparisons are of."""
    units = metric.units()
    return metric.compute().metrics[name], float(units.values(units.counts[None])[name][0])


def test_labels_beside_scores_are_as_sure_as_their_own_scores() -> None:
    classes = Classes(["a", "b", "c"])
    truth = Labels(classes, code=np.array([1, 0], np.int32))
    pred = Labels(
        classes,
        code=np.array([1, 2], np.int32),
        score=np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]),
    )
    metric = Classification(scores="probabilities", bins=5).update(truth, pred)
    # Right at 0.3 and wrong at 0.7; the highest score of the first is 0.5.
    assert both(metric, "ece") == pytest.approx(((0.7 + 0.7) / 2,) * 2)


@pytest.mark.parametrize(("dtype", "ece"), [(np.float32, 0.05), (np.float64, 0.45)])
def test_confidences_on_an_edge_are_in_the_bin_of_their_type(dtype: Any, ece: float) -> None:
    # As float32, 0.6 is above the 0.6 of float64. Right there, wrong at 0.5: in one bin
    # |0.6 + 0.5 - 1| / 2, in two (|0.6 - 1| + 0.5) / 2.
    score = np.array([[0.6, 0.4], [0.5, 0.5]], np.float32).astype(dtype)
    metric = Classification(scores="probabilities", bins=5).update([0, 1], score)
    assert both(metric, "ece") == pytest.approx((ece,) * 2, abs=1e-7)


def one_column(score: Any) -> Labels:
    return Labels(Classes(["no", "yes"]), score=np.asarray(score)[:, None])


def truth_of(code: list[int]) -> Labels:
    return Labels(Classes(["no", "yes"]), code=np.array(code, np.int32))


@pytest.mark.parametrize(("dtype", "places"), [(np.float32, 23), (np.float64, 52)])
def test_the_worst_log_loss_is_that_of_the_scores_type(dtype: Any, places: int) -> None:
    metric = Classification(scores="probabilities")
    metric.update(truth_of([1, 0]), one_column(np.array([0.0, 0.25], dtype)))
    # Probability 0 counts as 2^-23, of float64 as 2^-52.
    loss = (places * math.log(2) - math.log(0.75)) / 2
    assert both(metric, "log_loss") == pytest.approx((loss,) * 2, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "score"),
    [("probabilities", [0.9, 0.5, 0.4, 0.6]), ("logits", [2.0, 0.0, -0.1, 0.1])],
)
def test_one_column_of_scores_predicts_the_second_class_above_the_middle(
    kind: str, score: list[float]
) -> None:
    metric = Classification(scores=kind).update(truth_of([1, 0, 1, 0]), one_column(score))
    # yes, no (of equal scores the first), no, yes.
    records = metric.compute().per_class()
    assert [(each["tp"], each["fp"]) for each in records] == [(1, 1), (1, 1)]
    assert both(metric, "accuracy") == (0.5, 0.5)


def test_one_column_of_any_scores_predicts_nothing() -> None:
    truth, pred = truth_of([1, 0]), one_column([0.9, 0.1])
    message = "expected labels, or a score for each of the 2 classes, got scores of 1 - at pred"
    for metric in (ConfusionMatrix(), Classification(scores="any", top_k=())):
        with pytest.raises(InputError, match=message):
            metric.update(truth, pred)
    assert ThresholdCurves().update(truth, pred).compute().auc == 1.0


@pytest.mark.parametrize("scores", [None, "probabilities"])
def test_confidences_that_nothing_would_come_of_are_refused(scores: str | None) -> None:
    metric = Classification(scores=scores)
    with pytest.raises(InputError, match='no confidence without scores="confidences" - at confid'):
        metric.update([0, 1], np.eye(2), confidence=[0.5, 2.0])
