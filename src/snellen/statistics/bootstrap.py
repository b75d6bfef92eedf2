"""The bootstrap: how a number varies over data sets drawn from the one there is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from snellen import _core
from snellen.errors import InputError, did_you_mean
from snellen.result import Interval
from snellen.statistics.proportions import check_level, wilson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from snellen.metric import Units

__all__ = [
    "METHODS",
    "UNBOUNDED",
    "Resampled",
    "bootstrap_interval",
    "check_replicates",
    "chunks",
    "intervals",
    "refuse_unknown_numbers",
]

METHODS = ("basic", "percentile", "bca")

UNBOUNDED = (-math.inf, math.inf)

_MANY_UNITS = 100_000
# So many multiplicities are held at once.
_AT_ONCE = 1 << 21
# Replicates that differ by less, for their size, differ by rounding.
_ROUNDING = 1e-12
# An interval of which more replicates are undefined is undefined itself.
_MOST_UNDEFINED = 0.05


class Resampled(Protocol):
    """A metric that can say what its units of independence are."""

    def units(self, *, each: bool = False) -> Units:
        """Return the units, with `each` every one for itself."""
        ...


def intervals(
    metric: Resampled,
    *,
    level: float = 0.95,
    replicates: int | None = None,
    seed: int = 0,
    names: Iterable[str] | None = None,
    method: str = "basic",
) -> dict[str, Interval]:
    """Return a confidence interval for each headline number of a metric.

    A plain proportion of independent units has Wilson's interval. Others have one by bootstrap:
    units (samples, images, groups) are drawn with replacement from the stored state, as many as
    there are; the model is not run again.

    Parameters
    ----------
    metric : metric with ``units``
        What absorbed the data.
    level : float
        The confidence, between 0 and 1.
    replicates : int, optional
        How many data sets are drawn; none are where there are only proportions. Without, 1,000;
        200 of more than 100,000 units, where a number varies little and a replicate takes long.
    seed : int
        Of the draws: the same seed, the same intervals, on any machine and number of threads.
    names : iterable of str, optional
        Only these numbers.
    method : {"basic", "percentile", "bca"}
        What is read off the replicates. ``"basic"``: their quantiles, mirrored at the number
        itself. Macro averages and average precision of few units are biased, and a replicate is
        biased once more; mirroring takes both out, where ``"percentile"``, the quantiles
        themselves, misses the truth (docs/decisions/0009-counter-based-bootstrap.md has figures).
        ``"bca"``: quantiles corrected for bias and skewness, at one more evaluation for each kind
        of unit.

    Returns
    -------
    dict of str to Interval
        A replicate in which a number is undefined is left out; from 5 % of them on the interval is
        undefined, and so it is where all replicates have the same number, as those of a single unit
        do. The interval's ``note`` says so.

    Raises
    ------
    InputError
        For levels, replicates, names or methods that cannot be.

    References
    ----------
    B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 14.

    Examples
    --------
    >>> from snellen import ConfusionMatrix
    >>> metric = ConfusionMatrix().update([0, 0, 1, 1, 1], [0, 1, 1, 1, 1])
    >>> found = intervals(metric)["accuracy"]
    >>> round(found.low, 3), round(found.high, 3), found.method
    (0.376, 0.964, 'Wilson')
    """
    check_level(level)
    if replicates is not None:
        check_replicates(replicates)
    if method not in METHODS:
        raise InputError(
            f'expected a method of {", ".join(METHODS)}, got "{method}".'
            f"{did_you_mean(method, METHODS)}",
            "method",
        )
    units = metric.units()
    if replicates is None:
        replicates = 1000 if units.counts.sum() <= _MANY_UNITS else 200
    observed = units.values(units.counts[None])
    wanted = list(observed) if names is None else list(names)
    refuse_unknown_numbers(wanted, observed, "names")
    found: dict[str, Interval] = {}
    for name in wanted:
        if name in units.proportions:
            successes, trials = units.successes_and_trials(name)
            found[name] = Interval(
                *wilson(successes, trials, level=level),
                level,
                "Wilson",
                units.unit,
                "" if trials else "it is a share of nothing",
            )
    for name in wanted:
        note = units.without_interval.get(name, "")
        if units.counts.sum() == 1:
            # All replicates of one unit are that unit: no width is no certainty.
            note = f"a single {units.unit} does not tell how others vary"
        if note and name not in found:
            shown = f"bootstrap, {method}"
            found[name] = Interval(math.nan, math.nan, level, shown, units.unit, note)
    rest = [name for name in wanted if name not in found]
    if rest:
        drawn = _replicated(units, rest, replicates, seed)
        left_out = _left_out(units, rest) if method == "bca" else {}
        for name in rest:
            value = float(observed[name][0])
            if not math.isnan(value) and _is_constant(drawn[name]):
                # As those of one unit are: no width is no certainty.
                note = f"all replicates are equal: these {units.unit}s do not tell how others vary"
                shown = f"bootstrap, {method}"
                found[name] = Interval(math.nan, math.nan, level, shown, units.unit, note)
                continue
            found[name] = bootstrap_interval(
                value,
                drawn[name],
                level,
                units.unit,
                method=method,
                within=units.ranges.get(name, units.ranges.get("", UNBOUNDED)),
                left_out=left_out.get(name),
                often=units.counts[units.counts > 0],
            )
    return {name: found[name] for name in wanted}


def refuse_unknown_numbers(names: Iterable[str], known: Collection[str], place: str) -> None:
    """Refuse names of numbers that a metric does not have.

    Raises
    ------
    InputError
        With those that there are.
    """
    for name in names:
        if name not in known:
            raise InputError(
                f'expected a number of {", ".join(known)}, got "{name}".'
                f"{did_you_mean(name, known)}",
                place,
            )


def check_replicates(replicates: int) -> None:
    """Refuse numbers of replicates from which no interval can be read.

    Raises
    ------
    InputError
        For fewer than 10 or more than 10 million.
    """
    if not 10 <= replicates <= 10_000_000:
        raise InputError(f"expected 10 to 10,000,000 replicates, got {replicates}", "replicates")


def chunks(replicates: int, n_kinds: int) -> Iterator[tuple[int, int]]:
    """Yield (first, number) of parts of all replicates that fit memory together."""
    size = max(1, min(replicates, _AT_ONCE // max(1, n_kinds)))
    for first in range(0, replicates, size):
        yield first, min(size, replicates - first)


def _is_constant(drawn: NDArray[np.float64]) -> bool:
    """Return whether a number is the same in all replicates; a few may leave it undefined."""
    defined = drawn[~np.isnan(drawn)]
    if len(drawn) - len(defined) > _MOST_UNDEFINED * len(drawn):
        return False
    low, high = float(defined.min()), float(defined.max())
    return low == high or high - low <= _ROUNDING * max(abs(low), abs(high))


def _replicated(
    units: Units, names: list[str], replicates: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of all replicates by name, each (replicates,)."""
    drawn = {name: np.empty(replicates) for name in names}
    for first, number in chunks(replicates, len(units.counts)):
        times = _core.multiplicities(units.counts, seed % 2**64, first, number)
        found = units.values(times)
        for name in names:
            drawn[name][first : first + number] = found[name]
    return drawn


def _left_out(units: Units, names: list[str]) -> dict[str, NDArray[np.float64]]:
    """Return the numbers without one unit, for each kind of which there are some."""
    kinds = np.flatnonzero(units.counts)
    left = {name: np.empty(len(kinds)) for name in names}
    for first, number in chunks(len(kinds), len(units.counts)):
        times = np.repeat(units.counts[None], number, axis=0)
        times[np.arange(number), kinds[first : first + number]] -= 1
        found = units.values(times)
        for name in names:
            left[name][first : first + number] = found[name]
    return left


def bootstrap_interval(
    value: float,
    drawn: NDArray[np.float64],
    level: float,
    unit: str,
    *,
    method: str = "basic",
    within: tuple[float, float] = UNBOUNDED,
    left_out: NDArray[np.float64] | None = None,
    often: NDArray[np.int64] | None = None,
    called: str = "bootstrap",
) -> Interval:
    """Return the interval of a number that replicates give.

    Parameters
    ----------
    value : float
        The number itself.
    drawn : ndarray, shape (R,)
        That of each replicate; NaN where it is undefined.
    level : float
        The confidence.
    unit : str
        What was drawn.
    method : {"basic", "percentile", "bca"}
        See `intervals`.
    within : (float, float)
        What the number can be: mirrored quantiles beyond are cut off.
    left_out, often : ndarray, shape (U,)
        For ``"bca"``: the number without one unit of each kind, and how many there are.
    called : str
        What the interval's method begins with.
    """
    defined = drawn[~np.isnan(drawn)]
    n_undefined = len(drawn) - len(defined)
    note = f"undefined in {n_undefined:,} of {len(drawn):,} replicates" if n_undefined else ""
    shown = f"{called}, {method}"
    if math.isnan(value) or n_undefined > _MOST_UNDEFINED * len(drawn):
        note = "undefined" if math.isnan(value) else note
        return Interval(math.nan, math.nan, level, shown, unit, note)
    tail = (1 - level) / 2
    tails = tail, 1 - tail
    if method == "bca":
        assert left_out is not None
        assert often is not None
        corrected = _bca_tails(value, defined, left_out, often, tail)
        if corrected is None:
            note = "all replicates lie on one side of the number, which BCa cannot correct"
            return Interval(math.nan, math.nan, level, shown, unit, note)
        tails = corrected
    low, high = _quantiles(defined, tails)
    if method == "basic":
        low, high = max(2 * value - high, within[0]), min(2 * value - low, within[1])
    return Interval(low, high, level, shown, unit, note)


def _quantiles(values: NDArray[np.float64], shares: tuple[float, ...]) -> list[float]:
    """Return quantiles, linear between ranks, to the bit those of NumPy.

    NumPy's own imports numpy.ma, which takes as long as the resampling of a small data set.
    """
    ordered = np.sort(values)
    found = []
    for share in shares:
        rank = (len(ordered) - 1) * share
        below = min(int(rank), len(ordered) - 1)
        part = rank - below
        low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
        # From the nearer end, as NumPy has it.
        near = low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)
        found.append(float(near))
    return found


def _bca_tails(
    value: float,
    drawn: NDArray[np.float64],
    left_out: NDArray[np.float64],
    often: NDArray[np.int64],
    tail: float,
) -> tuple[float, float] | None:
    """Return which quantiles bound the interval that is corrected for bias and skewness."""
    from statistics import NormalDist

    normal = NormalDist()
    below = (np.count_nonzero(drawn < value) + np.count_nonzero(drawn <= value)) / (2 * len(drawn))
    if not 0 < below < 1:
        return None
    bias = normal.inv_cdf(below)
    there = ~np.isnan(left_out)
    left_out, weight = left_out[there], often[there].astype(np.float64)
    acceleration = 0.0
    if len(left_out):
        apart = (weight * left_out).sum() / weight.sum() - left_out
        spread = (weight * apart**2).sum()
        if spread > 0:
            acceleration = float((weight * apart**3).sum() / (6 * spread**1.5))

    def corrected(tail: float) -> float:
        z = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + z / (1 - acceleration * z))

    return corrected(tail), corrected(1 - tail)
