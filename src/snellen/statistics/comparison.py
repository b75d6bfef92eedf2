"""Runs side by side on the same data: by how much they differ, and what may be claimed."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.errors import IdError, InputError, did_you_mean, first_few
from snellen.result import Interval
from snellen.statistics.bootstrap import check_replicates, chunks, percentile_bounds
from snellen.statistics.holm import holm
from snellen.statistics.mcnemar import McNemar, mcnemar
from snellen.statistics.proportions import check_level
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from snellen.metric import Units
    from snellen.state import Keys
    from snellen.statistics.bootstrap import Resampled

__all__ = ["ClassDifference", "Comparison", "Difference", "compare"]

# Up to so many units all ways of swapping are tried.
_EXHAUSTIVE = 12
# Two differences that are one in exact arithmetic may differ by this share of them.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Difference:
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
        Where the difference lies: percentile interval of the paired bootstrap.
    p : float
        Two-sided p-value: of McNemar's exact test for accuracy, else of the permutation test that
        swaps the runs' outputs unit by unit.
    adjusted_p : float
        The same after Holm's correction over all differences of the comparison.
    test : str
        Which test it is.
    """

    metric: str
    first: str
    second: str
    value_first: float
    value_second: float
    difference: float
    interval: Interval
    p: float
    adjusted_p: float
    test: str


@dataclasses.dataclass(frozen=True)
class ClassDifference:
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
        Of the difference: percentile interval of the paired bootstrap.
    p, adjusted_p : float
        Of the permutation test; adjusted over the classes of the two runs.
    """

    class_name: str
    first: str
    second: str
    value_first: float
    value_second: float
    difference: float
    interval: Interval
    p: float
    adjusted_p: float


@dataclasses.dataclass(frozen=True)
class Comparison:
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
    values : mapping of run to mapping of metric to float
        What was compared.
    differences : tuple of Difference
        Every pair of runs, every metric.
    class_metric : str
        What is compared by class; ``""`` where nothing is.
    class_differences : tuple of ClassDifference
        Every pair of runs, every class that is defined in both.
    mcnemar : mapping of (first, second) to McNemar
        Where units are samples with one label.
    lower_is_better : frozenset of str
        The metrics of which less is better.
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

    def is_significant(self, found: Difference | ClassDifference) -> bool:
        """Return whether a difference may be claimed: its adjusted p-value is small enough."""
        return found.adjusted_p <= 1 - self.level

    def better(self, found: Difference) -> str | None:
        """Return the run that is significantly better; None where none is."""
        if not self.is_significant(found) or not found.difference:
            return None
        second_is_better = (found.difference > 0) != (found.metric in self.lower_is_better)
        return found.second if second_is_better else found.first

    def claims(self) -> list[str]:
        """Return in words what may be claimed, one sentence a difference."""
        sentences = []
        for each in self.differences:
            better = self.better(each)
            size = number(abs(each.difference))
            if math.isnan(each.difference):
                text = f"{each.metric} is not defined for both of {each.first} and {each.second}"
            elif better is None:
                text = (
                    f"{each.metric}: no difference between {each.first} and {each.second} can be "
                    f"claimed (adjusted p = {_p(each.adjusted_p)})"
                )
            else:
                worse = each.first if better == each.second else each.second
                text = (
                    f"{each.metric}: {better} is better than {worse} by {size} "
                    f"(adjusted p = {_p(each.adjusted_p)})"
                )
            sentences.append(text)
        significant = [each for each in self.class_differences if self.is_significant(each)]
        if self.class_differences:
            sentences.append(
                f"{self.class_metric} of single classes: {len(significant)} of "
                f"{len(self.class_differences)} differences can be claimed"
            )
        return sentences

    def __str__(self) -> str:
        """Return the table of differences, McNemar's counts, and the claims."""
        percent = f"{100 * self.level:g} %"
        rows = [["", "first", "second", "difference", f"{percent} interval", "p", "adjusted"]]
        several = len(self.names) > 2
        for each in self.differences:
            name = f"{each.metric}: {each.first}, {each.second}" if several else each.metric
            rows.append(
                [
                    printable(name),
                    number(each.value_first),
                    number(each.value_second),
                    _signed(each.difference),
                    f"{_signed(each.interval.low)} to {_signed(each.interval.high)}",
                    _p(each.p),
                    _p(each.adjusted_p),
                ]
            )
        if not several:
            rows[0][1:3] = [printable(name, 24) for name in self.names]
        lines = aligned_lines(rows)
        for (first, second), test in self.mcnemar.items():
            lines += [
                "",
                f"right only in {printable(first)}: {test.only_first:,}, "
                f"only in {printable(second)}: {test.only_second:,} "
                f"(McNemar: exact p = {_p(test.exact_p)}, mid-p = {_p(test.mid_p)})",
            ]
        return "\n".join([*lines, "", *map(printable, self.claims())])

    def class_table(self) -> str:
        """Return the classes with their differences, largest first."""
        rows = [["class", "first", "second", "difference", "interval", "adjusted p"]]
        rows += [
            [
                printable(each.class_name, 40),
                number(each.value_first),
                number(each.value_second),
                _signed(each.difference),
                f"{_signed(each.interval.low)} to {_signed(each.interval.high)}",
                _p(each.adjusted_p),
            ]
            for each in sorted(self.class_differences, key=lambda one: -abs(one.difference))
        ]
        return "\n".join([f"{self.class_metric} by class", *aligned_lines(rows)])

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

        def records(found: Sequence[Any]) -> list[dict[str, Any]]:
            return [
                {
                    **{
                        field.name: plain(getattr(each, field.name))
                        for field in dataclasses.fields(each)
                    },
                    "significant": self.is_significant(each),
                }
                for each in found
            ]

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
            "differences": records(self.differences),
            "class_metric": self.class_metric,
            "class_differences": records(self.class_differences),
            "mcnemar": [
                {"first": first, "second": second, **plain(test._asdict())}
                for (first, second), test in self.mcnemar.items()
            ],
            "claims": self.claims(),
        }


def _p(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.1e}" if value < 0.0001 else f"{value:.4f}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4f}"


def compare(
    first: Resampled,
    second: Resampled,
    /,
    *more: Resampled,
    names: Sequence[str] | None = None,
    metrics: Iterable[str] | None = None,
    level: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare runs on the same data, unit by unit.

    Parameters
    ----------
    first, second, *more : metric with ``units(each=True)``
        What absorbed the outputs of each run on the same units: the same ids, the same truth.
    names : sequence of str, optional
        What to call the runs; ``A``, ``B``, … without.
    metrics : iterable of str, optional
        The numbers to compare; without, the main ones of the task. Holm's correction is over all
        of them and all pairs of runs, so ask for what you want to claim.
    level : float
        The confidence: of intervals, and one less the size of the tests.
    replicates : int
        Of the paired bootstrap and of the permutation test; a p-value cannot be less than
        1 / (replicates + 1), save McNemar's.
    seed : int
        Of the draws.

    Raises
    ------
    IdError
        Where units are not the same in all runs.
    InputError
        Where their truth is not, and for other arguments that cannot be.
    """
    check_level(level)
    check_replicates(replicates)
    runs = [first, second, *more]
    called = list(names) if names is not None else [chr(ord("A") + i) for i in range(len(runs))]
    if len(called) != len(runs) or len(set(called)) != len(runs):
        raise InputError(f"expected {len(runs)} different names, got {first_few(called)}", "names")
    units = [run.units(each=True) for run in runs]
    for name, other in zip(called[1:], units[1:], strict=True):
        _check_same_units(called[0], units[0], name, other)
    known = [
        name
        for name in units[0].values(units[0].counts[None])
        if all(name in other.values(other.counts[None]) for other in units[1:])
    ]
    wanted = list(metrics) if metrics is not None else list(units[0].headline or known)
    for name in wanted:
        if name not in known:
            raise InputError(
                f'expected numbers of {", ".join(known)}, got "{name}".{did_you_mean(name, known)}',
                "metrics",
            )
    ones = units[0].counts[None]
    values = {
        name: {metric: float(found[metric][0]) for metric in wanted}
        for name, found in zip(called, (each.values(ones) for each in units), strict=True)
    }
    differences: list[Difference] = []
    by_class: list[ClassDifference] = []
    discordant: dict[tuple[str, str], McNemar] = {}
    for (a, ours), (b, theirs) in itertools.combinations(zip(called, units, strict=True), 2):
        pair = _Pair(ours, theirs, wanted, replicates, seed)
        if ours.correct is not None and theirs.correct is not None:
            discordant[a, b] = mcnemar(
                int(np.count_nonzero(ours.correct & ~theirs.correct)),
                int(np.count_nonzero(theirs.correct & ~ours.correct)),
            )
        for metric in wanted:
            p, test = pair.p_value(metric), pair.test
            if metric == "accuracy" and (a, b) in discordant:
                p, test = discordant[a, b].exact_p, "McNemar, exact"
            differences.append(
                Difference(
                    metric,
                    a,
                    b,
                    values[a][metric],
                    values[b][metric],
                    values[b][metric] - values[a][metric],
                    pair.interval(metric, level),
                    p,
                    math.nan,
                    test,
                )
            )
        by_class += pair.class_differences(a, b, level)
    adjusted = holm([each.p for each in differences]).tolist()
    return Comparison(
        names=tuple(called),
        unit=units[0].unit,
        n_units=len(units[0].counts),
        level=level,
        replicates=replicates,
        seed=seed,
        values=values,
        differences=tuple(
            dataclasses.replace(each, adjusted_p=p)
            for each, p in zip(differences, adjusted, strict=True)
        ),
        class_metric=units[0].class_metric,
        class_differences=tuple(by_class),
        mcnemar=discordant,
        lower_is_better=units[0].lower_is_better,
    )


def _check_same_units(name: str, units: Units, other_name: str, other: Units) -> None:
    if units.unit != other.unit:
        raise InputError(
            f"expected runs on the same data, got {units.unit}s in {name} and {other.unit}s in "
            f"{other_name}"
        )
    if units.ids is None or other.ids is None:
        raise IdError("expected runs whose units have ids, to pair them")
    if not units.ids.same_as(other.ids):
        missing = _missing(units.ids, other.ids)
        added = _missing(other.ids, units.ids)
        raise IdError(
            f"expected the same {units.unit}s in all runs, got {len(missing)} that {other_name} "
            f"lacks ({first_few(missing)}) and {len(added)} that only it has ({first_few(added)})"
        )
    if units.truth is not None and other.truth is not None:
        same = units.truth.shape == other.truth.shape and np.array_equal(units.truth, other.truth)
        if not same:
            where = ""
            if units.truth.shape == other.truth.shape:
                apart = (units.truth != other.truth).reshape(len(units.truth), -1).any(axis=1)
                where = f" ({first_few(units.ids.ids[apart].tolist())})"
            raise InputError(
                f"expected the same truth in all runs, {name} and {other_name} have different "
                f"truth for the same {units.unit}s{where}"
            )


def _missing(ids: Keys, others: Keys) -> list[Any]:
    return list(ids.ids[others.codes(ids.ids) < 0].tolist())


class _Pair:
    """Replicates of two runs: drawn with the same units, and with outputs swapped at random."""

    def __init__(
        self, ours: Units, theirs: Units, metrics: list[str], replicates: int, seed: int
    ) -> None:
        self._units = ours, theirs
        self._by_class = ours.class_values is not None and theirs.class_values is not None
        n = len(ours.counts)
        ones = ours.counts[None]
        self._observed = self._difference((ones, 0 * ones), metrics)
        self._drawn = self._empty(metrics, replicates)
        for first, size in chunks(replicates, n):
            times = _core.multiplicities(ours.counts, seed % 2**64, first, size)
            self._put(self._drawn, first, self._difference((times, 0 * times), metrics))
        exhaustive = n <= _EXHAUSTIVE
        self.test = "permutation, all" if exhaustive else "permutation"
        self._n_swaps = 2**n if exhaustive else replicates
        self._swapped = self._empty(metrics, self._n_swaps)
        for first, size in chunks(self._n_swaps, n):
            bits: NDArray[Any]
            if exhaustive:
                bits = (np.arange(first, first + size)[:, None] >> np.arange(n)) & 1
            else:
                # Other draws than those of the bootstrap: the seeds differ.
                bits = _core.random_bits(n, (seed + 1) % 2**64, first, size)
            swapped = bits.astype(np.int64)
            self._put(self._swapped, first, self._difference((1 - swapped, swapped), metrics))

    def _empty(self, metrics: list[str], n: int) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {name: np.empty(n) for name in metrics}
        if self._by_class:
            found[""] = np.empty((n, self._observed[""].shape[1]))
        return found

    def _put(
        self,
        into: dict[str, NDArray[np.float64]],
        first: int,
        found: dict[str, NDArray[np.float64]],
    ) -> None:
        for name, each in found.items():
            into[name][first : first + len(each)] = each

    def _difference(
        self, times: tuple[NDArray[Any], NDArray[Any]], metrics: list[str]
    ) -> dict[str, NDArray[np.float64]]:
        """Return second less first; a unit counts times[0] with its own output, [1] swapped."""
        ours, theirs = self._units
        own, swapped = times
        mixed = bool(swapped.any())
        first = ours.values(own, (theirs, swapped) if mixed else None)
        second = theirs.values(own, (ours, swapped) if mixed else None)
        found = {name: second[name] - first[name] for name in metrics}
        if self._by_class:
            assert ours.class_values is not None
            assert theirs.class_values is not None
            found[""] = theirs.class_values(
                own, (ours, swapped) if mixed else None
            ) - ours.class_values(own, (theirs, swapped) if mixed else None)
        return found

    def _p(
        self, observed: NDArray[np.float64], swapped: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the share of swaps whose difference is as large; undefined ones count as such."""
        as_large = (~(np.abs(swapped) < np.abs(observed) * (1 - _ROUNDING))).sum(axis=0)
        if self.test == "permutation, all":
            p = as_large / self._n_swaps
        else:  # the observed assignment is one of the swaps that could have come up
            p = (1 + as_large) / (1 + self._n_swaps)
        return np.where(np.isnan(observed), np.nan, p)

    def p_value(self, metric: str) -> float:
        return float(self._p(self._observed[metric][0], self._swapped[metric]))

    def interval(self, metric: str, level: float) -> Interval:
        low, high = percentile_bounds(self._drawn[metric], level)
        return Interval(low, high, level, "paired bootstrap", self._units[0].unit)

    def class_differences(self, first: str, second: str, level: float) -> list[ClassDifference]:
        ours, theirs = self._units
        if not self._by_class or ours.class_values is None or theirs.class_values is None:
            return []
        assert ours.classes is not None
        ones = ours.counts[None]
        values = ours.class_values(ones)[0], theirs.class_values(ones)[0]
        p = self._p(self._observed[""][0], self._swapped[""])
        adjusted = holm(p)
        return [
            ClassDifference(
                name,
                first,
                second,
                float(values[0][k]),
                float(values[1][k]),
                float(self._observed[""][0, k]),
                Interval(
                    *percentile_bounds(self._drawn[""][:, k], level),
                    level,
                    "paired bootstrap",
                    ours.unit,
                ),
                float(p[k]),
                float(adjusted[k]),
            )
            for k, name in enumerate(ours.classes.display_names())
            if not math.isnan(p[k])
        ]
