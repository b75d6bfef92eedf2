"""Poses against the installed pycocotools: similarities and curves, to the last bit."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import AreaRange, AveragePrecision, get_threads, set_threads
from snellen.detection.candidates import coded
from snellen.detection.oks import oks, oks_candidates
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO_KEYPOINTS_STRICT
from snellen.detection.sigmas import COCO_SIGMAS

Records = list[dict[str, Any]]

N_KEYPOINTS = [1, 4, 7, 8, 14, 17, 133, 300]
CATEGORIES = (3, 8)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def random_records(
    random: np.random.Generator, n_keypoints: int, *, n_images: int = 6
) -> tuple[Records, Records]:
    """Return annotations and results whose similarities lie anywhere from 0 to 1."""
    truth: Records = []
    pred: Records = []
    for image_id in range(100, 100 + n_images):
        for _ in range(random.integers(0, 7)):
            x, y = random.uniform(0, 300, 2)
            w, h = random.uniform(1, 200, 2)
            whole = bool(random.integers(2))
            points = np.column_stack(
                [
                    random.uniform(x, x + w, n_keypoints),
                    random.uniform(y, y + h, n_keypoints),
                    random.integers(0, 3, n_keypoints),
                ]
            )
            if whole:
                points = points.astype(int)
            if random.random() < 0.25:
                points[:, 2] = 0
            points[points[:, 2] == 0, :2] = 0
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": image_id,
                    "category_id": int(random.choice(CATEGORIES)),
                    "keypoints": points.reshape(-1).tolist(),
                    "num_keypoints": int((points[:, 2] > 0).sum()),
                    "bbox": [x, y, w, h],
                    "area": float(random.choice([w * h * 0.6, round(w * h), 0.0, 1e-3])),
                    "iscrowd": int(random.random() < 0.2),
                }
            )
        here = [record for record in truth if record["image_id"] == image_id]
        for _ in range(random.integers(0, 12)):
            category_id = int(random.choice(CATEGORIES))
            if here and random.random() < 0.8:
                near = here[random.integers(len(here))]
                category_id = near["category_id"]
                points = np.array(near["keypoints"], float).reshape(-1, 3)
                points[:, :2] += random.normal(0, random.choice([0, 0.5, 3, 10]), (n_keypoints, 2))
            else:
                points = random.uniform(0, 400, (n_keypoints, 3))
            pred.append(
                {
                    "image_id": image_id,
                    "category_id": category_id,
                    "keypoints": points.reshape(-1).tolist(),
                    "score": float(random.integers(0, 8)) / 8,
                }
            )
    return truth, pred


def reference(truth: Records, pred: Records, sigmas: Any, *, n_images: int = 6) -> COCOeval:
    """Return pycocotools' evaluator, its data prepared."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(100, 100 + n_images)],
        "categories": [{"id": i, "name": str(i)} for i in CATEGORIES],
        "annotations": truth,
    }
    with quiet():
        coco.createIndex()
        evaluator = COCOeval(coco, coco.loadRes([dict(record) for record in pred]), "keypoints")
        evaluator.params.kpt_oks_sigmas = np.array(sigmas)
        evaluator._prepare()
    return evaluator


def columns_of(records: Records, n_images: int = 6) -> dict[str, Any]:
    return {
        "keypoints": [record["keypoints"] for record in records],
        "image_id": [record["image_id"] for record in records],
        "label": [record["category_id"] for record in records],
        "image_ids": range(100, 100 + n_images),
        "classes": {i: str(i) for i in CATEGORIES},
    }


def poses(truth: Records, pred: Records, n_images: int = 6) -> tuple[Poses, Poses]:
    return (
        Poses.from_keypoints(
            **columns_of(truth, n_images),
            box=[record["bbox"] for record in truth],
            area=[record["area"] for record in truth],
            crowd=[record["iscrowd"] for record in truth],
            id=[record["id"] for record in truth],
        ),
        Poses.from_keypoints(
            **columns_of(pred, n_images), score=[record["score"] for record in pred]
        ),
    )


def dense(found: dict[str, Any], n_pred: int, n_truth: int) -> Any:
    """Return candidates as a matrix; −1 where there is none."""
    matrix = np.full((n_pred, n_truth), -1.0)
    row = np.repeat(np.arange(n_pred), np.diff(found["begin"]))
    matrix[row, found["truth"]] = found["similarity"]
    assert np.count_nonzero(matrix != -1) == len(row)
    same_pred = row[1:] == row[:-1]
    assert (found["truth"][1:][same_pred] > found["truth"][:-1][same_pred]).all()
    return matrix


def expected_matrix(
    evaluator: COCOeval, truth: Records, pred: Records, lowest: float, cap: int
) -> Any:
    """Return what the reference computes for each pair of a cell; −1 elsewhere."""
    evaluator.params.maxDets = [cap]
    matrix = np.full((len(pred), len(truth)), -1.0)
    for image_id in evaluator.params.imgIds:
        for category_id in evaluator.params.catIds:
            here = [
                [
                    i
                    for i, record in enumerate(side)
                    if (record["image_id"], record["category_id"]) == (image_id, category_id)
                ]
                for side in (truth, pred)
            ]
            found = evaluator.computeOks(image_id, category_id)
            if len(found) == 0:
                continue
            ranked = sorted(here[1], key=lambda i: -pred[i]["score"])[:cap]
            matrix[np.ix_(ranked, here[0])] = np.where(found >= lowest, found, -1.0)
    return matrix


@pytest.mark.parametrize("n_keypoints", N_KEYPOINTS)
@pytest.mark.parametrize("seed", range(4))
def test_every_pair_of_a_cell_equals_pycocotools(n_keypoints: int, seed: int) -> None:
    random = np.random.default_rng([n_keypoints, seed])
    truth_records, pred_records = random_records(random, n_keypoints)
    sigmas = COCO_SIGMAS if n_keypoints == 17 else random.uniform(0.02, 0.2, n_keypoints)
    evaluator = reference(truth_records, pred_records, sigmas)
    truth, pred = poses(truth_records, pred_records)
    for lowest in (-1.0, 0.0, 1e-300, 0.1, 0.5, 0.75, 1 - 1e-10, 1.0, 1.5):
        for cap in (1, 3, 20):
            expected = expected_matrix(evaluator, truth_records, pred_records, lowest, cap)
            found = oks_candidates(
                truth, pred, coded(truth, pred), sigmas, lowest=lowest, max_detections=cap
            )
            got = dense(found, len(pred), len(truth))
            assert got.tobytes() == expected.tobytes(), (lowest, cap)
    assert (expected_matrix(evaluator, truth_records, pred_records, 0.0, 20) > 0.5).any()


@pytest.mark.parametrize("n_keypoints", [4, 17])
def test_across_labels_every_pair_of_an_image(n_keypoints: int) -> None:
    random = np.random.default_rng(n_keypoints)
    truth_records, pred_records = random_records(random, n_keypoints)
    sigmas = random.uniform(0.02, 0.2, n_keypoints)
    one_class: list[Records] = [
        [{**record, "category_id": 3} for record in records]
        for records in (truth_records, pred_records)
    ]
    evaluator = reference(*one_class, sigmas)
    truth, pred = poses(truth_records, pred_records)
    for lowest in (0.0, 0.1, 0.5):
        expected = expected_matrix(evaluator, *one_class, lowest, 1000)
        found = oks_candidates(
            truth, pred, coded(truth, pred), sigmas, lowest=lowest, across_labels=True
        )
        assert dense(found, len(pred), len(truth)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("n_keypoints", N_KEYPOINTS)
def test_matrix_equals_pycocotools(n_keypoints: int) -> None:
    random = np.random.default_rng([9, n_keypoints])
    truth_records, pred_records = random_records(random, n_keypoints, n_images=8)
    sigmas = random.uniform(0.02, 0.2, n_keypoints)
    everything: list[Records] = [
        [{**record, "image_id": 100, "category_id": 3} for record in records]
        for records in (truth_records, pred_records)
    ]
    evaluator = reference(*everything, sigmas)
    expected = expected_matrix(evaluator, *everything, -1.0, 10**6)
    truth, pred = poses(truth_records, pred_records, n_images=8)
    assert oks(pred, truth, sigmas).tobytes() == expected.tobytes()


def test_many_pairs_go_through_in_blocks() -> None:
    """More terms than one call of the exponential takes, by several threads, in any order."""
    random = np.random.default_rng(5)
    truth_records, pred_records = random_records(random, 17, n_images=8)
    truth_records = [{**record, "id": i + 1} for i, record in enumerate(truth_records[:20] * 5)]
    pred_records = pred_records[:20] * 60
    everything: list[Records] = [
        [{**record, "image_id": 100, "category_id": 3} for record in records]
        for records in (truth_records, pred_records)
    ]
    expected = expected_matrix(reference(*everything, COCO_SIGMAS), *everything, 0.0, 10**6)
    truth, pred = poses(truth_records, pred_records, n_images=8)
    threads = get_threads()
    try:
        for n_threads in (1, 3):
            set_threads(n_threads)
            assert oks(pred, truth).tobytes() == expected.tobytes()
            order = random.permutation(len(pred))
            alone, shuffled = poses(*everything)
            shuffled = shuffled[order]
            found = oks_candidates(alone, shuffled, coded(alone, shuffled), lowest=0.3)
            wanted = np.where(expected >= 0.3, expected, -1.0)[order]
            assert dense(found, len(pred), len(truth)).tobytes() == wanted.tobytes()
    finally:
        set_threads(threads)


@pytest.mark.parametrize("n_keypoints", [1, 5, 17])
@pytest.mark.parametrize("seed", range(6))
def test_average_precision_equals_pycocotools(n_keypoints: int, seed: int) -> None:
    random = np.random.default_rng([3, n_keypoints, seed])
    truth_records, pred_records = random_records(random, n_keypoints, n_images=12)
    sigmas = COCO_SIGMAS if n_keypoints == 17 else random.uniform(0.02, 0.2, n_keypoints)
    for record in truth_records:  # sizes of all buckets
        record["area"] = float(random.choice([500, 1024, 5000, 9216, 20000]))
    evaluator = reference(truth_records, pred_records, sigmas, n_images=12)
    evaluator.params.maxDets = [int(random.choice([2, 20]))]
    with quiet():
        evaluator.evaluate()
        evaluator.accumulate()
    rules = dataclasses.replace(
        COCO_KEYPOINTS_STRICT,
        sigmas=tuple(sigmas),
        max_detections=tuple(evaluator.params.maxDets),
        area_ranges=tuple(
            AreaRange(label, *area)
            for label, area in zip(
                evaluator.params.areaRngLbl, evaluator.params.areaRng, strict=True
            )
        ),
    )
    truth, pred = poses(truth_records, pred_records, 12)
    result = AveragePrecision(protocol=rules).update(truth, pred).compute()
    for name in ("precision", "recall", "scores"):
        got = np.ascontiguousarray(getattr(result, name))
        assert got.tobytes() == evaluator.eval[name].tobytes(), name
    assert (result.precision > 0).any()


@pytest.mark.parametrize("caps", [(20,), (2,), (30,), (2, 20), (3, 20, 30)])
def test_the_ten_numbers_are_read_at_20_detections(caps: tuple[int, ...]) -> None:
    random = np.random.default_rng(11)
    truth_records, pred_records = random_records(random, 17, n_images=12)
    for record in truth_records:
        record["area"] = float(random.choice([1024, 5000, 9216, 20000]))
    evaluator = reference(truth_records, pred_records, COCO_SIGMAS, n_images=12)
    evaluator.params.maxDets = list(caps)
    with quiet():
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    rules = dataclasses.replace(COCO_KEYPOINTS_STRICT, max_detections=caps)
    result = AveragePrecision(protocol=rules).update(*poses(truth_records, pred_records, 12))
    numbers = result.compute().metrics
    values = [-1.0 if math.isnan(value) else value for value in numbers.values()]
    assert values == evaluator.stats.tolist()
    assert (max(values) > 0) == (20 in caps)
