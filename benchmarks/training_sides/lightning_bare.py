"""Lightning's Trainer with everything off that can be: no logger, progress bar, checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training_sides.lightning_trainer import trained_by

if TYPE_CHECKING:
    from training_sides import Clock, Setting, Trained


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    return trained_by(
        setting,
        clock,
        logs=False,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
