"""scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import confusion_matrix

from segmentation_sides import N_CLASSES, matrix_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def counting(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Confusion matrix of all pixels; what is no label is left out."""
    truth, pred = arrays["truth"].reshape(-1), arrays["pred"].reshape(-1)
    labels = np.arange(N_CLASSES)

    def work() -> Any:
        matrix = confusion_matrix(truth, pred, labels=labels)
        return lambda: matrix_numbers(matrix)

    return work
