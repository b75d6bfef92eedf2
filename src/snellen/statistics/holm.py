"""Holm's correction: p-values of a family of tests, so that not one of them is too lucky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["holm"]


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return adjusted p-values: rejecting those below α errs anywhere with probability ≤ α.

    Parameters
    ----------
    p_values : array-like, shape (m,)
        P-values of a family of tests; NaN is no test and stays NaN.

    Returns
    -------
    ndarray, shape (m,), float64

    Raises
    ------
    InputError
        For numbers outside [0, 1].

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise InputError("expected p-values from 0 to 1", "p_values")
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return adjusted
