"""Average precision of resampled images against evaluations of images that are really repeated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, _core
from snellen.errors import IdError, MergeError
from snellen.statistics import compare, intervals


def boxes(seed: int, n: int, images: range, *, scored: bool) -> Boxes:
    """Return boxes on a coarse grid, so that IoUs and scores tie."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {"score": random.integers(0, 4, n) / 4} if scored else {}
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
    found: dict[str, list[Any]] = {"box": [], "image_id": [], "label": [], "score": []}
    for i, image_id in [(i, each) for i, of_image in enumerate(ids) for each in of_image]:
        mine = np.flatnonzero(rows.image == i)
        found["box"] += rows.xywh[mine].tolist()
        found["label"] += rows.label[mine].tolist()
        found["image_id"] += [image_id] * len(mine)
        if rows.score is not None:
            found["score"] += rows.score[mine].tolist()
    return found


def evaluated(sides: list[tuple[Boxes, Boxes, list[int]]]) -> Any:
    """Return the evaluation of images that are there so often, ids by image, side, copy."""
    ids: list[list[list[int]]] = [[] for _ in sides]
    n = 0
    for i in range(len(sides[0][2])):
        for side, (_, _, times) in enumerate(sides):
            ids[side].append(list(range(n, n + times[i])))
            n += times[i]
    metric = AveragePrecision()
    for (truth, pred, _), of_side in zip(sides, ids, strict=True):
        t, p = (repeated(rows, of_side) for rows in (truth, pred))
        common: dict[str, Any] = {
            "image_ids": [each for of_image in of_side for each in of_image],
            "classes": ["person", "car", "dog"],
        }
        metric.update(
            Boxes.from_xywh(
                np.reshape(t["box"], (-1, 4)), image_id=t["image_id"], label=t["label"], **common
            ),
            Boxes.from_xywh(
                np.reshape(p["box"], (-1, 4)),
                image_id=p["image_id"],
                label=p["label"],
                score=p["score"],
                **common,
            ),
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
    assert found.note == "it is undefined"
