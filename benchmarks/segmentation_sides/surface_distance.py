"""DeepMind's surface-distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import surface_distance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def hd95_contour(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Robust Hausdorff distance of each image; their mean."""
    truth, pred = arrays["truth"].astype(bool), arrays["pred"].astype(bool)

    def work() -> Numbers:
        of_images = [
            surface_distance.compute_robust_hausdorff(
                surface_distance.compute_surface_distances(one, other, (1, 1)), 95
            )
            for one, other in zip(truth, pred, strict=True)
        ]
        return {"hd95": float(np.mean(of_images))}

    return work
