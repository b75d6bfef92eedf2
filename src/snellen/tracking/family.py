"""A family of tracking numbers: what it keeps of a sequence, and what it makes of the sums.

A family is data and pure functions. What is kept of a sequence and class is a row of columns; the
columns of several sequences are brought to *summands* and added, in the order of the sequences'
names; numbers are made of the sums. So a number over all sequences is never a mean of numbers.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snellen.tracking.frames import CodedFrames

    Columns = Mapping[str, NDArray[Any]]

__all__ = ["ALPHAS", "Family", "Gap", "Settings", "as_they_are"]

ALPHAS: NDArray[np.float64] = np.arange(0.05, 0.99, 0.05)
"""The localisation thresholds of HOTA, (19,): 0.05 … 0.95 rounded as the reference has them."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What families are told.

    Attributes
    ----------
    threshold : float
        The least similarity of a match, of CLEAR, identity and VACE.
    blocked_sums : bool
        Whether sums over pairs of tracks are made in the order of NumPy before 2.3; their last bits
        differ.
    """

    threshold: float = 0.5
    blocked_sums: bool = False


class Gap(NamedTuple):
    """Where numbers are not defined.

    Attributes
    ----------
    names : tuple of str
        The numbers.
    where : ndarray, shape (…), bool
        In which sets.
    reason : str
        Why.
    """

    names: tuple[str, ...]
    where: NDArray[np.bool_]
    reason: str


def as_they_are(columns: Columns) -> Columns:
    """Return columns that add up as they are."""
    return columns


@dataclasses.dataclass(frozen=True)
class Family:
    """Numbers that are made of the same columns.

    Attributes
    ----------
    name : str
        What it is called: ``"hota"``.
    title : str
        What tables call it: ``"HOTA"``.
    columns : mapping of str to numpy dtype, or (dtype, shape)
        What is kept of a sequence and class.
    measure : callable
        From the frames of a sequence and class, and settings, to columns.
    summands : callable
        From columns (S, …) to what is added, (S, …).
    numbers : callable
        From sums (…) to numbers by name, (…), as the reference has them: 0 where it divides by
        nothing. Numbers of `per_alpha` have one axis more, the thresholds.
    fields : tuple of str
        The numbers, in the order of tables.
    per_alpha : frozenset of str
        Those that there is one of for each threshold; the number is their mean.
    counts : frozenset of str
        Those that are counts: over classes they are added.
    lower_is_better : frozenset of str
        Those of which less is better.
    neither_is_better : frozenset of str
        Those of which neither more nor less is better.
    ranges : mapping of str to (float, float)
        What they can be; ``""`` stands for all that are not named.
    gaps : callable
        From sums (…) to where numbers are not defined, and why; of several reasons the first holds.
    settings : frozenset of str
        Which of `Settings` it heeds.
    summary : tuple of str
        The numbers that the reference's tables and summaries have, in its order.
    detailed : tuple of str
        The numbers that its detailed files have, those of `per_alpha` last.
    """

    name: str
    title: str
    columns: Mapping[str, Any]
    measure: Callable[[CodedFrames, Settings], dict[str, Any]]
    numbers: Callable[[Columns], dict[str, NDArray[Any]]]
    fields: tuple[str, ...]
    gaps: Callable[[Columns], list[Gap]]
    settings: frozenset[str] = frozenset()
    summands: Callable[[Columns], Columns] = as_they_are
    per_alpha: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    lower_is_better: frozenset[str] = frozenset()
    neither_is_better: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[float, float]] = dataclasses.field(
        default_factory=lambda: {"": (0.0, 1.0)}
    )
    summary: tuple[str, ...] = ()
    detailed: tuple[str, ...] = ()

    def reasons(self, sums: Columns) -> dict[str, str]:
        """Return, of one set, a reason for each number that is not defined."""
        found: dict[str, str] = {}
        for gap in self.gaps(sums):
            if np.all(gap.where):
                found = dict.fromkeys(gap.names, gap.reason) | found
        return found

    def is_undefined(self, sums: Columns, name: str) -> NDArray[np.bool_] | bool:
        """Return in which sets a number is not defined, (…)."""
        found: NDArray[np.bool_] | bool = False
        for gap in self.gaps(sums):
            if name in gap.names:
                found = found | gap.where
        return found
