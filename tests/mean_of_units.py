"""The mean of a number of each unit: enough of a metric to be resampled and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snellen.metric import Units
from snellen.state import Keys

__all__ = ["Mean"]


class Mean:
    """The mean of numbers of units; enough of a metric to be compared."""

    def __init__(
        self,
        values: Mapping[Any, float],
        truth: list[int] | None = None,
        *,
        lower_is_better: bool = False,
        neither_is_better: bool = False,
    ) -> None:
        self.lower = frozenset({"mean"}) if lower_is_better else frozenset()
        self.neither = frozenset({"mean"}) if neither_is_better else frozenset()
        self.keys = Keys(list(values), "unit")
        self.numbers = np.array([values[each] for each in self.keys.ids.tolist()])
        self.truth = truth

    def empty(self) -> Mean:
        return Mean({})

    def merge(self, other: Mean, /) -> Mean:
        assert other is not self
        return self

    def units(self, *, each: bool = False) -> Units:
        assert each

        def mean(times: Any, other: Any = None) -> dict[str, Any]:
            total, n = times @ self.numbers, times.sum(axis=1)
            if other is not None:
                units, others = other
                total = total + others @ units.content
                n = n + others.sum(axis=1)
            return {"mean": total / n}

        return Units(
            "image",
            np.ones(len(self.keys), np.int64),
            self.keys,
            mean,
            "",
            None,
            None,
            headline=("mean",),
            content=self.numbers,
            lower_is_better=self.lower,
            neither_is_better=self.neither,
            truth=None if self.truth is None else np.array(self.truth),
        )
