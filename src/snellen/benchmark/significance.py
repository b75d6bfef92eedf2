"""Which differences of accuracy may be claimed: every pair of networks, on the same images."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from snellen.result import Interval
from snellen.statistics import holm, mcnemar
from snellen.statistics.comparison_result import Comparison, Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.statistics import McNemar

__all__ = ["compared"]


def compared(
    names: Sequence[str], right: Sequence[NDArray[np.bool_]], *, level: float = 0.95
) -> Comparison:
    """Return McNemar's exact test of every pair of networks, adjusted by Holm over all pairs.

    P-values are those of `snellen.statistics.compare`. Its intervals are by bootstrap, a second for
    each pair of large sets: of fifty networks there are 1,225. Here they are Agresti and Min's.

    Parameters
    ----------
    names : sequence of str
        Of M networks, no two the same.
    right : sequence of M ndarrays, shape (N,)
        Which images each got right.
    level : float
        The confidence.

    References
    ----------
    A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 24, 2005.

    Examples
    --------
    >>> a, b = np.arange(24) % 6 < 4, np.ones(24, bool)
    >>> found = compared(["A", "B"], [a, b]).differences[0]
    >>> round(found.difference, 4), found.p  # 2 / 2^8
    (0.3333, 0.0078125)
    """
    n = len(right[0]) if len(right) else 0
    accuracy = [int(each.sum()) / n if n else math.nan for each in right]
    pairs = list(itertools.combinations(range(len(names)), 2))
    tests: dict[tuple[str, str], McNemar] = {}
    for a, b in pairs:
        tests[names[a], names[b]] = mcnemar(
            int(np.count_nonzero(right[a] & ~right[b])), int(np.count_nonzero(right[b] & ~right[a]))
        )
    adjusted = holm([test.exact_p for test in tests.values()]).tolist()
    differences = []
    for (a, b), p in zip(pairs, adjusted, strict=True):
        test = tests[names[a], names[b]]
        differences.append(
            Difference(
                metric="accuracy",
                first=names[a],
                second=names[b],
                value_first=accuracy[a],
                value_second=accuracy[b],
                difference=accuracy[b] - accuracy[a],
                interval=_interval(test.only_first, test.only_second, n, level),
                p=test.exact_p,
                adjusted_p=p,
                least_p=0.0,
                test="McNemar, exact",
            )
        )
    return Comparison(
        names=tuple(names),
        unit="image",
        n_units=n,
        level=level,
        replicates=0,
        seed=0,
        values={name: {"accuracy": value} for name, value in zip(names, accuracy, strict=True)},
        differences=tuple(differences),
        class_metric="",
        class_differences=(),
        mcnemar=tests,
        lower_is_better=frozenset(),
    )


def _interval(only_first: int, only_second: int, n: int, level: float) -> Interval:
    """Return where the second's share less the first's lies.

    Wald's interval, with half an image more in each of the four cells.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    b, c, size = only_first + 0.5, only_second + 0.5, n + 2
    middle = (c - b) / size
    half = z * math.sqrt((b + c) - (c - b) ** 2 / size) / size
    return Interval(
        max(-1.0, middle - half), min(1.0, middle + half), level, "Agresti and Min", "image"
    )
