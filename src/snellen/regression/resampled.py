"""Headline numbers of many resampled data sets at once, from how often each unit occurs in them.

In float64, about the mean of each output, so that a variance beside a large mean is right here too.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.metric import Units
from snellen.regression.directions import lower_is_better, neither_is_better, ranges_of
from snellen.regression.order import Ranking, SortedValues
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.regression.rows import Rows
    from snellen.regression.terms import Term

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["regression_units"]

_CELLS = 1 << 22  # samples times data sets at once
_ROUNDING = 1e-14  # a variance that is so small beside the mean square is that of a constant


class _Samples:
    """Samples and the unit that each belongs to."""

    def __init__(
        self, truth: Real, pred: Real, weight: Real, unit: NDArray[Any], n_units: int
    ) -> None:
        self.truth, self.pred, self.weight, self.unit = truth, pred, weight, unit
        self.n_units = n_units

    @classmethod
    def joined(cls, a: _Samples, b: _Samples) -> _Samples:
        return cls(
            np.concatenate([a.truth, b.truth]),
            np.concatenate([a.pred, b.pred]),
            np.concatenate([a.weight, b.weight]),
            np.concatenate([a.unit, b.unit + a.n_units]),
            a.n_units + b.n_units,
        )


class _Numbers:
    """The numbers of data sets made of some samples."""

    def __init__(
        self,
        samples: _Samples,
        terms: Sequence[Term],
        headlines: Sequence[str],
        *,
        force_finite: bool,
        error_quantiles: Sequence[float],
    ) -> None:
        self.samples, self.terms, self.headlines = samples, terms, headlines
        self.force_finite = force_finite
        weight = samples.weight
        self.is_weighted = bool(len(weight)) and bool((weight != weight[0]).any())
        self.n_outputs = samples.truth.shape[1]
        n, m = samples.truth.shape
        self.centre = (
            (samples.truth.mean(axis=0), samples.pred.mean(axis=0)) if n else (np.zeros(m),) * 2
        )
        self.sums = self._unit_sums()
        self.ordered: list[dict[str, Callable[[NDArray[Any]], Real]]] = []
        if "median_absolute_error" in headlines:
            self.ordered = [self._order(j, error_quantiles) for j in range(m)]

    def _unit_sums(self) -> Real:
        """Return the sums of each unit, (U, 2 + 7m + 2mk)."""
        samples = self.samples
        t, p = samples.truth - self.centre[0], samples.pred - self.centre[1]
        # The error, and what of it a shift of all predictions does not change.
        e, d = samples.pred - samples.truth, p - t
        added = [term.added(samples.truth, samples.pred) for term in self.terms]
        n = len(t)
        w = samples.weight[:, None]
        nowhere = np.zeros(t.shape, np.bool_)
        undefined = [
            (nowhere if outside is None else outside) | (nowhere if beyond is None else beyond)
            for _, outside, beyond in added
        ]
        columns = [
            np.ones((n, 1)),
            w,
            *(w * each for each in (t, p, t * t, p * p, t * p, e * e, d * d)),
            *(w * values for values, _, _ in added),
            *undefined,
        ]
        cells = np.concatenate(columns, axis=1)
        return np.stack(
            [np.bincount(samples.unit, column, samples.n_units) for column in cells.T], axis=1
        )

    def _order(
        self, j: int, error_quantiles: Sequence[float]
    ) -> dict[str, Callable[[NDArray[Any]], Real]]:
        truth, pred = self.samples.truth[:, j], self.samples.pred[:, j]
        error = pred - truth
        size, signed = SortedValues(np.abs(error)), SortedValues(error)
        found: dict[str, Callable[[NDArray[Any]], Real]] = {
            "median_absolute_error": functools.partial(size.quantiles, 0.5)
        }
        for level in error_quantiles:
            found[f"error_q{level:g}"] = functools.partial(signed.quantiles, level)
        if self.is_weighted:
            for name in ("spearman", "kendall"):
                found[name] = lambda times: np.full(len(times), math.nan)
        else:
            ranking = Ranking(truth, pred)
            found |= {"spearman": ranking.spearman, "kendall": ranking.kendall}
        return found

    def found(self, multiplicity: NDArray[Any]) -> _Found:
        """Return the numbers of R data sets; multiplicities (R, U)."""
        return _Found(self, multiplicity.astype(np.int64))

    def means(self, multiplicity: Whole) -> dict[str, Real]:
        """Return the numbers of each output that follow from sums, (R, m)."""
        m, k = self.n_outputs, len(self.terms)
        sums = multiplicity.astype(np.float64) @ self.sums
        n, weight = sums[:, :1], sums[:, 1:2]
        with np.errstate(all="ignore"):
            t, p, tt, pp, tp, ee, dd = (
                sums[:, 2 + i * m : 2 + (i + 1) * m] / weight for i in range(7)
            )
            terms = sums[:, 2 + 7 * m : 2 + 7 * m + k * m].reshape(-1, k, m) / weight[:, :, None]
            undefined = sums[:, 2 + 7 * m + k * m :].reshape(-1, k, m) > 0
            found = {
                term.name: np.where(undefined[:, i], math.nan, terms[:, i])
                for i, term in enumerate(self.terms)
            }
            bias = (self.centre[1] - self.centre[0]) + (p - t)
            vt, vp = _variance(tt, t), _variance(pp, p)
            covariance = tp - t * p
            found |= {
                "truth_variance": vt,
                "mse": ee,
                "rmse": np.sqrt(ee),
                "mean_error": bias,
                "rmsle": np.sqrt(found["msle"]),
                "r2": self._explained(ee, vt, n),
                "explained_variance": self._explained(_variance(dd, p - t), vt, n),
                "pearson": np.where((vt > 0) & (vp > 0), covariance / np.sqrt(vt * vp), math.nan),
                "concordance": 2 * covariance / (vt + vp + bias**2),
            }
        return found

    def _explained(self, left: Real, variance: Real, n: Real) -> Real:
        constant = np.where(left > 0, 0.0, 1.0) if self.force_finite else math.nan
        return np.where(n > 1, np.where(variance > 0, 1 - left / variance, constant), math.nan)

    def ordered_number(self, name: str, multiplicity: Whole) -> Real:
        """Return a number of each output that follows from the order of samples, (R, m)."""
        step = max(1, _CELLS // max(1, len(self.samples.unit)))
        parts = [np.zeros((0, self.n_outputs))]
        for begin in range(0, len(multiplicity), step):
            times: NDArray[Any] = multiplicity[begin : begin + step, self.samples.unit]
            if self.is_weighted:
                times = times * self.samples.weight
            parts.append(np.stack([each[name](times) for each in self.ordered], axis=1))
        return np.concatenate(parts)


class _Found(Mapping[str, "Real"]):
    """The headline numbers of R data sets, each (R,); found when they are asked for.

    Rank correlations cost a hundred times what means do, and are seldom wanted.
    """

    def __init__(self, numbers: _Numbers, multiplicity: Whole) -> None:
        self._numbers, self._multiplicity = numbers, multiplicity
        self._means: dict[str, Real] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers.headlines)

    def __len__(self) -> int:
        return len(self._numbers.headlines)

    def __getitem__(self, name: str) -> Real:
        if name not in self._numbers.headlines:
            raise KeyError(name)
        if name in _OVER_OUTPUTS:
            return self._weighted_by_variance(name)
        found: Real = self.each(name).mean(axis=1)
        return found

    def each(self, name: str) -> Real:
        """Return a number of each output, (R, m)."""
        numbers = self._numbers
        if numbers.ordered and name in numbers.ordered[0]:
            return numbers.ordered_number(name, self._multiplicity)
        if self._means is None:
            self._means = numbers.means(self._multiplicity)
        return self._means[name]

    def _weighted_by_variance(self, name: str) -> Real:
        each, spread = self.each(_OVER_OUTPUTS[name]), self.each("truth_variance")
        total = spread.sum(axis=1)
        # An output whose truth is constant has no weight, whatever its value.
        shares = np.where(spread > 0, each, 0.0) * spread
        constant = each.mean(axis=1) if self._numbers.force_finite else math.nan
        with np.errstate(all="ignore"):
            return np.where(total > 0, shares.sum(axis=1) / total, constant)


_OVER_OUTPUTS = {"r2_variance_weighted": "r2", "explained_variance_weighted": "explained_variance"}
_MAIN = ("mae", "rmse", "r2")
_LARGEST = "max_error"


def _variance(square: Real, mean: Real) -> Real:
    variance = square - mean**2
    return np.where(variance > _ROUNDING * square, variance, 0.0)


def regression_units(
    rows: Rows,
    terms: Sequence[Term],
    headlines: Sequence[str],
    outputs: Sequence[str],
    **rules: Any,
) -> Units:
    """Return samples, or their groups where they have some, as units for resampling.

    The largest error is not among the numbers: drawing from a sample says nothing about how far
    beyond it the largest may lie.
    """
    headlines = [name for name in headlines if name != _LARGEST]
    ids: Keys | None
    code: NDArray[Any]
    if rows.group is not None:
        unit, code, ids = "group", rows.group, rows.groups
    elif rows.sample is not None:
        unit, code, ids = "sample", rows.sample, rows.sample_ids
    else:
        unit, code, ids = "sample", np.arange(len(rows.weight)), None
    # Units of which every sample has weight 0 have no rows: they are none.
    there = np.unique(code)
    if ids is not None and len(there) != len(ids):
        ids = Keys(ids.ids[there], ids.what)
    samples = _Samples(rows.truth, rows.pred, rows.weight, np.searchsorted(there, code), len(there))
    numbers = _Numbers(samples, terms, headlines, **rules)
    joined: list[tuple[Any, _Numbers]] = []  # with the last `other`

    def found(multiplicity: NDArray[Any], other: Any) -> _Found:
        if other is None:
            return numbers.found(multiplicity)
        units, times = other
        theirs = units.content
        if not joined or joined[0][0] is not theirs:
            both = _Samples.joined(samples, theirs.samples)
            joined[:] = [(theirs, _Numbers(both, terms, headlines, **rules))]
        return joined[0][1].found(np.concatenate([multiplicity, times], axis=1))

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Real]:
        return found(multiplicity, other)

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Real:
        return found(multiplicity, other).each("mae")

    several = len(outputs) > 1
    return Units(
        unit=unit,
        counts=np.ones(len(there), np.int64),
        ids=ids,
        values=values,
        class_metric="mae" if several else "",
        classes=Classes.of(list(outputs)) if several else None,
        class_values=class_values if several else None,
        headline=_MAIN,
        lower_is_better=lower_is_better([*headlines, _LARGEST]),
        neither_is_better=neither_is_better(headlines),
        ranges=ranges_of(headlines),
        truth=_truth_of_units(samples),
        content=numbers,
    )


def _truth_of_units(samples: _Samples) -> Real:
    """Return, for each unit, sums that are equal for equal truth and weights."""
    n, unit = len(samples.truth), samples.unit
    truth, weight = samples.truth, samples.weight
    if samples.n_units < n:
        # Without ids rows are in an order that predictions take part in, and it shows in sums.
        order = np.lexsort((weight, *truth.T, unit))
        truth, weight, unit = truth[order], weight[order], unit[order]
    columns = np.concatenate([np.ones((n, 1)), weight[:, None], truth, truth**2], axis=1)
    return np.stack([np.bincount(unit, column, samples.n_units) for column in columns.T], axis=1)
