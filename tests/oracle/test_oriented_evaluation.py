"""Whole evaluations of oriented boxes: COCO's rules and those of DOTA's devkit.

IoU is Shapely's on the references' side. COCO's rules are pycocotools' with that IoU put in; the
devkit's (`DOTA_devkit/dota_evaluation_task1.py`) are written out below in plain Python.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import AveragePrecision, _core, get_threads, set_threads
from snellen.detection.oriented import OrientedBoxes

shapely = pytest.importorskip("shapely")

N_IMAGES, N_CLASSES = 12, 3
COLUMNS: dict[str, Any] = {"image_ids": range(N_IMAGES), "classes": {0: "a", 1: "b", 2: "c"}}


def scene(seed: int, *, crowds: bool) -> tuple[OrientedBoxes, OrientedBoxes]:
    """Return truth and predictions near it, scores with ties."""
    rng = np.random.default_rng(seed)
    n = 300
    box = np.stack(
        [
            rng.uniform(0, 400, n),
            rng.uniform(0, 400, n),
            rng.uniform(10, 160, n),
            rng.uniform(10, 160, n),
            rng.uniform(-3, 3, n),
        ],
        axis=1,
    )
    image, label = rng.integers(0, N_IMAGES, n), rng.integers(0, N_CLASSES, n)
    truth = OrientedBoxes.from_cxcywha(
        box,
        image_id=image,
        label=label,
        id=np.arange(1, n + 1),
        crowd=rng.random(n) < (0.1 if crowds else 0),
        ignored=rng.random(n) < 0.2,
        **COLUMNS,
    )
    which = rng.integers(0, n, 900)
    noise = rng.normal(0, 1, (900, 5)) * [5, 5, 8, 8, 0.15] * rng.choice([0.3, 1, 3], (900, 1))
    moved = box[which] + noise
    moved[:, 2:4] = np.abs(moved[:, 2:4])
    pred = OrientedBoxes.from_cxcywha(
        moved,
        image_id=image[which],
        label=np.where(rng.random(900) < 0.9, label[which], rng.integers(0, N_CLASSES, 900)),
        score=np.round(rng.random(900), 2),
        **COLUMNS,
    )
    return truth, pred


def overlaps(pred: OrientedBoxes, truth: OrientedBoxes, crowd: NDArray[Any]) -> NDArray[np.float64]:
    theirs_pred, theirs_truth = shapely.polygons(pred.corners), shapely.polygons(truth.corners)
    common = shapely.area(shapely.intersection(theirs_pred[:, None], theirs_truth[None]))
    area_pred, area_truth = shapely.area(theirs_pred)[:, None], shapely.area(theirs_truth)[None]
    joint = area_pred + area_truth - common
    found: NDArray[np.float64] = common / np.where(crowd[None] != 0, area_pred, joint)
    return found


def rows_of(boxes: OrientedBoxes) -> list[dict[str, Any]]:
    area, score, crowd = boxes.boxes.area, boxes.boxes.score, boxes.boxes.crowd
    assert area is not None
    return [
        {
            "id": i + 1,
            "image_id": int(boxes.boxes.image[i]),
            "category_id": int(boxes.boxes.label[i]),
            "bbox": boxes.boxes.xywh[i].tolist(),
            "area": float(area[i]),
            "iscrowd": 0 if crowd is None else int(crowd[i]),
            **({} if score is None else {"score": float(score[i])}),
        }
        for i in range(len(boxes))
    ]


class OrientedCOCOeval(COCOeval):  # type: ignore[misc]
    truth: OrientedBoxes
    pred: OrientedBoxes

    def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803 - its names
        gt = self._gts[imgId, catId]
        dt = self._dts[imgId, catId]
        if not gt and not dt:
            return []
        order = np.argsort([-d["score"] for d in dt], kind="mergesort")
        dt = [dt[i] for i in order[: self.params.maxDets[-1]]]
        crowd = np.array([g["iscrowd"] for g in gt], np.uint8)
        return overlaps(
            self.pred[np.array([d["id"] - 1 for d in dt], np.int64)],
            self.truth[np.array([g["id"] - 1 for g in gt], np.int64)],
            crowd,
        )


def evaluator(truth: OrientedBoxes, pred: OrientedBoxes) -> OrientedCOCOeval:
    sides = []
    with contextlib.redirect_stdout(io.StringIO()):
        for boxes in (truth, pred):
            coco = COCO()
            coco.dataset = {
                "images": [{"id": i} for i in range(N_IMAGES)],
                "categories": [{"id": k} for k in range(N_CLASSES)],
                "annotations": rows_of(boxes),
            }
            coco.createIndex()
            sides.append(coco)
        evaluation = OrientedCOCOeval(*sides, "bbox")
    evaluation.truth, evaluation.pred = truth, pred
    return evaluation


def reference(truth: OrientedBoxes, pred: OrientedBoxes) -> dict[str, Any]:
    evaluation = evaluator(truth, pred)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {**evaluation.eval, "stats": evaluation.stats}


@pytest.mark.parametrize("seed", range(4))
def test_coco_rules(seed: int) -> None:
    truth, pred = scene(seed, crowds=seed % 2 == 1)
    result = AveragePrecision(protocol="coco-strict").update(truth, pred).compute()
    want = reference(truth, pred)
    np.testing.assert_array_equal(result.precision, want["precision"])
    np.testing.assert_array_equal(result.recall, want["recall"])
    np.testing.assert_array_equal(result.scores, want["scores"])
    assert want["stats"][0] == result.AP
    assert 0.1 < result.AP < 0.9
    # Turned boxes are not the upright ones around them.
    upright = AveragePrecision(protocol="coco-strict").update(truth.boxes, pred.boxes).compute()
    assert upright.AP != result.AP


def test_threads_change_nothing() -> None:
    truth, pred = scene(9, crowds=True)
    before = get_threads()
    found = []
    for n in (1, 3):
        set_threads(n)
        found.append(AveragePrecision().update(truth, pred).to_bytes())
    set_threads(before)
    assert found[0] == found[1]


# ---- DOTA's devkit -------------------------------------------------------------------------------


def devkit(truth: OrientedBoxes, pred: OrientedBoxes, label: int) -> list[tuple[float, str]]:
    """Return score and fate of each detection of a class, as ``voc_eval`` decides it."""
    rows = np.flatnonzero(pred.boxes.label == label)
    score, difficult = pred.boxes.score, truth.boxes.ignored
    assert score is not None
    assert difficult is not None
    rows = rows[np.argsort(-score[rows], kind="stable")]
    taken = set()
    fates = []
    for d in rows:
        mine = np.flatnonzero(
            (truth.boxes.image == pred.boxes.image[d]) & (truth.boxes.label == label)
        )
        fate = "false"
        if len(mine):
            iou = overlaps(pred[d : d + 1], truth[mine], np.zeros(len(mine)))[0]
            best = int(np.argmax(iou))
            if iou[best] > 0.5:
                if difficult[mine[best]]:
                    fate = "left out"
                elif mine[best] not in taken:
                    fate = "true"
                    taken.add(mine[best])
        fates.append((float(score[d]), fate))
    return fates


@pytest.mark.parametrize("seed", range(4))
def test_devkit_rules(seed: int) -> None:
    truth, pred = scene(10 + seed, crowds=False)
    # The devkit asks for more than 0.5.
    threshold = float(np.nextafter(0.5, 1))
    sizes: dict[str, Any] = {"n_images": N_IMAGES, "n_labels": N_CLASSES}
    crowd = np.zeros(len(truth), np.uint8)
    pairs = _core.oriented_candidates(
        truth.boxes.image, truth.boxes.label, truth.corners.reshape(-1, 8), crowd,
        pred.boxes.image, pred.boxes.label, pred.corners.reshape(-1, 8),
        lowest=threshold, across_labels=False, **sizes,
    )  # fmt: skip
    assert truth.boxes.area is not None
    assert truth.boxes.ignored is not None
    assert pred.boxes.area is not None
    assert pred.boxes.score is not None
    found = _core.match_candidates(
        truth.boxes.image, truth.boxes.label, truth.boxes.area, crowd, truth.boxes.ignored,
        np.arange(1, len(truth) + 1), pred.boxes.image, pred.boxes.label, pred.boxes.area,
        pred.boxes.score, np.zeros(len(pred), np.uint8), *pairs.values(),
        iou_thresholds=[threshold], area_ranges=[[0.0, 1e10]], max_detections=1000,
        id_zero_is_no_match=False, best_only=True, **sizes,
    )  # fmt: skip
    names = {1: "true", 1 << 16: "false", 0: "left out"}
    kinds = set()
    for label in range(N_CLASSES):
        mine = found["pred_label"] == label
        ours = [
            (score, names[outcome])
            for score, outcome in zip(
                found["pred_score"][mine].tolist(),
                found["pred_outcome"][mine, 0, 0].tolist(),
                strict=True,
            )
        ]
        theirs = devkit(truth, pred, label)
        assert sorted(ours) == sorted(theirs)
        kinds |= {fate for _, fate in theirs}
    assert kinds == {"true", "false", "left out"}
