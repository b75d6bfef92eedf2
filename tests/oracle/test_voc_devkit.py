"""Pascal VOC's rules on random data beside a plain version of them, to the last bit.

The development kit is MATLAB; this follows its VOCevaldet.m and, of how NumPy adds up, the Python
version of it in Fast R-CNN (R. Girshick).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, average_precision
from snellen.detection.protocols import PROTOCOLS


def plain_average_precision(
    truth: list[dict[str, Any]], pred: list[dict[str, Any]], threshold: float, *, eleven: bool
) -> float:
    """Return the average precision of one class."""
    n_truth = sum(not each["difficult"] for each in truth)
    taken: set[int] = set()
    hits, misses = [], []
    order = sorted(range(len(pred)), key=lambda i: (-pred[i]["score"], pred[i]["image"]))
    for i in order:
        box = pred[i]["box"]
        best, place = -1.0, -1
        for j, each in enumerate(truth):
            if each["image"] != pred[i]["image"]:
                continue
            shared = [
                min(box[k + 2], each["box"][k + 2]) - max(box[k], each["box"][k]) + 1
                for k in (0, 1)
            ]
            if min(shared) <= 0:
                continue
            sizes = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, each["box"])]
            both = shared[0] * shared[1]
            overlap = both / (sum(sizes) - both)
            if overlap > best:
                best, place = overlap, j
        hit = miss = 0
        if best >= threshold:
            if not truth[place]["difficult"]:
                hit, miss = (0, 1) if place in taken else (1, 0)
                taken.add(place)
        else:
            miss = 1
        hits.append(hit)
        misses.append(miss)
    true, false = np.cumsum(hits), np.cumsum(misses)
    recall = true / n_truth
    precision = true / np.maximum(true + false, np.finfo(np.float64).eps)
    if eleven:
        found = 0.0
        for t in np.arange(0.0, 1.1, 0.1):
            reached = precision[recall >= t]
            found += (reached.max() if len(reached) else 0.0) / 11.0
        return float(found)
    mrec = np.concatenate([[0.0], recall, [1.0]])
    mpre = np.maximum.accumulate(np.concatenate([[0.0], precision, [0.0]])[::-1])[::-1]
    change = np.flatnonzero(mrec[1:] != mrec[:-1])
    return float(np.sum((mrec[change + 1] - mrec[change]) * mpre[change + 1]))


def random_set(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    random = np.random.default_rng(seed)

    def box() -> list[float]:
        left, top = random.integers(1, 40, 2)
        width, height = random.choice([0, 9, 10, 19, 20], 2)
        return [float(left), float(top), float(left + width), float(top + height)]

    truth = [
        {
            "image": int(random.integers(0, 6)),
            "box": box(),
            "difficult": bool(random.random() < 0.2),
        }
        for _ in range(int(random.integers(8, 200)))
    ]
    pred: list[dict[str, Any]] = []
    for _ in range(int(random.integers(0, 400))):
        like = truth[random.integers(len(truth))]
        moved = [float(x) for x in np.add(like["box"], random.choice([0, 0, 1, -1, 4], 4))]
        moved[2:] = [max(moved[0], moved[2]), max(moved[1], moved[3])]
        pred.append(
            {"image": like["image"], "box": moved, "score": float(random.integers(0, 12)) / 12}
        )
    # Of equal scores in an image both go by what comes first.
    pred.sort(key=lambda each: each["image"])
    return truth, pred


def columns(rows: list[dict[str, Any]], **more: Any) -> Boxes:
    return Boxes.from_xyxy(
        np.array([each["box"] for each in rows]).reshape(-1, 4),
        image_id=np.array([each["image"] for each in rows], np.int64),
        label=np.zeros(len(rows), np.int64),
        image_ids=np.arange(6),
        classes={0: "thing"},
        **more,
    )


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75])
def test_to_the_last_bit(seed: int, threshold: float) -> None:
    truth, pred = random_set(seed)
    both = (
        columns(truth, ignored=[each["difficult"] for each in truth]),
        columns(pred, score=[each["score"] for each in pred]),
    )
    for name, eleven in (("voc07", True), ("voc12", False)):
        rules = dataclasses.replace(PROTOCOLS[name], iou_thresholds=(threshold,))
        got = average_precision(*both, protocol=rules).AP
        assert got == plain_average_precision(truth, pred, threshold, eleven=eleven)


def test_resampled_as_computed() -> None:
    """Replicates have the numbers of the images that they are made of."""
    truth, pred = random_set(3)
    both = (
        columns(truth, ignored=[each["difficult"] for each in truth]),
        columns(pred, score=[each["score"] for each in pred]),
    )
    for name in ("voc07", "voc12"):
        metric = AveragePrecision(protocol=name).update(*both)
        once = np.ones((1, 6), np.int32)
        assert metric.units().values(once)["AP"].tolist() == [metric.compute().AP]
