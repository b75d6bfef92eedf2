"""Resampled numbers are those of the data sets that the multiplicities describe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import Regression
from snellen.errors import InputError

PARAMETERS: dict[str, Any] = {
    "keep_samples": True,
    "quantiles": (0.2,),
    "tweedie_power": 1.5,
    "error_quantiles": (0.1, 0.5),
}


def columns(seed: int, n: int, m: int, *, mean: float = 2.0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = np.abs(mean + random.normal(size=(n, m)).round(1)) + 0.5
    return truth, np.abs(truth + 0.5 * random.normal(size=(n, m)).round(1)) + 0.1


def repeated(metric: Regression, truth: Any, pred: Any, times: Any, weight: Any = None) -> Any:
    """Return the result of samples that occur so often."""
    weights = None if weight is None else np.repeat(weight, times)
    return (
        metric.empty()
        .update(np.repeat(truth, times, axis=0), np.repeat(pred, times, axis=0), weight=weights)
        .compute()
    )


def assert_as(found: Any, r: int, wanted: Any, *, rel: float = 1e-9) -> None:
    assert list(found) == [name for name in wanted.metrics if name != "max_error"]
    for name, values in found.items():
        value = wanted.metrics[name]
        assert values[r] == pytest.approx(value, rel=rel, abs=rel, nan_ok=True), name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("ids", [False, True])
def test_samples(m: int, weighted: bool, ids: bool) -> None:
    random = np.random.default_rng(m)
    truth, pred = columns(1, 40, m)
    weight = random.choice([0.5, 1.0, 2.0], 40) if weighted else None
    # Rows are by id, or by value: numbers that ascend with truth's first column keep both.
    order = np.lexsort((pred[:, 0], truth[:, 0]))
    truth, pred = truth[order], pred[order]
    sample_id = np.arange(40) if ids else None
    metric = Regression([str(j) for j in range(m)], **PARAMETERS)
    metric.update(truth, pred, weight=weight, sample_id=sample_id)
    units = metric.units(each=ids)
    assert (units.unit, units.counts.tolist()) == ("sample", [1] * 40)
    assert (units.ids is None) != ids
    times = random.integers(0, 4, (5, 40))
    times[0], times[1] = 1, 0
    times[2] = np.arange(40) == 7  # one sample, once
    found = units.values(times)
    if ids:
        for r in range(5):
            assert_as(found, r, repeated(metric, truth, pred, times[r], weight))
    else:
        assert_as(found, 0, metric.compute())
        assert_as(found, 1, metric.empty().compute())
    if m > 1:
        assert units.class_metric == "mae"
        assert units.classes is not None
        assert units.classes.display_names() == ["0", "1", "2"]
        assert units.class_values is not None
        assert units.class_values(times[:1])[0] == pytest.approx(metric.compute().values["mae"])
    else:
        assert units.class_values is None


def test_groups_are_drawn_whole() -> None:
    truth, pred = columns(2, 60, 1)
    group = np.random.default_rng(3).choice(["a", "b", "c", "d"], 60)
    metric = Regression(**PARAMETERS).update(truth, pred, group=group, sample_id=np.arange(60))
    assert metric.compute().data["n_groups"] == 4
    units = metric.units(each=True)
    assert (units.unit, len(units.counts)) == ("group", 4)
    assert units.ids is not None
    assert units.ids.ids.tolist() == ["a", "b", "c", "d"]
    times = np.array([[1, 1, 1, 1], [2, 0, 1, 0], [0, 3, 0, 1]])
    found = units.values(times)
    for r, row in enumerate(times):
        often = row[np.searchsorted(["a", "b", "c", "d"], group)]
        assert_as(found, r, repeated(metric, truth, pred, often))


def test_units_joined_with_those_of_another_metric() -> None:
    truth, pred = columns(4, 30, 2)
    other_pred = pred + 0.3
    one, other = (
        Regression(**PARAMETERS).update(truth, side, sample_id=np.arange(30))
        for side in (pred, other_pred)
    )
    random = np.random.default_rng(5)
    times = random.integers(0, 2, (4, 30))
    found = one.units().values(times, (other.units(), 1 - times))
    for r in range(4):
        mixed = np.where(times[r][:, None] > 0, pred, other_pred)
        assert_as(found, r, one.empty().update(truth, mixed).compute())


@pytest.mark.parametrize("mean", [1e5, 1e8])
def test_a_mean_far_from_0(mean: float) -> None:
    random = np.random.default_rng(6)
    truth = mean + random.normal(size=500)
    pred = truth + 0.1 * random.normal(size=500)
    metric = Regression(keep_samples=True).update(truth, pred, sample_id=np.arange(500))
    times = random.integers(0, 3, (3, 500))
    found = metric.units().values(times)
    for r in range(3):
        wanted = repeated(metric, truth, pred, times[r])
        for name in ("r2", "explained_variance", "pearson", "concordance", "mse"):
            assert found[name][r] == pytest.approx(wanted.metrics[name], rel=1e-7), name


def test_a_constant_truth_is_seen_in_a_resample() -> None:
    truth, pred = [1e5, 1e5, 1e5 + 0.1, 7.0], [1.0, 2.0, 3.0, 4.0]
    for force_finite in (False, True):
        metric = Regression(keep_samples=True, force_finite=force_finite)
        metric.update(truth, pred, sample_id=np.arange(4))
        found = metric.units().values(np.array([[2, 1, 0, 0], [1, 1, 1, 1]]))
        assert found["r2"][0] == pytest.approx(0.0 if force_finite else np.nan, nan_ok=True)
        assert np.isnan(found["pearson"][0])
        assert found["r2"][1] == pytest.approx(metric.compute().r2)


@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_a_shift_is_no_matter_of_explained_variance(shift: float) -> None:
    # Errors 1, -1, 1, -1 about the shift: variance 1 beside 5/4 of truth.
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    metric = Regression(keep_samples=True, force_finite=True)
    metric.update(truth, truth + shift + [1, -1, 1, -1], sample_id=np.arange(4))
    found = metric.units().values(np.array([[1, 1, 1, 1], [2, 0, 2, 0], [2, 2, 0, 0]]))
    assert metric.compute().explained_variance == pytest.approx(1 - 1 / 1.25)
    # Of 0 and 2 the errors are one shift, of 0 and 1 their variance is 1 beside 1/4.
    assert found["explained_variance"].tolist() == pytest.approx([1 - 1 / 1.25, 1.0, -3.0])


def test_a_constant_truth_is_not_explained_beside_a_shift() -> None:
    metric = Regression(keep_samples=True, force_finite=True)
    metric.update(np.ones(4), 1e8 + np.array([0.0, 1.0, 0.0, 1.0]), sample_id=np.arange(4))
    found = metric.units().values(np.array([[1, 1, 1, 1], [1, 0, 1, 0]]))
    assert metric.compute().explained_variance == 0.0
    assert found["explained_variance"].tolist() == [0.0, 1.0]


def test_without_data() -> None:
    units = Regression(keep_samples=True).units(each=True)
    assert len(units.counts) == 0
    found = units.values(np.zeros((2, 0), np.int64))
    assert all(np.isnan(value).all() and value.shape == (2,) for value in found.values())


def test_each_needs_ids() -> None:
    metric = Regression(keep_samples=True).update([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="expected samples with ids: give update a sample_id"):
        metric.units(each=True)


def test_intervals_stay_where_numbers_can_be() -> None:
    from snellen.statistics import compare, intervals

    truth = np.arange(8.0)
    pred = np.where(truth == 7, 13.0, truth)
    runs = [
        Regression(keep_samples=True, error_quantiles=()).update(
            truth, side, sample_id=np.arange(8)
        )
        for side in (pred, [7, 1, 2, 3, 4, 5, 6, 0])
    ]
    found = intervals(runs[0], replicates=200, level=0.99)
    value = runs[0].compute().metrics
    for name, interval in found.items():
        low, high = (
            (-np.inf, np.inf)
            if name == "mean_error"
            else (-np.inf, 1)
            if name in ("r2", "explained_variance")
            else (-1, 1)
            if name in ("pearson", "concordance", "spearman", "kendall")
            else (0, 2)
            if name == "smape"
            else (0, np.inf)
        )
        if not np.isnan(interval.low):
            assert low <= interval.low <= value[name] <= interval.high <= high, name
    # Mirrored at a mean of 0.75 the highest replicates lie below 0; an error may be negative.
    assert found["mae"].low == found["smape"].low == 0.0
    assert found["mean_error"].low < 0
    assert found["r2"].high == 1.0
    # From -1 to 1: a difference lies within 2 of 0.
    (of_correlations,) = compare(*runs, metrics=["pearson"], replicates=200).differences
    assert of_correlations.interval.low == -2.0


def test_equal_truth_of_groups_is_equal_whatever_is_predicted() -> None:
    from snellen.statistics import compare

    random = np.random.default_rng(0)
    truth, weight = random.normal(size=200).round(1), random.random(200)
    runs = [
        Regression(keep_samples=True).update(
            truth, truth + random.normal(size=200), weight=weight, group=np.arange(200) % 8
        )
        for _ in range(2)
    ]
    assert compare(*runs, metrics=["mae"], replicates=10).n_units == 8
    other = Regression(keep_samples=True).update(
        truth, truth, weight=weight[::-1], group=np.arange(200) % 8
    )
    with pytest.raises(InputError, match="different truth for the same groups"):
        compare(runs[0], other, metrics=["mae"], replicates=10)


def test_intervals_and_comparison_of_runs() -> None:
    from snellen.statistics import compare, intervals

    random = np.random.default_rng(8)
    truth = random.normal(size=300)
    runs = [
        Regression(keep_samples=True).update(
            truth, truth + noise * random.normal(size=300), sample_id=np.arange(300)
        )
        for noise in (0.5, 0.1)
    ]
    found = intervals(runs[0], names=["mae", "r2", "kendall"], replicates=200)
    for name, interval in found.items():
        assert interval.low < runs[0].compute().metrics[name] < interval.high
        assert interval.unit == "sample"
    comparison = compare(*runs, replicates=200)
    assert "mae" in str(comparison)
    assert "max_error" not in runs[0].units().values(np.ones((1, 300), np.int64))
    assert runs[0].units().lower_is_better.isdisjoint({"r2", "pearson", "spearman"})
    assert {"mae", "gamma_deviance", "rmsle", "max_error"} <= runs[0].units().lower_is_better
    signed = {"mean_error", "error_q0.05", "error_q0.95"}
    assert runs[0].units().neither_is_better == signed
    assert runs[0].units().lower_is_better.isdisjoint(signed)
    other = Regression(keep_samples=True).update(
        truth + (np.arange(300) == 7), truth, sample_id=np.arange(300)
    )
    with pytest.raises(InputError, match=r"different truth for the same samples \(7\)"):
        compare(runs[0], other)
