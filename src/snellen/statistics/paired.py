"""Two runs resampled together: drawn with the same units, and with their outputs swapped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.statistics.bootstrap import UNBOUNDED, bootstrap_interval, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.metric import Units
    from snellen.result import Interval

    Real = NDArray[np.float64]

__all__ = ["ClassOfTwo", "Paired"]

# Up to so many units all ways of swapping are tried.
_EXHAUSTIVE = 12
# Two differences that are one in exact arithmetic may differ by so much of the numbers' size.
_ROUNDING = 1e-12
# Swaps come from other draws than the bootstrap's.
_SWAPS = 0x5377617073000000
_CLASSES = ""  # stands for the main number of every class, among names of numbers


class ClassOfTwo(NamedTuple):
    """The main number of a class in two runs."""

    class_name: str
    value_first: float
    value_second: float
    interval: Interval
    p: float


class Paired:
    """Intervals and p-values of the differences of two runs, second less first.

    Parameters
    ----------
    ours, theirs : Units
        The same units, each for itself, with the outputs of the two runs.
    names : sequence of str
        The numbers.
    tested : sequence of str
        Those of them that get a p-value here.
    per_class : bool
        Whether classes are looked at, too.
    level, replicates, seed
        See `snellen.statistics.compare`.

    Attributes
    ----------
    intervals : dict of str to Interval
        Of the difference of each number, by paired bootstrap.
    p : dict of str to float
        Of the permutation test, of the numbers that were to be tested.
    test : str
        Which test it is.
    least_p : float
        No p-value of it can be less.
    classes : list of ClassOfTwo
        The classes that are defined in both runs.
    """

    def __init__(
        self,
        ours: Units,
        theirs: Units,
        names: Sequence[str],
        *,
        tested: Sequence[str],
        per_class: bool,
        level: float,
        replicates: int,
        seed: int,
    ) -> None:
        self._ours, self._theirs = ours, theirs
        self._n = len(ours.counts)
        self._names = list(names)
        self._seed = seed % 2**64
        if per_class and ours.class_values is not None and theirs.class_values is not None:
            self._names.append(_CLASSES)
        ones = np.ones((1, self._n), np.int32)
        values = self._values(ones, np.zeros_like(ones), self._names)
        drawn = self._drawn(replicates)
        interval_of = self._interval_of(level)
        self.intervals = {
            name: interval_of(name, float(values[1][name][0] - values[0][name][0]), drawn[name])
            for name in names
        }
        exhaustive = self._n <= _EXHAUSTIVE
        n_swaps = 2**self._n if exhaustive else replicates
        self.test = "permutation, all" if exhaustive else "permutation"
        # Swapping nothing and swapping everything always give as large a difference as observed.
        self.least_p = 2 / n_swaps if exhaustive else 1 / (n_swaps + 1)
        tested = [name for name in self._names if name in tested or name == _CLASSES]
        p = self._permuted(values, tested, n_swaps, exhaustive)
        self.p = {name: float(p[name]) for name in tested if name != _CLASSES}
        self.classes: list[ClassOfTwo] = []
        if _CLASSES in self._names and ours.classes is not None:
            first, second = (side[_CLASSES][0] for side in values)
            self.classes = [
                ClassOfTwo(
                    name,
                    float(first[k]),
                    float(second[k]),
                    interval_of(
                        ours.class_metric, float(second[k] - first[k]), drawn[_CLASSES][:, k]
                    ),
                    float(p[_CLASSES][k]),
                )
                for k, name in enumerate(ours.classes.display_names())
                if not math.isnan(second[k] - first[k])
            ]

    def _values(
        self, own: NDArray[Any], swapped: NDArray[Any], names: Sequence[str]
    ) -> tuple[dict[str, Real], dict[str, Real]]:
        """Return the numbers of both runs in which units occur so often, and so often swapped."""
        mixed = bool(swapped.any())

        def of(units: Units, others: Units) -> dict[str, Real]:
            other = (others, swapped) if mixed else None
            found: dict[str, Real] = {}
            if any(name != _CLASSES for name in names):
                values = units.values(own, other)
                found = {name: values[name] for name in names if name != _CLASSES}
            if _CLASSES in names and units.class_values is not None:
                found[_CLASSES] = units.class_values(own, other)
            return found

        return of(self._ours, self._theirs), of(self._theirs, self._ours)

    def _drawn(self, replicates: int) -> dict[str, Real]:
        """Return the differences of all replicates: (R,), of classes (R, K)."""
        parts: dict[str, list[Real]] = {name: [] for name in self._names}
        for first, size in chunks(replicates, self._n):
            times = _core.multiplicities(self._ours.counts, self._seed, first, size)
            values = self._values(times, np.zeros_like(times), self._names)
            for name in self._names:
                parts[name].append(values[1][name] - values[0][name])
        return {name: np.concatenate(found) for name, found in parts.items()}

    def _interval_of(self, level: float) -> Any:
        def interval(name: str, value: float, drawn: Real) -> Interval:
            # A difference of two numbers from low to high.
            low, high = self._ours.ranges.get(name, self._ours.ranges.get("", UNBOUNDED))
            return bootstrap_interval(
                value,
                drawn,
                level,
                self._ours.unit,
                within=(low - high, high - low),
                called="paired bootstrap",
            )

        return interval

    def _permuted(
        self,
        values: tuple[dict[str, Real], dict[str, Real]],
        names: Sequence[str],
        n_swaps: int,
        exhaustive: bool,
    ) -> dict[str, Real]:
        """Return p-values: the share of swaps with as large a difference; undefined ones count."""
        if not names:
            return {}
        observed = {name: np.abs(values[1][name][0] - values[0][name][0]) for name in names}
        bound = {
            name: observed[name]
            - _ROUNDING * np.maximum(np.abs(values[0][name][0]), np.abs(values[1][name][0]))
            for name in names
        }
        n_as_large: dict[str, Any] = dict.fromkeys(names, 0)
        for bits in self._swaps(n_swaps, exhaustive):
            swapped = self._values(1 - bits, bits, names)
            for name in names:
                less = np.abs(swapped[1][name] - swapped[0][name]) < bound[name]
                n_as_large[name] = n_as_large[name] + (~less).sum(axis=0)
        # Of random swaps the observed assignment is one that could have come up.
        more = 0 if exhaustive else 1
        return {
            name: np.where(
                np.isnan(observed[name]), math.nan, (n_as_large[name] + more) / (n_swaps + more)
            )
            for name in names
        }

    def _swaps(self, n_swaps: int, exhaustive: bool) -> Iterator[NDArray[np.int32]]:
        """Yield 0 or 1 for each unit in each swap, in parts."""
        for first, size in chunks(n_swaps, self._n):
            bits: NDArray[Any]
            if exhaustive:
                bits = (np.arange(first, first + size)[:, None] >> np.arange(self._n)) & 1
            else:
                bits = _core.random_bits(self._n, self._seed ^ _SWAPS, first, size)
            yield bits.astype(np.int32)
