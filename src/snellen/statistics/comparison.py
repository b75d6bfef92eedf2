"""Runs side by side on the same data: by how much they differ, and what may be claimed."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from snellen.classes import Classes
from snellen.errors import (
    ClassError,
    IdError,
    InputError,
    MergeError,
    SnellenError,
    did_you_mean,
    first_few,
)
from snellen.statistics.bootstrap import Resampled, check_replicates
from snellen.statistics.comparison_result import ClassDifference, Comparison, Difference
from snellen.statistics.holm import holm
from snellen.statistics.mcnemar import McNemar, mcnemar
from snellen.statistics.paired import Paired
from snellen.statistics.proportions import check_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.state import Keys

__all__ = ["compare"]


class Comparable(Resampled, Protocol):
    """A metric with units of which equal parameters can be told."""

    def empty(self) -> Self:
        """Return a metric of the same parameters without data."""
        ...

    def merge(self, other: Self, /) -> Self:
        """Absorb another metric; refuse one of other parameters."""
        ...


class _Run(NamedTuple):
    name: str
    units: Units


def compare(
    first: Comparable,
    second: Comparable,
    /,
    *more: Comparable,
    names: Sequence[str] | None = None,
    metrics: Iterable[str] | None = None,
    per_class: bool = True,
    level: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare runs on the same data, unit by unit.

    Each difference comes with the "basic" interval of a paired bootstrap (both runs on the same
    drawn units) and a two-sided p-value: of McNemar's exact test for the accuracy of samples, else
    of a permutation test, which swaps the outputs of the two runs unit by unit. Up to 12 units all
    ways to swap them are tried.

    Parameters
    ----------
    first, second, *more : metric with ``units(each=True)``
        What absorbed the outputs of each run on the same units: the same ids, the same truth.
    names : sequence of str, optional
        What to call the runs; ``A``, ``B``, … without.
    metrics : iterable of str, optional
        The numbers to compare; without, the main ones of the task. Holm's correction is over all
        of them and all pairs of runs, so ask for what you want to claim.
    per_class : bool
        Whether the main number of each class is compared, too: a family of its own for Holm's
        correction, over all classes and all pairs of runs.
    level : float
        The confidence of intervals; one less it is the probability that tests may err with.
    replicates : int
        Of the paired bootstrap and of the permutation test, whose p-values cannot be less than
        1 / (replicates + 1).
    seed : int
        Of the draws: the same seed, the same bytes, on any machine and number of threads.

    Raises
    ------
    IdError
        Where units are not the same in all runs.
    MergeError
        Where metrics have other parameters.
    InputError
        Where the truth of a unit is not the same, and for other arguments that cannot be.

    Examples
    --------
    >>> from snellen import Classification
    >>> truth, ids = [0, 0, 0, 1, 1, 1] * 4, range(24)
    >>> a = Classification().update(truth, [0, 0, 1, 1, 1, 0] * 4, sample_id=ids)
    >>> b = Classification().update(truth, [0, 0, 0, 1, 1, 1] * 4, sample_id=ids)
    >>> found = compare(a, b, metrics=["accuracy"], per_class=False)
    >>> round(found.differences[0].difference, 4), found.differences[0].p  # 2 / 2^8
    (0.3333, 0.0078125)
    """
    check_level(level)
    check_replicates(replicates)
    metrics_of_runs = [first, second, *more]
    called = list(names) if names is not None else _letters(len(metrics_of_runs))
    if len(called) != len(metrics_of_runs) or len(set(called)) != len(called):
        raise InputError(
            f"expected {len(metrics_of_runs)} different names, got {first_few(called)}", "names"
        )
    for name, other in zip(called[1:], metrics_of_runs[1:], strict=True):
        _check_same_rules(called[0], first, name, other)
    runs = _of_same_classes(
        [
            _Run(name, metric.units(each=True))
            for name, metric in zip(called, metrics_of_runs, strict=True)
        ]
    )
    for run in runs[1:]:
        _check_same_units(runs[0], run)
    observed = [run.units.values(run.units.counts[None]) for run in runs]
    known = [name for name in observed[0] if all(name in other for other in observed[1:])]
    wanted = list(metrics) if metrics is not None else list(runs[0].units.headline or known)
    for name in wanted:
        if name not in known:
            raise InputError(
                f'expected numbers of {", ".join(known)}, got "{name}".{did_you_mean(name, known)}',
                "metrics",
            )
    values = {
        run.name: {metric: float(found[metric][0]) for metric in wanted}
        for run, found in zip(runs, observed, strict=True)
    }
    differences: list[Difference] = []
    by_class: list[ClassDifference] = []
    discordant: dict[tuple[str, str], McNemar] = {}
    for a, b in itertools.combinations(runs, 2):
        by_mcnemar = a.units.correct is not None and b.units.correct is not None
        if a.units.correct is not None and b.units.correct is not None:
            discordant[a.name, b.name] = mcnemar(
                int(np.count_nonzero(a.units.correct & ~b.units.correct)),
                int(np.count_nonzero(b.units.correct & ~a.units.correct)),
            )
        paired = Paired(
            a.units,
            b.units,
            wanted,
            tested=[name for name in wanted if not (by_mcnemar and name == "accuracy")],
            per_class=per_class,
            level=level,
            replicates=replicates,
            seed=seed,
        )
        for metric in wanted:
            p, test = paired.p.get(metric, math.nan), paired.test
            if metric not in paired.p:
                p, test = discordant[a.name, b.name].exact_p, "McNemar, exact"
            differences.append(
                Difference(
                    metric=metric,
                    first=a.name,
                    second=b.name,
                    value_first=values[a.name][metric],
                    value_second=values[b.name][metric],
                    difference=values[b.name][metric] - values[a.name][metric],
                    interval=paired.intervals[metric],
                    p=p,
                    adjusted_p=math.nan,
                    test=test,
                    least_p=0.0 if test.startswith("McNemar") else paired.least_p,
                )
            )
        by_class += [
            ClassDifference(
                class_name=each.class_name,
                first=a.name,
                second=b.name,
                value_first=each.value_first,
                value_second=each.value_second,
                difference=each.value_second - each.value_first,
                interval=each.interval,
                p=each.p,
                adjusted_p=math.nan,
                least_p=paired.least_p,
            )
            for each in paired.classes
        ]
    return Comparison(
        names=tuple(called),
        unit=runs[0].units.unit,
        n_units=len(runs[0].units.counts),
        level=level,
        replicates=replicates,
        seed=seed,
        values=values,
        differences=tuple(
            each.adjusted(p)
            for each, p in zip(differences, holm([d.p for d in differences]).tolist(), strict=True)
        ),
        class_metric=runs[0].units.class_metric if by_class else "",
        class_differences=tuple(
            each.adjusted(p)
            for each, p in zip(by_class, holm([d.p for d in by_class]).tolist(), strict=True)
        ),
        mcnemar=discordant,
        lower_is_better=runs[0].units.lower_is_better,
        neither_is_better=runs[0].units.neither_is_better,
    )


def _letters(n: int) -> list[str]:
    """Return A, B, … Z, A2, B2, …."""
    return [chr(ord("A") + i % 26) + (str(i // 26 + 1) if i >= 26 else "") for i in range(n)]


def _check_same_rules(name: str, first: Comparable, other_name: str, other: Comparable) -> None:
    if type(first) is not type(other):
        raise InputError(
            f"expected runs of one kind, got {type(first).__name__} in {name} and "
            f"{type(other).__name__} in {other_name}"
        )
    try:
        _rules_of(first).merge(_rules_of(other))
    except SnellenError as error:
        raise MergeError(
            f"expected {name} and {other_name} under the same rules: {error.message}"
        ) from error


def _rules_of(metric: Comparable) -> Any:
    """Return a metric of the same rules without data, and without what no number follows from."""
    if hasattr(metric, "empty_of_kind"):
        return metric.empty_of_kind()
    empty: Any = metric.empty()
    return empty.without_events() if hasattr(empty, "without_events") else empty


def _of_same_classes(runs: list[_Run]) -> list[_Run]:
    """Return runs whose classes are those of all runs: they are told by their ids."""
    known = [run.units.classes for run in runs if run.units.classes is not None]
    if not known or all(classes.same_as(known[0]) for classes in known):
        return runs
    union = Classes.union(known)
    found = []
    for run in runs:
        units = run.units
        if units.classes is None or not units.classes.same_as(union):
            if units.among is None:
                raise ClassError(
                    f"expected the same classes in all runs, {run.name} has other ones than "
                    f"{first_few(union.display_names())}"
                )
            units = units.among(union)
        found.append(run._replace(units=units))
    return found


def _check_same_units(run: _Run, other_run: _Run) -> None:
    units, other = run.units, other_run.units
    if units.unit != other.unit:
        raise InputError(
            f"expected runs on the same data, got {units.unit}s in {run.name} and {other.unit}s "
            f"in {other_run.name}"
        )
    if units.ids is None or other.ids is None:
        raise IdError("expected runs whose units have ids, to pair them")
    if not units.ids.same_as(other.ids):
        missing = _missing(units.ids, other.ids)
        added = _missing(other.ids, units.ids)
        raise IdError(
            f"expected the same {units.unit}s in all runs, got {len(missing):,} of {run.name} that "
            f"{other_run.name} lacks ({first_few(missing)}) and {len(added):,} that only "
            f"{other_run.name} has ({first_few(added)})"
        )
    if units.truth is not None and other.truth is not None:
        same = units.truth.shape == other.truth.shape and np.array_equal(units.truth, other.truth)
        if not same:
            where = ""
            if units.truth.shape == other.truth.shape:
                apart = (units.truth != other.truth).reshape(len(units.truth), -1).any(axis=1)
                where = f" ({first_few(units.ids.ids[apart].tolist())})"
            raise InputError(
                f"expected the same truth in all runs, {run.name} and {other_run.name} have "
                f"different truth for the same {units.unit}s{where}"
            )


def _missing(ids: Keys, others: Keys) -> list[Any]:
    return list(ids.ids[others.codes(ids.ids) < 0].tolist())
