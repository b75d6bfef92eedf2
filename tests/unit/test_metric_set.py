from __future__ import annotations

from typing import Any

import pytest

from snellen import AveragePrecision, Boxes, MetricSet
from snellen.errors import IdError, MergeError


def batch(image: int) -> tuple[Boxes, Boxes]:
    """Return an image with two boxes, of which the less certain prediction finds one."""
    return (
        Boxes.from_xywh([[0, 0, 10, 10], [50, 0, 10, 10]], image_id=[image] * 2, label=[1] * 2),
        Boxes.from_xywh(
            [[90, 0, 10, 10], [0, 0, 10, 10]],
            image_id=[image] * 2,
            label=[1] * 2,
            score=[0.9, 0.5],
        ),
    )


def new_set() -> MetricSet:
    return MetricSet(all=AveragePrecision(), first=AveragePrecision(max_detections=(1,)))


def values(metrics: MetricSet) -> dict[str, Any]:
    return {name: result.to_dict() for name, result in metrics.compute().items()}


def test_every_metric_absorbs_every_batch() -> None:
    metrics = new_set()
    assert metrics.update(*batch(1)) is metrics
    results = metrics.compute()
    # Two truth boxes: one of them is found; the first detection finds none.
    assert results["all"].AR_100 == 0.5
    assert results["first"].AR_1 == 0.0
    alone = AveragePrecision().update(*batch(1))
    metric = metrics["all"]
    assert isinstance(metric, AveragePrecision)
    assert metric.to_bytes() == alone.to_bytes()


def test_it_is_like_a_mapping() -> None:
    metrics = new_set()
    assert list(metrics) == ["all", "first"]
    assert len(metrics) == 2
    with pytest.raises(KeyError):
        metrics["last"]


def test_merge() -> None:
    whole = new_set().update(*batch(1)).update(*batch(2))
    part, other = new_set().update(*batch(1)), new_set().update(*batch(2))
    before = values(other)
    assert part.merge(other) is part
    assert values(part) == values(whole)
    assert values(other) == before


def test_empty() -> None:
    metrics = new_set().update(*batch(1))
    empty = metrics.empty()
    assert values(empty) == values(new_set())
    assert values(empty.merge(metrics)) == values(metrics)
    assert values(metrics.merge(metrics.empty())) == values(new_set().update(*batch(1)))


def test_other_names_do_not_merge() -> None:
    metrics = new_set().update(*batch(1))
    before = values(metrics)
    with pytest.raises(
        MergeError, match="expected a set of the metrics all, first, got all, second"
    ):
        metrics.merge(MetricSet(all=AveragePrecision(), second=AveragePrecision()))
    assert values(metrics) == before


def test_a_refused_merge_changes_nothing() -> None:
    """The first metrics could merge, the second cannot."""
    metrics = new_set().update(*batch(1))
    other = MetricSet(all=AveragePrecision(), first=AveragePrecision()).update(*batch(2))
    before = values(metrics)
    with pytest.raises(MergeError):
        metrics.merge(other)
    assert values(metrics) == before


def test_an_update_that_the_first_metric_refuses_changes_nothing() -> None:
    metrics = new_set().update(*batch(1))
    before = values(metrics)
    with pytest.raises(IdError):
        metrics.update(*batch(1))
    assert values(metrics) == before
