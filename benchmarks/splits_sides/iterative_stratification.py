"""iterative-stratification: several classes a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

from splits_sides import object_deviation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def objects(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """MultilabelStratifiedShuffleSplit."""
    member = arrays["member"]

    def work() -> Numbers:
        splitter = MultilabelStratifiedShuffleSplit(1, test_size=0.2, random_state=0)
        _, test = next(splitter.split(np.zeros(len(member)), member))
        return object_deviation(member, test)

    return work
