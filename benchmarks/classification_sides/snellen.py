"""Snellen, by its Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen import ConfusionMatrix

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
