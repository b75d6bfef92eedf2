"""Of which numbers less is better, and of which neither more nor less is."""

from __future__ import annotations

from typing import Final

__all__ = ["LOWER_IS_BETTER", "NEITHER_IS_BETTER"]

LOWER_IS_BETTER: Final = frozenset(
    (
        *("hamming", "lr_negative", "log_loss", "brier"),
        *("ece", "rmsce", "mce", "adaptive_ece", "classwise_ece"),
    )
)
"""Losses and errors."""

NEITHER_IS_BETTER: Final = frozenset(
    (
        *("mean_confidence", "cardinality_truth", "cardinality_prediction"),
        *("density_truth", "density_prediction"),
    )
)
"""What truth and predictions are like, not how well they go together."""
