"""Keras' fit on arrays, with JAX as its backend."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training_sides import Clock, Setting, Trained


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    os.environ["KERAS_BACKEND"] = "jax"
    if setting.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    from training_sides.keras_fit import trained_by_fit

    return trained_by_fit(setting, clock, data_format="channels_last")
