"""Snellen, by its Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segmentation_sides import N_CLASSES, VOID, mask_numbers, matrix_numbers, pair_numbers
from snellen import BoundaryQuality, Segmentation, SurfaceDistance, _core, set_threads
from snellen.segmentation.segment_pairs import boundary_width, count_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"

set_threads(1)


def counting(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Confusion of each image, which is the metric's state."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Any:
        metric = Segmentation(N_CLASSES).update(truth, pred)
        return lambda: matrix_numbers(metric.compute().matrix)

    return work


def panoptic_pairs(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Pairs of segments, which is what the metric is told of two maps."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Any:
        found = [count_segments(one, other) for one, other in zip(truth, pred, strict=True)]
        return lambda: pair_numbers((each.truth, each.pred, each.count) for each in found)

    return work


def boundary_masks(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Borders of all classes in one map."""
    truth = arrays["truth"]
    width = boundary_width(*truth.shape[1:], 0.02)

    def work() -> Any:
        near = [_core.near_border(labels, width) for labels in truth]
        return lambda: mask_numbers(np.where(near, truth, VOID))

    return work


def boundary_iou(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """All numbers of the metric, contours and their F among them."""
    truth, pred = arrays["truth"], arrays["pred"]
    names = [str(k) for k in range(N_CLASSES)]

    def work() -> Any:
        result = BoundaryQuality(names).update(truth, pred).compute()
        rows = enumerate(result.per_class())
        return {f"boundary_iou_{k}": row["boundary_iou"] for k, row in rows}

    return work


def _surfaces(arrays: Mapping[str, Any], rules: str) -> Callable[[], Numbers]:
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Numbers:
        metric = SurfaceDistance(rules=rules, dimensions=2)
        return {"hd95": metric.update(truth, pred).compute().hd95}

    return work


def hd95(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """All distances of the metric, by MONAI's rules."""
    return _surfaces(arrays, "monai")


def hd95_contour(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """All distances of the metric, by DeepMind's rules."""
    return _surfaces(arrays, "deepmind")
