"""MONAI, on the processor, tensors made beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from monai.metrics import compute_hausdorff_distance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"

torch.set_num_threads(1)


def hd95(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Larger one of the two directed percentiles of each image; their mean."""
    truth, pred = (torch.from_numpy(arrays[side])[:, None] for side in ("truth", "pred"))

    def work() -> Numbers:
        of_images = compute_hausdorff_distance(pred, truth, include_background=True, percentile=95)
        return {"hd95": float(of_images.double().mean())}

    return work
