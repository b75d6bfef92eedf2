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
from snellen.statistics.proportions import wilson
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


def test_proportions_of_a_slice_have_the_interval_of_its_samples_alone() -> None:
    # 30 are right, 30 wrong, and of 20 there are 12 right: no bootstrap of the first two varies.
    slice_of = {f"{k}": ("right", "wrong", "both")[k // 30] for k in range(80)}
    right = np.array([True] * 30 + [False] * 30 + [True] * 12 + [False] * 8)
    truth = np.arange(80) % 2
    told = np.where(right, truth, 1 - truth)
    scores = np.where(told[:, None] == np.arange(2), 0.9, 0.1)
    labels = Classification([0, 1], positive=1).update(truth, told, sample_id=list(slice_of))
    scored = Classification([0, 1], scores="probabilities", top_k=(1,))
    scored.update(truth, scores, sample_id=list(slice_of))
    sets = Classification([0, 1], multilabel=True)
    sets.update(np.eye(2)[truth], np.eye(2)[told], sample_id=list(slice_of))
    n = {"right": 30, "wrong": 30, "both": 20}
    hits = {"right": 30, "wrong": 0, "both": 12}
    for metric, names in (
        (labels, ["accuracy", "precision", "recall", "specificity", "npv"]),
        (scored, ["accuracy", "top1"]),
        (sets, ["subset_accuracy"]),
    ):
        parts: Any = unit_slices(metric, slice_of, with_intervals=names, level=0.9)
        assert [part.name for part in parts] == ["both", "right", "wrong"]
        for part in parts:
            bounds = part.intervals
            assert bounds[names[-1]].method == bounds[names[0]].method == "Wilson"
            whole = wilson(hits[part.name], n[part.name], level=0.9)
            if metric is not labels:
                assert [bounds[name][:2] for name in names] == [whole] * len(names)
                continue
            which = np.array([slice_of[f"{k}"] == part.name for k in range(80)])
            assert bounds["accuracy"][:2] == whole
            for name, trial in (("precision", told == 1), ("recall", truth == 1),
                                ("specificity", truth == 0), ("npv", told == 0)):  # fmt: skip
                trial = trial & which
                assert bounds[name][:2] == wilson(
                    int((right & trial).sum()), int(trial.sum()), level=0.9
                ), name


def test_no_width_is_no_certainty() -> None:
    # All of a slice are right, and what is no proportion is the same in all replicates.
    ids = list("abcdefgh")
    metric = Classification().update([0, 1, 0, 1] * 2, [0, 1, 0, 1, 0, 1, 1, 0], sample_id=ids)
    slice_of = dict.fromkeys(ids[:4], "right") | dict.fromkeys(ids[4:], "some")
    right, some = unit_slices(metric, slice_of, with_intervals=["f1_micro"], replicates=300)
    assert math.isnan(right.intervals["f1_micro"].low)
    assert math.isnan(right.intervals["f1_micro"].high)
    assert right.intervals["f1_micro"].note == (
        "all replicates are equal: these samples do not tell how others vary"
    )
    assert some.intervals["f1_micro"].low < 0.5 < some.intervals["f1_micro"].high


def test_numbers_that_there_are_not_are_refused_in_words() -> None:
    metric = of_classes(list(range(40)))
    for options in ({"names": ["acuracy"]}, {"with_intervals": ["acuracy"]}):
        (place,) = options
        with pytest.raises(InputError, match=r'got "acuracy"\. Did you mean "accuracy"') as refused:
            unit_slices(metric, SLICE_OF, **options)  # type: ignore[arg-type]
        assert refused.value.place == place


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
