"""LRP of poses, oriented boxes and boundaries: the paper's sums over pycocotools' matches.

The similarities are the references': pycocotools' OKS, Shapely's IoU, boundary-iou-api's erosion.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tests.detection_scenes import Told, told_by
from tests.oracle.test_boundaries import border_zone, iou
from tests.oracle.test_oks_pycocotools import poses, quiet, random_records, reference

from snellen import Boxes, Masks, RleMasks
from snellen.detection.localization_recall_precision import localization_recall_precision
from snellen.detection.localization_recall_precision_result import (
    LocalizationRecallPrecisionResult,
)
from snellen.detection.protocols import COCO as COCO_RULES
from snellen.detection.sigmas import COCO_SIGMAS

SIZE = (48, 64)
N_IMAGES, N_CLASSES = 6, 2


def at_threshold(evaluation: COCOeval, threshold: float) -> Told:
    """Return what an evaluation makes of its data at one threshold, whatever the size."""
    evaluation.params.iouThrs = np.array([threshold])
    evaluation.params.areaRng = evaluation.params.areaRng[:1]
    evaluation.params.areaRngLbl = evaluation.params.areaRngLbl[:1]
    with quiet():
        evaluation.evaluate()
    return told_by(evaluation)


def check(result: LocalizationRecallPrecisionResult, told: Told, threshold: float) -> None:
    """Compare oLRP, its parts and LRP at its threshold, class by class, with the paper's sums."""
    n_hits = 0
    for record in result.per_class():
        found = [each for each in told.found if each.label == record["id"]]
        n_truth = sum(label == record["id"] for _, label in told.truth)
        assert record["n_truth"] == n_truth
        if not n_truth:
            continue
        errors: dict[float, tuple[float, ...]] = {}
        for score in {each.score for each in found}:
            kept = [each for each in found if each.score >= score]
            ious = [each.iou for each in kept if each.iou > 0]
            tp, fp, fn = len(ious), len(kept) - len(ious), n_truth - len(ious)
            lost = math.fsum(1 - each for each in ious)
            if tp:
                lrp = (lost / (1 - threshold) + fp + fn) / (tp + fp + fn)
                errors[score] = (lrp, lost / tp, fp / (tp + fp), fn / n_truth)
        least = min((each[0] for each in errors.values()), default=1.0)
        assert record["olrp"] == pytest.approx(least, rel=1e-12)
        if least < 1:
            got = [record[f"olrp{part}"] for part in ("", "_loc", "_fp", "_fn")]
            assert got == pytest.approx(errors[record["threshold"]], rel=1e-12)
            n_hits += 1
    assert n_hits


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("seed", range(3))
def test_poses(seed: int, threshold: float) -> None:
    truth, pred = random_records(np.random.default_rng(seed), 17, n_images=12)
    evaluation = reference(truth, pred, COCO_SIGMAS, n_images=12)
    result = localization_recall_precision(
        *poses(truth, pred, 12), protocol="coco-keypoints", iou_threshold=threshold
    )
    check(result, at_threshold(evaluation, threshold), threshold)


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("seed", range(2))
def test_oriented_boxes(seed: int, threshold: float) -> None:
    pytest.importorskip("shapely")
    from tests.oracle import test_oriented_evaluation as oriented

    truth, pred = oriented.scene(seed, crowds=seed == 1)
    evaluation = oriented.evaluator(truth, pred)
    result = localization_recall_precision(truth, pred, iou_threshold=threshold)
    check(result, at_threshold(evaluation, threshold), threshold)


class BoundaryCOCOeval(COCOeval):  # type: ignore[misc]
    """pycocotools with the smaller of the IoU of masks and that of their border zones."""

    pictures: dict[str, list[Any]]

    def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803 - its names
        gt, dt = self._gts[imgId, catId], self._dts[imgId, catId]
        if not gt and not dt:
            return []
        order = np.argsort([-d["score"] for d in dt], kind="mergesort")
        return np.array(
            [
                [
                    min(iou(p, t), iou(border_zone(p, 0.02), border_zone(t, 0.02)))
                    for t in (self.pictures["truth"][g["id"] - 1] for g in gt)
                ]
                for p in (self.pictures["pred"][dt[i]["id"] - 1] for i in order)
            ]
        ).reshape(len(dt), len(gt))


def disks(random: np.random.Generator, n: int) -> list[Any]:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return [
        (rows - y) ** 2 + (columns - x) ** 2 <= r**2
        for y, x, r in zip(
            random.uniform(5, 43, n),
            random.uniform(5, 59, n),
            random.uniform(4, 20, n),
            strict=True,
        )
    ]


@pytest.mark.parametrize("threshold", [0.5, 0.7])
@pytest.mark.parametrize("seed", range(2))
def test_boundaries(seed: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    truth_pictures = disks(random, 40)
    source = random.integers(0, 40, 90)
    pred_pictures = [
        np.roll(truth_pictures[i], random.integers(-1, 2, 2), (0, 1))
        if random.random() < 0.8
        else other
        for i, other in zip(source.tolist(), disks(random, 90), strict=True)
    ]
    image, label = random.integers(0, N_IMAGES, 40), random.integers(0, N_CLASSES, 40)
    sides: list[Any] = []
    columns: list[Masks] = []
    for pictures, images, labels, score in (
        (truth_pictures, image, label, None),
        (pred_pictures, image[source], label[source], np.round(random.random(90), 1)),
    ):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(N_IMAGES)],
            "categories": [{"id": k} for k in range(N_CLASSES)],
            "annotations": [
                {
                    "id": i + 1,
                    "image_id": int(images[i]),
                    "category_id": int(labels[i]),
                    "area": float(pictures[i].sum()),
                    "iscrowd": 0,
                    **({} if score is None else {"score": float(score[i])}),
                }
                for i in range(len(pictures))
            ],
        }
        with quiet():
            coco.createIndex()
        sides.append(coco)
        boxes = Boxes.from_xywh(
            np.zeros((len(pictures), 4)),
            image_id=images,
            label=labels,
            score=score,
            area=[float(each.sum()) for each in pictures],
            image_ids=range(N_IMAGES),
            classes={0: "a", 1: "b"},
        )
        columns.append(Masks(boxes, RleMasks.from_arrays(np.array(pictures, np.uint8))))
    evaluation = BoundaryCOCOeval(*sides, "bbox")
    evaluation.pictures = {"truth": truth_pictures, "pred": pred_pictures}
    result = localization_recall_precision(
        *columns,
        protocol=dataclasses.replace(COCO_RULES, similarity="boundary"),
        iou_threshold=threshold,
    )
    check(result, at_threshold(evaluation, threshold), threshold)
    whole = localization_recall_precision(*columns, iou_threshold=threshold)
    assert whole.olrp < result.olrp  # masks are more alike than their borders
