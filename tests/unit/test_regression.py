from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Regression, RegressionResult, metric_from_bytes, regression_scores
from snellen.errors import IdError, InputError, SchemaError, ShapeError
from snellen.result import Interval
from snellen.state import pack, unpack

TRUTH = [1.0, 2.0, 3.0, 5.0, 9.0]
PRED = [2.0, 2.0, 1.0, 6.0, 9.0]


def reasons(result: RegressionResult) -> dict[str, str]:
    return {entry.metric: entry.reason for entry in result.undefined}


def test_worked_by_hand() -> None:
    # Errors 1, 0, -2, 1, 0. Truth: mean 4, deviations -3 -2 -1 1 5, squares 40.
    # Predictions: mean 4, deviations -2 -2 -3 2 5, squares 46; products 6 + 4 + 3 + 2 + 25 = 40.
    result = regression_scores(TRUTH, PRED, quantiles=(0.25,), error_quantiles=(0.2, 0.5, 0.7))
    got = result.metrics
    assert got["mae"] == 4 / 5
    assert got["mse"] == 6 / 5
    assert got["rmse"] == math.sqrt(6 / 5)
    assert got["max_error"] == 2
    assert got["mean_error"] == 0
    assert got["r2"] == 1 - 6 / 40
    assert got["explained_variance"] == 1 - 6 / 40
    assert got["pearson"] == 40 / math.sqrt(40 * 46)
    assert got["concordance"] == 80 / 86
    # |error| sorted: 0 0 1 1 2.
    assert got["median_absolute_error"] == 1
    # error sorted: -2 0 0 1 1. A fifth is one sample exactly: the mean of the first and second.
    assert got["error_q0.2"] == -1
    assert got["error_q0.5"] == 0
    assert got["error_q0.7"] == 1
    # 1/1, 0, 2/3, 1/5, 0; 2/3, 0, 4/4, 2/11, 0.
    assert got["mape"] == pytest.approx((1 + 2 / 3 + 1 / 5) / 5, rel=1e-15)
    assert got["smape"] == pytest.approx((2 / 3 + 1 + 2 / 11) / 5, rel=1e-15)
    assert got["msle"] == pytest.approx(
        sum(math.log((1 + t) / (1 + p)) ** 2 for t, p in zip(TRUTH, PRED, strict=True)) / 5,
        rel=1e-14,
    )
    assert got["rmsle"] == pytest.approx(math.sqrt(got["msle"]), rel=1e-15)
    # Huber, delta 1: 1/2, 0, 2 - 1/2, 1/2, 0.
    assert got["huber"] == 2.5 / 5
    # Truth above the prediction costs a quarter of it (2), below three quarters (1, 1).
    assert got["pinball_0.25"] == (0.25 * 2 + 0.75 * 2) / 5
    # Ranks of truth 1 2 3 4 5, of predictions 2.5 2.5 1 4 5: less 3, squares 10 and 9.5, products
    # (-2)(-0.5) + (-1)(-0.5) + 0 + 1 + 4 = 6.5.
    assert got["spearman"] == pytest.approx(6.5 / math.sqrt(10 * 9.5), rel=1e-15)
    # Of 10 pairs one is tied in predictions, two are discordant: (1, 3) and (2, 3).
    assert got["kendall"] == 5 / math.sqrt(10 * 9)
    assert result.undefined == ()


def test_deviances_by_hand() -> None:
    result = regression_scores([2.0, 8.0], [1.0, 4.0], tweedie_power=3)
    # Poisson: 2 (t log(t/p) - t + p); gamma: 2 (log(p/t) + t/p - 1).
    assert result.poisson_deviance == pytest.approx(
        (2 * (2 * math.log(2) - 1) + 2 * (8 * math.log(2) - 4)) / 2, rel=1e-14
    )
    assert result.gamma_deviance == pytest.approx(2 * (1 - math.log(2)), rel=1e-14)
    # Power 3: (t - p)² / (p² t).
    assert result.tweedie_deviance_3 == pytest.approx((1 / 2 + 16 / 128) / 2, rel=1e-14)


@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-11])
def test_deviances_of_near_sides_do_not_cancel(gap: float) -> None:
    from decimal import Decimal, getcontext

    getcontext().prec = 60
    truth, pred = 1e5, 1e5 * (1 + gap)
    t, p = Decimal(truth), Decimal(pred)
    result = regression_scores([truth], [pred], tweedie_power=1.5)
    wanted = {
        "poisson_deviance": 2 * (t * (t / p).ln() - t + p),
        "gamma_deviance": 2 * ((p / t).ln() + t / p - 1),
        "tweedie_deviance_1.5": 4 * (t.sqrt() - p.sqrt()) ** 2 / p.sqrt(),
        "msle": ((1 + t) / (1 + p)).ln() ** 2,
    }
    for name, value in wanted.items():
        assert result.metrics[name] == pytest.approx(float(value), rel=1e-9), name


def test_weights_by_hand() -> None:
    # Errors 1, -2 of weights 3 and 1: mean (3 - 2) / 4, mean square 7 / 4. Truth 0 and 4: mean 1,
    # variance (3 · 1 + 9) / 4 = 3.
    result = regression_scores([0, 4], [1, 2], weight=[3, 1])
    assert result.mae == 5 / 4
    assert result.mse == 7 / 4
    assert result.mean_error == 1 / 4
    assert result.r2 == pytest.approx(1 - 7 / 12, rel=1e-15)
    # Half the weight is reached within the sample of weight 3.
    assert result.median_absolute_error == 1
    assert result.data["n_reweighted"] == 1
    assert reasons(result)["kendall"] == "samples have weights, ranks have none"


def test_equal_weights_are_none() -> None:
    plain = regression_scores(TRUTH, PRED).metrics
    assert regression_scores(TRUTH, PRED, weight=[0.3] * 5).metrics == plain


def test_weight_0_is_as_if_not_there() -> None:
    result = regression_scores([*TRUTH, -7], [*PRED, 1e9], weight=[1] * 5 + [0])
    assert result.metrics == regression_scores(TRUTH, PRED).metrics
    assert result.data["n_samples"] == 5
    assert result.data["n_weightless"] == 1
    assert "5, 1 more of weight 0 left out" in result.composition()
    nothing = regression_scores([1.0, 2.0], [1.0, 2.0], weight=[0, 0])
    assert set(reasons(nothing).values()) == {"there are no samples"}


def test_outputs_by_hand() -> None:
    # Errors (1, 0), (-1, 3): MSE 1 and 4.5; truth (0, 10), (2, 20): variance 1 and 25.
    truth, pred = [[0, 10], [2, 20]], [[1, 10], [1, 23]]
    result = regression_scores(truth, pred, outputs=["age", "weight"])
    assert result.values["mse"].tolist() == [1, 4.5]
    assert result.mse == 2.75
    assert result.rmse == (1 + math.sqrt(4.5)) / 2
    assert result.values["r2"].tolist() == [0, pytest.approx(1 - 4.5 / 25)]
    assert result.r2 == pytest.approx(0.41)
    assert result.r2_variance_weighted == pytest.approx(1 - 5.5 / 26)
    assert result.max_error == 3
    assert [record["output"] for record in result.per_class()] == ["age", "weight"]
    assert result.per_class()[1]["mae"] == 1.5
    assert reasons(result) == {
        "mape": "output age: in 1 of 2 samples truth is 0",
        "gamma_deviance": "output age: in 1 of 2 samples a side is not above 0",
        "pearson": "output age: a side is constant",
        "spearman": "output age: a side is constant",
        "kendall": "output age: a side is constant",
    }
    assert {(entry.metric, entry.class_name) for entry in result.undefined_of_classes()} == {
        (name, "age") for name in reasons(result)
    }


def test_one_output_in_either_shape() -> None:
    column = np.array(TRUTH)[:, None]
    assert regression_scores(column, PRED).metrics == regression_scores(TRUTH, PRED).metrics


def test_undefined() -> None:
    result = regression_scores([3, 3, 3], [1, 2, 3])
    assert reasons(result) == {
        "r2": "truth is constant",
        "explained_variance": "truth is constant",
        **dict.fromkeys(("pearson", "spearman", "kendall"), "a side is constant"),
    }
    assert result.concordance == 0
    both = reasons(regression_scores([3, 3], [3, 3]))
    assert both["concordance"] == "both sides are one constant"
    single = reasons(regression_scores([3], [4]))
    assert single["r2"] == "there is one sample, it needs two"
    assert single["pearson"] == "there is one sample"
    assert single["kendall"] == "there is one sample"
    assert reasons(regression_scores([3], [4], force_finite=True))["r2"] == single["r2"]


def test_force_finite() -> None:
    assert regression_scores([3, 3], [3, 3], force_finite=True).r2 == 1
    result = regression_scores([3, 3], [4, 4], force_finite=True)
    assert result.r2 == 0
    assert result.explained_variance == 1  # the error does not vary


def test_outside_of_domains() -> None:
    result = regression_scores([0.0, -1.0, 2.0, 4.0], [1.0, 1.0, 0.0, 4.0], tweedie_power=-1)
    assert reasons(result) == {
        "mape": "in 1 of 4 samples truth is 0",
        "msle": "in 1 of 4 samples a side is -1 or below",
        "rmsle": "in 1 of 4 samples a side is -1 or below",
        "poisson_deviance": "in 2 of 4 samples truth is below 0 or the prediction not above 0",
        "gamma_deviance": "in 3 of 4 samples a side is not above 0",
        "tweedie_deviance_-1": "in 1 of 4 samples the prediction is not above 0",
    }
    text = result.composition()
    assert "undefined    msle, rmsle: in 1 of 4 samples a side is -1 or below" in text
    huge = regression_scores([1e-300, 1.0], [1e100, 1.0])
    assert reasons(huge)["mape"] == "in 1 of 2 samples it is beyond float64"


def test_relative_errors_of_0() -> None:
    # 0/0 of SMAPE is 0: an exact prediction. With an epsilon MAPE divides by it.
    result = regression_scores([0.0, 1.0], [0.0, 3.0], mape_epsilon=0.5)
    assert result.smape == (0 + 2 * 2 / 4) / 2
    assert result.mape == 1
    assert regression_scores([0.0, 1.0], [1.0, 1.0], mape_epsilon=0.5).mape == 1


@pytest.mark.parametrize(
    ("truth", "pred", "columns", "error", "message"),
    [
        (
            [1, math.nan],
            [1, 2],
            {},
            InputError,
            r"expected finite numbers, got nan - at truth\[1\]",
        ),
        ([1, 2], [1, -math.inf], {}, InputError, r"got -inf - at pred\[1\]"),
        ([[1, 2], [3, 4]], [[1, 2], [math.nan, 4]], {}, InputError, r"at pred\[1, 0\]"),
        ([1, 2], [1, 1e151], {}, InputError, r"up to 1e\+150, got 1e\+151 - at pred\[1\]"),
        ([1, 2], [1], {}, ShapeError, "got 2 of 1 and 1 of 1"),
        ([1, 2], [[1, 2], [1, 2]], {}, ShapeError, "got 2 of 1 and 2 of 2"),
        (1.0, 1.0, {}, ShapeError, r"expected shape \(n,\) or \(n, m\), got \(\)"),
        (np.zeros((3, 0)), np.zeros((3, 0)), {}, ShapeError, r"got \(3, 0\)"),
        ([1, 2], [1, 2], {"weight": [1, -1]}, InputError, r"got -1.0 - at weight\[1\]"),
        ([1, 2], [1, 2], {"weight": [1]}, ShapeError, "expected 2 weights"),
        ([1, 2], [1, 2], {"sample_id": [7, 7]}, IdError, "1 more than once: 7 - at sample_id"),
        ([1, 2], [1, 2], {"group": ["a"]}, IdError, "expected 2 groups, one for each sample"),
        (["1", "2"], [1, 2], {}, InputError, "expected numbers"),
    ],
)
def test_bad_input(truth: Any, pred: Any, columns: Any, error: Any, message: str) -> None:
    metric = Regression(keep_samples=True)
    with pytest.raises(error, match=message):
        metric.update(truth, pred, **columns)
    assert metric.to_bytes() == metric.empty().to_bytes()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"huber_delta": 0}, "above 0, got 0 - at huber_delta"),
        ({"huber_delta": math.nan}, "at huber_delta"),
        ({"mape_epsilon": -1}, "at mape_epsilon"),
        ({"tweedie_power": 0.5}, "up to 0 or from 1, got 0.5 - at tweedie_power"),
        ({"tweedie_power": math.inf}, "at tweedie_power"),
        ({"quantiles": (0.0,)}, "between 0 and 1, got 0.0 - at quantiles"),
        ({"quantiles": (0.5, 0.5)}, "each level once"),
        ({"error_quantiles": (1.1,)}, "from 0 to 1, got 1.1 - at error_quantiles"),
        ({"outputs": []}, "a name for each output"),
        ({"outputs": "xy"}, "a name for each output"),
        ({"outputs": ["x", "x"]}, "each name once"),
    ],
)
def test_bad_parameters(parameters: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Regression(**parameters)


def test_ids_need_kept_samples() -> None:
    with pytest.raises(InputError, match="make the metric with keep_samples=True"):
        Regression().update([1.0], [1.0], sample_id=[3])
    with pytest.raises(InputError, match="make it with keep_samples=True"):
        Regression().update([1.0], [1.0]).units()


def test_declared_outputs() -> None:
    metric = Regression(["x", "y"])
    with pytest.raises(ShapeError, match="expected 2 outputs, got 1"):
        metric.update([1.0], [1.0])
    assert "r2_variance_weighted" in metric.compute().metrics
    assert "r2_variance_weighted" not in Regression(["x"]).compute().metrics


def test_float16_and_float32_are_read_exactly() -> None:
    for dtype in (np.float16, np.float32):
        truth, pred = np.array([0.1, 0.2, 0.7], dtype), np.array([0.3, 0.2, 0.6], dtype)
        wide = regression_scores(truth.astype(np.float64), pred.astype(np.float64))
        assert regression_scores(truth, pred).metrics == wide.metrics


def test_memory_of_the_streaming_state_is_constant() -> None:
    random = np.random.default_rng(0)
    metric = Regression()
    sizes = []
    for _ in range(4):
        truth = random.normal(size=10_000)
        metric.update(truth, truth + random.normal(size=10_000))
        sizes.append(len(metric.to_bytes()))
    assert max(sizes) - min(sizes) <= 64


def test_text_of_one_output() -> None:
    result = regression_scores(TRUTH, PRED)
    lines = str(result).splitlines()
    assert "mae                    0.8" in lines
    assert "rmse                   1.0954" in lines
    assert result.composition().splitlines() == [
        "samples      5",
        "error        prediction less truth",
    ]
    with_interval = RegressionResult(
        **{
            **{name: getattr(result, name) for name in result.__dataclass_fields__},
            "intervals": {"mae": Interval(0.5, 1.25, 0.95, "bootstrap", "sample")},
        }
    )
    assert "mae                    0.8 (0.5 to 1.25)" in str(with_interval)


def test_text_of_outputs() -> None:
    truth = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 25.0]])
    result = regression_scores(
        truth, truth + np.array([[1, 0], [0, 0], [0, 2]]), outputs=["a\tb", "y"]
    )
    table = str(result).split("\n\n")[0].splitlines()
    assert table[0].split() == [
        *("output", "mae", "rmse", "median_absolute_error", "max_error", "mean_error"),
        *("r2", "pearson"),
    ]
    assert table[1].startswith("a\\tb    0.33333  0.57735")
    assert "outputs      2" in result.composition()


def test_without_data_everything_is_undefined() -> None:
    result = Regression(keep_samples=True, tweedie_power=3).compute()
    assert all(math.isnan(value) for value in result.metrics.values())
    assert set(reasons(result)) == set(result.metrics)
    assert result.per_class() == []
    assert result.to_dict()["metrics"]["mae"] is None


def test_saved_results_come_back(tmp_path: Path) -> None:
    truth = np.array([[1.0, 3.0], [2.0, 3.0]])
    result = regression_scores(truth, truth + 1, outputs=["x", "y"])
    with_interval = RegressionResult(
        **{
            **{name: getattr(result, name) for name in result.__dataclass_fields__},
            "intervals": {"mae": Interval(0.5, math.nan, 0.95, "bootstrap", "sample")},
        }
    )
    for kept in (result, with_interval, Regression().compute()):
        kept.save(tmp_path / "result")
        loaded = RegressionResult.load(tmp_path / "result")
        assert str(loaded) == str(kept)
        assert loaded.composition() == kept.composition()
        assert loaded.to_dict() == kept.to_dict()
    (tmp_path / "state").write_bytes(Regression().to_bytes())
    with pytest.raises(SchemaError, match="expected a RegressionResult, got a Regression"):
        RegressionResult.load(tmp_path / "state")


def test_states_are_found_by_their_name() -> None:
    metric = Regression(keep_samples=True).update(TRUTH, PRED, sample_id=range(5))
    again = metric_from_bytes(metric.to_bytes())
    assert isinstance(again, Regression)
    assert again.compute().metrics == metric.compute().metrics
    assert pickle.loads(pickle.dumps(metric)).to_bytes() == metric.to_bytes()


def changed(metric: Regression, **arrays: Any) -> bytes:
    packed = unpack(metric.to_bytes())
    return pack(packed.name, packed.content, {**packed.arrays, **arrays})


@pytest.mark.parametrize(
    "arrays",
    [
        {"largest": np.zeros(2)},
        {"n_samples": np.array(4)},
        {"tt.limbs": np.zeros((1, 2))},
        {"rows.truth": np.zeros((5, 2))},
        {"rows.pred": np.zeros((4, 1))},
        {"rows.sample": np.full(5, 9, np.int32)},
        {"ids.sample": np.array([1, 1, 2, 3, 4])},
    ],
)
def test_broken_states_are_refused(arrays: Any) -> None:
    metric = Regression(keep_samples=True).update(TRUTH, PRED, sample_id=range(5))
    with pytest.raises(SchemaError, match="expected a whole state of Regression"):
        Regression.from_bytes(changed(metric, **arrays))


def test_the_state_of_something_else_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected the state of Regression, got one of Else"):
        Regression.from_bytes(pack("Else", {}, {}))
