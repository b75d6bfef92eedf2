"""torchmetrics, on the processor, tensors made beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torchmetrics import MetricCollection
from torchmetrics import classification as tm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def labels(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Accuracy, precision, recall, F1, MCC, kappa."""
    truth, pred = torch.from_numpy(arrays["truth"]), torch.from_numpy(arrays["pred"])
    n_classes = int(max(truth.max(), pred.max())) + 1

    def work() -> Numbers:
        collection = MetricCollection(
            {
                "accuracy": tm.MulticlassAccuracy(n_classes, average="micro"),
                "precision_macro": tm.MulticlassPrecision(n_classes),
                "recall_macro": tm.MulticlassRecall(n_classes),
                "f1_macro": tm.MulticlassF1Score(n_classes),
                "f1_weighted": tm.MulticlassF1Score(n_classes, average="weighted"),
                "mcc": tm.MulticlassMatthewsCorrCoef(n_classes),
                "kappa": tm.MulticlassCohenKappa(n_classes),
            }
        )
        collection.update(pred, truth)
        return {name: float(value) for name, value in collection.compute().items()}

    return work


def binary_auc(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Exact area under the ROC curve of one score."""
    truth, score = torch.from_numpy(arrays["truth"]), torch.from_numpy(arrays["score"])

    def work() -> Numbers:
        metric = tm.BinaryAUROC()
        metric.update(score, truth)
        return {"auc": float(metric.compute())}

    return work


def top_5(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Share of samples whose class has one of the five highest scores."""
    truth, score = torch.from_numpy(arrays["truth"]), torch.from_numpy(arrays["score"])

    def work() -> Numbers:
        metric = tm.MulticlassAccuracy(score.shape[1], top_k=5, average="micro")
        metric.update(score, truth)
        return {"top_5": float(metric.compute())}

    return work
