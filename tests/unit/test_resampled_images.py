"""Average precision of resampled images against evaluations of images that are really repeated."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, _core
from snellen.detection.protocols import COCO, PROTOCOLS, DetectionProtocol
from snellen.errors import IdError, MergeError
from snellen.statistics import compare, intervals


def boxes(seed: int, n: int, images: range, *, scored: bool, marked: bool = False) -> Boxes:
    """Return boxes on a coarse grid, so that IoUs and scores tie."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {"score": random.integers(0, 4, n) / 4} if scored else {}
    if marked:
        columns = {name: random.random(n) < 0.2 for name in ("crowd", "ignored")}
    return Boxes.from_xywh(
        np.concatenate([random.integers(0, 3, (n, 2)) * 8, random.integers(1, 5, (n, 2)) * 8], 1),
        image_id=random.choice(images, n),
        label=random.integers(0, 3, n),
        image_ids=images,
        classes=["person", "car", "dog"],
        **columns,
    )


def repeated(rows: Boxes, ids: list[list[int]]) -> dict[str, Any]:
    """Return the columns of boxes whose image i occurs under each of ids[i]."""
    of_images = [np.flatnonzero(rows.image == i) for i in range(len(ids)) for _ in ids[i]]
    image_ids = [each for of_image in ids for each in of_image]
    at = np.concatenate([np.zeros(0, np.int64), *of_images])
    columns = {name: getattr(rows, name) for name in ("label", "score", "crowd", "ignored")}
    return {
        "box": rows.xywh[at],
        "image_id": np.repeat(np.array(image_ids, np.int64), [len(mine) for mine in of_images]),
        **{name: column[at] for name, column in columns.items() if column is not None},
    }


def evaluated(
    sides: list[tuple[Boxes, Boxes, list[int]]], protocol: DetectionProtocol = COCO
) -> Any:
    """Return the evaluation of images that are there so often, ids by image, side, copy."""
    ids: list[list[list[int]]] = [[] for _ in sides]
    n = 0
    for i in range(len(sides[0][2])):
        for side, (_, _, times) in enumerate(sides):
            ids[side].append(list(range(n, n + times[i])))
            n += times[i]
    metric = AveragePrecision(protocol=protocol)
    for (truth, pred, _), of_side in zip(sides, ids, strict=True):
        common: dict[str, Any] = {
            "image_ids": [each for of_image in of_side for each in of_image],
            "classes": ["person", "car", "dog"],
        }
        metric.update(
            *(Boxes.from_xywh(**repeated(rows, of_side), **common) for rows in (truth, pred))
        )
    return metric.compute()


TRUTH = boxes(0, 25, range(8), scored=False)
FIRST, SECOND = (boxes(seed, 60, range(8), scored=True) for seed in (1, 2))


def test_values_equal_those_of_repeated_images() -> None:
    units = AveragePrecision().update(TRUTH, FIRST).units()
    other = AveragePrecision().update(TRUTH, SECOND).units()
    assert units.class_values is not None
    times = _core.multiplicities(units.counts, 0, 0, 6)
    swapped = _core.multiplicities(units.counts, 1, 0, 6)
    alone, joined = units.values(times), units.values(times, other=(other, swapped))
    by_class = units.class_values(times)
    for r in range(6):
        wanted = evaluated([(TRUTH, FIRST, times[r].tolist())])
        both = evaluated([(TRUTH, FIRST, times[r].tolist()), (TRUTH, SECOND, swapped[r].tolist())])
        for name, value in wanted.metrics.items():
            assert alone[name][r] == pytest.approx(value, rel=1e-12, nan_ok=True)
            assert joined[name][r] == pytest.approx(both.metrics[name], rel=1e-12, nan_ok=True)
        classes = [record["AP"] for record in wanted.per_class()]
        assert by_class[r] == pytest.approx(classes, rel=1e-12, nan_ok=True)


MANY_THRESHOLDS = dataclasses.replace(
    COCO,
    name="many thresholds",
    iou_thresholds=tuple(i / 20 for i in range(1, 20)),
    recall_thresholds=(0.05, 0.3, 1 / 3, 0.35, 0.9),
    max_detections=(1, 2, 9),
)


@pytest.mark.parametrize(
    "protocol",
    [
        *(PROTOCOLS[name] for name in ("coco", "coco-strict", "voc07", "voc12", "open-images")),
        MANY_THRESHOLDS,
    ],
    ids=lambda protocol: protocol.name,
)
def test_curves_are_those_of_repeated_images_to_the_last_bit(protocol: DetectionProtocol) -> None:
    """With crowds, ignored truth, classes and whole data sets that are not there."""
    truth = boxes(3, 30, range(8), scored=False, marked=True)
    pred = boxes(4, 90, range(8), scored=True)
    metric = AveragePrecision(protocol=protocol).update(truth, pred)
    _, classes, known, found = metric.rows()
    times = np.concatenate(
        [_core.multiplicities(np.ones(8, np.int64), 0, 0, 40), np.zeros((1, 8), np.int32)]
    )
    times[1] = [0, 0, 0, 0, 0, 0, 0, 300]  # more than a byte holds
    precision, recall, n_counted = _core.resampled_curves(
        found["image"],
        found["label"],
        found["score"],
        found["outcome"],
        known["image"],
        known["label"],
        known["ignored"],
        times,
        n_labels=len(classes),
        n_thresholds=len(protocol.iou_thresholds),
        recall_thresholds=list(protocol.recall_thresholds),
        max_detections=list(protocol.max_detections),
        read_precision=[True] * len(protocol.max_detections),
        undefined=-1.0 if protocol.minus_one else math.nan,
        summary=protocol.interpolation,
        spacing=2.0**-52 if protocol.adds_spacing else 0.0,
    )
    some_undefined = False
    for r, often in enumerate(times.tolist()):
        result = evaluated([(truth, pred, often)], protocol)
        of_points = result.precision  # T, R, K, A, M
        wanted = np.zeros_like(of_points[:, 0])
        for point in reversed(range(of_points.shape[1])):
            wanted += of_points[:, point]
        wanted /= of_points.shape[1]
        some_undefined |= not result.n_counted.all() and bool(result.n_counted.any())
        np.testing.assert_array_equal(n_counted[r], result.n_counted)
        np.testing.assert_array_equal(recall[r].transpose(3, 0, 1, 2), result.recall)
        np.testing.assert_array_equal(precision[r].transpose(3, 0, 1, 2), wanted)
    assert some_undefined


def test_intervals_hold_the_value() -> None:
    metric = AveragePrecision().update(TRUTH, FIRST)
    found, result = intervals(metric, replicates=50), metric.compute()
    assert found.keys() == result.metrics.keys()
    assert found["AP"].unit == "image"
    assert 0 <= found["AP"].low < result.AP < found["AP"].high <= 1


def test_runs_are_compared() -> None:
    first, second = (AveragePrecision().update(TRUTH, pred) for pred in (FIRST, SECOND))
    result = compare(first, second, replicates=30)
    assert [each.metric for each in result.differences] == ["AP", "AP50", "AP75"]
    # Means are added in another order than the report's: the last bits differ.
    wanted = second.compute().AP - first.compute().AP
    assert result.differences[0].difference == pytest.approx(wanted, rel=1e-12)
    assert result.differences[0].test == "permutation, all"  # 8 images: 256 ways
    assert len(result.class_differences) == 3
    assert not compare(first, second, replicates=30, per_class=False).class_differences
    moved = AveragePrecision().update(boxes(5, 25, range(8), scored=False), SECOND)
    with pytest.raises(ValueError, match="different truth for the same images"):
        compare(first, moved, replicates=30)


def test_numbered_images_cannot_be_paired() -> None:
    record = {"boxes": [[0, 0, 9, 9]], "labels": [1]}
    metric = AveragePrecision().update([record], [{**record, "scores": [0.5]}])
    assert metric.units().counts.tolist() == [1]
    with pytest.raises(IdError, match="expected images with ids"):
        metric.units(each=True)


def test_a_class_that_one_run_alone_knows() -> None:
    """Classes are told by id, not by position."""
    one, two = (
        {"boxes": [[0, 0, 9, 9], [20, 0, 29, 9]], "labels": labels} for labels in ([1, 5], [1, 5])
    )
    strange = {"boxes": [[0, 0, 9, 9]], "labels": [3], "scores": [0.9]}
    right = {**one, "scores": [0.9, 0.8]}
    first = AveragePrecision().update([one, two], [right, right], image_id=[1, 2])
    second = AveragePrecision().update([one, two], [right, strange], image_id=[1, 2])
    result = compare(first, second, replicates=30)
    assert result.differences[0].difference == pytest.approx(
        second.compute().AP - first.compute().AP, rel=1e-12
    )
    assert [each.class_name for each in result.class_differences] == ["1", "5"]


def test_other_rules_are_refused() -> None:
    first = AveragePrecision().update(TRUTH, FIRST)
    second = AveragePrecision(max_detections=7).update(TRUTH, SECOND)
    with pytest.raises(MergeError, match="expected A and B under the same rules"):
        compare(first, second)


def test_resampling_without_images() -> None:
    found = intervals(AveragePrecision(), replicates=10)["AP"]
    assert math.isnan(found.low)
    assert found.note == "undefined"
