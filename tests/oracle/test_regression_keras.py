"""Regression beside Keras, whose metrics add up in float32."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras

from snellen import regression_scores

# Means of 500 numbers in float32, each rounded at 6e-8.
CLOSE = 1e-5


def run(metric: Any, truth: Any, pred: Any) -> float:
    metric.update_state(truth, pred)
    return float(metric.result())


@pytest.mark.parametrize("seed", range(4))
def test_keras(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.gamma(4.0, 1.0, 500).astype(np.float32)
    pred = (truth * np.exp(0.3 * random.normal(size=500))).astype(np.float32)
    got = regression_scores(truth, pred, mape_epsilon=1e-7, huber_delta=0.5)
    columns = truth[:, None], pred[:, None]
    for name, wanted in {
        "mae": run(keras.metrics.MeanAbsoluteError(), *columns),
        "mse": run(keras.metrics.MeanSquaredError(), *columns),
        "rmse": run(keras.metrics.RootMeanSquaredError(), *columns),
        "msle": run(keras.metrics.MeanSquaredLogarithmicError(), *columns),
        "mape": run(keras.metrics.MeanAbsolutePercentageError(), *columns) / 100,
        "r2": run(keras.metrics.R2Score(), *columns),
        "pearson": run(keras.metrics.PearsonCorrelation(axis=0), *columns),
        "concordance": run(keras.metrics.ConcordanceCorrelation(axis=0), *columns),
        "huber": float(keras.losses.Huber(delta=0.5)(*columns)),
    }.items():
        assert got.metrics[name] == pytest.approx(wanted, rel=CLOSE), name
    # Its Poisson loss is p - t log p: half the deviance, less what depends on truth alone.
    poisson = run(keras.metrics.Poisson(), *columns)
    wide = truth.astype(np.float64)
    alone = np.mean(wide - wide * np.log(wide))
    assert got.poisson_deviance / 2 == pytest.approx(poisson - alone, abs=1e-5)


def test_several_outputs_are_averaged_as_keras_does() -> None:
    random = np.random.default_rng(9)
    truth = random.normal(size=(300, 3)).astype(np.float32) * np.array([1, 2, 5], np.float32)
    pred = truth + 0.3 * random.normal(size=(300, 3)).astype(np.float32)
    got = regression_scores(truth, pred)
    for average, name in (
        ("uniform_average", "r2"),
        ("variance_weighted_average", "r2_variance_weighted"),
    ):
        wanted = run(keras.metrics.R2Score(class_aggregation=average), truth, pred)
        assert got.metrics[name] == pytest.approx(wanted, rel=CLOSE)
