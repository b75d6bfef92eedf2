"""Every number of a benchmark's table, of twenty images, against scikit-learn."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pytest

from snellen.benchmark.measured_model import MeasuredModel, measured_model
from snellen.benchmark.model_csv import class_csv, confusion_csv
from snellen.benchmark.result import BenchmarkResult

metrics = pytest.importorskip("sklearn.metrics")

CLASSES = ("cat", "dog", "eel", "fox", "gnu", "hen")
# Classes of different sizes, and "hen" is never true.
TRUTH = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4])
TOLD = np.array([0, 0, 0, 0, 0, 1, 5, 1, 1, 1, 0, 2, 2, 2, 1, 1, 3, 3, 0, 0])
IDS = [f"{k}.png" for k in range(20)]
KNOWN = [0, 1, 2, 3, 4, 5]


def shares(columns: int = len(CLASSES)) -> np.ndarray[Any, Any]:
    """Return probabilities, the highest of which is that of what is told."""
    found = np.random.default_rng(3).random((20, columns))
    found[np.arange(20), TOLD] += 1
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def measured(**more: Any) -> MeasuredModel:
    options: dict[str, Any] = {
        "truth": TRUTH, "ids": IDS, "classes": CLASSES, "kind": "probabilities",
        "scores": shares(), **more,
    }  # fmt: skip
    return measured_model("m", "m", **options)


def row_of(model: MeasuredModel) -> dict[str, Any]:
    return BenchmarkResult([model], IDS, TRUTH, CLASSES).table()[0]


def averages(how: str, labels: list[int]) -> tuple[float, float, float]:
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        TRUTH, TOLD, labels=labels, average=how, zero_division=0
    )
    return precision, recall, f1


def test_every_column() -> None:
    row, score = row_of(measured()), shares()
    expected = {
        "top1": metrics.accuracy_score(TRUTH, TOLD),
        "top5": metrics.top_k_accuracy_score(TRUTH, score, k=5, labels=KNOWN),
        "balanced_accuracy": np.mean(
            [metrics.recall_score(TRUTH, TOLD, labels=[k], average="macro") for k in range(5)]
        ),
        "mcc": metrics.matthews_corrcoef(TRUTH, TOLD),
        "log_loss": metrics.log_loss(TRUTH, score, labels=KNOWN),
        "brier": np.mean(((score - np.eye(6)[TRUTH]) ** 2).sum(axis=1)),
        "mean_confidence": score.max(axis=1).mean(),
    }
    for how in ("macro", "weighted"):
        # "hen" was told once: it counts.
        names = [f"{name}_{how}" for name in ("precision", "recall", "f1")]
        expected |= dict(zip(names, averages(how, KNOWN), strict=True))
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, abs=1e-14), name
    # By hand: 12 of 20.
    assert row["top1"] == 12 / 20
    assert (row["n_images"], row["scores"]) == (20, "probabilities")


def test_calibration_in_fifteen_bins() -> None:
    score = shares()
    confidence, right = score.max(axis=1), TOLD == TRUTH
    place = np.minimum((confidence * 15).astype(int), 14)
    apart = [
        abs(confidence[place == k].sum() - right[place == k].sum())
        for k in range(15)
        if (place == k).any()
    ]
    assert row_of(measured())["ece"] == pytest.approx(sum(apart) / 20, abs=1e-14)


def test_classes_and_what_is_taken_for_what() -> None:
    model = measured()
    classes = list(csv.DictReader(io.StringIO(class_csv(model))))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        TRUTH, TOLD, labels=KNOWN, zero_division=np.nan
    )
    for k, row in enumerate(classes):
        assert (row["class"], int(row["n_truth"])) == (CLASSES[k], support[k])
        for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
            given = math.nan if row[name] == "" else float(row[name])
            assert given == pytest.approx(values[k], nan_ok=True, abs=1e-15), (k, name)
    matrix = {how: np.zeros((6, 6)) for how in ("images", "share_of_truth", "share_of_prediction")}
    for row in csv.DictReader(io.StringIO(confusion_csv(model))):
        at = CLASSES.index(row["truth"]), CLASSES.index(row["prediction"])
        for how, filled in matrix.items():
            filled[at] = float(row[how])
    for how, normalised in (
        ("images", None), ("share_of_truth", "true"), ("share_of_prediction", "pred"),
    ):  # fmt: skip
        theirs = metrics.confusion_matrix(TRUTH, TOLD, labels=KNOWN, normalize=normalised)
        assert matrix[how] == pytest.approx(theirs, abs=1e-15)
    content = BenchmarkResult([model], IDS, TRUTH, CLASSES).to_dict()["models"][0]["confusion"]
    assert content["counts"] == metrics.confusion_matrix(TRUTH, TOLD, labels=KNOWN).tolist()
    by_truth = metrics.confusion_matrix(TRUTH, TOLD, labels=KNOWN, normalize="true")
    assert content["by_truth"][:5] == by_truth[:5].tolist()


def test_averages_are_over_the_classes_of_the_images() -> None:
    # The images have five classes; the network knows "hen" and more, and tells one "hen".
    model = measured(classes=(*CLASSES, "yak", "zho"), n_classes=5, scores=shares(8))
    for how in ("macro", "weighted"):
        for name, value in zip(
            ("precision", "recall", "f1"), averages(how, [0, 1, 2, 3, 4]), strict=True
        ):
            assert model.number(f"{name}_{how}") == pytest.approx(value, abs=1e-15), (name, how)


def test_the_interval_of_macro_f1_is_over_the_classes_of_the_images() -> None:
    draw = np.random.default_rng(8)
    truth = draw.integers(0, 3, 300)
    told = np.where(draw.random(300) < 0.7, truth, draw.integers(0, 5, 300))
    options: dict[str, Any] = {
        "truth": truth, "ids": [str(k) for k in range(300)], "kind": "labels", "labels": told,
        "replicates": 2000,
    }  # fmt: skip
    found = measured_model("m", "m", classes=list("abcde"), n_classes=3, **options)
    interval = found.interval("f1_macro")
    assert interval is not None
    values = []
    for _ in range(400):
        rows = draw.integers(0, 300, 300)
        values.append(metrics.f1_score(truth[rows], told[rows], labels=[0, 1, 2], average="macro"))
    value = metrics.f1_score(truth, told, labels=[0, 1, 2], average="macro")
    assert found.number("f1_macro") == pytest.approx(value, abs=1e-15)
    low, high = 2 * value - np.quantile(values, [0.975, 0.025])
    # The interval is 0.1 wide; a quantile of 400 replicates is about 0.004 off.
    assert interval.low == pytest.approx(low, abs=0.015)
    assert interval.high == pytest.approx(high, abs=0.015)
