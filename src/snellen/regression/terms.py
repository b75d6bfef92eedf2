"""Errors that are means over samples: what each sample adds to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.regression.elementary import SMALL, atanh_tail, log, log_ratio, power

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["Added", "Term", "terms_of", "there_is_tweedie"]


class Added(NamedTuple):
    """What n samples add to an error, for m outputs; 0 where it is not defined.

    Attributes
    ----------
    values : ndarray, shape (n, m), float64
        Not weighted.
    outside, beyond : ndarray, shape (n, m), bool, or None
        Where the error is not defined for the sample, and where it is beyond float64; None where
        nowhere.
    """

    values: Real
    outside: Flags | None
    beyond: Flags | None


class Term(NamedTuple):
    """An error that is a mean over samples.

    Attributes
    ----------
    name : str
        The headline name.
    why_outside : str
        What is so for a sample for which it is not defined.
    of : callable
        From truth and predictions (n, m) to the values and, where they are not defined
        everywhere, whether they are.
    """

    name: str
    why_outside: str
    of: Callable[[Real, Real], tuple[Real, Flags | None]]

    def added(self, truth: Real, pred: Real) -> Added:
        """Return what samples (n, m) add."""
        with np.errstate(all="ignore"):
            values, defined = self.of(truth, pred)
        if defined is not None and not defined.all():
            values, outside = np.where(defined, values, 0.0), ~defined
        else:
            outside = None
        finite = np.isfinite(values)
        if finite.all():
            return Added(values, outside, None)
        return Added(np.where(finite, values, 0.0), outside, ~finite)


def terms_of(
    *,
    huber_delta: float,
    quantiles: Sequence[float],
    tweedie_power: float | None,
    mape_epsilon: float | None,
) -> list[Term]:
    """Return the errors that go with a metric's parameters."""
    terms = [
        Term("mae", "", _absolute),
        Term("mape", "truth is 0", _percentage(mape_epsilon)),
        Term("smape", "", _symmetric_percentage),
        Term("msle", "a side is -1 or below", _squared_logarithmic),
        Term("huber", "", _huber(huber_delta)),
        *(Term(f"pinball_{level:g}", "", _pinball(level)) for level in quantiles),
        Term("poisson_deviance", _WHY_POISSON, _poisson),
        Term("gamma_deviance", _WHY_GAMMA, _gamma),
    ]
    if tweedie_power is not None:
        terms.append(_tweedie(tweedie_power))
    return terms


_WHY_POISSON = "truth is below 0 or the prediction not above 0"
_WHY_GAMMA = "a side is not above 0"


def _absolute(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
    return np.abs(pred - truth), None


def _percentage(epsilon: float | None) -> Callable[[Real, Real], tuple[Real, Flags | None]]:
    def of(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
        size = np.abs(truth)
        if epsilon is None:
            return np.abs(pred - truth) / size, size > 0
        return np.abs(pred - truth) / np.maximum(size, epsilon), None

    return of


def _symmetric_percentage(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
    size = np.abs(truth) + np.abs(pred)
    return np.where(size > 0, 2 * np.abs(pred - truth) / size, 0.0), None


def _squared_logarithmic(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
    defined = (truth > -1) & (pred > -1)
    a, b = np.where(defined, 1 + truth, 1.0), np.where(defined, 1 + pred, 1.0)
    error = log_ratio(np.where(defined, truth - pred, 0.0), a, b)
    return error * error, defined


def _huber(delta: float) -> Callable[[Real, Real], tuple[Real, Flags | None]]:
    def of(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
        size = np.abs(pred - truth)
        return np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta)), None

    return of


def _pinball(level: float) -> Callable[[Real, Real], tuple[Real, Flags | None]]:
    def of(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
        missing = truth - pred
        return np.where(missing >= 0, level * missing, (level - 1) * missing), None

    return of


# Deviances of equal sides are 0 and of nearly equal ones tiny, but their formulas are differences
# of large numbers. With s = (truth - pred) / (truth + pred), truth / pred is (1 + s) / (1 - s) and
# its logarithm 2 atanh(s) = 2 (s + s³ Q): then the large parts are gone before anything is rounded.


def _nearness(truth: Real, pred: Real, defined: Flags) -> tuple[Real, Flags]:
    s = np.where(defined, (truth - pred) / (truth + pred), 0.0)
    near = np.abs(s) <= SMALL
    return np.where(near, s, 0.0), near


def _poisson(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
    defined = (truth >= 0) & (pred > 0)
    s, near = _nearness(truth, pred, defined)
    found = (truth + pred) * (s * s + (1 + s) * (s * s * s * atanh_tail(s)))
    far = defined & ~near
    t, p = truth[far], pred[far]
    product = np.zeros_like(t)
    some = t > 0
    product[some] = t[some] * (log(t[some]) - log(p[some]))
    found[far] = product - (t - p)
    return 2 * found, defined


def _gamma(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
    defined = (truth > 0) & (pred > 0)
    s, near = _nearness(truth, pred, defined)
    found = 2 * (s * s / (1 - s) - s * s * s * atanh_tail(s))
    far = defined & ~near
    t, p = truth[far], pred[far]
    found[far] = (log(p) - log(t)) + (t / p - 1)
    return 2 * found, defined


def _tweedie(exponent: float) -> Term:
    """Return the deviance of a Tweedie distribution, variance ~ mean^exponent."""
    name = f"tweedie_deviance_{exponent:g}"
    if exponent == 0:
        return Term(name, "", lambda truth, pred: ((truth - pred) ** 2, None))
    if exponent == 1:
        return Term(name, _WHY_POISSON, _poisson)
    if exponent == 2:
        return Term(name, _WHY_GAMMA, _gamma)
    why = (
        "the prediction is not above 0"
        if exponent < 0
        else _WHY_POISSON
        if exponent < 2
        else _WHY_GAMMA
    )

    # Half the deviance is pred^(2 - q) f(x) with x = truth / pred and f(x) = the integral of
    # (x - u) u^-q over u from 1 to x; at 1 + h the series of f is
    # h²/2 - q h³/6 + q (q + 1) h⁴/24 - …, good to the last bit while |q h| is small.
    largest = min(1 / 32, 1 / (32 * abs(exponent)))
    coefficients = [0.5]
    for k in range(14):
        coefficients.append(-coefficients[-1] * (exponent + k) / (k + 3))

    def of(truth: Real, pred: Real) -> tuple[Real, Flags | None]:
        defined = pred > 0
        if exponent >= 2:
            defined &= truth > 0
        elif exponent > 0:
            defined &= truth >= 0
        t, p = np.where(defined, truth, 1.0), np.where(defined, pred, 1.0)
        h = (t - p) / p
        near = np.abs(h) <= largest
        h = np.where(near, h, 0.0)
        series = np.full_like(h, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            series = series * h + coefficient
        found = power(p, 2 - exponent) * (h * h * series)
        t, p = t[~near], p[~near]
        found[~near] = (
            power(np.maximum(t, 0.0), 2 - exponent) / ((1 - exponent) * (2 - exponent))
            - t * power(p, 1 - exponent) / (1 - exponent)
            + power(p, 2 - exponent) / (2 - exponent)
        )
        return 2 * found, defined

    return Term(name, why, of)


def there_is_tweedie(power: float) -> bool:
    """Return whether there is a Tweedie distribution of this power."""
    return math.isfinite(power) and not 0 < power < 1
