"""Statistics: how sure a number is, and whether two runs differ."""

from __future__ import annotations

from snellen.statistics.bootstrap import intervals
from snellen.statistics.comparison import compare
from snellen.statistics.comparison_result import Comparison
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
