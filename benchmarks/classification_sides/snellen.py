"""Snellen, by its Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen import ConfusionMatrix, ThresholdCurves, TopKAccuracy
from snellen.statistics import intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def labels(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Every number of the confusion matrix."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Numbers:
        result = ConfusionMatrix().update(truth, pred).compute()
        return {**result.metrics, "correct": result.data["n_correct"]}

    return work


text_labels = labels


def binary_auc(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Curves of one score, and the area under them."""
    truth, score = arrays["truth"], arrays["score"]
    return lambda: {"auc": ThresholdCurves().update(truth, score).compute().auc}


def auc_one_vs_rest(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Curves of each class against all others, and the areas under them."""
    truth, score = arrays["truth"], arrays["score"]
    return lambda: {
        "auc": ThresholdCurves(one_vs_rest_only=True).update(truth, score).compute().auc_macro
    }


def top_5(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Top-5 accuracy, also of each class."""
    truth, score = arrays["truth"], arrays["score"]
    return lambda: {"top_5": TopKAccuracy(5).update(truth, score).compute().top5}


def bootstrap(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Intervals of every headline number, macro-F1 among them, from labels on."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Numbers:
        found = intervals(ConfusionMatrix().update(truth, pred), replicates=1000)["f1_macro"]
        return {"low": found.low, "high": found.high}

    return work
