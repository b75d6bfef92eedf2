"""The streaming state of regression: exact sums, counts and extremes, one for each output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.regression.exact_fit import Fit
from snellen.state import Counts, Moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from snellen.regression.terms import Term

    Real = NDArray[np.float64]

__all__ = ["RegressionSums"]

_COUNTS = ("n_samples", "n_weightless", "n_reweighted")
_SUMS = ("t", "p", "tt", "pp", "tp")
_BLOCK = 1 << 15  # rows at a time: what they need beside themselves stays in the cache


class RegressionSums:
    """Sums over samples of m outputs and k errors (`terms`); nothing in them is rounded.

    Attributes
    ----------
    counts : Counts
        ``n_samples`` that count, ``n_weightless`` that have weight 0 and don't, ``n_reweighted``
        that have a weight other than 1; ``outside`` and ``beyond`` (m, k), for how many samples
        an error is not defined, or beyond float64.
    largest : ndarray, shape (m,)
        The largest absolute error.
    """

    __slots__ = ("_moments", "counts", "largest", "terms")

    def __init__(self, n_outputs: int, terms: Sequence[Term]) -> None:
        self.terms = terms
        cells = (n_outputs, len(terms))
        self.counts = Counts(**dict.fromkeys(_COUNTS, ()), outside=cells, beyond=cells)
        self.largest = np.zeros(n_outputs)
        columns: Any = dict.fromkeys((*_SUMS, *map(_name, terms)), (n_outputs,))
        self._moments = Moments(weight=(), **columns)

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return len(self.largest)

    def add(self, truth: Real, pred: Real, weight: Real | None) -> None:
        """Add n samples (n, m), finite; weights (n,) finite and not negative."""
        if weight is not None:
            kept = weight > 0
            self.counts.add(
                n_weightless=len(kept) - np.count_nonzero(kept),
                n_reweighted=np.count_nonzero(kept & (weight != 1)),
            )
            if not kept.all():
                truth, pred, weight = truth[kept], pred[kept], weight[kept]
        for begin in range(0, len(truth), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            self._add(truth[rows], pred[rows], None if weight is None else weight[rows])

    def _add(self, truth: Real, pred: Real, weight: Real | None) -> None:
        counted = np.zeros((2, *self.counts["outside"].shape), np.int64)
        added = {}
        for k, term in enumerate(self.terms):
            values, *flags = term.added(truth, pred)
            added[_name(term)] = values
            for i, flag in enumerate(flags):
                if flag is not None:
                    counted[i, :, k] = np.count_nonzero(flag, axis=0)
        self.counts.add(n_samples=len(truth), outside=counted[0], beyond=counted[1])
        np.maximum(self.largest, added["error.mae"].max(axis=0), out=self.largest)
        sums = self._moments
        if weight is None or (weight == 1).all():
            sums.add(weight=[len(truth)], t=truth, p=pred, **added)
            sums.add_products(tt=(truth, truth), pp=(pred, pred), tp=(truth, pred))
            return
        sums.add(weight=weight)
        each = np.repeat(weight[:, None], truth.shape[1], axis=1)
        sums.add_products(
            t=(each, truth), p=(each, pred), **{name: (each, of) for name, of in added.items()}
        )
        # A product of three: weight and truth as two numbers whose sum is their exact product.
        for part in _exact_product(each, truth):
            sums.add_products(tt=(part, truth), tp=(part, pred))
        for part in _exact_product(each, pred):
            sums.add_products(pp=(part, pred))

    def merge(self, other: RegressionSums) -> None:
        """Add all of another's."""
        self.counts.merge(other.counts)
        np.maximum(self.largest, other.largest, out=self.largest)
        self._moments.merge(other._moments)

    def fits(self) -> list[Fit]:
        """Return the fit of each output; there must be samples."""
        (weight,) = self._moments.exact("weight").reshape(-1)
        columns = {name: self._moments.exact(name) for name in _SUMS}
        return [
            Fit.of_sums(weight, **{name: column[j] for name, column in columns.items()})
            for j in range(self.n_outputs)
        ]

    def means(self) -> list[list[Fraction]]:
        """Return for each error the mean of each output; there must be samples."""
        (weight,) = self._moments.exact("weight").reshape(-1)
        return [(self._moments.exact(_name(term)) / weight).tolist() for term in self.terms]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays: equal sums, equal bytes."""
        return {
            **self.counts.arrays(),
            "largest": self.largest.copy(),
            **self._moments.arrays(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put what `arrays` returned in the place of everything.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is not of this shape.
        """
        for name, count in self.counts.arrays().items():
            count[...] = _shaped(arrays[name], count)
        self.largest[...] = _shaped(arrays["largest"], self.largest)
        self._moments.restore(arrays)


def _name(term: Term) -> str:
    """Return under which name the sum of an error is kept."""
    return f"error.{term.name}"


def _shaped(array: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    if array.shape != like.shape or array.dtype != like.dtype:
        raise ValueError(f"expected {like.dtype} {like.shape}, got {array.dtype} {array.shape}")
    return array


def _exact_product(a: Real, b: Real) -> tuple[Real, Real]:
    """Return the rounded product and what rounding lost (T. J. Dekker, 1971).

    Exact, but for products below 2^-960 in magnitude, of which parts below 2^-1074 are lost.
    """
    # Mantissas in [1/2, 1), so that nothing overflows on the way.
    (a, a_places), (b, b_places) = np.frexp(a), np.frexp(b)
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    places = a_places + b_places
    return np.ldexp(product, places), np.ldexp(lost, places)


def _upper_half(x: Real) -> Real:
    """Return the upper 26 bits."""
    shifted = x * 134_217_729.0  # 2^27 + 1
    upper: Real = shifted - (shifted - x)
    return upper
