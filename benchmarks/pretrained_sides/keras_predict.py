"""Keras' own ``predict`` on torch: an array of NumPy in, one out."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pretrained_sides import Ready, Setting, first_scores, looped


def scores(setting: Setting) -> Ready:
    """Predict the same batch, again and again, from NumPy to NumPy."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    model: Any = keras.applications.MobileNetV2(weights=None)
    model.load_weights(setting.path / "keras.weights.h5")
    n = setting.batch_size
    batch = np.load(setting.path / "tf.npy")[:n]

    def call() -> Any:
        return model.predict(batch, batch_size=n, verbose=0)

    return Ready(lambda seconds: looped(call, n, seconds), {"scores": first_scores(call())})
