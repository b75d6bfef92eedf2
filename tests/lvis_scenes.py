"""Small LVIS data sets with boxes and masks, and results on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.coco_scenes import scene

__all__ = ["federated_scene"]


def federated_scene(
    seed: int,
    *,
    n_images: int = 5,
    n_truth: int = 40,
    n_pred: int = 90,
    n_categories: int = 5,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return annotations and results of which not all classes were looked for in all images.

    Some truth is ignored and some has no area; some categories are not annotated exhaustively.
    """
    random = np.random.default_rng([seed, 1])
    document, results = scene(
        seed, n_images=n_images, n_truth=n_truth, n_pred=n_pred, n_categories=n_categories
    )
    ids = [category["id"] for category in document["categories"]]
    for k, category in enumerate(document["categories"]):
        category["frequency"] = "rcf"[k % 3]
        category["synset"] = f"thing.n.{k + 1:02}"
    for image in document["images"]:
        sought = random.permutation(ids)[: random.integers(0, len(ids) + 1)]
        n = len(sought) // 2
        image["neg_category_ids"] = sought[: n + 1].tolist()
        image["not_exhaustive_category_ids"] = sought[n:].tolist()
        image["coco_url"] = f"http://images.example/{image['id']}.jpg"
    for annotation in document["annotations"]:
        for name in ("iscrowd", "ignore", "keypoints", "num_keypoints"):
            del annotation[name]
        if random.random() < 0.1:
            annotation["ignore"] = 1
        if random.random() < 0.05:
            annotation["area"] = 0.0
    for result in results:
        del result["keypoints"]
    return document, results
