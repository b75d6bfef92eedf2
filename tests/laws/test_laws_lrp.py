"""The laws of metrics for Localisation Recall Precision errors."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.tied_boxes import batch, random_boxes

from snellen import Boxes
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.detection.operating_points import operating_points
from snellen.metric import metric_from_bytes
from snellen.testing import LAWS, MetricCase, detection_batches

BATCHES = [
    batch(0, range(0, 40, 4)),
    batch(1, range(2, 20, 4)),
    (random_boxes(3, range(90, 93), 0, scored=False), random_boxes(3, range(1), 0, scored=True)),
    batch(2, range(1, 9)[::2]),
]


def changed(**columns: Any) -> tuple[Boxes, Boxes]:
    one: dict[str, Any] = {"image_id": [1000], "label": [1]}
    truth = Boxes.from_xywh([[0, 0, 10, 10]], **one)
    return truth, dataclasses.replace(
        Boxes.from_xywh([[0, 0, 10, 10]], score=[0.5], **one), **columns
    )


BAD_BATCHES = [
    (BATCHES[0][0], BATCHES[1][1]),  # images that truth does not list
    (BATCHES[0][0], BATCHES[0][0]),  # no scores
    ([{"boxes": [[0, 0, 1, 1]], "labels": [1]}], BATCHES[0][1]),  # of one side alone
    changed(score=None),
]
PERFECT = (
    Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 50, 50]], image_id=[1, 2], label=[1, 2]),
    Boxes.from_xywh(
        [[0, 0, 10, 10], [20, 0, 50, 50]], image_id=[1, 2], label=[1, 2], score=[0.2, 0.9]
    ),
)


def case(**parameters: Any) -> MetricCase:
    return MetricCase(
        lambda: LocalizationRecallPrecision(**parameters),
        BATCHES,
        bad_batches=BAD_BATCHES,
        other_parameters=[
            lambda: LocalizationRecallPrecision(iou_threshold=0.625),
            lambda: LocalizationRecallPrecision(area="medium", **parameters),
            lambda: LocalizationRecallPrecision(score_thresholds=[0.125]),
        ],
        perfect=(PERFECT, {"olrp": 0.0, "olrp_loc": 0.0, "olrp_fp": 0.0, "olrp_fn": 0.0}),
    )


CASES = {
    "plain": case(),
    "strict at 0.75": case(protocol="coco-strict", iou_threshold=0.75),
    "grid": case(score_thresholds=np.linspace(0, 1, 11)),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    results = [CASES["plain"].fed(BATCHES[:n]).compute() for n in range(1, len(BATCHES) + 1)]
    assert 0.5 < results[-1].olrp < 1
    assert len({result.olrp for result in results}) == len(results) - 1  # one batch is empty


@settings(max_examples=40, deadline=None, derandomize=True)
@given(batches=detection_batches(max_images=6))
def test_random_data_in_any_shards_and_order(batches: list[tuple[Boxes, Boxes]]) -> None:
    for law in ("sharding", "order", "bytes round trip"):
        LAWS[law](MetricCase(LocalizationRecallPrecision, batches))


def test_the_state_says_whose_it_is() -> None:
    metric = CASES["plain"].fed(BATCHES)
    again = metric_from_bytes(metric.to_bytes())
    assert isinstance(again, LocalizationRecallPrecision)
    assert str(operating_points(again)) == str(operating_points(metric))
    assert not math.isnan(again.compute().olrp)
