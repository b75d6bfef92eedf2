"""Boxes on a lattice: equal IoU, IoU exactly at thresholds, tiny boxes, twins, truth of id 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from snellen import Boxes

__all__ = ["lattice"]


def lattice(
    seed: int,
    *,
    n_images: int = 8,
    n_classes: int = 4,
    n_truth: int = 90,
    n_pred: int = 500,
    scale: float = 1.0,
) -> tuple[Boxes, Boxes]:
    """Return truth, some of it crowds and some ignored, and predictions.

    The last class is only predicted, the last image empty of truth. `scale` is that of all boxes.
    """
    random = np.random.default_rng(seed)

    def boxes(n: int) -> Any:
        place = np.stack([random.integers(0, 20, n) * 5, random.integers(0, 3, n) * 50], axis=1)
        size = random.choice([1, 20, 20, 20, 40], (n, 2), shuffle=False)
        return np.concatenate([place, size], axis=1).astype(float)

    truth = boxes(n_truth)
    image = random.integers(n_images - 1, size=n_truth)
    label = random.integers(n_classes - 1, size=n_truth)
    source = random.integers(n_truth, size=n_pred)
    pred = truth[source].copy()
    pred[:, 2:] *= random.choice([1, 0.95, 0.9, 0.8, 0.75, 0.7, 0.55, 0.5], (n_pred, 2))
    pred[:, :2] += random.choice([0, 0, 1, 2, 2.5], (n_pred, 2))
    far = random.random(n_pred) < 0.2
    pred[far] = boxes(int(far.sum()))
    score = random.integers(0, 12, n_pred) / 12
    columns: dict[str, Any] = {
        "image_ids": range(n_images),
        "classes": dict.fromkeys(range(n_classes), ""),
    }
    return (
        Boxes.from_xywh(
            truth * scale,
            image_id=image,
            label=label,
            crowd=random.random(n_truth) < 0.1,
            ignored=random.random(n_truth) < 0.1,
            id=random.permutation(n_truth),
            **columns,
        ),
        Boxes.from_xywh(
            pred * scale,
            image_id=np.where(random.random(n_pred) < 0.02, n_images - 1, image[source]),
            label=np.where(
                random.random(n_pred) < 0.15, random.integers(n_classes, size=n_pred), label[source]
            ),
            score=score,
            **columns,
        ),
    )
