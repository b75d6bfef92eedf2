"""Slices of detection against the evaluation of their images alone, and against plain counts."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detection_scenes import scene, told

from snellen import AveragePrecision, Boxes
from snellen.classes import Classes
from snellen.detection.headlines import headlines
from snellen.detection.protocols import COCO, OPEN_IMAGES, OPEN_IMAGES_CHALLENGE
from snellen.detection.slices import (
    by_crowding,
    greatest_overlaps,
    slices_of_images,
    slices_of_objects,
)
from snellen.state import Keys
from snellen.testing import detection_batches

FINE = dataclasses.replace(
    COCO, name="fine", iou_thresholds=tuple(np.linspace(0.025, 1.0, 40).tolist())
)

CAPPED = dataclasses.replace(COCO, name="capped", per_class=12)
# Groups at many thresholds, also of predictions that are false at some and true at others.
WITH_GROUPS = [
    dataclasses.replace(rules, iou_thresholds=FINE.iou_thresholds, verified_only=False)
    for rules in (OPEN_IMAGES, OPEN_IMAGES_CHALLENGE)
]


def only(boxes: Boxes, ids: list[Any]) -> Boxes:
    """Return the boxes of some images, as if there were no others."""
    images = Keys(ids, "image id") if ids else Keys(boxes.images.ids[:0], "image id")
    place = images.codes(boxes.images.ids)[boxes.image]
    kept = boxes[place >= 0]
    return dataclasses.replace(kept, images=images, image=place[place >= 0].astype(np.int32))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    batches=detection_batches(max_images=6),
    seed=st.integers(0, 2**32 - 1),
    protocol=st.sampled_from((COCO, FINE)),
)
def test_slices_are_evaluations_of_their_images(
    batches: list[tuple[Boxes, Boxes]], seed: int, protocol: Any
) -> None:
    metric = AveragePrecision(protocol=protocol)
    for truth, pred in batches:
        metric.update(truth, pred)
    random = np.random.default_rng(seed)
    ids = [i for truth, _ in batches for i in truth.images.ids.tolist()]
    chosen = {i: f"part {random.integers(3)}" for i in ids if random.random() < 0.9}
    slices = slices_of_images(metric, chosen)
    assert slices.names == ("all", *sorted(set(chosen.values())))
    for name in slices.names:
        wanted = AveragePrecision(protocol=protocol)
        for truth, pred in batches:
            there = [i for i in truth.images.ids.tolist() if name == "all" or chosen.get(i) == name]
            if there:
                wanted.update(only(truth, there), only(pred, there))
        result = wanted.compute()
        got = slices.values[slices.names.index(name)]
        assert got.tobytes() == np.array(list(result.metrics.values())).tobytes()
        per_class = {each["id"]: each["AP"] for each in result.per_class()}
        for record in slices.per_class():
            value = per_class.get(record["id"], math.nan)
            assert record[name] == value or (math.isnan(value) and math.isnan(record[name]))
    if not chosen:
        assert len(slices.names) == 1


@pytest.mark.parametrize("seed", range(6))
def test_slices_of_objects_are_plain_counts(seed: int) -> None:
    """AP50 from a plain 101-point count: what took an object of another slice is left out."""
    world = scene(seed)
    assert world.truth.id is not None
    assert world.truth.crowd is not None
    random = np.random.default_rng(seed)
    names = random.choice(["occluded", "free", ""], len(world.truth))
    slices = slices_of_objects(world.truth, world.pred, names)
    assert slices.names == ("all", "free", "occluded")
    whole = AveragePrecision().update(world.truth, world.pred).compute()
    assert slices.value("all", "AP") == whole.AP
    slice_of = dict(zip(world.truth.id.tolist(), names.tolist(), strict=True))
    told_rows = told(world)
    classes = Classes.of({1: "person", 2: "car", 5: "dog", 9: "kite"})
    label_of = dict(zip(world.truth.id.tolist(), world.truth.label.tolist(), strict=True))
    crowd = dict(zip(world.truth.id.tolist(), world.truth.crowd.tolist(), strict=True))
    for name in ("free", "occluded"):
        values = []
        for k, class_id in enumerate(classes.keys.ids.tolist()):
            n = sum(label_of[i] == k and not crowd[i] and slice_of[i] == name for i in slice_of)
            if not n:
                continue
            hits = [
                each.iou > 0
                for each in sorted(told_rows.found, key=lambda e: (-e.score, e.image))
                if each.label == class_id and (each.iou == 0 or slice_of[each.truth_id] == name)
            ]
            tp = np.cumsum(hits)
            precision = np.append(tp / np.arange(1, len(hits) + 1), 0.0)
            recall = np.append(tp / n, math.inf)
            envelope = np.maximum.accumulate(precision[::-1])[::-1]
            grid = np.array(COCO.recall_thresholds)
            values.append(float(envelope[np.searchsorted(recall, grid)].mean()))
        assert math.isclose(slices.value(name, "AP50"), float(np.mean(values)), rel_tol=1e-12)


@pytest.mark.parametrize("protocol", [COCO, FINE, CAPPED, *WITH_GROUPS])
@pytest.mark.parametrize("seed", range(3))
def test_one_slice_of_all_objects_is_the_whole(seed: int, protocol: Any) -> None:
    world = scene(seed, crowd=0.3)
    slices = slices_of_objects(world.truth, world.pred, ["x"] * len(world.truth), protocol=protocol)
    assert slices.values[1].tobytes() == slices.values[0].tobytes()
    first = dataclasses.replace(protocol, area_ranges=protocol.area_ranges[:1])
    whole = AveragePrecision(protocol=first).update(world.truth, world.pred).compute()
    assert slices.values[0].tobytes() == np.array(list(whole.metrics.values())).tobytes()
    assert [line.name for line in headlines(first)] == list(slices.metrics)


@pytest.mark.parametrize("protocol", [COCO, CAPPED, *WITH_GROUPS])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_belongs_to_one_slice(seed: int, protocol: Any) -> None:
    world = scene(seed, crowd=0.3)
    names = np.random.default_rng(seed).choice(["a", "b", "c"], len(world.truth))
    # Of one class, so that recall is the found part of all objects.
    rules = dataclasses.replace(protocol, class_agnostic=True, area_ranges=protocol.area_ranges[:1])
    slices = slices_of_objects(world.truth, world.pred, names, protocol=rules)
    recall = slices.values[:, [name.startswith("AR") for name in slices.metrics].index(True)]
    assert slices.n_truth[0] == slices.n_truth[1:].sum()
    assert recall[0] > 0
    assert math.isclose((recall * slices.n_truth)[1:].sum(), recall[0] * slices.n_truth[0])


@pytest.mark.parametrize("seed", range(4))
def test_greatest_overlaps_are_those_of_pycocotools(seed: int) -> None:
    from pycocotools import mask

    truth = scene(seed).truth
    got = greatest_overlaps(truth)
    for row in range(len(truth)):
        others = [i for i in range(len(truth)) if i != row and truth.image[i] == truth.image[row]]
        ious = mask.iou(truth.xywh[[row]], truth.xywh[others], [0] * len(others)) if others else []
        assert got[row] == np.max(ious, initial=0.0)


def test_crowding_counts_what_counts() -> None:
    world = scene(0, crowd=0.3)
    metric = AveragePrecision().update(world.truth, world.pred)
    names = by_crowding(metric, edges=(3, 6))
    reference = told(world)
    for image, name in names.items():
        n = sum(each[0] == image for each in reference.truth)
        assert name == ("0 to 2 objects" if n < 3 else "3 to 5 objects" if n < 6 else
                        "6 or more objects")  # fmt: skip
