"""Panoptic quality against a plain one, segment by segment, pixel by pixel."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from tests.panoptic_maps import Image, random_image

from snellen import PanopticQuality

CLASSES = [1, 2, 7, 40]
EXAMPLES = int(os.environ.get("SNELLEN_FUZZ_EXAMPLES", "60"))


def boundary(mask: np.ndarray[Any, Any], ratio: float) -> np.ndarray[Any, Any]:
    """Return a mask without what d erosions by a 3 x 3 square leave; the outside is not of it."""
    d = max(1, round(ratio * np.hypot(*mask.shape)))
    return mask & ~binary_erosion(mask, np.ones((3, 3)), iterations=d)


def plain(images: list[tuple[Image, Image]], ratio: float | None) -> dict[int, list[float]]:
    """Return the sum of IoUs, tp, fp and fn of each class, from the definitions in the papers."""
    found = {k: [0.0, 0, 0, 0] for k in CLASSES}
    for (truth, truth_list), (pred, pred_list) in images:
        void = truth == 0
        matched_truth, matched_pred = set(), set()
        for t in sorted(truth_list, key=lambda record: record["id"]):
            for p in sorted(pred_list, key=lambda record: record["id"]):
                if t["iscrowd"] or t["category_id"] != p["category_id"]:
                    continue
                a, b = truth == t["id"], pred == p["id"]
                # Pixels that truth says nothing about are no part of a prediction.
                iou = (a & b).sum() / (a | b & ~void).sum()
                if ratio is not None:
                    a, b = boundary(a, ratio), boundary(b, ratio)
                    iou = min(iou, (a & b).sum() / (a | b & ~void).sum())
                if iou > 0.5:
                    matched_truth.add(t["id"])
                    matched_pred.add(p["id"])
                    found[t["category_id"]][0] += iou
                    found[t["category_id"]][1] += 1
        for p in pred_list:
            if p["id"] in matched_pred:
                continue
            b = pred == p["id"]
            ignored = void.copy()
            for t in truth_list:
                if t["iscrowd"] and t["category_id"] == p["category_id"]:
                    ignored |= truth == t["id"]
            found[p["category_id"]][2] += (b & ignored).sum() / b.sum() <= 0.5
        for t in truth_list:
            found[t["category_id"]][3] += not t["iscrowd"] and t["id"] not in matched_truth
    return found


@pytest.mark.parametrize("ratio", [None, 0.02, 0.1])
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_every_number(seed: int, ratio: float | None) -> None:
    random = np.random.default_rng(seed)
    images = [
        random_image(random, CLASSES, crowds=float(random.choice([0, 0.3]))) for _ in range(5)
    ]
    parameters: dict[str, Any] = {"things": [1, 2]}
    if ratio is not None:
        parameters |= {"iou": "boundary", "boundary_ratio": ratio}
    metric = PanopticQuality(dict.fromkeys(CLASSES, ""), **parameters)
    for truth, pred in images:
        metric.update(truth, pred)
    result, wanted = metric.compute(), plain(images, ratio)
    for k, class_id in enumerate(CLASSES):
        assert [result.iou_sum[k], result.tp[k], result.fp[k], result.fn[k]] == wanted[class_id]
    # From the definition: PQ = sum of IoU / (tp + fp / 2 + fn / 2), averaged over classes.
    counting = [each for each in wanted.values() if sum(each[1:])]
    if counting:
        mean = sum(iou / (tp + 0.5 * fp + 0.5 * fn) for iou, tp, fp, fn in counting) / len(counting)
        assert mean == result.PQ


def test_the_data_have_every_case() -> None:
    metric = PanopticQuality(dict.fromkeys(CLASSES, ""))
    for seed in range(EXAMPLES):
        random = np.random.default_rng(seed)
        metric.update(*random_image(random, CLASSES, crowds=0.3))
    result = metric.compute()
    assert all(min(each) > 5 for each in (result.tp, result.fp, result.fn))
    assert result.data["n_ignored"] > 20
    assert result.data["n_crowd"] > 20
