"""Boundaries of all classes at once are those of each class's mask alone.

Boundary IoU erodes each mask as boundary-iou-api does (SciPy in OpenCV's place); boundary F is
DAVIS's in plain NumPy: contours by comparing neighbours, matches by dilation with a disk.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import BoundaryQuality, _core
from snellen.segmentation.boundary_rules import BoundaryRules

ndimage = pytest.importorskip("scipy.ndimage")

N_CLASSES = 5
VOID = 255


def drawn(random: np.random.Generator, height: int, width: int) -> Any:
    """Return a label image of boxes, disks and noise; some pixels are void."""
    image = np.full((height, width), random.integers(0, N_CLASSES), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    for _ in range(int(random.integers(0, 9))):
        label = random.choice([*range(N_CLASSES), VOID])
        y, x = random.integers(0, height), random.integers(0, width)
        size = random.integers(1, max(2, min(height, width) // 2))
        if random.random() < 0.5:
            image[(rows - y) ** 2 + (columns - x) ** 2 <= size**2] = label
        else:
            image[y : y + size, x : x + 2 * size] = label
    noise = random.random((height, width)) < random.choice([0.0, 0.0, 0.02, 0.5])
    image[noise] = random.integers(0, N_CLASSES, int(noise.sum()))
    return image


def pairs(seed: int, n: int) -> list[tuple[Any, Any]]:
    """Return truth and a prediction of it: shifted, another image, or the same."""
    random = np.random.default_rng(seed)
    found = []
    for i in range(n):
        height, width = (int(each) for each in random.integers(1, 60, 2))
        truth = drawn(random, height, width)
        pred = np.roll(truth, random.integers(-3, 4, 2), (0, 1))
        if i % 4 == 0:
            pred = drawn(random, height, width)
        found.append((truth, truth.copy() if i % 10 == 9 else pred))
    return found


def border_zone(mask: Any, ratio: float) -> Any:
    height, width = mask.shape
    times = max(1, round(ratio * np.sqrt(height**2 + width**2)))
    square = np.ones((3, 3), bool)
    return mask & ~ndimage.binary_erosion(mask, square, iterations=times, border_value=0)


def contour(mask: Any) -> Any:
    """Return where a mask differs from its right, lower, or lower-right neighbour (seg2bmap)."""
    east, south, southeast = (np.zeros_like(mask) for _ in range(3))
    east[:, :-1] = mask[:, 1:]
    south[:-1] = mask[1:]
    southeast[:-1, :-1] = mask[1:, 1:]
    found = (mask ^ east) | (mask ^ south) | (mask ^ southeast)
    found[-1] = mask[-1] ^ east[-1]
    found[:, -1] = mask[:, -1] ^ south[:, -1]
    found[-1, -1] = False
    return found


def davis_f(pred: Any, truth: Any, threshold: float) -> float:
    """Return DAVIS's F of two masks, its arithmetic step by step."""
    radius = threshold if threshold >= 1 else np.ceil(threshold * np.linalg.norm(truth.shape))
    steps = np.arange(-radius, radius + 1)
    disk = steps[:, None] ** 2 + steps[None] ** 2 <= radius**2
    pred_contour, truth_contour = contour(pred), contour(truth)
    pred_match = pred_contour & ndimage.binary_dilation(truth_contour, disk)
    truth_match = truth_contour & ndimage.binary_dilation(pred_contour, disk)
    n_pred, n_truth = np.sum(pred_contour), np.sum(truth_contour)
    if n_pred == 0 and n_truth > 0:
        precision, recall = 1.0, 0.0
    elif n_pred > 0 and n_truth == 0:
        precision, recall = 0.0, 1.0
    elif n_pred == 0 and n_truth == 0:
        return math.nan  # DAVIS: 1
    else:
        precision = np.sum(pred_match) / float(n_pred)
        recall = np.sum(truth_match) / float(n_truth)
    if precision + recall == 0:
        return 0.0
    return float(2 * precision * recall / (precision + recall))


def iou(one: Any, other: Any) -> float:
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else math.nan


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize("ratio", [0.001, 0.02, 0.1, 0.6])
def test_zones_are_masks_without_their_erosion(ratio: float, dtype: Any) -> None:
    rules = BoundaryRules(ratio, 1)
    for truth, _ in pairs(1, 40):
        near = _core.near_border(truth.astype(dtype), rules.zone_width(*truth.shape))
        for label in np.unique(truth):
            mask = truth == label
            assert np.array_equal(mask & near.astype(bool), border_zone(mask, ratio))


@pytest.mark.parametrize("ratio", [0.02, 0.15])
@pytest.mark.parametrize("tolerance", [0.008, 0.05, 0, 1, 4])
def test_each_class_of_each_image(ratio: float, tolerance: float) -> None:
    for truth, pred in pairs(2, 60):
        metric = BoundaryQuality([""] * N_CLASSES, ratio=ratio, tolerance=tolerance)
        found = metric.update(truth, pred).compute().class_values()
        for k in range(N_CLASSES):
            # What truth leaves open is of no class on either side.
            masks = truth == k, (pred == k) & (truth != VOID)
            assert _same(found["mask_iou"][k], iou(*masks))
            zones = [border_zone(mask, ratio) for mask in masks]
            assert _same(found["boundary_iou"][k], iou(*zones))
            if tolerance:
                assert _same(found["boundary_f"][k], davis_f(masks[1], masks[0], tolerance))
            else:
                # A disk of radius 0 is the pixel itself.
                lines = [contour(mask) for mask in masks]
                both = np.count_nonzero(lines[0] & lines[1])
                n = [np.count_nonzero(line) for line in lines]
                wanted = 2 * both / sum(n) if sum(n) else math.nan
                assert found["boundary_f"][k] == pytest.approx(
                    wanted, rel=1e-15, abs=0, nan_ok=True
                )


def test_sums_over_images() -> None:
    """Boundary IoU of a set: intersections and unions of all images, added before dividing."""
    metric = BoundaryQuality([""] * N_CLASSES)
    over = np.zeros((N_CLASSES, 2), np.int64)
    of_images = []
    for i, (truth, pred) in enumerate(pairs(3, 30)):
        metric.update(truth, pred, image_id=i)
        mine = []
        for k in range(N_CLASSES):
            one = border_zone(truth == k, 0.02)
            other = border_zone((pred == k) & (truth != VOID), 0.02)
            over[k] += np.count_nonzero(one & other), np.count_nonzero(one | other)
            mine.append(iou(one, other))
        if not np.isnan(mine).all():
            of_images.append(np.nanmean(mine))
    result = metric.compute()
    each = over[:, 0] / over[:, 1]
    assert result.class_values()["boundary_iou"].tolist() == each.tolist()
    assert result.boundary_iou == pytest.approx(each.mean(), rel=1e-15, abs=0)
    assert result.boundary_iou_images == pytest.approx(np.mean(of_images), rel=1e-14, abs=0)


def _same(one: Any, other: float) -> bool:
    return bool(one == other) or (math.isnan(one) and math.isnan(other))
