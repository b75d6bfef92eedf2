"""One table of all metrics; every law over all."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.tied_boxes import batch, random_boxes

from snellen import AveragePrecision, Boxes, DetectionProtocol
from snellen.detection.protocols import COCO
from snellen.testing import LAWS, MetricCase, check_metric_laws, detection_batches

# 40 thresholds need three outcome words a detection.
FINE = dataclasses.replace(
    COCO, name="fine", iou_thresholds=tuple(np.linspace(0.025, 1.0, 40).tolist())
)


def joined(parts: list[Boxes]) -> Boxes:
    """Return the boxes of all parts as one."""

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
        classes=parts[0].classes,
    )


# Image ids interleave between batches, so that merged rows must be sorted anew; the last batch
# has images without a box.
BATCHES = [
    batch(0, range(0, 40, 4)),
    batch(1, range(2, 20, 4)),
    batch(2, range(1, 9)[::2]),
    (
        random_boxes(3, range(100, 103), 0, scored=False),
        random_boxes(3, range(100, 103), 0, scored=True),
    ),
    batch(4, range(50, 60)),
]


def records(**changes: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a batch of one image, as mappings, with some arrays of the prediction replaced."""
    image = {"boxes": [[0.0, 0.0, 10.0, 10.0]], "labels": [1]}
    return [dict(image)], [{**image, "scores": [0.5], **changes}]


BAD_BATCHES = [
    records(boxes=[[0.0, 0.0, math.nan, 10.0]]),
    records(boxes=[[0.0, 0.0, math.inf, 10.0]]),
    records(scores=[math.nan]),
    records(scores=[-math.inf]),
    records(scores=[]),
    records(boxes=[[10.0, 0.0, 0.0, 10.0]]),
    records(labels=[1.5]),
    # Images that the metric does not know as truth; images that it has absorbed (below).
    (BATCHES[0][0], BATCHES[1][1]),
    # No scores.
    (BATCHES[0][0], BATCHES[0][0]),
]


def perfect_batch() -> tuple[Boxes, Boxes]:
    """Return three boxes, one of each size, found exactly."""
    boxes = [[0, 0, 10, 10], [20, 0, 50, 50], [100, 0, 100, 100]]
    columns: dict[str, Any] = {"image_id": [1, 1, 2], "label": [1, 2, 2]}
    return (
        Boxes.from_xywh(boxes, **columns),
        Boxes.from_xywh(boxes, score=[0.5, 0.9, 0.1], **columns),
    )


def perfect_values(protocol: DetectionProtocol) -> dict[str, float]:
    # Each size has one box, of one label. One true positive: 1 / (1 + 2^-52) is 1 - 2^-52 to
    # nearest, 0.9999999999999998, at all recall points. NumPy's mean of n such cells, which is
    # the reference's, need not be that number for every n.
    cells = np.full(len(protocol.iou_thresholds) * len(protocol.recall_thresholds), 1 - 2**-52)
    one = float(cells.mean())
    labels = [area.label for area in protocol.area_ranges[1:]]
    caps = protocol.max_detections
    return {
        **{f"AP_{label}": one for label in labels},
        **{f"AR_{label}": 1.0 for label in labels},
        f"AR_{caps[-1]}": 1.0,
        f"AR_{caps[0]}": 1.0,
    }


METRICS = {
    "AveragePrecision coco": (AveragePrecision, "coco-strict"),
    "AveragePrecision coco-strict": (lambda: AveragePrecision(protocol="coco-strict"), "coco"),
    "AveragePrecision 2, 5": (lambda: AveragePrecision(max_detections=(2, 5)), "coco"),
    "AveragePrecision 40 thresholds": (lambda: AveragePrecision(protocol=FINE), "coco"),
}
CASES = {
    name: MetricCase(
        make,
        BATCHES,
        whole=(joined([truth for truth, _ in BATCHES]), joined([pred for _, pred in BATCHES])),
        bad_batches=BAD_BATCHES,
        other_parameters=[
            lambda other=other: AveragePrecision(protocol=other),
            lambda: AveragePrecision(max_detections=7),
        ],
        perfect=(perfect_batch(), perfect_values(make().protocol)),
    )
    for name, (make, other) in METRICS.items()
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


@pytest.mark.parametrize("metric", CASES)
def test_all_laws_at_once(metric: str) -> None:
    case = CASES[metric]
    check_metric_laws(
        case.make_metric,
        case.batches,
        **{
            name: value
            for name, value in case._asdict().items()
            if name not in ("make_metric", "batches")
        },
    )


def test_the_data_can_tell_results_apart() -> None:
    """Each batch of the table changes the numbers; the twins would pass on data that don't."""
    results = [
        CASES["AveragePrecision coco"].fed(BATCHES[:n]).compute().to_dict()["metrics"]
        for n in range(len(BATCHES) + 1)
    ]
    assert 0.05 < results[-1]["AP50"] < 0.95
    numbers = [tuple(result.values()) for result in results]
    # The fourth batch has images without a box.
    assert numbers[4] == numbers[3]
    assert len(set(numbers)) == len(numbers) - 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(batches=detection_batches(max_images=6))
def test_random_data_in_any_shards_and_order(batches: list[tuple[Boxes, Boxes]]) -> None:
    for law in ("sharding", "order", "bytes round trip"):
        LAWS[law](MetricCase(AveragePrecision, batches))
