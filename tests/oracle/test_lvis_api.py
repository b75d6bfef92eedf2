"""LVIS' rules on random data: the whole arrays of lvis-api 0.5.3, boxes and masks."""

from __future__ import annotations

import copy
import dataclasses
import logging
from typing import Any

import numpy as np
import pytest

from snellen import average_precision, read_coco_predictions
from snellen.detection.protocols import PROTOCOLS
from snellen.readers.lvis import read_lvis_truth

lvis = pytest.importorskip("lvis")
# Of lvis 0.5.3 (its log) and of pycocotools 2.0.11 under NumPy 2.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
]

N_IMAGES, N_CLASSES, SIDE = 12, 9, 40


def random_set(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return annotations and results with ties, no area, ignored truth, and unsought classes."""
    random = np.random.default_rng(seed)

    def box() -> list[float]:
        left, top = random.integers(0, 30, 2)
        # Some without area, and some whose area is a bound of the size ranges.
        width, height = random.choice(
            [0, 4, 8, 9, 10, 32, 96], 2, p=[0.03, 0.3, 0.2, 0.2, 0.2, 0.05, 0.02]
        )
        return [float(left), float(top), float(width), float(height)]

    images = []
    for k in range(N_IMAGES):
        sought = random.permutation(N_CLASSES)[: random.integers(0, 5)] + 1
        images.append(
            {
                "id": 3 * k + 1,
                "width": SIDE * 4,
                "height": SIDE * 4,
                "neg_category_ids": sought[:3].tolist(),
                "not_exhaustive_category_ids": sought[2:].tolist(),
            }
        )
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for _ in range(110):
        xywh = box()
        record = {
            "id": len(annotations) + 1,
            "image_id": int(random.choice([image["id"] for image in images])),
            "category_id": int(random.integers(1, N_CLASSES + 1)),
            "bbox": xywh,
            "area": xywh[2] * xywh[3],
            "segmentation": [corners(xywh)],
        }
        if random.random() < 0.1:
            record["ignore"] = 1
        annotations.append(record)
    for _ in range(500):
        like = annotations[random.integers(len(annotations))]
        xywh = [float(x) for x in np.add(like["bbox"], random.choice([0, 1, -1, 2], 4))]
        xywh = [xywh[0], xywh[1], max(xywh[2], 0), max(xywh[3], 0)]
        label = like["category_id"] if random.random() < 0.8 else random.integers(1, N_CLASSES + 1)
        results.append(
            {
                "image_id": like["image_id"],
                "category_id": int(label),
                "bbox": xywh,
                "score": float(random.integers(1, 20)) / 20,
            }
        )
    categories = [
        {"id": k + 1, "name": f"class {k}", "frequency": "rcf"[k % 3]} for k in range(N_CLASSES)
    ]
    return {"images": images, "annotations": annotations, "categories": categories}, results


def corners(xywh: list[float]) -> list[float]:
    x, y, w, h = xywh
    return [x, y, x, y + h, x + w, y + h, x + w, y]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("cap", [300, 20])
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_arrays(monkeypatch: pytest.MonkeyPatch, seed: int, cap: int, kind: str) -> None:
    # lvis 0.5.3 was written for an older NumPy.
    monkeypatch.setattr(np, "float", float, raising=False)
    logging.disable(logging.WARNING)
    try:
        truth, results = random_set(seed)
        ours = read_lvis_truth(copy.deepcopy(truth), kind="box" if kind == "bbox" else "mask")  # type: ignore[call-overload]
        if kind == "segm":
            # What has only a mask; of results the reference takes run lengths alone.
            from pycocotools import mask as mask_api

            for record in results:
                rle = mask_api.merge(
                    mask_api.frPyObjects([corners(record.pop("bbox"))], SIDE * 4, SIDE * 4)
                )
                record["segmentation"] = {"size": rle["size"], "counts": rle["counts"].decode()}
        pred = read_coco_predictions(copy.deepcopy(results), ours, complete=True)

        theirs = lvis.LVIS.__new__(lvis.LVIS)
        theirs.logger = logging.getLogger("lvis")
        theirs.dataset = copy.deepcopy(truth)
        theirs._create_index()
        evaluation = lvis.LVISEval(
            theirs, lvis.LVISResults(theirs, copy.deepcopy(results), max_dets=cap), kind
        )
        evaluation.run()
    finally:
        logging.disable(logging.NOTSET)
    rules = dataclasses.replace(PROTOCOLS["lvis-strict"], per_image=cap, max_detections=(cap,))
    result = average_precision(ours, pred, protocol=rules)
    np.testing.assert_array_equal(result.precision[..., 0], evaluation.eval["precision"])
    np.testing.assert_array_equal(result.recall[..., 0], evaluation.eval["recall"])
    numbers = list(result.metrics.values())
    wanted = list(evaluation.get_results().values())
    np.testing.assert_array_equal(np.nan_to_num(numbers, nan=-1.0), wanted)
    assert result.data["n_unverified"] > 0
