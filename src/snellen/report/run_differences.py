"""By how much runs differ from the first of them, number by number and class by class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import SnellenError
from snellen.report.class_table import by_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from snellen.report.run_view import RunView
    from snellen.result import Interval, Result
    from snellen.statistics import Comparison

__all__ = ["RunDifference", "RunDifferences", "run_differences"]

# A page is made at once: more replicates are for `snellen.statistics.compare`.
_REPLICATES = 400


class RunDifference(NamedTuple):
    """The difference of one number.

    Attributes
    ----------
    name : str
        The number, or the class whose main number it is.
    first, second : float
        What the two runs have.
    interval : Interval or None
        Of second less first.
    """

    name: str
    first: float
    second: float
    interval: Interval | None = None

    @property
    def value(self) -> float:
        """Second less first."""
        return self.second - self.first


@dataclass(frozen=True)
class RunDifferences:
    """By how much a run differs from the first one.

    Attributes
    ----------
    numbers : dict of str to RunDifference
        Of the headline numbers.
    classes : list of RunDifference
        Of the main number of each class that both have, the greatest loss first.
    class_metric : str
        That number; empty where classes have none.
    lower_is_better : frozenset of str
        Of which numbers less is better.
    about : str
        Where intervals come from, or why there are none.
    neither_is_better : frozenset of str
        Of which numbers neither more nor less is better.
    """

    numbers: dict[str, RunDifference]
    classes: list[RunDifference]
    class_metric: str
    lower_is_better: frozenset[str]
    about: str
    neither_is_better: frozenset[str] = frozenset()


def run_differences(first: RunView, second: RunView) -> RunDifferences:
    """Return the differences of two runs, with intervals where their states have units."""
    numbers = {
        name: RunDifference(name, value, second.result.metrics[name])
        for name, value in first.result.metrics.items()
        if name in second.result.metrics
    }
    metric, classes = _of_classes(first.result, second.result)
    # What can be resampled knows it better than the record of an earlier release.
    lower = frozenset(first.record.lower_is_better)
    neither = frozenset(first.record.neither_is_better)
    try:
        compared = _compared(first.metric, second.metric, list(numbers))
    except SnellenError as error:
        about = f"Without intervals of the differences: {error.message}."
        compared = None
    else:
        about = "Without intervals of the differences: these states have no units to draw from."
    if compared is not None:
        about = (
            f"Intervals of the differences: {100 * compared.level:g} %, by "
            f"{compared.replicates:,} draws of {compared.n_units:,} {compared.unit}s, the same "
            "for both runs; not corrected for how many differences are looked at."
        )
        lower, neither = compared.lower_is_better, compared.neither_is_better
        intervals = {each.metric: each.interval for each in compared.differences}
        numbers = {
            name: each._replace(interval=intervals.get(name)) for name, each in numbers.items()
        }
        if compared.class_differences:
            metric = compared.class_metric
            classes = [
                RunDifference(each.class_name, each.value_first, each.value_second, each.interval)
                for each in compared.class_differences
            ]
    sign = -1 if metric in lower else 1
    defined = [each for each in classes if not math.isnan(each.value)]
    defined.sort(key=lambda each: sign * each.value)
    return RunDifferences(numbers, defined, metric, lower, about, neither)


def _compared(first: Any, second: Any, names: list[str]) -> Comparison | None:
    """Return the comparison of two metrics; None where they have no units to draw from."""
    from snellen.statistics import compare

    if not all(hasattr(each, "units") for each in (first, second)):
        return None
    known = [set(_numbers_of_units(each)) for each in (first, second)]
    return compare(
        first,
        second,
        metrics=[name for name in names if all(name in each for each in known)],
        replicates=_REPLICATES,
    )


def _numbers_of_units(metric: Any) -> Iterable[str]:
    """Return which numbers can be computed of drawn units: not all are made of them."""
    units = metric.units(each=True)
    found: Mapping[str, Any] = units.values(units.counts[None])
    return found


def _of_classes(first: Result, second: Result) -> tuple[str, list[RunDifference]]:
    """Return the main number of classes, and its differences."""
    records = [run.per_class() for run in (first, second)]
    if not all(records):
        return "", []
    tables = [by_class(of_run) for of_run in records]
    keys: Sequence[str] = [
        key for key, value in next(iter(tables[0].values())).items() if isinstance(value, float)
    ]
    headline = next(iter(first.metrics), "")
    metric = headline if headline in keys else next(iter(keys), "")
    found = [
        RunDifference(which[0], float(record[metric]), float(tables[1][which][metric]))
        for which, record in tables[0].items()
        if metric and which in tables[1] and tables[1][which].get(metric) is not None
    ]
    return metric, found
