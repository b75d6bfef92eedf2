"""Logarithms and powers that come out the same, to the last bit, on every machine.

A C library's ``log`` and NumPy's vector versions of it differ in the last bit from one processor
to the next, and what is summed exactly would show it. Here there are only + − × ÷ and comparison,
which IEEE 754 defines; the error is a few units in the last place.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]

__all__ = ["atanh_tail", "log", "log_ratio", "power"]

SMALL: Final = 0.172  # (√2 − 1) / (√2 + 1), rounded up: where `atanh_tail` is good to the last bit

# ln 2 as a number of 32 bits, whose products with exponents are exact, and the rest.
_LN2: Final = Fraction(  # 40 digits, rounded
    6931471805599453094172321214581765680755, 10**40
)
_LN2_HIGH: Final = round(_LN2 * 2**32) / 2**32
_LN2_LOW: Final = float(_LN2 - Fraction(_LN2_HIGH))


def _series(coefficients: list[float], x: Real) -> Real:
    """Return Σ coefficient[k] · x^k."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def atanh_tail(s: Real) -> Real:
    """Return (atanh(s) − s) / s³ for |s| ≤ `SMALL`."""
    # The next term, 0.172^22 / 25, is below 2^-60.
    return _series([1 / (2 * k + 3) for k in range(11)], s * s)


def log(x: Real) -> Real:
    """Return the natural logarithm of numbers above 0."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa = np.where(low, 2 * mantissa, mantissa)
    places = (exponent - low).astype(np.float64)
    s = (mantissa - 1) / (mantissa + 1)
    small = 2 * (s + s * s * s * atanh_tail(s))
    found: Real = places * _LN2_HIGH + (small + places * _LN2_LOW)
    return found


def log_ratio(difference: Real, a: Real, b: Real) -> Real:
    """Return log(a / b), given a − b too: near 1 nothing cancels."""
    s = difference / (a + b)
    near = np.abs(s) <= SMALL
    found: Real = np.where(near, 2 * (s + s * s * s * atanh_tail(np.where(near, s, 0.0))), 0.0)
    far = ~near
    found[far] = log(a[far]) - log(b[far])
    return found


def power(x: Real, exponent: float) -> Real:
    """Return x to a power, for x ≥ 0; 0 and infinity where float64 ends."""
    if exponent == 1:
        return x
    positive = x > 0
    found: Real = np.full(x.shape, 1.0 if exponent == 0 else 0.0 if exponent > 0 else np.inf)
    with np.errstate(over="ignore", under="ignore"):
        found[positive] = _exp(exponent * log(x[positive]))
    return found


def _exp(x: Real) -> Real:
    x = np.clip(x, -2000.0, 2000.0)
    places = np.rint(x / float(_LN2))
    rest = (x - places * _LN2_HIGH) - places * _LN2_LOW
    # |rest| ≤ 0.35: the next term, 0.35^15 / 15!, is below 2^-60.
    small = _series([1 / factorial(k) for k in range(15)], rest)
    found: Real = np.ldexp(small, places.astype(np.int32))
    return found
