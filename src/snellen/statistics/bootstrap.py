"""The bootstrap: how a number varies over data sets drawn from the one there is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from snellen import _core
from snellen.errors import InputError, did_you_mean
from snellen.result import Interval
from snellen.statistics.proportions import check_level, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.metric import Units

__all__ = ["Resampled", "check_replicates", "chunks", "intervals", "percentile_bounds"]

# So many multiplicities are held at once.
_AT_ONCE = 1 << 21
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
    replicates: int = 1000,
    seed: int = 0,
    names: Iterable[str] | None = None,
) -> dict[str, Interval]:
    """Return a confidence interval for each headline number of a metric.

    A plain proportion of independent units has Wilson's interval. Others have the percentile
    interval of a bootstrap: units (samples, images, groups) are drawn with replacement from the
    stored state, as many as there are; the model is not run again.

    Parameters
    ----------
    metric : metric with ``units``
        What absorbed the data.
    level : float
        The confidence, between 0 and 1.
    replicates : int
        How many data sets are drawn; none are where there are only proportions.
    seed : int
        Of the draws: the same seed, the same intervals, on any machine and number of threads.
    names : iterable of str, optional
        Only these numbers.

    Raises
    ------
    InputError
        For levels, replicates or names that cannot be.

    Examples
    --------
    >>> from snellen import ConfusionMatrix
    >>> metric = ConfusionMatrix().update([0, 0, 1, 1, 1], [0, 1, 1, 1, 1])
    >>> found = intervals(metric)["accuracy"]
    >>> round(found.low, 3), round(found.high, 3), found.method
    (0.376, 0.964, 'Wilson')
    """
    check_level(level)
    check_replicates(replicates)
    units = metric.units()
    known = list(units.values(units.counts[None]))
    wanted = known if names is None else list(names)
    for name in wanted:
        if name not in known:
            raise InputError(
                f'expected a number of {", ".join(known)}, got "{name}".{did_you_mean(name, known)}'
            )
    found: dict[str, Interval] = {}
    for name in wanted:
        if name in units.proportions:
            bounds = wilson(*units.proportions[name], level=level)
            found[name] = Interval(*bounds, level, "Wilson", units.unit)
    rest = [name for name in wanted if name not in found]
    if rest:
        drawn = _replicated(units, lambda times: units.values(times), rest, replicates, seed)
        for name in rest:
            bounds = percentile_bounds(drawn[name], level)
            found[name] = Interval(*bounds, level, "bootstrap", units.unit)
    return {name: found[name] for name in wanted}


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


def _replicated(
    units: Units,
    values: Callable[[NDArray[Any]], Mapping[str, NDArray[np.float64]]],
    names: list[str],
    replicates: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of all replicates by name, each (replicates,)."""
    drawn = {name: np.empty(replicates) for name in names}
    for first, number in chunks(replicates, len(units.counts)):
        times = _core.multiplicities(units.counts, seed % 2**64, first, number)
        found = values(times)
        for name in names:
            drawn[name][first : first + number] = found[name]
    return drawn


def percentile_bounds(drawn: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the percentile interval of replicates; NaN where too many of them are undefined."""
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(drawn):
        return math.nan, math.nan
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
