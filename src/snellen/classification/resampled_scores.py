"""Numbers of scores that are means over samples, for many resampled data sets at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classification import rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.metric import Units

__all__ = ["with_sample_means"]


def with_sample_means(
    units: Units,
    rows: Mapping[str, NDArray[Any]],
    right: NDArray[np.bool_],
    *,
    ks: tuple[int, ...],
    losses: bool,
    bins: int | None,
    halved: bool,
    unit: NDArray[np.int32] | None,
    weight: NDArray[np.float64] | None,
) -> Units:
    """Return units whose values have top-k accuracy, losses and calibration error, too.

    Parameters
    ----------
    units : Units
        Those of the labels of m samples.
    rows : mapping of str to ndarray, shape (m,)
        ``rank``, ``log_loss``, ``brier``, ``confidence`` and ``bin`` of each sample.
    right : ndarray, shape (m,), bool
        Whether the predicted label is the true one.
    ks : tuple of int
        Top-k accuracies to give.
    losses : bool
        Whether log loss and Brier score are to be given.
    bins : int or None
        How many bins the calibration error has; None: it is not to be given.
    halved : bool
        Whether the Brier score is half of the rows' sums.
    unit, weight : ndarray, shape (m,), or None
        As in `label_units`.
    """
    means: dict[str, NDArray[np.float64]] = {
        f"top{k}": (rows["rank"] < k).astype(np.float64) for k in ks
    }
    if losses:
        means["log_loss"] = rows["log_loss"]
        means["brier"] = rows["brier"] * (0.5 if halved else 1.0)
    bin_of = None if bins is None else np.ascontiguousarray(rows["bin"], np.int32)
    samples = _Samples(means, bin_of, bins or 0, rows["confidence"], right, unit, weight)

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        base = (
            units.values(multiplicity)
            if other is None
            else units.values(multiplicity, (other[0].content.labels, other[1]))
        )
        sums = samples.sums(multiplicity)
        if other is not None:
            theirs = other[0].content.samples.sums(other[1])
            sums = {name: value + theirs[name] for name, value in sums.items()}
        return {**base, **_numbers(sums, list(means))}

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        assert units.class_values is not None
        inner = None if other is None else (other[0].content.labels, other[1])
        return units.class_values(multiplicity, inner)

    proportions = dict(units.proportions)
    if unit is None and weight is None:
        every = np.ones_like(right)
        proportions |= {f"top{k}": (rows["rank"] < k, every) for k in ks}
    return units._replace(
        values=values,
        class_values=class_values,
        proportions=proportions,
        headline=(*units.headline, *(["log_loss"] if losses else [])),
        ranges={**units.ranges, "log_loss": (0.0, math.inf), "brier": (0.0, 2.0)},
        content=_Content(units, samples),
    )


class _Content(NamedTuple):
    labels: Units
    samples: _Samples


class _Samples:
    """Sums over samples that occur so often."""

    def __init__(
        self,
        means: Mapping[str, NDArray[np.float64]],
        bin_of: NDArray[np.int32] | None,
        bins: int,
        confidence: NDArray[np.float64],
        right: NDArray[np.bool_],
        unit: NDArray[np.int32] | None,
        weight: NDArray[np.float64] | None,
    ) -> None:
        self._means, self._bin_of, self._bins = means, bin_of, bins
        self._unit, self._n = unit, len(right)
        self._weight = np.ones(self._n) if weight is None else weight
        self._gap = self._weight * (confidence - right) if bin_of is not None else None

    def sums(self, multiplicity: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Return weights, weighted sums of each mean (R,), and gaps by bin (R, bins)."""
        times = np.ascontiguousarray(multiplicity, np.int32)
        one_cell = np.zeros(self._n, np.int32)

        def summed(weight: NDArray[np.float64], cell: NDArray[np.int32], n: int) -> Any:
            return _core.sums_by_cell(
                times, cell, n, unit=self._unit, weight=np.ascontiguousarray(weight)
            )

        found = {"": summed(self._weight, one_cell, 1)[:, 0]}
        for name, values in self._means.items():
            found[name] = summed(self._weight * values, one_cell, 1)[:, 0]
        if self._bin_of is not None and self._gap is not None:
            found["gap"] = summed(self._gap, self._bin_of, self._bins)
        return found


def _numbers(
    sums: Mapping[str, NDArray[np.float64]], means: list[str]
) -> dict[str, NDArray[np.float64]]:
    found = {name: rates.ratio(sums[name], sums[""]) for name in means}
    if "gap" in sums:
        found["ece"] = rates.ratio(np.abs(sums["gap"]).sum(axis=1), sums[""])
    return found
