"""The last number of an explanation of poses beside a plain version of ultralytics' rules.

It follows ultralytics 8.4.190 and 8.3.253 (models/yolo/pose/val.py, engine/validator.py,
utils/metrics.py) pose by pose, in torch's 32 bits.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from snellen import explain
from snellen.detection.poses import Poses
from snellen.detection.sigmas import COCO_SIGMAS

T = 10
N_IMAGES, N_CLASSES, K = 6, 2, 17


def scene(seed: int) -> tuple[Poses, Poses]:
    """Return people, some crowds, some without a label, and poses at all distances from them."""
    rng = np.random.default_rng(seed)
    n = 40
    image, label = rng.integers(0, N_IMAGES, n), rng.integers(0, N_CLASSES, n)
    first, size = rng.uniform(0, 400, (n, 2)), rng.uniform(20, 200, (n, 2))
    xy = first[:, None] + rng.random((n, K, 2)) * size[:, None]
    seen = rng.integers(0, 3, (n, K))
    seen[::7] = 0
    truth = Poses.from_keypoints(
        np.concatenate([xy, seen[:, :, None]], axis=2),
        box=np.concatenate([first, size], axis=1),
        area=size.prod(axis=1) * rng.uniform(0.2, 0.9, n),
        crowd=(np.arange(n) % 11 == 3).astype(int),
        image_id=image,
        label=label,
        image_ids=range(N_IMAGES),
        classes={0: "a", 1: "b"},
    )
    of = rng.integers(0, n, 300)
    off = rng.normal(size=(300, K, 2)) * size[of, None] * rng.uniform(0, 0.2, (300, 1, 1))
    pred = Poses.from_keypoints(
        np.concatenate([xy[of] + off, np.ones((300, K, 1))], axis=2),
        score=(((rng.permutation(300) + 0.25) / 300) ** 3).astype(np.float32),
        image_id=image[of],
        label=np.where(rng.random(300) < 0.9, label[of], 1 - label[of]),
        image_ids=range(N_IMAGES),
        classes={0: "a", 1: "b"},
    )
    return truth, pred


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def oks(truth: torch.Tensor, pred: torch.Tensor, area: torch.Tensor) -> Any:
    apart = (truth[:, None, :, :2] - pred[None, :, :, :2]).pow(2).sum(-1)
    spread = (2 * tensor(COCO_SIGMAS)).pow(2)
    near = (-apart / (spread * (area[:, None, None] + 1e-7) * 2)).exp()
    labelled = (truth[..., 2] != 0).float()
    total = (near * labelled[:, None]).sum(-1)
    return (total / (labelled.sum(-1)[:, None] + 1e-7)).numpy()


def ultralytics(truth: Poses, pred: Poses, *, old: bool) -> tuple[float, float]:
    thresholds = torch.linspace(0.5, 0.95, T).numpy()
    assert truth.boxes.crowd is not None
    assert pred.boxes.score is not None
    hits, scores, labels = [], [], []
    n_truth = np.bincount(truth.boxes.label[truth.boxes.crowd == 0], minlength=N_CLASSES)
    for i in range(N_IMAGES):
        a = np.flatnonzero((truth.boxes.image == i) & (truth.boxes.crowd == 0))
        b = np.flatnonzero((pred.boxes.image == i) & (pred.boxes.score > np.float32(0.001)))
        b = b[np.argsort(-pred.boxes.score[b])][:300]
        box = tensor(truth.boxes.xywh[a])
        area = ((box[:, :2] + box[:, 2:]) - box[:, :2]).prod(1) * 0.53
        similar = oks(tensor(truth.keypoints[a]), tensor(pred.keypoints[b]), area)
        similar *= truth.boxes.label[a][:, None] == pred.boxes.label[b]
        taken = np.zeros((len(a), T), np.bool_)
        for j, row in enumerate(b):
            hit = np.zeros(T, np.bool_)
            for t, threshold in enumerate(thresholds):
                free = similar[:, j] if old else np.where(taken[:, t], 0, similar[:, j])
                g = int(free.argmax()) if len(a) else -1
                if g >= 0 and free[g] >= threshold and not taken[g, t]:
                    taken[g, t] = hit[t] = True
            hits.append(hit)
            scores.append(pred.boxes.score[row])
            labels.append(pred.boxes.label[row])
    order = np.argsort(-np.array(scores))
    hit, label = np.array(hits)[order], np.array(labels)[order]
    x, found = np.linspace(0, 1, 101), np.zeros((N_CLASSES, T))
    for k in range(N_CLASSES):
        for t in range(T):
            true = np.cumsum(hit[label == k, t])
            recall, precision = true / n_truth[k], true / np.arange(1, len(true) + 1)
            ends = [1.0] if old else [recall[-1], 1.0]
            recall = np.concatenate([[0.0], recall, ends])
            precision = np.concatenate([[1.0], precision, [0.0] * len(ends)])
            height = np.interp(x, recall, np.maximum.accumulate(precision[::-1])[::-1])
            found[k, t] = np.trapezoid(height, x)
    return float(found.mean()), float(found[:, 0].mean())


def without_areas(truth: Poses) -> Poses:
    """Return truth as YOLO's files have it: objects have boxes, and no areas of their own."""
    return dataclasses.replace(truth, boxes=dataclasses.replace(truth.boxes, area=None))


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_ultralytics(seed: int, old: bool) -> None:
    truth, pred = scene(seed)
    found = explain(truth, pred, against="ultralytics-8.3" if old else "ultralytics")
    wanted = ultralytics(truth, pred, old=old)
    assert wanted[0] > 0.05
    assert abs(found.tool_AP - wanted[0]) <= 1e-12
    assert abs(found.tool_AP50 - wanted[1]) <= 1e-12
    moved = {step.rule for step in found.steps if abs(step.change) > 1e-6}
    assert {"crowds", "unlabelled", "object size", "interpolation"} <= moved


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_ultralytics_without_areas(seed: int, old: bool) -> None:
    truth, pred = scene(seed)
    bare, tool = without_areas(truth), "ultralytics-8.3" if old else "ultralytics"
    found = explain(bare, pred, against=tool)
    wanted = ultralytics(bare, pred, old=old)
    assert wanted[0] > 0.05
    assert abs(found.tool_AP - wanted[0]) <= 1e-12
    assert abs(found.tool_AP50 - wanted[1]) <= 1e-12
    # What each rule moves is what it moves where the annotation's area is that of the box.
    size = truth.boxes.xywh[:, 2] * truth.boxes.xywh[:, 3]
    boxed = dataclasses.replace(truth, boxes=dataclasses.replace(truth.boxes, area=size))
    assert found.steps == explain(boxed, pred, against=tool).steps
