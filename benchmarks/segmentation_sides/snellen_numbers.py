"""Snellen, from counting to the end: every number of the metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_sides import N_CLASSES, matrix_numbers
from snellen import Segmentation, set_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

set_threads(1)


def counting(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Numbers of each class, each image, and under each protocol."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Any:
        result = Segmentation(N_CLASSES).update(truth, pred).compute()
        return lambda: matrix_numbers(result.matrix)

    return work
