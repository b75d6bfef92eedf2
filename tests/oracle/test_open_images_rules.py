"""Open Images' rules on random data beside a plain version of them, to the last bit.

TensorFlow's evaluators (per_image_evaluation.py, object_detection_evaluation.py,
metrics.py) are the reference; this says their rules in other words. tests/unit/test_open_images.py
holds the numbers of their own tests, which the plain version has too. They sort unstably: here
equal scores go by image, then by row.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.open_images_rules import PlainObject, plain_average_precisions

from snellen import AveragePrecision, Boxes, average_precision
from snellen.detection.protocols import PROTOCOLS
from snellen.detection.verified_labels import VerifiedLabels

N_IMAGES, N_CLASSES = 6, 4


def random_set(seed: int) -> tuple[list[PlainObject], list[PlainObject], set[tuple[int, int]]]:
    """Return truth, predictions, and the classes that were looked for, all of few positions."""
    random = np.random.default_rng(seed)

    def box(sizes: list[int]) -> tuple[float, float, float, float]:
        left, top = random.integers(0, 30, 2)
        width, height = random.choice(sizes, 2)
        return float(left), float(top), float(left + width), float(top + height)

    truth: list[PlainObject] = []
    for _ in range(int(random.integers(4, 160))):
        is_group = bool(random.random() < 0.25)
        truth.append(
            PlainObject(
                int(random.integers(0, N_IMAGES)),
                # Of the last class there are groups alone.
                int(random.integers(0, N_CLASSES - 1)) if not is_group else N_CLASSES - 1
                if random.random() < 0.3 else int(random.integers(0, N_CLASSES - 1)),
                box([10, 20, 40] if is_group else [0, 5, 10, 10, 20]),
                is_group=is_group,
                is_difficult=bool(random.random() < 0.1) and not is_group,
            )
        )  # fmt: skip
    pred: list[PlainObject] = []
    for _ in range(int(random.integers(0, 400))):
        like = truth[random.integers(len(truth))]
        moved = [float(x) for x in np.add(like.box, random.choice([0, 0, 1, -1, 5], 4))]
        if random.random() < 0.3:
            # In the upper left of it.
            moved[2:] = [moved[0] + 5, moved[1] + float(random.choice([0, 5, 10]))]
        moved[2:] = [max(moved[0], moved[2]), max(moved[1], moved[3])]
        pred.append(
            PlainObject(
                like.image,
                like.label if random.random() < 0.9 else int(random.integers(0, N_CLASSES)),
                (moved[0], moved[1], moved[2], moved[3]),
                score=float(random.integers(1, 12)) / 12,
            )
        )
    looked_for = {
        (image, label)
        for image in range(N_IMAGES)
        for label in range(N_CLASSES)
        if random.random() < 0.3
    }
    return truth, pred, looked_for


def columns(rows: list[PlainObject], **more: Any) -> Boxes:
    return Boxes.from_xyxy(
        np.array([each.box for each in rows]).reshape(-1, 4),
        image_id=np.array([each.image for each in rows], np.int64),
        label=np.array([each.label for each in rows], np.int64),
        image_ids=np.arange(N_IMAGES),
        classes={k: f"c{k}" for k in range(N_CLASSES)},
        **more,
    )


def both(
    truth: list[PlainObject], pred: list[PlainObject], looked_for: set[tuple[int, int]]
) -> tuple[Boxes, Boxes]:
    boxes = columns(
        truth,
        crowd=[each.is_group for each in truth],
        ignored=[each.is_difficult for each in truth],
    )
    pairs = sorted(looked_for)
    verified = VerifiedLabels.from_ids(
        image_id=np.array([image for image, _ in pairs], np.int64),
        label=np.array([label for _, label in pairs], np.int64),
        images=boxes.images,
        classes=boxes.classes,
    )
    return (
        dataclasses.replace(boxes, verified=verified),
        columns(pred, score=[each.score for each in pred]),
    )


def of_classes(truth: Boxes, pred: Boxes, rules: Any) -> NDArray[np.float64]:
    result = average_precision(truth, pred, protocol=rules)
    return np.array([each["AP"] for each in result.per_class()])


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75])
def test_to_the_last_bit(seed: int, threshold: float) -> None:
    truth, pred, looked_for = random_set(seed)
    for name, weight, verified in (
        ("open-images", 0, None),
        ("open-images-challenge", 1, looked_for),
    ):
        rules = dataclasses.replace(PROTOCOLS[name], iou_thresholds=(threshold,))
        got = of_classes(*both(truth, pred, looked_for), rules)
        want = plain_average_precisions(
            truth, pred, N_CLASSES, threshold=threshold, group_weight=weight, looked_for=verified
        )
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("seed", range(10))
def test_several_thresholds_are_each_alone(seed: int) -> None:
    truth, pred, looked_for = random_set(seed)
    columns_of = both(truth, pred, looked_for)
    rules = dataclasses.replace(PROTOCOLS["open-images-challenge"], iou_thresholds=(0.3, 0.5, 0.75))
    together = average_precision(*columns_of, protocol=rules)
    for t, threshold in enumerate(rules.iou_thresholds):
        alone = dataclasses.replace(rules, iou_thresholds=(threshold,))
        one = average_precision(*columns_of, protocol=alone)
        np.testing.assert_array_equal(together.precision[t], one.precision[0])
        np.testing.assert_array_equal(together.recall[t], one.recall[0])


def test_resampled_as_computed_and_merged_as_whole() -> None:
    truth, pred, looked_for = random_set(3)
    whole = both(truth, pred, looked_for)
    for name in ("open-images", "open-images-challenge"):
        metric = AveragePrecision(protocol=name).update(*whole)
        once = np.ones((1, N_IMAGES), np.int32)
        assert metric.units().values(once)["AP"].tolist() == [metric.compute().AP]
        assert AveragePrecision.from_bytes(metric.to_bytes()).compute().AP == metric.compute().AP


def test_data_is_of_all_sorts() -> None:
    """Groups found and not found, several in one, predictions of what nobody looked for."""
    seen = dict.fromkeys(("absorbed", "unverified", "empty", "difficult", "only groups"), 0)
    for seed in range(20):
        truth, pred, looked_for = random_set(seed)
        one, two = both(truth, pred, looked_for)
        kept = plain_average_precisions(
            truth, pred, N_CLASSES, threshold=0.5, group_weight=0, looked_for=None
        )
        seen["only groups"] += bool(np.isnan(kept[-1]))
        seen["difficult"] += any(each.is_difficult for each in truth)
        seen["empty"] += any(min(each.size) == 0 for each in pred)
        metric = AveragePrecision(protocol="open-images-challenge").update(one, two)
        seen["unverified"] += metric.compute().data["n_unverified"] > 0
        no_groups = [dataclasses.replace(each, is_group=False) for each in truth]
        other = plain_average_precisions(
            no_groups, pred, N_CLASSES, threshold=0.5, group_weight=0, looked_for=None
        )
        seen["absorbed"] += not np.array_equal(kept, other, equal_nan=True)
    assert min(seen.values()) > 5, seen
