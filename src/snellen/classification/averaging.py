"""How numbers of classes become one: which classes count, and what 0/0 counts as."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classification import rates
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Averaging"]

_ABSENT: Final[dict[str, str]] = {
    "drop": "absent classes are left out",
    "zero": "absent classes count as 0",
    "one": "absent classes count as 1",
}


class Averaging:
    """The rule of averages over classes.

    Parameters
    ----------
    absent_classes : {"drop", "zero", "one"}
        What a class that neither truth nor predictions have counts as.
    zero_division : {0.0, 1.0, nan}
        What 0/0 of a class that is there counts as; NaN leaves the class out of that average.
    n_macro : int, optional
        How many of the classes, the first, macro averages are over; without, over all.

    Raises
    ------
    InputError
        For anything else.
    """

    __slots__ = ("absent_classes", "n_macro", "zero_division")

    def __init__(
        self,
        absent_classes: str = "drop",
        zero_division: float = 0.0,
        n_macro: int | None = None,
    ) -> None:
        if absent_classes not in _ABSENT:
            raise InputError(
                f'expected "drop", "zero" or "one", got {absent_classes!r}', "absent_classes"
            )
        known = isinstance(zero_division, (int, float)) and (
            zero_division in (0, 1) or math.isnan(zero_division)
        )
        if not known:
            raise InputError(f"expected 0, 1 or nan, got {zero_division!r}", "zero_division")
        if n_macro is not None and (not isinstance(n_macro, int) or n_macro < 1):
            raise InputError(f"expected a whole number from 1, got {n_macro!r}", "n_macro")
        self.absent_classes = absent_classes
        self.zero_division = float(zero_division)
        self.n_macro = n_macro

    def __str__(self) -> str:
        zero = self.zero_division
        rest = "left out" if math.isnan(zero) else f"counted as {zero:g}"
        over = "" if self.n_macro is None else f"; macro ones are over the first {self.n_macro:,}"
        return f"{_ABSENT[self.absent_classes]}; 0/0 of others is {rest}{over}"

    def average(
        self,
        values: NDArray[np.float64],
        *,
        support: NDArray[Any],
        absent: NDArray[np.bool_],
        how: str,
    ) -> tuple[float, str]:
        """Return the average of K classes, and why it is NaN where it is; see `rates.average`."""
        some = self._some(how)
        return rates.average(
            values[some],
            support[some],
            absent[some],
            how,
            absent_classes=self.absent_classes,
            zero_division=self.zero_division,
        )

    def filled(
        self, values: NDArray[np.float64], absent: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what each number counts as, and whether it counts; see `rates.filled`."""
        return rates.filled(values, absent, self.absent_classes, self.zero_division)

    def averages(
        self,
        values: NDArray[np.float64],
        *,
        support: NDArray[np.float64],
        absent: NDArray[np.bool_],
        how: str,
    ) -> NDArray[np.float64]:
        """Return the averages of R data sets, all (R, K), up to rounding as `average` does."""
        some = self._some(how)
        filled, counts = self.filled(values[..., some], absent[..., some])
        share = counts * (support if how == "weighted" else 1.0)
        total = share.sum(axis=-1)
        summed = np.where(counts, filled * share, 0.0).sum(axis=-1)
        return rates.ratio(summed, total)

    def _some(self, how: str) -> slice:
        """Return which classes an average is over."""
        return slice(self.n_macro if how == "macro" else None)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain values; NaN is None."""
        zero = self.zero_division
        # States of earlier releases are without it, and over all classes.
        over = {} if self.n_macro is None else {"n_macro": self.n_macro}
        return {
            "absent_classes": self.absent_classes,
            "zero_division": None if math.isnan(zero) else zero,
            **over,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Averaging:
        """Return the rule that `to_dict` wrote."""
        zero = values["zero_division"]
        return cls(
            values["absent_classes"], math.nan if zero is None else zero, values.get("n_macro")
        )
