"""What a comparison of runs found, as numbers, as a table, and in words."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

from snellen.presented import Presented
from snellen.result import Interval
from snellen.table_text import aligned_lines, number, p_value, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from snellen.displays import Display
    from snellen.displays.tables import TextTable
    from snellen.statistics.mcnemar import McNemar

__all__ = ["ClassDifference", "Comparison", "Difference"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _DifferenceOfRuns:
    first: str
    second: str
    value_first: float
    value_second: float
    difference: float
    interval: Interval
    p: float
    adjusted_p: float
    least_p: float

    def adjusted(self, p: float) -> Self:
        """Return the same with its p-value after correction."""
        return dataclasses.replace(self, adjusted_p=p)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference(_DifferenceOfRuns):
    """One number of two runs.

    Attributes
    ----------
    metric : str
        The number.
    first, second : str
        The runs.
    value_first, value_second : float
        What they have.
    difference : float
        Second less first.
    interval : Interval
        Where the difference lies: by paired bootstrap.
    p : float
        Two-sided p-value: of McNemar's exact test for accuracy, else of the permutation test that
        swaps the runs' outputs unit by unit.
    adjusted_p : float
        The same after Holm's correction over all differences of the comparison.
    least_p : float
        No p-value of the test can be less: more replicates lower it.
    test : str
        Which test it is.
    """

    metric: str
    test: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassDifference(_DifferenceOfRuns):
    """The main number of one class in two runs.

    Attributes
    ----------
    class_name : str
        The class.
    first, second : str
        The runs.
    value_first, value_second, difference : float
        What they have, and second less first.
    interval : Interval
        Of the difference: by paired bootstrap.
    p, adjusted_p, least_p : float
        Of the permutation test; adjusted over all classes and all pairs of runs.
    """

    class_name: str


@dataclasses.dataclass(frozen=True)
class Comparison(Presented):
    """Runs compared on the same units.

    Attributes
    ----------
    names : tuple of str
        The runs.
    unit : str
        What a unit is.
    n_units : int
        How many there are.
    level : float
        The confidence.
    replicates : int
        Of bootstrap and permutation test.
    seed : int
        Of the draws.
    values : dict of run to dict of metric to float
        What was compared.
    differences : tuple of Difference
        Every pair of runs, every metric.
    class_metric : str
        What is compared by class; ``""`` where nothing is.
    class_differences : tuple of ClassDifference
        Every pair of runs, every class that is defined in both.
    mcnemar : dict of (first, second) to McNemar
        Where units are samples with one label.
    lower_is_better : frozenset of str
        The metrics of which less is better.
    neither_is_better : frozenset of str
        Those of which neither more nor less is better.
    """

    names: tuple[str, ...]
    unit: str
    n_units: int
    level: float
    replicates: int
    seed: int
    values: dict[str, dict[str, float]]
    differences: tuple[Difference, ...]
    class_metric: str
    class_differences: tuple[ClassDifference, ...]
    mcnemar: dict[tuple[str, str], McNemar]
    lower_is_better: frozenset[str]
    neither_is_better: frozenset[str] = frozenset()

    def is_significant(self, found: Difference | ClassDifference) -> bool:
        """Return whether a difference may be claimed: its adjusted p-value is small enough."""
        return bool(found.difference) and found.adjusted_p <= 1 - self.level

    def better(self, found: Difference) -> str | None:
        """Return the run that is significantly better; None where none is."""
        if found.metric in self.neither_is_better or not self.is_significant(found):
            return None
        second_is_better = (found.difference > 0) != (found.metric in self.lower_is_better)
        return found.second if second_is_better else found.first

    def claims(self) -> list[str]:
        """Return in words what may be claimed, one sentence a difference."""
        sentences = [self._claim(each) for each in self.differences]
        sentences += self._too_few("", self.differences)
        for (first, second), found in self._by_pair(self.class_differences):
            significant = [each for each in found if self.is_significant(each)]
            sentences.append(
                f"{self.class_metric} of single classes: {len(significant):,} of {len(found):,} "
                f"differences between {first} and {second} can be claimed"
            )
        return sentences + self._too_few(" of single classes", self.class_differences)

    def _claim(self, found: Difference) -> str:
        if math.isnan(found.difference):
            return f"{found.metric} is not defined for both of {found.first} and {found.second}"
        sure = (
            f"{_percent(self.level)} interval of the difference {_range(found.interval)}; "
            f"{found.test}: {p_value(found.p, 'p')}, adjusted {p_value(found.adjusted_p)}"
        )
        if not self.is_significant(found):
            return (
                f"{found.metric}: no difference between {found.first} and {found.second} can be "
                f"claimed ({sure})"
            )
        better = self.better(found)
        if better is None:
            way = "more" if found.difference > 0 else "less"
            return (
                f"{found.metric}: {found.second} has {number(abs(found.difference))} {way} than "
                f"{found.first} ({sure})"
            )
        worse = found.first if better == found.second else found.second
        return (
            f"{found.metric}: {better} is better than {worse} by "
            f"{number(abs(found.difference))} ({sure})"
        )

    def _too_few(
        self, what: str, family: Sequence[Difference] | Sequence[ClassDifference]
    ) -> list[str]:
        """Return a sentence where the test could not find any difference, however large."""
        # A test with a least p-value can only succeed where Holm's factor for it is small enough:
        # all tests that can do better come before it.
        bounded = [each for each in family if each.least_p > 0 and not math.isnan(each.p)]
        size = 1 - self.level
        if not bounded or len(bounded) * bounded[0].least_p <= size:
            return []
        n = len(bounded)
        tests = "the permutation test" if n == 1 else f"none of the {n:,} permutation tests"
        not_one = " not" if n == 1 else ""
        could = f"{tests}{what} could{not_one} have found a difference, however large"
        if bounded[0].least_p == 1 / (self.replicates + 1):
            needed = math.ceil(n / size) - 1
            return [f"{could}: {self.replicates:,} replicates are too few, {needed:,} are needed"]
        return [f"{could}: {self.n_units:,} {self.unit}s are too few"]

    def _by_pair(self, found: Sequence[Any]) -> list[tuple[tuple[str, str], list[Any]]]:
        by_runs = itertools.groupby(found, key=lambda each: (each.first, each.second))
        return [(runs, list(each)) for runs, each in by_runs]

    def __str__(self) -> str:
        """Return the tables of differences, McNemar's counts, and the claims."""
        lines: list[str] = []
        for (first, second), found in self._by_pair(self.differences):
            lines += self._lines(first, second, [(each.metric, each) for each in found])
            test = self.mcnemar.get((first, second))
            if test is not None:
                lines += [
                    f"right only in {printable(first, 24)}: {test.only_first:,}, only in "
                    f"{printable(second, 24)}: {test.only_second:,} (McNemar: exact "
                    f"{p_value(test.exact_p, 'p')}, {p_value(test.mid_p, 'mid-p')})"
                ]
            lines.append("")
        lines.append(
            f"{self.n_units:,} {self.unit}s, {self.replicates:,} replicates; p-values adjusted by "
            "Holm over all differences"
        )
        return "\n".join([*lines, "", *map(printable, self.claims())])

    def class_table(self) -> str:
        """Return the classes with their differences, largest first; "" where there are none."""
        lines: list[str] = []
        for (first, second), found in self._by_pair(self.class_differences):
            ordered = sorted(found, key=lambda one: -abs(one.difference))
            rows = [(each.class_name, each) for each in ordered]
            lines += [*([""] if lines else []), f"{self.class_metric} by class"]
            lines += self._lines(first, second, rows)
        return "\n".join(lines)

    def _lines(self, first: str, second: str, found: Sequence[tuple[str, Any]]) -> list[str]:
        head = [
            "",
            printable(first, 24),
            printable(second, 24),
            "difference",
            f"{_percent(self.level)} interval",
            "p",
            "adjusted",
        ]
        rows = [
            [
                printable(name, 40),
                number(each.value_first),
                number(each.value_second),
                _signed(each.difference),
                _range(each.interval),
                p_value(each.p),
                p_value(each.adjusted_p),
            ]
            for name, each in found
        ]
        return aligned_lines([head, *rows])

    def displays(self) -> tuple[Display, ...]:
        """Return pictures of the differences: of numbers, and of the classes of each pair."""
        from snellen.statistics.comparison_pictures import comparison_displays

        return comparison_displays(self)

    def _table(self, what: str, digits: int) -> TextTable:
        from snellen.statistics.comparison_pictures import comparison_table

        return comparison_table(self, what, digits)

    def _repr_html_(self) -> str:
        from snellen.displays.notebook_html import notebook_table

        return notebook_table("Comparison", self._table("metrics", 4), self.claims())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold; undefined numbers are None."""
        from snellen import __version__

        def plain(value: Any) -> Any:
            if isinstance(value, float) and not math.isfinite(value):
                return None
            if isinstance(value, Interval):
                value = value._asdict()
            if isinstance(value, dict):
                return {key: plain(each) for key, each in value.items()}
            return value

        def record(each: Difference | ClassDifference) -> dict[str, Any]:
            fields = {
                field.name: plain(getattr(each, field.name)) for field in dataclasses.fields(each)
            }
            return {**fields, "significant": self.is_significant(each)}

        return {
            "schema": "snellen.comparison/1",
            "library": __version__,
            "runs": list(self.names),
            "unit": self.unit,
            "n_units": self.n_units,
            "level": self.level,
            "replicates": self.replicates,
            "seed": self.seed,
            "values": plain(self.values),
            "differences": [
                {**record(each), "better": self.better(each)} for each in self.differences
            ],
            "class_metric": self.class_metric,
            "class_differences": [record(each) for each in self.class_differences],
            "mcnemar": [
                {"first": first, "second": second, **plain(test._asdict())}
                for (first, second), test in self.mcnemar.items()
            ],
            "claims": self.claims(),
        }


def _percent(level: float) -> str:
    return f"{100 * level:.10g} %"


def _range(interval: Interval) -> str:
    if math.isnan(interval.low):
        return "-"
    return f"{_signed(interval.low)} to {_signed(interval.high)}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4f}"
