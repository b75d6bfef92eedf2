"""Random boxes on a coarse grid, so that IoUs, scores and areas tie all the time."""

from __future__ import annotations

from typing import Any

import numpy as np

from snellen import Boxes

__all__ = ["batch", "random_boxes"]


def random_boxes(seed: int, images: range, n: int, *, scored: bool) -> Boxes:
    """Return truth with crowds and ids, or scored boxes, in some of the images."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = (
        {"score": random.integers(0, 5, n) / 4}
        if scored
        else {"crowd": random.random(n) < 0.1, "id": np.arange(n) + 1000 * seed}
    )
    return Boxes.from_xywh(
        np.concatenate([random.integers(0, 3, (n, 2)) * 8, random.integers(1, 5, (n, 2)) * 8], 1),
        image_id=random.choice(images, n),
        label=random.integers(0, 3, n),
        image_ids=images,
        classes=["person", "car", "dog"],
        **columns,
    )


def batch(seed: int, images: range) -> tuple[Boxes, Boxes]:
    """Return truth and predictions."""
    return (
        random_boxes(seed, images, 20, scored=False),
        random_boxes(seed + 100, images, 60, scored=True),
    )
