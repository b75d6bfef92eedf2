"""scikit-learn: the reference."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def labels(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Report, confusion matrix, MCC, kappa and balanced accuracy."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Numbers:
        report = metrics.classification_report(truth, pred, output_dict=True, zero_division=0)
        matrix = metrics.confusion_matrix(truth, pred)
        return {
            "accuracy": report["accuracy"],
            "precision_macro": report["macro avg"]["precision"],
            "recall_macro": report["macro avg"]["recall"],
            "f1_macro": report["macro avg"]["f1-score"],
            "f1_weighted": report["weighted avg"]["f1-score"],
            "correct": np.trace(matrix),
            "mcc": metrics.matthews_corrcoef(truth, pred),
            "kappa": metrics.cohen_kappa_score(truth, pred),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, pred),
        }

    return work


text_labels = labels


def binary_auc(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Area under the ROC curve of one score."""
    return lambda: {"auc": metrics.roc_auc_score(arrays["truth"], arrays["score"])}


def auc_one_vs_rest(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Mean over the classes of the area under each one's ROC curve."""
    return lambda: {
        "auc": metrics.roc_auc_score(
            arrays["truth"], arrays["score"], multi_class="ovr", average="macro"
        )
    }


def top_5(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Share of samples whose class has one of the five highest scores."""
    truth, score = arrays["truth"], arrays["score"]
    known = np.arange(score.shape[1])
    return lambda: {"top_5": metrics.top_k_accuracy_score(truth, score, k=5, labels=known)}


def bootstrap(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Percentile interval of macro-F1: resample, compute, a thousand times."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Numbers:
        random = np.random.default_rng(0)
        values = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(1000):
                drawn = random.integers(0, len(truth), len(truth))
                values.append(metrics.f1_score(truth[drawn], pred[drawn], average="macro"))
        low, high = np.percentile(values, [2.5, 97.5])
        return {"low": low, "high": high}

    return work
