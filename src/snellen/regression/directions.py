"""Of which numbers less is better, and of which neither more nor less is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["lower_is_better", "neither_is_better"]

# How names begin: some have what they are weighted by, or a level, at their end.
_HIGHER: Final = ("r2", "explained_variance", "pearson", "concordance", "spearman", "kendall")
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
