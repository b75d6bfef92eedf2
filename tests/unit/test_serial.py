from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from snellen import AveragePrecision, Boxes, MetricSet
from snellen.errors import IdError
from snellen.run.serial import Serial


def part(image: int) -> tuple[Boxes, Boxes]:
    columns: dict[str, Any] = {"image_id": [image], "label": [1]}
    return (
        Boxes.from_xywh([[0, 0, 10, 10]], **columns),
        Boxes.from_xywh([[0, 0, 10, 10 - image]], score=[0.5], **columns),
    )


def test_every_part_is_absorbed_in_order() -> None:
    metric = AveragePrecision()
    given = []

    def parts() -> Iterator[tuple[Boxes, Boxes]]:
        for image in (2, 0, 1):
            given.append((image, repr(metric)))
            yield part(image)

    assert Serial().run(metric, parts()) is metric
    # One part at a time: each is asked for when those before it were absorbed.
    assert given == [
        (2, "AveragePrecision(coco, 0 images)"),
        (0, "AveragePrecision(coco, 1 images)"),
        (1, "AveragePrecision(coco, 2 images)"),
    ]
    whole = AveragePrecision()
    for image in range(3):
        whole.update(*part(image))
    assert metric.to_bytes() == whole.to_bytes()


def test_no_parts() -> None:
    metric = Serial().run(AveragePrecision(), [])
    assert metric.to_bytes() == AveragePrecision().to_bytes()


def test_a_set_of_metrics() -> None:
    metrics = Serial().run(MetricSet(ap=AveragePrecision()), [part(0), part(1)])
    assert metrics.compute()["ap"].data["n_images"] == 2


def test_errors_come_through() -> None:
    metric = AveragePrecision()
    with pytest.raises(IdError, match="absorbed before: 1"):
        Serial().run(metric, [part(1), part(1), part(2)])
    assert repr(metric) == "AveragePrecision(coco, 1 images)"
