"""Seeing inside a training: one batch followed, gradients checked, rates tried, descent drawn.

Everything here takes plain things of torch: a module, a loss of output and target, tensors, an
optimizer. So it serves networks that Snellen did not build as well. What looks at a network leaves
it, its optimizer and all random numbers as they were, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snellen.training.inspection.descent import Path, descend, descend_many
    from snellen.training.inspection.descent_page import descent_page
    from snellen.training.inspection.first_loss import FirstLoss, check_first_loss
    from snellen.training.inspection.follow import FollowedBatch, follow_batch
    from snellen.training.inspection.follow_page import follow_page
    from snellen.training.inspection.gradient_check import GradientCheck, check_gradients
    from snellen.training.inspection.layer_statistics import LayerStatistics
    from snellen.training.inspection.overfit import OverfitBatch, overfit_batch
    from snellen.training.inspection.page import inspection_page
    from snellen.training.inspection.rate_range import RateRange, learning_rate_range
    from snellen.training.inspection.surfaces import PROBLEMS, Problem

_HERE = "snellen.training.inspection."
# Found when first asked for: to name this package imports no torch.
_HOME = {
    "FirstLoss": "first_loss",
    "FollowedBatch": "follow",
    "GradientCheck": "gradient_check",
    "LayerStatistics": "layer_statistics",
    "OverfitBatch": "overfit",
    "PROBLEMS": "surfaces",
    "Path": "descent",
    "Problem": "surfaces",
    "RateRange": "rate_range",
    "check_first_loss": "first_loss",
    "check_gradients": "gradient_check",
    "descend": "descent",
    "descend_many": "descent",
    "descent_page": "descent_page",
    "follow_batch": "follow",
    "follow_page": "follow_page",
    "inspection_page": "page",
    "learning_rate_range": "rate_range",
    "overfit_batch": "overfit",
}

__all__ = [
    "PROBLEMS",
    "FirstLoss",
    "FollowedBatch",
    "GradientCheck",
    "LayerStatistics",
    "OverfitBatch",
    "Path",
    "Problem",
    "RateRange",
    "check_first_loss",
    "check_gradients",
    "descend",
    "descend_many",
    "descent_page",
    "follow_batch",
    "follow_page",
    "inspection_page",
    "learning_rate_range",
    "overfit_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen.training.inspection has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HERE + _HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
