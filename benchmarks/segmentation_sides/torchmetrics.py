"""torchmetrics, on the processor, tensors made beforehand, arguments not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torchmetrics.classification import MulticlassConfusionMatrix

from segmentation_sides import N_CLASSES, VOID, matrix_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

torch.set_num_threads(1)


def counting(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Confusion matrix, image by image."""
    # Its arithmetic is that of the tensors: bytes would overflow.
    truth, pred = (torch.from_numpy(arrays[side]).long() for side in ("truth", "pred"))

    def work() -> Any:
        metric = MulticlassConfusionMatrix(N_CLASSES, ignore_index=VOID, validate_args=False)
        for one, other in zip(truth, pred, strict=True):
            metric.update(other, one)
        matrix = metric.compute().numpy()
        return lambda: matrix_numbers(matrix)

    return work
