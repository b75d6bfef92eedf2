"""Lightning's Trainer with its defaults: logger, progress bar, checkpoints; the loss is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training_sides.lightning_trainer import trained_by

if TYPE_CHECKING:
    from training_sides import Clock, Setting, Trained


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    return trained_by(setting, clock, logs=True)
