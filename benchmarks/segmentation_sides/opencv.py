"""OpenCV, class by class: the mask, eroded, taken from the mask, as in boundary-iou-api."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from segmentation_sides import N_CLASSES, VOID, mask_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"

cv2.setNumThreads(1)

_NEIGHBOURS = np.ones((3, 3), np.uint8)


def _width(shape: tuple[int, ...]) -> int:
    return max(1, round(0.02 * math.hypot(*shape)))


def _boundary(mask: Any, width: int) -> Any:
    """Return a mask without what lies farther than `width` from what is not in it."""
    # What lies beyond the image is not in it.
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return mask - cv2.erode(framed, _NEIGHBOURS, iterations=width)[1:-1, 1:-1]


def boundary_masks(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Borders of each class."""
    truth = arrays["truth"]
    width = _width(truth.shape[1:])

    def work() -> Any:
        found = [
            [_boundary((labels == k).view(np.uint8), width) for k in range(N_CLASSES)]
            for labels in truth
        ]

        def numbers() -> Any:
            whole = np.full(truth.shape, VOID, np.uint8)
            for labels, masks in zip(whole, found, strict=True):
                for k, mask in enumerate(masks):
                    labels[mask.view(bool)] = k
            return mask_numbers(whole)

        return numbers

    return work


def boundary_iou(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Intersections and unions of both sides' borders of each class."""
    truth, pred = arrays["truth"], arrays["pred"]
    width = _width(truth.shape[1:])

    def work() -> Numbers:
        both, either = np.zeros(N_CLASSES, np.int64), np.zeros(N_CLASSES, np.int64)
        for one, other in zip(truth, pred, strict=True):
            for k in range(N_CLASSES):
                sides = [_boundary((side == k).view(np.uint8), width) for side in (one, other)]
                both[k] += cv2.countNonZero(cv2.bitwise_and(*sides))
                either[k] += cv2.countNonZero(cv2.bitwise_or(*sides))
        return {f"boundary_iou_{k}": both[k] / either[k] for k in np.flatnonzero(either)}

    return work
