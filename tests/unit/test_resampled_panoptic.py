"""Panoptic quality of resampled images against evaluations of images that are really repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.panoptic_maps import random_image

from snellen import PanopticQuality, _core
from snellen.statistics import compare, intervals

CLASSES = {1: "cat", 2: "dog", 3: "sky"}
N = 8
SEED = 3


def images(seed: int) -> list[Any]:
    """Return truth, the same for every seed, and predictions, others for each."""
    truth, pred = [], []
    for i in range(N):
        of_truth, of_pred = random_image(np.random.default_rng(100 + i), list(CLASSES))
        ids = of_pred[0].copy()
        ids[:, :seed] = 0
        left = set(np.unique(ids).tolist())
        truth.append(of_truth)
        pred.append((ids, [record for record in of_pred[1] if record["id"] in left]))
    return [truth, pred]


def evaluated(sides: list[tuple[list[Any], list[int]]]) -> Any:
    """Return the result of images that are there so often: ids by image, then by side."""
    metric = PanopticQuality(CLASSES, things=[1, 2])
    for i in range(N):
        for (truth, pred), times in sides:
            for _ in range(times[i]):
                metric.update(truth[i], pred[i])
    return metric.compute()


def metric_of(data: list[Any]) -> PanopticQuality:
    return PanopticQuality(CLASSES, things=[1, 2]).update(*data, image_id=range(N))


def test_values_equal_those_of_repeated_images() -> None:
    first, second = images(0), images(3)
    units, other = metric_of(first).units(), metric_of(second).units()
    assert units.class_values is not None
    times = _core.multiplicities(units.counts, SEED, 0, 6)
    swapped = _core.multiplicities(units.counts, SEED + 1, 0, 6)
    alone, joined = units.values(times), units.values(times, other=(other, swapped))
    by_class = units.class_values(times)
    for r in range(6):
        wanted = evaluated([(first, times[r].tolist())])
        both = evaluated([(first, times[r].tolist()), (second, swapped[r].tolist())])
        for name, value in wanted.metrics.items():
            assert alone[name][r] == pytest.approx(value, rel=1e-12, nan_ok=True)
            assert joined[name][r] == pytest.approx(both.metrics[name], rel=1e-12, nan_ok=True)
        classes = [record["PQ"] for record in wanted.per_class()]
        assert by_class[r] == pytest.approx(classes, rel=1e-12, nan_ok=True)


def test_each_image_once_is_the_result() -> None:
    metric = metric_of(images(0))
    units, result = metric.units(), metric.compute()
    for name, values in units.values(units.counts[None]).items():
        assert values.tolist() == [result.metrics[name]]


def test_intervals_hold_the_value() -> None:
    metric = metric_of(images(0))
    found, result = intervals(metric, replicates=50), metric.compute()
    assert found.keys() == result.metrics.keys()
    assert found["PQ"].unit == "image"
    assert 0 <= found["PQ"].low < result.PQ < found["PQ"].high <= 1


def test_runs_are_compared() -> None:
    first, second = metric_of(images(0)), metric_of(images(3))
    found = compare(first, second, replicates=30)
    assert [each.metric for each in found.differences] == ["PQ", "SQ", "RQ"]
    assert found.differences[0].difference == second.compute().PQ - first.compute().PQ
    assert found.differences[0].test == "permutation, all"
    assert len(found.class_differences) == 3
    truth, pred = images(0)
    # The same segments, one of them a pixel smaller.
    ids = truth[0][0].copy()
    ids[tuple(np.argwhere(ids > 0)[0])] = 0
    moved = metric_of([[(ids, truth[0][1]), *truth[1:]], pred])
    with pytest.raises(ValueError, match="different truth for the same images"):
        compare(first, moved, replicates=30)
