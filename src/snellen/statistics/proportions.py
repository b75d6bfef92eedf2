"""Confidence intervals of a proportion: so many successes of so many independent trials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["binomial_probability", "check_level", "clopper_pearson", "incomplete_beta", "wilson"]


def wilson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval.

    Its coverage is close to the level for any number of trials, on average over proportions.

    Parameters
    ----------
    successes, trials : int
        ``0 <= successes <= trials``.
    level : float
        The confidence, between 0 and 1.

    Returns
    -------
    (float, float)
        The bounds; NaN without trials.

    Raises
    ------
    InputError
        For other numbers.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22, 1927.

    Examples
    --------
    >>> low, high = wilson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    from statistics import NormalDist

    _check(successes, trials, level)
    if not trials:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, z2 = successes / trials, z * z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = (
        z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    )
    # At the ends the bound is the end itself, which rounding may miss.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Clopper and Pearson's "exact" interval, which covers at least with the level.

    Parameters, errors
        As `wilson`.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> low, high = clopper_pearson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4439, 0.9748)
    """
    _check(successes, trials, level)
    if not trials:
        return math.nan, math.nan
    tail = (1 - level) / 2
    failures = trials - successes
    low, high = 0.0, 1.0
    if successes:  # P(X ≥ successes) = I_p(successes, failures + 1) is to be the tail
        low = _root(lambda p: incomplete_beta(p, successes, failures + 1) - tail)
    if failures:  # P(X ≤ successes) = I_(1 − p)(failures, successes + 1) is to be the tail
        high = 1 - _root(lambda q: incomplete_beta(q, failures, successes + 1) - tail)
    return low, high


def check_level(level: float) -> None:
    """Refuse what is no confidence.

    Raises
    ------
    InputError
        For a number that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(
            f"expected a confidence between 0 and 1, such as 0.95, got {level}", "level"
        )


def _check(successes: int, trials: int, level: float) -> None:
    check_level(level)
    if not 0 <= successes <= trials:
        raise InputError(f"expected 0 <= successes <= trials, got {successes} of {trials}")


def _root(increasing: Callable[[float], float]) -> float:
    """Return where an increasing function on [0, 1] is 0, to the last bits, by halving."""
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if increasing(middle) < 0:
            low = middle
        else:
            high = middle


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1, a and b from 1.

    By its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22) with
    Lentz's method, on the side where it converges fast. The relative error is below 1e-12 for a and
    b up to a thousand, below 1e-10 up to millions.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_fraction(1 - x, x, b, a)
    return _beta_fraction(x, 1 - x, a, b)


def _beta_fraction(x: float, y: float, a: float, b: float) -> float:
    """Return I_x(a, b) for x up to about a / (a + b); y is 1 − x."""
    tiny = 1e-300
    # 1 − (a + b) x / (a + 1), written so that nothing cancels where x is close to 1.
    c, d = 1.0, (a + 1) / _away_from_zero(a * y - b * x + 1, tiny)
    fraction = d
    m = 0
    while True:
        m += 1
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + numerator * d, tiny)
            c = _away_from_zero(1 + numerator / c, tiny)
            fraction *= c * d
        # Four units in the last place: rounding keeps the product from settling at 1.
        if abs(c * d - 1) < 1e-15:
            break
    # x^a (1 − x)^b / (a B(a, b)) is this probability times b / (a + b).
    return _binomial(a, b, x, y) * (b / (a + b)) * fraction


def binomial_probability(successes: float, failures: float, p: float) -> float:
    """Return the probability of so many successes and failures, 0 < p < 1."""
    return _binomial(successes, failures, p, 1 - p)


def _binomial(successes: float, failures: float, p: float, q: float) -> float:
    """Return p^s q^f Γ(s + f + 1) / (Γ(s + 1) Γ(f + 1)), the probability of s and f.

    As C. Loader computes it ("Fast and accurate computation of binomial probabilities", 2000): what
    is large cancels before it is computed. Numbers that are not whole are taken by the gamma
    function.
    """
    if successes == 0:
        return math.pow(q, failures)
    if failures == 0:
        return math.pow(p, successes)
    n = successes + failures
    log_ratio = (
        _stirling_error(n)
        - _stirling_error(successes)
        - _stirling_error(failures)
        - _deviance(successes, n * p)
        - _deviance(failures, n * q)
    )
    return math.exp(log_ratio) * math.sqrt(n / (2 * math.pi * successes * failures))


def _stirling_error(n: float) -> float:
    """Return log Γ(n + 1) less Stirling's formula for it."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    n2 = n * n
    series = 1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360360 / n2) / n2) / n2) / n2
    return (1 / 12 - series / n2) / n


def _deviance(x: float, mean: float) -> float:
    """Return x log(x / mean) + mean − x, without cancellation where both are close."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total = (x - mean) * v
    term = 2 * x * v
    j = 0
    while True:
        j += 1
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            return total
        total = following


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
