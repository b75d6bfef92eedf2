"""Truth, and what a detector makes of it: moved, mislabelled, doubled and made up boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from snellen import Boxes

__all__ = ["scene"]


def scene(
    seed: int, n_images: int = 30, n_classes: int = 6, n_truth: int = 200, n_pred: int = 900
) -> tuple[Boxes, Boxes]:
    """Return truth, some of it crowds, and predictions; the last class is only predicted."""
    random = np.random.default_rng(seed)
    extent = 10 + random.random((n_truth, 2)) * 90
    box = np.concatenate([random.random((n_truth, 2)) * 300, extent], 1)
    image = random.integers(n_images, size=n_truth)
    label = random.integers(n_classes - 1, size=n_truth)
    source = random.integers(n_truth, size=n_pred)
    shift = random.normal(size=(n_pred, 4)) * box[source][:, [2, 3, 2, 3]] * 0.25
    moved = box[source] + shift * random.random((n_pred, 1))
    moved[:, 2:] = np.abs(moved[:, 2:])
    wrong = random.random(n_pred) < 0.25
    far = random.random(n_pred) < 0.2
    moved[far, :2] = random.random((int(far.sum()), 2)) * 300
    columns: dict[str, Any] = {
        "image_ids": range(n_images),
        "classes": dict.fromkeys(range(n_classes), ""),
    }
    return (
        Boxes.from_xywh(
            box, image_id=image, label=label, crowd=random.random(n_truth) < 0.1, **columns
        ),
        Boxes.from_xywh(
            moved,
            image_id=image[source],
            label=np.where(wrong, random.integers(n_classes, size=n_pred), label[source]),
            score=np.round(random.random(n_pred), 2),
            **columns,
        ),
    )
