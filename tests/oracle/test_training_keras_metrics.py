"""Snellen's metrics in Keras' own fit, beside Keras' numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from snellen import ConfusionMatrix, Regression
from snellen.errors import InputError, ShapeError
from snellen.training.keras import SnellenMetrics

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def data(n: int = 60, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = random.integers(0, k, n)
    x = random.normal(size=(n, 4)).astype(np.float32)
    x[:, 0] += y
    return x, y


def model(n_outputs: int, activation: str | None, loss: str, **options: Any) -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(n_outputs, activation=activation)]
    )
    made.compile("sgd", loss=loss, jit_compile=False, **options)
    return made


def test_numbers_are_those_of_keras() -> None:
    x, y = data()
    net = model(3, "softmax", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ours = SnellenMetrics((x[40:], y[40:]), batch_size=7, prefix="snellen_")
    history = net.fit(
        x[:40], y[:40], validation_data=(x[40:], y[40:]), epochs=3, verbose=0, callbacks=[ours]
    ).history
    np.testing.assert_allclose(history["snellen_accuracy"], history["val_accuracy"], atol=1e-6)
    np.testing.assert_allclose(history["snellen_log_loss"], history["val_loss"], atol=1e-6)
    assert len(history["snellen_f1_macro"]) == 3
    assert ours.result.data["n_samples"] == 20
    assert ours.result.parts["labels"].matrix.sum() == 20


def test_logits_are_seen_as_such() -> None:
    x, y = data()
    loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net = model(3, None, loss)
    ours = SnellenMetrics((x, y))
    history = net.fit(x, y, validation_data=(x, y), epochs=1, verbose=0, callbacks=[ours]).history
    np.testing.assert_allclose(history["val_log_loss"], history["val_loss"], atol=1e-6)


def test_callbacks_that_follow_can_use_the_numbers() -> None:
    x, y = data()
    net = model(3, "softmax", "sparse_categorical_crossentropy")
    ours = SnellenMetrics((x, y), names=["f1_macro"])
    stop = keras.callbacks.EarlyStopping("val_f1_macro", mode="max", patience=0, min_delta=2.0)
    history = net.fit(x, y, epochs=9, verbose=0, callbacks=[ours, stop]).history
    # No F1 is above the first by 2.
    assert len(history["val_f1_macro"]) == 2
    assert set(history) == {"loss", "val_f1_macro"}


def test_flags_and_batches_give_the_same() -> None:
    x, y = data()
    net = model(3, "softmax", "sparse_categorical_crossentropy")
    plain, flags, pieces = (
        SnellenMetrics(each, names="all")
        for each in (
            (x, y),
            (x, np.eye(3, dtype=np.float32)[y]),
            [(x[:7], y[:7]), (x[7:], y[7:])],
        )
    )
    for each in (plain, flags, pieces):
        each.set_model(net)
    # One sample more or less in a batch may round a score otherwise.
    wanted = plain.measured().metrics
    for each in (flags, pieces):
        got = each.measured().metrics
        np.testing.assert_allclose(list(got.values()), list(wanted.values()), rtol=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_one_column_is_that_of_class_1(activation: str | None) -> None:
    x, y = data(k=2)
    loss: Any = keras.losses.BinaryCrossentropy(from_logits=activation is None)
    net = model(1, activation, loss, metrics=[])
    ours = SnellenMetrics((x, y), names="all")
    history = net.fit(
        x, y.astype(np.float32)[:, None], validation_data=(x, y.astype(np.float32)[:, None]),
        epochs=1, verbose=0, callbacks=[ours],
    ).history  # fmt: skip
    np.testing.assert_allclose(history["val_log_loss"], history["val_loss"], atol=1e-6)
    score = net.predict_on_batch(x)[:, 0]
    wanted = ((score > (0.5 if activation else 0.0)) == y).mean()
    assert history["val_accuracy"][0] == pytest.approx(wanted)


def test_regression() -> None:
    x, _ = data()
    y = (x[:, :2] * 3).astype(np.float32)
    net = model(2, None, "mse")
    ours = SnellenMetrics((x, y), names="all")
    history = net.fit(x, y, validation_data=(x, y), epochs=1, verbose=0, callbacks=[ours]).history
    np.testing.assert_allclose(history["val_mse"], history["val_loss"], rtol=1e-6)
    with_metric = SnellenMetrics((x, y), Regression(), names=["mae"])
    with_metric.set_model(net)
    assert with_metric.measured().mae == ours.result.mae


def test_a_metric_of_ones_own() -> None:
    x, y = data()
    net = model(3, "softmax", "sparse_categorical_crossentropy")
    metric = ConfusionMatrix(["a", "b", "c"])
    ours = SnellenMetrics((x, y), metric)
    net.fit(x, y, epochs=2, verbose=0, callbacks=[ours])
    # It stays empty, so that each epoch has a result of its own.
    assert ours.result.matrix.sum() == 60
    assert metric.compute().matrix.sum() == 0


def test_refused() -> None:
    x, y = data()
    net = model(3, "softmax", "sparse_categorical_crossentropy")
    with pytest.raises(InputError, match="gone through in each epoch, got an iterator"):
        SnellenMetrics(iter([(x, y)]))
    with pytest.raises(InputError, match="expected a batch size from 1, got 0"):
        SnellenMetrics((x, y), batch_size=0)
    with pytest.raises(InputError, match=r'expected "probabilities" or "logits", got .scores.'):
        SnellenMetrics((x, y), scores="scores")
    for given, error, text in (
        ((x, y[:5]), ShapeError, "expected inputs and as many truths"),
        ([], InputError, "expected validation data, got none"),
        ((x[:0], y[:0]), InputError, "expected validation data, got none"),
    ):
        ours = SnellenMetrics(given)
        ours.set_model(net)
        with pytest.raises(error, match=text):
            ours.measured()
    ours = SnellenMetrics((x, y), names=["f1_marco"])
    with pytest.raises(InputError, match="expected names of numbers of the result, got f1_marco"):
        net.fit(x, y, epochs=1, verbose=0, callbacks=[ours])
    flags = SnellenMetrics((x, np.ones((60, 3))), ConfusionMatrix())
    flags.set_model(net)
    with pytest.raises(ShapeError, match="or flags with one in each row"):
        flags.measured()


def test_keras_is_imported_late_and_looked_at() -> None:
    code = (
        "import sys, types\n"
        "from snellen.errors import InputError, MissingExtraError\n"
        "from snellen.training.keras import KerasModule, to_keras\n"
        "assert 'keras' not in sys.modules\n"
        "sys.modules['keras'] = None\n"
        "try:\n    to_keras(None)\n"
        "except MissingExtraError as error:\n    print(error)\n"
        "keras = types.ModuleType('keras')\n"
        "keras.backend = types.SimpleNamespace(backend=lambda: 'jax')\n"
        "sys.modules['keras'] = keras\n"
        "try:\n    KerasModule(None)\n"
        "except InputError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    missing, other = done.stdout.splitlines()
    assert "pip install 'snellen[keras]'" in missing
    assert other.startswith("expected Keras with the backend torch, got jax: set the environment")
