"""The laws of metrics for average precision of masks, poses and oriented boxes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO_KEYPOINTS, CROWDPOSE
from snellen.errors import MergeError
from snellen.metric import metric_from_bytes
from snellen.testing import LAWS, MetricCase

Records = list[dict[str, Any]]
SIZE = 12


def fields_of_mask(random: np.random.Generator, n: int) -> dict[str, Any]:
    """Return rectangles on a coarse grid, so that IoUs and areas tie all the time."""
    low, extent = random.integers(0, 3, (n, 2)) * 3, random.integers(1, 4, (n, 2)) * 2
    y, x = np.mgrid[:SIZE, :SIZE]
    (top, left), (bottom, right) = (each.T[:, :, None, None] for each in (low, low + extent))
    return {
        "masks": (y >= top) & (y < bottom) & (x >= left) & (x < right),
        "boxes": np.concatenate([low, low + extent], 1)[:, [1, 0, 3, 2]],
    }


def fields_of_pose(random: np.random.Generator, n: int) -> dict[str, Any]:
    keypoints = random.integers(0, 4, (n, 14, 3)).astype(float)
    keypoints[:, :, :2] *= 5
    keypoints[:, 0, 2] = 2
    corner = random.integers(0, 3, (n, 2)) * 4
    return {
        "keypoints": keypoints,
        "boxes": np.concatenate([corner, corner + random.integers(1, 4, (n, 2)) * 60], 1),
        "area": random.choice([2000.0, 9216.0, 20000.0], n),
    }


def fields_of_oriented(random: np.random.Generator, n: int) -> dict[str, Any]:
    place, extent = random.integers(0, 3, (n, 2)) * 4, random.integers(1, 4, (n, 2)) * 6
    return {"boxes": np.concatenate([place, extent, random.integers(0, 4, (n, 1)) * 0.25], 1)}


@dataclasses.dataclass(frozen=True)
class Kind:
    """What there is of one kind of objects."""

    columns: Any
    fields: Callable[[np.random.Generator, int], dict[str, Any]]

    def side(self, seed: int, ids: range, n: int, *, scored: bool) -> Records:
        """Return the objects of images; up to n each."""
        random = np.random.default_rng(seed)
        records = []
        for _ in ids:
            n_here = int(random.integers(0, n + 1))
            record = self.fields(random, n_here)
            record["labels"] = random.choice([1, 2, 5], n_here)
            if scored:
                record.pop("area", None)
                record["scores"] = random.integers(0, 5, n_here) / 4
            else:
                record["iscrowd"] = random.random(n_here) < 0.1
                record["crowding"] = int(random.integers(0, 11)) / 10
            records.append(record)
        return records

    def batch(self, seed: int, ids: range, n: int = 5) -> tuple[Records, Records]:
        return (
            self.side(seed, ids, n, scored=False),
            self.side(seed + 100, ids, 2 * n, scored=True),
        )

    def made(self, records: tuple[Records, Records], ids: Any) -> tuple[Any, Any]:
        """Return truth and predictions as columns."""
        classes = {1: "person", 2: "car", 5: "dog"}
        truth, pred = (
            self.columns.from_images(side, image_id=ids, classes=classes) for side in records
        )
        return truth, pred


# Image ids interleave between batches; the last but one has images without an object.
IDS = [range(0, 24, 4), range(2, 20, 4), range(1, 9, 2), range(100, 103), range(50, 56)]
FEW_POINTS = dataclasses.replace(COCO_KEYPOINTS, name="people", sigmas=CROWDPOSE.sigmas)
MASK = Kind(Masks, fields_of_mask)
POSE = Kind(Poses, fields_of_pose)
ORIENTED = Kind(OrientedBoxes, fields_of_oriented)
METRICS: dict[str, tuple[Kind, dict[str, Any]]] = {
    "masks": (MASK, {"similarity": "mask"}),
    "masks, 2 and 5": (MASK, {"similarity": "mask", "max_detections": (2, 5)}),
    "boundaries": (MASK, {"similarity": "boundary"}),
    "boxes of masks": (MASK, {"similarity": "box"}),
    "poses": (POSE, {"protocol": FEW_POINTS}),
    "poses of CrowdPose": (POSE, {"protocol": "crowdpose"}),
    "oriented boxes": (ORIENTED, {"similarity": "oriented"}),
    "oriented boxes, VOC": (ORIENTED, {"similarity": "oriented", "protocol": "voc07"}),
}


def batches_of(kind: Kind) -> list[tuple[Records, Records]]:
    return [kind.batch(seed, ids, 0 if seed == 3 else 5) for seed, ids in enumerate(IDS)]


def perfect_of(kind: Kind, parameters: dict[str, Any]) -> tuple[Any, dict[str, float]]:
    """Return objects found exactly, at most one an image, and what comes of it."""
    truth = kind.side(7, range(6), 1, scored=False)
    pred = []
    for record in truth:
        n = len(record["labels"])
        record["iscrowd"] = np.zeros(n)
        fields = {k: v for k, v in record.items() if k not in ("iscrowd", "area", "crowding")}
        pred.append({**fields, "scores": np.full(n, 0.5)})
    protocol = AveragePrecision(**parameters).protocol
    recall = "AR"
    if protocol.interpolation == "points" and protocol.similarity != "keypoints":
        recall = f"AR_{protocol.max_detections[-1]}"
    return kind.made((truth, pred), range(6)), {recall: 1.0}


def case(kind: Kind, parameters: dict[str, Any]) -> MetricCase:
    records = batches_of(kind)
    batches = [kind.made(each, ids) for each, ids in zip(records, IDS, strict=True)]
    joined = [record for truth, _ in records[::-1] for record in truth]
    joined_pred = [record for _, pred in records[::-1] for record in pred]
    ids = [i for each in IDS[::-1] for i in each]
    good = {"labels": np.array([1]), **kind.fields(np.random.default_rng(0), 1)}

    def bad(**changes: Any) -> tuple[Records, Records]:
        return [good], [{**good, "scores": [0.5], **changes}]

    return MetricCase(
        lambda: AveragePrecision(**parameters),
        batches,
        whole=kind.made((joined, joined_pred), ids),
        bad_batches=[
            bad(scores=[math.nan]),
            bad(scores=[0.5, 0.5]),
            bad(labels=[1, 1]),
            (batches[0][0], batches[1][1]),  # images that truth does not have
            (batches[0][0], batches[0][0]),  # no scores
            (batches[0][0].boxes, batches[0][1]),  # of two kinds
        ],
        other_parameters=[
            lambda: AveragePrecision(**{**parameters, "max_detections": (3, 7)}),
        ],
        perfect=perfect_of(kind, parameters),
    )


CASES = {name: case(*made) for name, made in METRICS.items()}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


@pytest.mark.parametrize("metric", CASES)
def test_the_data_can_tell_results_apart(metric: str) -> None:
    case = CASES[metric]
    numbers = [str(case.fed(case.batches[:n]).compute().metrics) for n in range(6)]
    assert numbers[4] == numbers[3]  # a batch without objects
    assert len(set(numbers)) == 5
    assert 0 < case.fed(case.batches).compute().metrics["AP"] < 1


@pytest.mark.parametrize("metric", CASES)
@pytest.mark.parametrize("n_ranks", [2, 3, 7])
def test_gathered_bytes_are_one_evaluation(metric: str, n_ranks: int) -> None:
    """Each rank sends its bytes to all; all merge them in the order of ranks, as they come."""
    made, parameters = METRICS[metric]
    records, ids = batches_of(made), [list(each) for each in IDS]
    images = [
        (truth, pred, image)
        for (truths, preds), numbers in zip(records, ids, strict=True)
        for truth, pred, image in zip(truths, preds, numbers, strict=True)
    ]
    whole = AveragePrecision(**parameters)
    ranks = [whole.empty() for _ in range(n_ranks)]
    for i in range(0, len(images), 2):
        truth, pred, image = (list(each) for each in zip(*images[i : i + 2], strict=True))
        ranks[(i // 2) % n_ranks].update(truth, pred, image_id=image)
        whole.update(truth, pred, image_id=image)
    sent = [rank.to_bytes() for rank in ranks]
    for order in (range(n_ranks), range(n_ranks - 1, -1, -1)):
        gathered = whole.empty()
        for rank in order:
            gathered.merge(AveragePrecision.from_bytes(sent[rank]))
        assert gathered.to_bytes() == whole.to_bytes()
        assert str(gathered.compute()) == str(whole.compute())
    again = metric_from_bytes(sent[0])
    assert again.to_bytes() == sent[0]


def test_kinds_do_not_merge() -> None:
    metrics = [
        AveragePrecision().update(*CASES[name].batches[0]) for name in ("masks", "oriented boxes")
    ]
    with pytest.raises(MergeError, match="of objects of the kind mask, got oriented"):
        metrics[0].merge(metrics[1])
