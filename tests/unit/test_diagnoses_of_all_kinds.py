"""The diagnoses of detectors on masks, poses and oriented boxes, and under rules that leave out."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, RleMasks
from snellen.detection.candidates import Objects
from snellen.detection.detection_confusion import detection_confusion
from snellen.detection.error_types import detection_errors
from snellen.detection.label_errors import label_errors
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.detection.verified_labels import VerifiedLabels

# Truth: a cat, a dog, a cow, a cow again. Predictions: the cat, a cow in the dog's place, a dog far
# from all. So: a wrong label, a missing box, a duplicate; cls, bkg, and two missed cows.
LEFT = {"truth": (0, 100, 200, 200), "pred": (0, 100, 300)}
LABEL = {"truth": (0, 1, 2, 2), "pred": (0, 2, 1)}
CLASSES = ["cat", "dog", "cow"]


def boxes(side: str) -> Boxes:
    n = len(LEFT[side])
    return Boxes.from_xywh(
        [(left, 0, 50, 50) for left in LEFT[side]],
        image_id=[1] * n,
        label=LABEL[side],
        score=None if side == "truth" else [0.9, 0.8, 0.7],
        classes=CLASSES,
    )


def corners(side: str) -> Any:
    return np.array([[(x, 0), (x + 50, 0), (x + 50, 50), (x, 50)] for x in LEFT[side]], float)


def of_kind(kind: str, side: str) -> Objects:
    if kind == "mask":
        shapes = corners(side).reshape(-1, 1, 8).tolist()
        return Masks(boxes(side), RleMasks.from_polygons(shapes, (100, 400)))
    if kind == "oriented":
        return OrientedBoxes(boxes(side), corners(side))
    if kind == "keypoints":
        points = np.random.default_rng(0).random((17, 2)) * 50
        found = [
            np.concatenate([np.add(points, (x, 0)), np.full((17, 1), 2.0)], 1) for x in LEFT[side]
        ]
        return Poses(boxes(side), np.array(found))
    return boxes(side)


@pytest.mark.parametrize("kind", ["box", "mask", "keypoints", "oriented"])
def test_every_kind(kind: str) -> None:
    truth, pred = of_kind(kind, "truth"), of_kind(kind, "pred")
    errors = detection_errors(truth, pred)
    counts = {name: errors.data[f"n_{name}"] for name in errors.kinds}
    assert counts == {"cls": 1, "loc": 0, "both": 0, "dupe": 0, "bkg": 1, "miss": 2}
    np.testing.assert_array_equal(
        detection_confusion(truth, pred).matrix,
        [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2], [0, 1, 0, 0]],
    )
    suspicions = label_errors(truth, pred).suspicions()
    assert [each["kind"] for each in suspicions] == ["duplicate", "wrong label", "missing box"]
    assert [each["box"][0] for each in suspicions] == [200, 100, 300]


def test_classes_that_nobody_looked_for() -> None:
    # Of the dog in the cat's image nobody looked; cows were looked for, but not all are listed.
    cat = Boxes.from_xywh([[0, 0, 50, 50]], image_id=[1], label=[0], classes=CLASSES)
    listed = VerifiedLabels.from_ids(
        image_id=[1], label=[2], exhaustive=[0], images=cat.images, classes=cat.classes
    )
    truth = dataclasses.replace(cat, verified=listed)
    pred = Boxes.from_xywh(
        [[0, 0, 50, 50], [100, 0, 50, 50], [200, 0, 50, 50]],
        image_id=[1, 1, 1],
        label=[0, 1, 2],
        score=[0.7, 0.9, 0.8],
        classes=CLASSES,
    )
    plain = detection_errors(cat, pred), detection_confusion(cat, pred), label_errors(cat, pred)
    assert (plain[0].AP, plain[1].precision, plain[2].data["n_missing_box"]) == (1 / 3, 1 / 3, 2)
    errors, confusion, labels = (
        diagnosis(truth, pred, protocol="lvis")
        for diagnosis in (detection_errors, detection_confusion, label_errors)
    )
    assert (errors.AP, confusion.precision, labels.data["n_missing_box"]) == (1.0, 1.0, 0)
    for result in errors, confusion, labels:
        assert result.data["n_unverified"] == 1
        assert "1 of classes that were not looked for" in result.composition()


def test_all_classes_as_one() -> None:
    from snellen.detection.protocols import COCO

    one = dataclasses.replace(COCO, class_agnostic=True)
    errors = detection_errors(boxes("truth"), boxes("pred"), protocol=one)
    assert (errors.data["n_cls"], errors.data["n_bkg"], errors.data["n_miss"]) == (0, 1, 2)
    np.testing.assert_array_equal(
        detection_confusion(boxes("truth"), boxes("pred"), protocol=one).matrix, [[2, 2], [1, 0]]
    )
