"""Training by Keras' fit, for the sides that differ in the backend.

Arrays are normalised beforehand, which is not measured, and fit shuffles them as it does. The
losses to compare come from a network of its own, after the measuring, batch by batch in the order
of the setting. Keras' Adam adds its epsilon before the correction of the bias, torch's after it: so
the first loss is that of other sides, and those after it are near.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from training_sides import BATCH_SIZE, LEARNING_RATE, MEAN, N_LOSSES, STD, Clock, Setting, Trained

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["trained_by_fit"]


class _Marks(keras.callbacks.Callback):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del epoch, logs
        self._clock.mark()


def trained_by_fit(setting: Setting, clock: Clock, *, data_format: str) -> Trained:
    """Train by fit with its defaults, progress bar included."""
    keras.config.set_image_data_format(data_format)
    keras.utils.set_random_seed(setting.seed)
    images, labels = _normalised(setting.train_images), setting.train_labels
    model = _model(setting)
    model.fit(images, labels, BATCH_SIZE, setting.epochs, callbacks=[_Marks(clock)])
    clock.mark()
    test = _normalised(setting.test_images)
    _, accuracy = model.evaluate(test, setting.test_labels, 1000, verbose=0)

    model, losses = _model(setting), []
    for rows in np.split(setting.orders[0], range(BATCH_SIZE, len(labels), BATCH_SIZE))[:N_LOSSES]:
        model.reset_metrics()
        loss, _ = model.train_on_batch(images[rows], labels[rows])
        losses.append(float(loss))
    return Trained(losses, float(accuracy))


def _normalised(images: np.ndarray) -> np.ndarray:
    axis = 1 if keras.config.image_data_format() == "channels_first" else -1
    scaled = (images.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    return np.expand_dims(scaled, axis)


def _model(setting: Setting) -> keras.Model:
    first = keras.config.image_data_format() == "channels_first"
    layers = keras.layers
    if setting.network == "fc":
        inner = [layers.Flatten(), layers.Dense(512, activation="relu")]
    else:
        inner = [
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
        ]
    shape = (1, 28, 28) if first else (28, 28, 1)
    model = keras.Sequential([keras.Input(shape), *inner, layers.Dense(10)])
    model.set_weights(list(_in_keras_layout(setting.weights)))
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _in_keras_layout(weights: tuple[np.ndarray, ...]) -> Iterator[np.ndarray]:
    """Give (height, width, in, out) for (out, in, height, width), and (in, out) for (out, in)."""
    channels = None
    for weight in weights:
        if weight.ndim == 4:
            channels = len(weight)
            yield weight.transpose(2, 3, 1, 0)
        elif weight.ndim == 2:
            if (
                channels is not None
            ):  # Keras' Flatten has channels last, whatever comes before it has
                maps = weight.reshape(len(weight), channels, 7, 7)
                yield maps.transpose(2, 3, 1, 0).reshape(-1, len(weight))
            else:
                yield weight.T
            channels = None
        else:
            yield weight
