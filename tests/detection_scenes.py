"""Scenes for tests of detection: truth, what a detector makes of it, and what the reference says.

The outcomes are read from pycocotools' `evalImgs`, so that no line of Snellen stands behind them.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any, NamedTuple

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import Boxes

CLASSES = {1: "person", 2: "car", 5: "dog", 9: "kite"}


class Scene(NamedTuple):
    """Truth and predictions, as columns and as COCO's records."""

    truth: Boxes
    pred: Boxes
    truth_document: dict[str, Any]
    records: list[dict[str, Any]]


class Found(NamedTuple):
    """What became of one detection that counts."""

    image: int
    label: int
    score: float
    iou: float  # 0 for a false positive
    truth_id: int  # 0 for a false positive


class Told(NamedTuple):
    """What the reference says: detections that count, and (image, class) of truth that does."""

    found: list[Found]
    truth: list[tuple[int, int]]


def scene(
    seed: int,
    *,
    n_images: int = 12,
    n_truth: int = 60,
    n_pred: int = 150,
    crowd: float = 0.1,
    tied: bool = True,
) -> Scene:
    """Return boxes, and predictions of which most are moved copies of them.

    The last class has no truth; the last image has nothing.
    """
    random = np.random.default_rng(seed)
    ids = list(CLASSES)
    xywh = np.concatenate(
        [random.uniform(0, 200, (n_truth, 2)), random.uniform(10, 120, (n_truth, 2))], axis=1
    )
    image = random.integers(1, n_images, n_truth)
    label = random.choice(ids[:-1], n_truth)
    source = random.integers(n_truth, size=n_pred)
    copied = random.random(n_pred) < 0.75
    moved = xywh[source] * random.uniform(0.8, 1.2, (n_pred, 4))
    other = np.concatenate(
        [random.uniform(0, 200, (n_pred, 2)), random.uniform(10, 120, (n_pred, 2))], axis=1
    )
    score = random.random(n_pred) ** 2
    if tied:
        score = np.round(score, 1)
    images = list(range(1, n_images + 1))
    truth = Boxes.from_xywh(
        xywh,
        image_id=image,
        label=label,
        crowd=random.random(n_truth) < crowd,
        id=np.arange(1, n_truth + 1),
        image_ids=images,
        classes=CLASSES,
    )
    pred = Boxes.from_xywh(
        np.where(copied[:, None], moved, other),
        image_id=np.where(copied, image[source], random.integers(1, n_images, n_pred)),
        label=np.where(copied, label[source], random.choice(ids, n_pred)),
        score=score,
        image_ids=images,
        classes=CLASSES,
    )
    return Scene(truth, pred, _document(truth), _records(pred))


def told(scene: Scene, iou_threshold: float = 0.5, area: str = "all") -> Told:
    """Return what pycocotools makes of a scene at one IoU threshold."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = scene.truth_document
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(scene.records), "bbox")
        evaluation.params.iouThrs = np.array([iou_threshold])
        evaluation.params.areaRng = [
            interval
            for interval, name in zip(
                evaluation.params.areaRng, evaluation.params.areaRngLbl, strict=True
            )
            if name == area
        ]
        evaluation.params.areaRngLbl = [area]
        evaluation.evaluate()
    return told_by(evaluation)


def told_by(evaluation: COCOeval) -> Told:
    """Return what an evaluation at one IoU threshold, in one area range, has made of it."""
    found: list[Found] = []
    counted: list[tuple[int, int]] = []
    for cell in evaluation.evalImgs:
        if cell is None:
            continue
        image, label = cell["image_id"], cell["category_id"]
        counted += [(image, label)] * int(np.count_nonzero(np.asarray(cell["gtIgnore"]) == 0))
        # The matrix has the cell's own orders: detections by score, truth as it is listed.
        ious = evaluation.ious[image, label]
        listed = [each["id"] for each in evaluation._gts[image, label]]
        for d, score in enumerate(cell["dtScores"]):
            if cell["dtIgnore"][0, d]:
                continue
            match = int(cell["dtMatches"][0, d])
            iou = float(ious[d][listed.index(match)]) if match else 0.0
            found.append(Found(image, label, score, iou, match))
    return Told(found, counted)


def _document(truth: Boxes) -> dict[str, Any]:
    assert truth.id is not None
    assert truth.crowd is not None
    images, classes = truth.images.ids.tolist(), truth.classes.keys.ids.tolist()
    return {
        "images": [{"id": i, "width": 400, "height": 400} for i in images],
        "categories": [{"id": i, "name": name} for i, name in CLASSES.items()],
        "annotations": [
            {
                "id": int(truth.id[row]),
                "image_id": images[truth.image[row]],
                "category_id": classes[truth.label[row]],
                "bbox": truth.xywh[row].tolist(),
                "area": float(truth.xywh[row, 2] * truth.xywh[row, 3]),
                "iscrowd": int(truth.crowd[row]),
            }
            for row in range(len(truth))
        ],
    }


def _records(pred: Boxes) -> list[dict[str, Any]]:
    assert pred.score is not None
    images, classes = pred.images.ids.tolist(), pred.classes.keys.ids.tolist()
    return [
        {
            "image_id": images[pred.image[row]],
            "category_id": classes[pred.label[row]],
            "bbox": pred.xywh[row].tolist(),
            "score": float(pred.score[row]),
        }
        for row in range(len(pred))
    ]
