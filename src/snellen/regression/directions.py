"""Of which numbers less is better, of which neither more nor less is, and what they can be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["lower_is_better", "neither_is_better", "ranges_of"]

# How names begin: some have what they are weighted by, or a level, at their end.
_EXPLAINED: Final = ("r2", "explained_variance")
_CORRELATIONS: Final = ("pearson", "concordance", "spearman", "kendall")
_HIGHER: Final = (*_EXPLAINED, *_CORRELATIONS)
# Their sign says on which side of truth predictions are.
_SIGNED: Final = ("mean_error", "error_q")


def lower_is_better(names: Iterable[str]) -> frozenset[str]:
    """Return those of which less is better: errors and losses.

    Examples
    --------
    >>> sorted(lower_is_better(["mae", "mean_error", "r2_variance_weighted", "pinball_0.1"]))
    ['mae', 'pinball_0.1']
    """
    return frozenset(name for name in names if not name.startswith((*_HIGHER, *_SIGNED)))


def neither_is_better(names: Iterable[str]) -> frozenset[str]:
    """Return those of which neither more nor less is better: signed errors.

    Examples
    --------
    >>> sorted(neither_is_better(["mae", "mean_error", "error_q0.05"]))
    ['error_q0.05', 'mean_error']
    """
    return frozenset(name for name in names if name.startswith(_SIGNED))


def ranges_of(names: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return what numbers can be.

    Examples
    --------
    >>> ranges_of(["mae", "smape", "r2_variance_weighted"])
    {'mae': (0.0, inf), 'smape': (0.0, 2.0), 'r2_variance_weighted': (-inf, 1.0)}
    """
    return {name: _range_of(name) for name in names}


def _range_of(name: str) -> tuple[float, float]:
    if name.startswith(_SIGNED):
        return -math.inf, math.inf
    if name.startswith(_EXPLAINED):
        return -math.inf, 1.0
    if name.startswith(_CORRELATIONS):
        return -1.0, 1.0
    return 0.0, 2.0 if name == "smape" else math.inf
