"""Regression beside scikit-learn, SciPy, torchmetrics and PyTorch, on random data.

Ours are exact sums rounded once, theirs are float64 in some order: 1e-12 is a thousand roundings.
Where a reference loses more than that by its own cancellation, the tolerance says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as reference
import torch
import torchmetrics.functional.regression as torchmetrics

from snellen import Regression, RegressionResult, regression_scores

CLOSE = 1e-12
EPSILON = float(np.finfo(np.float64).eps)


def data(
    seed: int, *, m: int = 1, positive: bool = False, ties: bool = False, n: int = 0
) -> tuple[Any, ...]:
    """Return truth, predictions and weights; some predictions are close, some far off."""
    random = np.random.default_rng(seed)
    n = n or int(random.integers(2, 200))
    if positive:
        truth = random.gamma(2.0, 3.0, (n, m)) + 1e-3
        pred = truth * np.exp(
            random.choice([0.0, 1e-9, 0.1, 2.0], (n, m)) * random.normal(size=(n, m))
        )
    else:
        truth = random.normal(2.0, 5.0, (n, m))
        pred = truth + random.choice([0.0, 0.1, 4.0], (n, m)) * random.normal(size=(n, m))
    if ties:
        truth, pred = truth.round(), pred.round()
    return truth, pred, random.gamma(1.0, 1.0, n)


def flat(truth: Any, pred: Any, weight: Any) -> tuple[Any, ...]:
    return truth[:, 0], pred[:, 0], weight


def scores(truth: Any, pred: Any, weight: Any = None, **parameters: Any) -> RegressionResult:
    return regression_scores(truth, pred, weight=weight, **parameters)


def near(got: float, wanted: float, tolerance: float = CLOSE) -> bool:
    return got == pytest.approx(float(wanted), rel=tolerance, abs=tolerance)


SKLEARN = {
    "mae": reference.mean_absolute_error,
    "mse": reference.mean_squared_error,
    "rmse": reference.root_mean_squared_error,
    "median_absolute_error": reference.median_absolute_error,
    "r2": reference.r2_score,
    "explained_variance": reference.explained_variance_score,
    "mape": reference.mean_absolute_percentage_error,
    "pinball_0.1": lambda *a, **k: reference.mean_pinball_loss(*a, alpha=0.1, **k),
    "pinball_0.75": lambda *a, **k: reference.mean_pinball_loss(*a, alpha=0.75, **k),
}
SKLEARN_POSITIVE = {
    "msle": reference.mean_squared_log_error,
    "rmsle": reference.root_mean_squared_log_error,
}
DEVIANCES = {
    "poisson_deviance": reference.mean_poisson_deviance,
    "gamma_deviance": reference.mean_gamma_deviance,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_scikit_learn(seed: int, weighted: bool) -> None:
    truth, pred, weight = data(seed, ties=seed % 3 == 0)
    weights = weight if weighted else None
    got = scores(truth, pred, weights, quantiles=(0.1, 0.75), mape_epsilon=EPSILON)
    for name, function in SKLEARN.items():
        assert near(got.metrics[name], function(truth, pred, sample_weight=weights)), name
    assert got.max_error == reference.max_error(truth, pred)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_scikit_learn_positive(seed: int, weighted: bool) -> None:
    truth, pred, weight = data(seed, positive=True)
    weights = weight if weighted else None
    got = scores(truth, pred, weights)
    for name, function in {**SKLEARN_POSITIVE, **DEVIANCES}.items():
        arguments = (truth, pred) if name in SKLEARN_POSITIVE else (truth[:, 0], pred[:, 0])
        assert near(got.metrics[name], function(*arguments, sample_weight=weights)), name


@pytest.mark.parametrize("power", [-2.5, -1.0, 0.0, 1.0, 1.2, 1.5, 1.9, 2.0, 2.7, 3.0])
def test_tweedie(power: float) -> None:
    for seed in range(10):
        truth, pred, weight = flat(*data(seed, positive=True))
        if power < 0:
            truth = truth - 4  # may be negative
        elif 1 <= power < 2:
            truth = np.where(truth < 1, 0.0, truth)
        for weights in (None, weight):
            got = scores(truth, pred, weights, tweedie_power=power)
            wanted = reference.mean_tweedie_deviance(
                truth, pred, sample_weight=weights, power=power
            )
            assert near(got.metrics[f"tweedie_deviance_{power:g}"], wanted, 1e-11)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_outputs(seed: int, weighted: bool) -> None:
    truth, pred, weight = data(seed, m=3, positive=True)
    weights = weight if weighted else None
    got = scores(truth, pred, weights, quantiles=(0.1, 0.75), mape_epsilon=EPSILON)
    for name, function in {**SKLEARN, **SKLEARN_POSITIVE}.items():
        for how, found in (
            ("raw_values", got.values[name]),
            ("uniform_average", got.metrics[name]),
        ):
            wanted = function(truth, pred, sample_weight=weights, multioutput=how)
            assert found == pytest.approx(wanted, rel=CLOSE, abs=CLOSE), (name, how)
    for name, function in (
        ("r2_variance_weighted", reference.r2_score),
        ("explained_variance_weighted", reference.explained_variance_score),
    ):
        wanted = function(truth, pred, sample_weight=weights, multioutput="variance_weighted")
        assert near(got.metrics[name], wanted), name
    assert got.max_error == max(reference.max_error(truth[:, j], pred[:, j]) for j in range(3))


@pytest.mark.parametrize("seed", range(30))
def test_scipy(seed: int) -> None:
    truth, pred, _ = flat(*data(seed, ties=seed % 2 == 0))
    if np.ptp(truth) == 0 or np.ptp(pred) == 0:
        pytest.fail("the data are of no use")
    got = scores(truth, pred)
    assert near(got.pearson, scipy.stats.pearsonr(truth, pred).statistic)
    assert near(got.spearman, scipy.stats.spearmanr(truth, pred).statistic)
    assert near(got.kendall, scipy.stats.kendalltau(truth, pred, variant="b").statistic)


@pytest.mark.parametrize("seed", range(10))
def test_quantiles_of_the_error(seed: int) -> None:
    truth, pred, _ = flat(*data(seed, ties=seed % 2 == 0))
    levels = (0.0, 0.05, 0.25, 0.5, 0.9, 1.0)
    got = scores(truth, pred, error_quantiles=levels)
    for level in levels:
        wanted = np.quantile(pred - truth, level, method="averaged_inverted_cdf")
        assert got.metrics[f"error_q{level:g}"] == wanted, level


@pytest.mark.parametrize("seed", range(10))
def test_torchmetrics(seed: int) -> None:
    truth, pred, _ = flat(*data(seed, positive=True))
    n = len(truth)
    t, p = torch.from_numpy(truth), torch.from_numpy(pred)
    got = scores(truth, pred, mape_epsilon=1.17e-06, tweedie_power=1.5, huber_delta=0.7)
    for name, wanted in {
        "mae": torchmetrics.mean_absolute_error(p, t),
        "mse": torchmetrics.mean_squared_error(p, t),
        "rmse": torchmetrics.mean_squared_error(p, t, squared=False),
        "msle": torchmetrics.mean_squared_log_error(p, t),
        "mape": torchmetrics.mean_absolute_percentage_error(p, t),
        "smape": torchmetrics.symmetric_mean_absolute_percentage_error(p, t),
        "r2": torchmetrics.r2_score(p, t),
        "explained_variance": torchmetrics.explained_variance(p, t),
        "pearson": torchmetrics.pearson_corrcoef(p, t),
        "poisson_deviance": torchmetrics.tweedie_deviance_score(p, t, power=1.0),
        "gamma_deviance": torchmetrics.tweedie_deviance_score(p, t, power=2.0),
        "tweedie_deviance_1.5": torchmetrics.tweedie_deviance_score(p, t, power=1.5),
        "huber": torch.nn.functional.huber_loss(p, t, delta=0.7),
    }.items():
        assert near(got.metrics[name], wanted, 1e-10), name
    # It counts ranks and pairs in float32.
    assert near(got.spearman, torchmetrics.spearman_corrcoef(p, t), 1e-5)
    assert near(got.kendall, torchmetrics.kendall_rank_corrcoef(p, t), 1e-5)
    # It divides the variances and the covariance by n - 1, Lin by n.
    vt, vp, c = truth.var(), pred.var(), np.cov(truth, pred, bias=True)[0, 1]
    gap = (truth.mean() - pred.mean()) ** 2
    assert near(got.concordance, 2 * c / (vt + vp + gap))
    k = n / (n - 1)
    wanted = torchmetrics.concordance_corrcoef(p, t)
    assert near(2 * k * c / (k * (vt + vp) + gap), wanted, 1e-10)


@pytest.mark.parametrize("mean", [0.0, 1e3, 1e5])
def test_a_mean_far_from_0_in_float32_batches(mean: float) -> None:
    """Of 200,000 samples with deviation 1 and noise 0.1, R² is 0.990."""
    random = np.random.default_rng(0)
    truth = (mean + random.normal(size=200_000)).astype(np.float32)
    pred = (truth + 0.1 * random.normal(size=200_000)).astype(np.float32)
    metric = Regression()
    for begin in range(0, len(truth), 256):
        metric.update(truth[begin : begin + 256], pred[begin : begin + 256])
    got = metric.compute()
    assert got.r2 == pytest.approx(0.990, abs=2e-4)
    wide = truth.astype(np.float64), pred.astype(np.float64)
    assert near(got.r2, reference.r2_score(*wide))
    assert near(got.explained_variance, reference.explained_variance_score(*wide))
    assert near(got.pearson, scipy.stats.pearsonr(*wide).statistic)


@pytest.mark.parametrize("mean", [1e5, 1e8, 1e12])
def test_exact_rational_arithmetic(mean: float) -> None:
    from fractions import Fraction

    random = np.random.default_rng(1)
    truth = mean + random.normal(size=300)
    pred = truth + 0.1 * random.normal(size=300)
    weight = random.gamma(1.0, 1.0, 300)
    for weights in (None, weight):
        t, p = ([Fraction(x) for x in side.tolist()] for side in (truth, pred))
        w = [Fraction(x) for x in (np.ones(300) if weights is None else weights).tolist()]
        mean_t = sum(a * b for a, b in zip(w, t, strict=True)) / sum(w)
        left = sum(a * (b - c) ** 2 for a, b, c in zip(w, t, p, strict=True))
        spread = sum(a * (b - mean_t) ** 2 for a, b in zip(w, t, strict=True))
        got = scores(truth, pred, weights)
        assert got.r2 == float(1 - left / spread)
        assert got.mse == float(left / sum(w))
        shifted = scores(truth - mean, pred - mean, weights)
        if mean <= 1e8:  # at 1e12 the data themselves are 1e-4 apart
            assert got.r2 == pytest.approx(shifted.r2, rel=1e-6)


def test_constant_truth_as_in_scikit_learn() -> None:
    constant, varied = np.full(5, 3.0), np.arange(5.0)
    for truth, pred in (
        (constant, varied),
        (constant, constant),
        (constant, constant + 1),
        (np.stack([constant, varied], 1), np.stack([varied, varied + 0.3], 1)),
        (np.stack([constant, constant], 1), np.stack([varied, constant], 1)),
    ):
        got = scores(truth, pred, force_finite=True)
        assert got.r2 == pytest.approx(reference.r2_score(truth, pred), abs=CLOSE)
        wanted = reference.explained_variance_score(truth, pred)
        assert got.explained_variance == pytest.approx(wanted, abs=CLOSE)
        if truth.ndim == 2:
            wanted = reference.r2_score(truth, pred, multioutput="variance_weighted")
            assert got.r2_variance_weighted == pytest.approx(wanted, abs=CLOSE)
            plain = scores(truth, pred)
            with np.errstate(divide="ignore", invalid="ignore"):
                wanted = reference.r2_score(
                    truth, pred, multioutput="raw_values", force_finite=False
                )
            wanted[~np.isfinite(wanted)] = np.nan
            np.testing.assert_allclose(plain.values["r2"], wanted, atol=CLOSE)
