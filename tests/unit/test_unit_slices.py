"""Parts of what any metric absorbed, beside that part evaluated alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Classification, Regression, Segmentation
from snellen.detection.boxes import Boxes
from snellen.errors import IdError, InputError
from snellen.statistics.unit_slices import ids_of_units, unit_slices

IDS = [f"{k}.png" for k in range(40)]
SLICE_OF = {name: f"part {k % 3}" for k, name in enumerate(IDS) if k % 7}


def of_classes(keep: list[int]) -> Any:
    rng = np.random.default_rng(4)
    truth, scores = rng.integers(0, 3, 40), rng.dirichlet([1, 1, 1], 40)
    metric = Classification([0, 1, 2], scores="probabilities")
    return metric.update(truth[keep], scores[keep], sample_id=[IDS[k] for k in keep])


def of_numbers(keep: list[int]) -> Any:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=40)
    pred = truth + rng.normal(size=40)
    names = [IDS[k] for k in keep]
    return Regression(keep_samples=True).update(truth[keep], pred[keep], sample_id=names)


def of_boxes(keep: list[int]) -> Any:
    rng = np.random.default_rng(6)
    truth = rng.uniform([0, 0, 20, 20], [20, 20, 40, 40], (80, 4))
    pred = truth + rng.normal(0, 3, (80, 4))
    label, score = rng.integers(0, 2, 80), rng.random(80)
    rows = [row for k in keep for row in (2 * k, 2 * k + 1)]
    where = {"image_id": [IDS[row // 2] for row in rows], "label": label[rows]}
    return AveragePrecision().update(
        Boxes.from_xywh(truth[rows], **where),
        Boxes.from_xywh(pred[rows], score=score[rows], **where),
    )


def of_pixels(keep: list[int]) -> Any:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, (40, 6, 6))
    pred = np.where(rng.random((40, 6, 6)) < 0.7, truth, 0)
    metric = Segmentation(3)
    for k in keep:
        metric.update(truth[k], pred[k], image_id=IDS[k])
    return metric


KINDS = [of_classes, of_numbers, of_boxes, of_pixels]


@pytest.mark.parametrize("absorbed", KINDS)
def test_a_slice_has_the_numbers_of_its_data_alone(absorbed: Callable[[list[int]], Any]) -> None:
    parts = unit_slices(absorbed(list(range(40))), SLICE_OF)
    assert [part.name for part in parts] == ["part 0", "part 1", "part 2"]
    for part in parts:
        own = [k for k, name in enumerate(IDS) if SLICE_OF.get(name) == part.name]
        alone = absorbed(own).compute().metrics
        assert part.n_units == len(own)
        shared = alone.keys() & part.metrics.keys()
        assert len(shared) >= 5
        for name in shared:
            both_nan = math.isnan(alone[name]) and math.isnan(part.metrics[name])
            assert both_nan or part.metrics[name] == pytest.approx(alone[name], rel=1e-12), name


def test_intervals_are_drawn_from_the_slice() -> None:
    metric = of_numbers(list(range(40)))
    a_few = dict.fromkeys(IDS[:5], "few") | {IDS[9]: "one"}
    few, one = unit_slices(metric, a_few, names=["mae"], with_intervals=["mae"], replicates=500)
    bounds = few.intervals["mae"]
    errors = np.abs(np.subtract(*_values()))[:5]
    # No mean of five of them lies beyond the least and the greatest; mirrored at the mean itself.
    assert 2 * errors.mean() - errors.max() <= bounds.low < few.metrics["mae"] < bounds.high
    assert bounds.high <= 2 * errors.mean() - errors.min()
    assert math.isnan(one.intervals["mae"].low)
    assert one.intervals["mae"].note == "a single sample does not tell how others vary"


def _values() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=40)
    return truth, truth + rng.normal(size=40)


def test_nothing_is_sliced_that_is_not_there() -> None:
    with pytest.raises(IdError, match=r"expected samples that were evaluated, got 1 others: nine"):
        unit_slices(of_numbers([0, 1]), {"nine": "a", "0.png": "a"})
    with pytest.raises(InputError, match="ids"):
        unit_slices(Classification().update([0, 1], [1, 1]), {})
    assert unit_slices(of_numbers([0, 1]), {}) == ()
    assert ids_of_units(of_numbers([3, 1])) == ["1.png", "3.png"]


def test_a_state_is_enough(tmp_path: Path) -> None:
    metric = of_boxes(list(range(40)))
    (tmp_path / "state.bin").write_bytes(metric.to_bytes())
    again = AveragePrecision.from_bytes((tmp_path / "state.bin").read_bytes())
    for stored, known in zip(
        unit_slices(again, SLICE_OF), unit_slices(metric, SLICE_OF), strict=True
    ):
        assert stored._replace(metrics={}) == known._replace(metrics={})
        np.testing.assert_equal(dict(stored.metrics), dict(known.metrics))
