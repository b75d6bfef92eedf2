"""Keras' fit on arrays, with torch as its backend."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training_sides import Clock, Setting, Trained


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    os.environ["KERAS_BACKEND"] = "torch"
    from training_sides.keras_fit import trained_by_fit

    return trained_by_fit(setting, clock, data_format="channels_first")
