"""Which points are drawn of very many: by a rule that is said, and never of the numbers."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.displays.display import Words

__all__ = [
    "LINE_RULE",
    "MOST_ON_A_LINE",
    "MOST_POINTS",
    "POINTS_RULE",
    "of_line",
    "of_points",
    "with_note",
]

MOST_ON_A_LINE = 1_000
_SPANS = 500
LINE_RULE = (
    f"Of a line of more than {MOST_ON_A_LINE:,} points those drawn are the first, the last, and "
    f"the lowest and highest in each of {_SPANS} equal spans of the axis; the data have all."
)
MOST_POINTS = 2_000
POINTS_RULE = (
    f"Of more than {MOST_POINTS:,} of a kind those drawn are {MOST_POINTS:,} at equal distances in "
    "their order, and those with the least and greatest values; the data have all."
)


def with_note(words: Words, note: str) -> Words:
    """Return words whose note says this too."""
    if note in words.note:
        return words
    return dataclasses.replace(words, note=f"{words.note} {note}".lstrip())


def of_line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    bounds: Sequence[NDArray[np.float64]] = (),
    *,
    log: bool = False,
) -> NDArray[np.intp]:
    """Return the places of those points of a line that are drawn.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
        The line.
    bounds : sequence of ndarray, shape (n,), float64
        Other numbers at x whose extremes are drawn too.
    log : bool
        Whether spans are equal in the logarithm of x.

    Returns
    -------
    ndarray, intp
        Ascending; all where there are few.
    """
    n = x.size
    if n <= MOST_ON_A_LINE:
        return np.arange(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        across = np.log10(x) if log else x
    usable = np.flatnonzero(np.isfinite(across))
    if not usable.size:
        return np.array([0, n - 1])
    across = across[usable]
    low, high = across.min(), across.max()
    width = (high - low) or 1.0
    spans = np.minimum(((across - low) / width * _SPANS).astype(np.int64), _SPANS - 1)
    if (spans[1:] < spans[:-1]).any():
        order = np.argsort(spans, kind="stable")
        usable, spans = usable[order], spans[order]
    ends = np.searchsorted(spans, np.arange(_SPANS + 1))
    kept = {0, n - 1}
    for start, end in pairwise(ends.tolist()):
        places = usable[start:end]
        if not places.size:
            continue
        values = y[places]
        gaps = np.flatnonzero(~np.isfinite(values))
        if gaps.size:  # a gap stays one
            kept.add(int(places[gaps[0]]))
        for row in (values, *(bound[places] for bound in bounds)):
            if np.isfinite(row).any():
                kept |= {
                    int(places[np.argmin(np.where(np.isfinite(row), row, np.inf))]),
                    int(places[np.argmax(np.where(np.isfinite(row), row, -np.inf))]),
                }
    return np.array(sorted(kept), dtype=np.intp)


def of_points(*values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of those points that are drawn, ascending; all where there are few."""
    n = values[0].size
    if n <= MOST_POINTS:
        return np.arange(n)
    kept = {int(k) for k in np.linspace(0, n - 1, MOST_POINTS).round()}
    for row in values:
        finite = np.flatnonzero(np.isfinite(row))
        if finite.size:
            kept |= {int(finite[row[finite].argmin()]), int(finite[row[finite].argmax()])}
    return np.array(sorted(kept), dtype=np.intp)
