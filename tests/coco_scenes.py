"""Small COCO data sets with boxes, masks and keypoints, and results on them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["scene"]

HEIGHT, WIDTH = 50, 64


def scene(
    seed: int, *, n_images: int = 5, n_truth: int = 30, n_pred: int = 60, n_categories: int = 3
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return an annotation document and a list of results; scores and overlaps have ties.

    Each object has ``bbox``, ``segmentation`` (polygons, two of them in some; run lengths of
    crowds) and ``keypoints``; each result has a box, compressed run lengths and keypoints.
    """
    random = np.random.default_rng(seed)
    categories = [
        {"id": 3 * k + 1, "name": f"kind {k}", "supercategory": "any", "skeleton": [[1, 2], [2, 3]]}
        for k in range(n_categories)
    ]
    images = [
        {"id": 7 * i + 2, "height": HEIGHT, "width": WIDTH, "file_name": f"{i}.png"}
        for i in range(n_images)
    ]
    annotations = []
    for i in range(n_truth):
        box = _box(random)
        crowd = int(random.random() < 0.15)
        annotations.append(
            {
                "id": i + 1,
                "image_id": _one(random, images)["id"],
                "category_id": _one(random, categories)["id"],
                "bbox": box,
                "area": _one(random, [box[2] * box[3], 1024, 9216.0, 400.5]),
                "iscrowd": crowd,
                "ignore": int(random.random() < 0.2),
                "segmentation": _runs(random) if crowd else _polygons(random, box),
                **_keypoints(random, box),
            }
        )
    results = []
    for _ in range(n_pred):
        near = _one(random, annotations) if annotations and random.random() < 0.7 else None
        box = near["bbox"] if near else _box(random)
        box = [float(x) for x in np.maximum(np.add(box, random.integers(-2, 3, 4)), [0, 0, 1, 1])]
        results.append(
            {
                "image_id": (near or _one(random, annotations or [{"image_id": 2}]))["image_id"],
                "category_id": near["category_id"] if near else _one(random, categories)["id"],
                "score": float(random.integers(1, 12) / 12),
                "bbox": box,
                "segmentation": _compressed(box),
                "keypoints": _keypoints(random, box)["keypoints"],
            }
        )
    document = {
        "info": {"year": 2017},
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }
    return document, results


def _one(random: np.random.Generator, values: list[Any]) -> Any:
    return values[int(random.integers(len(values)))]


def _box(random: np.random.Generator) -> list[float]:
    left, top = random.integers(0, 8, 2) * 5.0
    width, height = random.integers(1, 6, 2) * 4.5
    return [float(left), float(top), float(width), float(height)]


def _polygons(random: np.random.Generator, box: list[float]) -> list[list[float]]:
    left, top, width, height = box
    right, bottom = left + width, top + height
    whole = [left, top, left, bottom, right, bottom, right, top]
    if random.random() < 0.3:
        return [whole, [left - 3, top, left + 9, top - 4.0, left, top + 7.5]]
    return [whole]


def _runs(random: np.random.Generator) -> dict[str, Any]:
    inside = int(random.integers(20, 1500))
    before = int(random.integers(0, HEIGHT * WIDTH - inside))
    return {"size": [HEIGHT, WIDTH], "counts": [before, inside, HEIGHT * WIDTH - before - inside]}


def _compressed(box: list[float]) -> dict[str, Any]:
    from pycocotools import mask

    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    left, top, width, height = (int(x) for x in box)
    pixels[top : top + height, left : left + width] = 1
    encoded: dict[str, Any] = mask.encode(pixels)
    return encoded


def _keypoints(random: np.random.Generator, box: list[float]) -> dict[str, Any]:
    n = 17
    x = box[0] + random.integers(0, 9, n) / 8 * box[2]
    y = box[1] + random.integers(0, 9, n) / 8 * box[3]
    seen = random.integers(0, 3, n) * int(random.random() < 0.8)
    numbers = np.stack([x, y, seen], axis=1).ravel().tolist()
    return {"keypoints": numbers, "num_keypoints": int(np.count_nonzero(seen))}
