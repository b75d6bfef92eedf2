"""The laws of metrics, over regression."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Regression
from snellen.errors import IdError, ShapeError
from snellen.testing import LAWS, MetricCase

# Few values, so that samples, errors and ranks tie all the time; magnitudes far apart, so that a
# rounded sum would show the order of its additions.
VALUES = np.array([0.1, 0.25, 0.0, -0.0, 3.0, -2.5, 1e16, 1e-12, 7.1, 1e5, 1e5 + 0.1, -0.7])
WEIGHTS = np.array([0.1, 1.0, 0.0, 3.7, 1e-9, 1e9])


class Positional(Regression):
    """A regression whose columns are positional, as the laws give them."""

    __slots__ = ()

    def update(
        self,
        truth: Any,
        pred: Any,
        weight: Any = None,
        sample_id: Any = None,
        group: Any = None,
    ) -> Any:
        return super().update(truth, pred, weight=weight, sample_id=sample_id, group=group)


def batch(
    seed: int,
    *,
    n: int = 30,
    m: int | None = None,
    weighted: bool = False,
    positive: bool = False,
    ids: str = "",
    groups: bool = False,
) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    shape = (n,) if m is None else (n, m)
    pool = np.abs(VALUES[VALUES != 0]) if positive else VALUES
    truth = random.choice(pool, shape)
    close = random.random(shape) < 0.5
    pred = np.where(
        close, truth + random.choice([0.0, 0.1, 0.5], shape), random.choice(pool, shape)
    )
    # Ids of batches interleave.
    number = random.permutation(n) * 10 + seed
    sample_id = {"": None, "number": number, "text": [f"s{i}" for i in number]}[ids]
    group = random.integers(0, 5, n) if groups else None
    weight = random.choice(WEIGHTS, n) if weighted else None
    return truth, pred, weight, sample_id, group


def batches(**options: Any) -> list[tuple[Any, ...]]:
    sizes = [30, 7, 2, 12, 0]
    return [batch(seed, n=n, **options) for seed, n in enumerate(sizes)]


def joined(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    filled = [part for part in parts if len(part[0])]
    return tuple(
        None if filled[0][i] is None else np.concatenate([part[i] for part in filled])
        for i in range(5)
    )


def keeping(**parameters: Any) -> Any:
    return lambda: Positional(keep_samples=True, **parameters)


EVERYTHING: dict[str, Any] = {
    "quantiles": (0.1, 0.9),
    "tweedie_power": 1.5,
    "huber_delta": 0.3,
    "mape_epsilon": 1e-6,
    "force_finite": True,
}
TABLE = {
    "streaming": (Positional, batches()),
    "weighted": (Positional, batches(weighted=True)),
    "outputs": (Positional, batches(m=3, weighted=True)),
    "named outputs": (lambda: Positional(["x", "y"], **EVERYTHING), batches(m=2, positive=True)),
    "positive": (lambda: Positional(**EVERYTHING), batches(positive=True, weighted=True)),
    "kept": (keeping(), batches()),
    "kept, weighted": (keeping(error_quantiles=(0.0, 0.5, 1.0)), batches(weighted=True, m=2)),
    "ids": (keeping(), batches(ids="number", weighted=True)),
    "texts, groups": (keeping(**EVERYTHING), batches(ids="text", groups=True, positive=True)),
    "groups": (keeping(), batches(groups=True, m=2)),
}
N = 5
GOOD = np.zeros(N)
BAD: list[tuple[Any, ...]] = [
    (np.full(N, math.nan), GOOD),
    (GOOD, np.full(N, math.inf)),
    (GOOD, np.full(N, 1e200)),
    (GOOD, GOOD[:-1]),
    (GOOD, np.zeros((N, 4))),
    (np.zeros((N, 2, 2)), np.zeros((N, 2, 2))),
    (["a"] * N, GOOD),
    (GOOD, GOOD, np.full(N, -1.0)),
    (GOOD, GOOD, np.full(N, math.nan)),
    (GOOD, GOOD, np.full(N, 1e101)),
    (GOOD, GOOD, np.ones(N - 1)),
    (GOOD, GOOD, None, [1, 1, 2, 3, 4]),
    (GOOD, GOOD, None, [1, 2]),
    (GOOD, GOOD, None, None, [1.5] * N),
]


def perfect(case: list[tuple[Any, ...]]) -> tuple[tuple[Any, ...], dict[str, float]]:
    truth = case[0][0]
    ones = ("r2", "explained_variance", "pearson", "concordance")
    zeros = ("mae", "mse", "rmse", "max_error", "mean_error", "smape", "huber")
    return (truth, truth, *case[0][2:]), {**dict.fromkeys(ones, 1.0), **dict.fromkeys(zeros, 0.0)}


CASES = {
    name: MetricCase(
        make,
        data,
        whole=joined(data),
        bad_batches=BAD,
        other_parameters=[
            lambda make=make: type(make())(**{**parameters_of(make()), "huber_delta": 2.0}),
            lambda make=make: type(make())(**{**parameters_of(make()), "quantiles": (0.25,)}),
        ],
        perfect=perfect(data),
    )
    for name, (make, data) in TABLE.items()
}


def parameters_of(metric: Regression) -> dict[str, Any]:
    parameters = dict(metric.compute().protocol)
    del parameters["name"]
    return parameters


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for name, case in CASES.items():
        numbers = [
            tuple(case.fed(case.batches[:n]).compute().metrics.values())
            for n in range(1, len(case.batches))
        ]
        assert len(set(map(str, numbers))) == len(numbers), name


@pytest.mark.parametrize("metric", ["ids", "texts, groups"])
def test_a_sample_is_absorbed_once(metric: str) -> None:
    case = CASES[metric]
    fed = case.fed(case.batches[:2])
    before = fed.to_bytes()
    with pytest.raises(IdError, match="expected each sample once, got 7 that were absorbed before"):
        fed.update(*case.batches[1])
    with pytest.raises(IdError, match="expected each sample once, got 30 that"):
        fed.merge(case.fed(case.batches[:1]))
    assert fed.to_bytes() == before


def test_ids_and_groups_come_with_all_samples_or_none() -> None:
    truth, pred, _, ids, _ = batch(0, ids="number")
    metric = Positional(keep_samples=True).update(truth, pred, None, ids)
    for other, error in (
        ((truth, pred), "sample ids with all batches or with none"),
        ((truth, pred, None, ids + 1, ids), "groups with all batches or with none"),
        ((truth, pred, None, [f"s{i}" for i in ids]), "expected sample ids of one kind"),
    ):
        before = metric.to_bytes()
        with pytest.raises(IdError, match=error):
            metric.update(*other)
        with pytest.raises(IdError, match=error):
            metric.merge(Positional(keep_samples=True).update(*other))
        assert metric.to_bytes() == before


def test_the_number_of_outputs_is_one() -> None:
    metric = Positional().update([1.0, 2.0], [1.0, 2.0])
    before = metric.to_bytes()
    other = np.zeros((4, 2))
    with pytest.raises(ShapeError, match="expected 1 outputs, got 2"):
        metric.update(other, other)
    with pytest.raises(ShapeError, match="expected 1 outputs, got 2"):
        metric.merge(Positional().update(other, other))
    assert metric.to_bytes() == before


def test_the_order_of_samples_in_a_batch_shows_nowhere() -> None:
    for name, case in CASES.items():
        for part in case.batches[:4]:
            order = np.random.default_rng(3).permutation(len(part[0]))
            moved = [None if column is None else np.asarray(column)[order] for column in part]
            one, other = case.fed([part]), case.fed([tuple(moved)])
            assert one.to_bytes() == other.to_bytes(), name
            assert str(one.compute().to_dict()) == str(other.compute().to_dict()), name


def test_weights_are_repetition() -> None:
    truth, pred, _, _, _ = batch(1, positive=True)
    times = np.random.default_rng(2).integers(0, 4, len(truth))
    weighted = Positional(**EVERYTHING, keep_samples=True).update(truth, pred, times)
    repeated = Positional(**EVERYTHING, keep_samples=True).update(
        np.repeat(truth, times), np.repeat(pred, times)
    )
    wanted = repeated.compute().metrics
    got = weighted.compute().metrics
    unranked = {"spearman", "kendall"}
    assert {name: value for name, value in got.items() if name not in unranked} == {
        name: value for name, value in wanted.items() if name not in unranked
    }
    assert math.isnan(got["spearman"])
    assert math.isnan(got["kendall"])
