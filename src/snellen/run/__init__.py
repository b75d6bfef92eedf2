"""Executors: what carries the parts of a data set to a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snellen.metric import Metric

__all__ = ["Executor"]

M = TypeVar("M", bound="Metric[Any]")


class Executor(Protocol):
    """Feeds parts of a data set to a metric, wherever that happens."""

    def run(self, metric: M, parts: Iterable[tuple[Any, Any]]) -> M:
        """Return the metric after it has absorbed each part, a pair (truth, pred)."""
        ...
