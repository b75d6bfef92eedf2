"""The laws of metrics, over the diagnoses of detectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from snellen import Boxes
from snellen.detection.confusion_rules import CONFUSION_RULES
from snellen.detection.detection_confusion import DetectionConfusion
from snellen.detection.error_types import DetectionErrors
from snellen.detection.label_errors import LabelErrors
from snellen.testing import LAWS, MetricCase, detection_batches

CLASSES = ["person", "car", "dog"]


def batch(seed: int, images: Any, n_truth: int = 24) -> tuple[Boxes, Boxes]:
    """Return boxes on a coarse grid, so that similarities and scores tie all the time."""
    random = np.random.default_rng(seed)

    def boxes(n: int, **columns: Any) -> Boxes:
        place, extent = random.integers(0, 3, (n, 2)) * 8, random.integers(1, 5, (n, 2)) * 8
        return Boxes.from_xywh(
            np.concatenate([place, extent], 1),
            image_id=random.choice(images, n),
            label=random.integers(0, 3, n),
            image_ids=images,
            classes=CLASSES,
            **columns,
        )

    return (
        boxes(n_truth, crowd=random.random(n_truth) < 0.1, id=np.arange(n_truth) + 1000 * seed),
        boxes(3 * n_truth, score=random.integers(0, 9, 3 * n_truth) / 8),
    )


def joined(parts: list[Boxes]) -> Boxes:
    """Return the boxes of all parts, their rows in another order of images."""

    def column(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns)

    return Boxes.from_xywh(
        column("xywh"),
        image_id=np.concatenate([part.images.ids[part.image] for part in parts]),
        label=column("label"),
        score=column("score"),
        crowd=column("crowd"),
        id=column("id"),
        image_ids=np.concatenate([part.images.ids for part in parts]),
        classes=CLASSES,
    )


# Image ids interleave between batches; the last but one has images without a box.
BATCHES = [
    batch(0, np.arange(0, 24, 4)),
    batch(1, np.arange(2, 20, 4)),
    batch(2, np.arange(1, 9, 2)),
    batch(3, np.arange(100, 103), 0),
    batch(4, np.arange(50, 56)),
]
WHOLE = (joined([truth for truth, _ in BATCHES[::-1]]), joined([pred for _, pred in BATCHES[::-1]]))


def record(**changes: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    image = {"boxes": [[0.0, 0.0, 10.0, 10.0]], "labels": [1]}
    return [dict(image)], [{**image, "scores": [0.5], **changes}]


BAD = [
    record(boxes=[[0.0, 0.0, math.nan, 10.0]]),
    record(boxes=[[0.0, 0.0, math.inf, 10.0]]),
    record(scores=[math.nan]),
    record(scores=[-math.inf]),
    record(scores=[]),
    (BATCHES[0][0], BATCHES[1][1]),  # images that truth does not have
    (BATCHES[0][0], BATCHES[0][0]),  # no scores
    (BATCHES[0][0], record()[1]),
]

BOX = [[0, 0, 10, 10], [20, 0, 50, 50], [100, 0, 100, 100]]
PLACES: dict[str, Any] = {"image_id": [1, 1, 2], "label": [1, 2, 2]}
PERFECT = (
    Boxes.from_xywh(BOX, **PLACES),
    Boxes.from_xywh(BOX, score=[0.5, 0.9, 0.6], **PLACES),
)
NO_ERRORS = {
    "AP": 1.0,
    **{f"dAP_{name}": 0.0 for name in ("cls", "loc", "both", "dupe", "bkg", "miss", "fp", "fn")},
}
ALL_FOUND = dict.fromkeys(("precision", "recall", "f1", "recall_macro", "class_accuracy"), 1.0)
NO_SUSPICION = dict.fromkeys(("wrong_label_rate", "missing_box_rate", "duplicate_rate"), 0.0)


def case(make: Any, others: list[dict[str, Any]], perfect: Any, **parameters: Any) -> MetricCase:
    return MetricCase(
        lambda: make(**parameters),
        BATCHES,
        whole=WHOLE,
        bad_batches=BAD,
        other_parameters=[
            lambda changed=changed: make(**parameters | changed) for changed in others
        ],
        perfect=(PERFECT, perfect),
    )


CASES = {
    "DetectionErrors": case(
        DetectionErrors,
        [{"iou_threshold": 0.6}, {"max_detections": 7}, {"protocol": "coco-strict"}],
        NO_ERRORS,
    ),
    "DetectionErrors, 5 an image": case(
        DetectionErrors, [{}], NO_ERRORS, iou_threshold=0.75, max_detections=5
    )._replace(other_parameters=[DetectionErrors]),
    **{
        f"DetectionConfusion {rules}": case(
            DetectionConfusion,
            [{"score_threshold": 0.6}, {"rules": "class-first", "iou_threshold": 0.3}],
            ALL_FOUND,
            rules=rules,
        )
        for rules in CONFUSION_RULES
    },
    "DetectionConfusion from any score on": case(
        DetectionConfusion,
        [{"every_score": False}, {"rules": "supervision"}],
        ALL_FOUND,
        every_score=True,
    ),
    "LabelErrors": case(
        LabelErrors, [{"score_threshold": 0.6}, {"duplicate_threshold": 0.5}], NO_SUSPICION
    ),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


@pytest.mark.parametrize("metric", CASES)
def test_the_data_can_tell_results_apart(metric: str) -> None:
    case = CASES[metric]
    numbers = [str(case.fed(BATCHES[:n]).compute().metrics) for n in range(len(BATCHES) + 1)]
    assert numbers[4] == numbers[3]
    assert len(set(numbers)) == len(numbers) - 1


@settings(max_examples=40, deadline=None, derandomize=True)
@given(batches=detection_batches(max_images=6))
def test_random_data_in_any_shards_and_order(batches: list[tuple[Boxes, Boxes]]) -> None:
    for make in DetectionErrors, DetectionConfusion, LabelErrors:
        for law in ("sharding", "order", "bytes round trip"):
            LAWS[law](MetricCase(make, batches))


class ForgetsTruth(DetectionErrors):
    """Loses the other's truth when it merges."""

    __slots__ = ()

    def merge(self, other: Any, /) -> Any:
        kept = list(self._rows._tables["truth"]._pieces)
        super().merge(other)
        self._rows._tables["truth"]._pieces = kept
        return self


def test_the_laws_fail_on_a_broken_twin() -> None:
    broken = CASES["DetectionErrors"]._replace(make_metric=ForgetsTruth, other_parameters=())
    with pytest.raises(AssertionError, match="law broken: sharding"):
        LAWS["sharding"](broken)
