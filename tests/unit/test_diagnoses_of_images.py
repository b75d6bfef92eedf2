"""Every diagnosis takes one mapping of arrays for each image, and says what it says of columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from snellen import (
    AveragePrecision,
    DetectionConfusion,
    DetectionErrors,
    LabelErrors,
    LocalizationRecallPrecision,
    MetricSet,
    average_precision,
    detection_calibration,
    detection_confusion,
    detection_diagnosis,
    detection_errors,
    explain,
    image_table,
    label_errors,
    localization_recall_precision,
    metric_from_bytes,
    operating_points,
    slices_of_areas,
    slices_of_images,
    slices_of_objects,
)
from snellen.detection.objects_of_images import objects_of_images
from snellen.errors import IdError, InputError, MergeError, ShapeError, SnellenError

Records = list[dict[str, Any]]
IDS = ["d", "a", "c", "b"]
METRICS: dict[str, Callable[[str], Any]] = {
    "precision": lambda protocol: AveragePrecision(protocol=protocol),
    "errors": lambda protocol: DetectionErrors(protocol=protocol),
    "confusion": lambda protocol: DetectionConfusion(protocol=protocol, score_threshold=0.3),
    "labels": lambda protocol: LabelErrors(protocol=protocol),
    "lrp": lambda protocol: LocalizationRecallPrecision(protocol=protocol),
}
RESULTS: dict[str, Callable[[Any], Any]] = {
    "operating points": operating_points,
    "calibration": detection_calibration,
    "image table": image_table,
    "areas": lambda metric: slices_of_areas(metric),
    "slices": lambda metric: slices_of_images(metric, dict(zip(IDS, "ppqq", strict=True))),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "precision": average_precision,
    "errors": detection_errors,
    "confusion": detection_confusion,
    "labels": label_errors,
    "lrp": localization_recall_precision,
    "diagnosis": lambda *sides, **options: detection_diagnosis(
        *sides, slice_by="crowding", **options
    ),
    "slices": lambda *sides, **options: slices_of_objects(*sides, ["p", "q"] * 5, **options),
}
ARRAYS: dict[str, Callable[[Any], Any]] = {
    "lists": lambda values: values.tolist(),
    "torch": torch.tensor,
    "gradients": lambda values: (
        torch.tensor(values)
        if values.dtype == bool
        else torch.tensor(values.astype(float), requires_grad=True) * 1
    ),
    "numpy": np.asarray,
}


def rectangles(random: np.random.Generator, n: int) -> Any:
    corner = random.integers(0, 4, (n, 2)) * 3
    return np.concatenate([corner, corner + random.integers(2, 6, (n, 2))], 1).astype(float)


def objects(kind: str, n: int, random: np.random.Generator) -> dict[str, Any]:
    if kind == "oriented":
        place, extent = random.integers(0, 4, (n, 2)) * 5.0, random.integers(2, 6, (n, 2)) * 2.0
        return {"boxes": np.concatenate([place, extent, random.integers(0, 3, (n, 1)) * 0.25], 1)}
    boxes = rectangles(random, n)
    if kind == "mask":
        y, x = np.mgrid[:20, :20]
        left, top, right, bottom = boxes.T[:, :, None, None]
        return {"masks": (x >= left) & (x < right) & (y >= top) & (y < bottom)}
    if kind == "keypoints":
        points = np.concatenate([random.integers(0, 4, (n, 17, 2)) * 4, np.full((n, 17, 1), 2)], 2)
        return {"keypoints": points.astype(float)}
    return {"boxes": boxes}


def images(kind: str) -> tuple[Records, Records]:
    """Return ten truth objects, one of them a crowd, and predictions that tie."""
    random = np.random.default_rng(4)
    truth, pred = [], []
    for n in (4, 3, 0, 3):
        record = {**objects(kind, n, random), "labels": random.integers(1, 3, n)}
        other = objects(kind, n + 2, random)
        for name, values in other.items():
            values[:n] = record[name]  # found exactly, some under another class
        labels = np.where(
            random.random(n + 2) < 0.3, 1, np.resize(np.append(record["labels"], 2), n + 2)
        )
        pred.append({**other, "labels": labels, "scores": random.integers(1, 9, n + 2) / 8})
        truth.append({**record, "iscrowd": np.arange(n) == 3})
    return truth, pred


def made(records: Records, arrays: str) -> Records:
    return [{key: ARRAYS[arrays](values) for key, values in each.items()} for each in records]


def protocol_of(kind: str) -> str:
    return "coco-keypoints" if kind == "keypoints" else "coco"


def columns(kind: str, ids: Any = IDS) -> tuple[Any, Any]:
    similarity = "oriented" if kind == "oriented" else "own"
    return objects_of_images(*images(kind), image_id=np.array(ids), similarity=similarity)


def with_similarity(kind: str, metric: Any) -> Any:
    """Return what compares objects of a kind: nothing in a mapping says that boxes are oriented."""
    if kind != "oriented":
        return metric(protocol_of(kind))
    return metric(AveragePrecision(similarity="oriented").protocol)


@pytest.mark.parametrize("arrays", ARRAYS)
@pytest.mark.parametrize("kind", ["box", "mask", "keypoints", "oriented"])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric(name: str, kind: str, arrays: str) -> None:
    truth, pred = (made(side, arrays) for side in images(kind))
    whole = with_similarity(kind, METRICS[name]).update(*columns(kind))
    metric = with_similarity(kind, METRICS[name]).update(truth, pred, image_id=IDS)
    assert metric.to_bytes() == whole.to_bytes()
    # By twos, in another order, over two ranks.
    ranks = [metric.empty(), metric.empty()]
    for rank, rows in zip(ranks, (slice(2, 4), slice(0, 2)), strict=True):
        rank.update(truth[rows], pred[rows], image_id=IDS[rows])
    merged = ranks[0].merge(metric_from_bytes(ranks[1].to_bytes()))
    assert merged.to_bytes() == whole.to_bytes()
    assert metric.compute().to_dict() == whole.compute().to_dict()


@pytest.mark.parametrize("kind", ["box", "mask", "keypoints"])
@pytest.mark.parametrize("source", ["precision", "lrp"])
@pytest.mark.parametrize("name", RESULTS)
def test_every_result_of_a_metric(name: str, source: str, kind: str) -> None:
    if source == "lrp" and name in ("areas", "slices"):
        return  # of AveragePrecision alone
    metric, whole = (METRICS[source](protocol_of(kind)) for _ in range(2))
    metric.update(*(made(side, "torch") for side in images(kind)), image_id=IDS)
    whole.update(*columns(kind))
    assert RESULTS[name](metric).to_dict() == RESULTS[name](whole).to_dict()


@pytest.mark.parametrize("kind", ["box", "mask", "keypoints"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function(name: str, kind: str) -> None:
    """Of poses by the rules of poses, without saying so."""
    sides = [made(side, "torch") for side in images(kind)]
    found = FUNCTIONS[name](*sides, image_id=IDS)
    wanted = FUNCTIONS[name](*columns(kind))
    assert found.to_dict() == wanted.to_dict()
    assert FUNCTIONS[name](*sides).to_dict() == FUNCTIONS[name](*columns(kind, range(4))).to_dict()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_layouts(name: str) -> None:
    sides = images("box")
    wanted = FUNCTIONS[name](*sides)
    for each in (record for side in sides for record in side):
        first, last = each["boxes"][:, :2], each["boxes"][:, 2:]
        each["boxes"] = torch.tensor(np.concatenate([(first + last) / 2, last - first], 1))
    assert FUNCTIONS[name](*sides, box_format="cxcywh").to_dict() == wanted.to_dict()


@pytest.mark.parametrize("kind", ["box", "mask"])
def test_explain(kind: str) -> None:
    wanted = explain(*columns(kind, range(4)), against="torchmetrics").to_dict()
    assert explain(*images(kind), against="torchmetrics").to_dict() == wanted


@pytest.mark.parametrize("name", METRICS)
def test_images_without_ids(name: str) -> None:
    truth, pred = images("box")
    whole = METRICS[name]("coco").update(truth, pred)
    parts = [METRICS[name]("coco").update([t], [p]) for t, p in zip(truth, pred, strict=True)]
    merged = parts[0].empty()
    for part in parts:
        merged.merge(part)
    assert merged.to_bytes() == whole.to_bytes()
    with pytest.raises((IdError, MergeError)):
        whole.update(truth, pred, image_id=IDS)


@pytest.mark.parametrize("name", METRICS)
def test_after_an_error_it_is_as_it_was(name: str) -> None:
    truth, pred = images("box")
    metric = METRICS[name]("coco").update(truth, pred, image_id=IDS)
    before = metric.to_bytes()
    one = {"boxes": [[0, 0, 1, 1]], "labels": [1]}
    scored = {**one, "scores": [0.5]}
    wrong: list[tuple[Any, Any, dict[str, Any], type[SnellenError]]] = [
        (truth, pred, {"image_id": IDS}, IdError),  # again
        ([one], [scored, scored], {"image_id": ["e"]}, InputError),
        ([one], [{**scored, "scores": [float("nan")]}], {"image_id": ["e"]}, InputError),
        ([one], [{**scored, "boxes": [[0, 0, 1]]}], {"image_id": ["e"]}, ShapeError),
        ([one], [one], {"image_id": ["e"]}, SnellenError),
        ([one], [scored], {"image_id": ["e"], "box_format": "yxyx"}, InputError),
        ([one], columns("box")[1], {}, InputError),
        (*columns("mask", ["e", "f", "g", "h"]), {}, InputError),
        (*columns("box", ["e", "f", "g", "h"]), {"image_id": ["e"]}, InputError),
        ("truth", "pred", {}, SnellenError),
    ]
    for of_truth, of_pred, options, error in wrong:
        with pytest.raises(error):
            metric.update(of_truth, of_pred, **options)
        assert metric.to_bytes() == before
    assert metric.update([], []).to_bytes() == before


def test_a_set_of_all() -> None:
    truth, pred = images("box")
    metrics = MetricSet(**{name: make("coco") for name, make in METRICS.items()})
    for rows in (slice(0, 3), slice(3, 4)):
        metrics.update(made(truth[rows], "torch"), made(pred[rows], "torch"), image_id=IDS[rows])
    for name, result in metrics.compute().items():
        wanted = METRICS[name]("coco").update(*columns("box")).compute()
        assert result.to_dict() == wanted.to_dict()
