"""Statistics: how sure a number is, and whether two runs differ.

An evaluation wants intervals alone: what compares runs is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.statistics.bootstrap import intervals
from snellen.statistics.holm import holm
from snellen.statistics.mcnemar import McNemar, mcnemar
from snellen.statistics.proportions import clopper_pearson, wilson

__all__ = [
    "Comparison",
    "McNemar",
    "clopper_pearson",
    "compare",
    "holm",
    "intervals",
    "mcnemar",
    "wilson",
]

if TYPE_CHECKING:
    from snellen.statistics.comparison import compare
    from snellen.statistics.comparison_result import Comparison


def __getattr__(name: str) -> Any:
    if name == "compare":
        from snellen.statistics.comparison import compare

        return compare
    if name == "Comparison":
        from snellen.statistics.comparison_result import Comparison

        return Comparison
    raise AttributeError(f"module snellen.statistics has no attribute {name}")
