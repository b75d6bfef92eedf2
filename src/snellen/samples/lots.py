"""Random numbers for samples: the same on every machine, with every release of NumPy.

The only randomness is the raw stream of a bit generator, which NumPy keeps as it is (its
distributions may change); the only float arithmetic is + − × ÷ √ and comparison, which IEEE 754
defines to the last bit.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.errors import InputError

__all__ = ["Lots", "at_least"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


def at_least(lowest: int, name: str, value: Any) -> int:
    """Return a whole number.

    Raises
    ------
    InputError
        For anything else, or a smaller number.
    """
    try:
        whole = operator.index(value)
    except TypeError:
        raise InputError(f"expected a whole number, got {value!r}", name) from None
    if whole < lowest:
        raise InputError(f"expected at least {lowest}, got {whole}", name)
    return whole


class Lots:
    """Random numbers that no release of anything changes.

    Parameters
    ----------
    seed : int
        At least 0.
    stream : int
        Which of the independent streams of a seed.
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._bits = np.random.PCG64((seed, stream))

    def _words(self, n: int) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(n), np.uint64)

    def share(self, n: int) -> Real:
        """Return uniform numbers, 0 ≤ x < 1: the upper 53 bits of each word."""
        upper = np.asarray(self._words(n) >> np.uint64(11), np.float64)
        return upper * 2.0**-53

    def below(self, limit: int | Whole, n: int) -> Whole:
        """Return uniform whole numbers, 0 ≤ x < limit."""
        return (self.share(n) * limit).astype(np.int64)

    def weighted(self, weights: Whole, n: int) -> Whole:
        """Return positions in `weights`, each as often as its weight says."""
        upto = np.cumsum(weights, dtype=np.int64)
        return np.searchsorted(upto, self.below(int(upto[-1]), n), side="right").astype(np.int64)

    def bell(self, n: int) -> Real:
        """Return numbers of mean 0 and deviation 1, near enough to normal, |x| < 3.5.

        The sum of a word's four 16-bit parts: normal deviates proper need a logarithm, whose last
        bit depends on the library.
        """
        words = self._words(n)
        total = sum((words >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48))
        return (np.asarray(total).astype(np.float64) - 131_070.0) / 37_837.0

    def shuffled(self, n: int) -> Whole:
        """Return 0 … n − 1 in random order."""
        return np.argsort(self._words(n), kind="stable").astype(np.int64)
