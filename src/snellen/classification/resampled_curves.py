"""Areas under the curves of scores, for many resampled data sets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.averaging import Averaging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.metric import Units

__all__ = ["MOST_CELLS", "with_areas"]

MOST_CELLS: Final = 150_000
"""Beyond so many scores (samples times classes) areas are not resampled: it would take minutes."""

_AT_ONCE: Final = 1 << 17


class _Ranked:
    """The scores of one column, and which of them are positive, in groups of equal scores."""

    def __init__(
        self,
        score: NDArray[Any],
        positive: NDArray[np.bool_],
        sample: NDArray[np.int32] | None = None,
    ) -> None:
        self._sample = sample  # of each score; without, score i is of sample i
        found, place = np.unique(score, return_inverse=True)
        # The highest score is group 0.
        self._group = (len(found) - 1 - place).astype(np.int32)
        self._n_groups = len(found)
        self._positive = positive.astype(np.float64)
        self._negative = 1.0 - self._positive

    def areas(self, times: NDArray[np.int32]) -> tuple[Any, Any, Any]:
        """Return AUC, AP and the number of positives, (R,), of rows that occur so often."""
        # Few rows at a time: what is between the sums then stays in the cache.
        size = max(1, _AT_ONCE // max(1, self._n_groups))
        parts = [self._areas(times[i : i + size]) for i in range(0, len(times), size)]
        auc, ap, positives = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return auc, ap, positives

    def _areas(self, times: NDArray[np.int32]) -> tuple[Any, Any, Any]:
        n_rows, n = len(times), self._n_groups
        true, false = (
            _core.sums_by_cell(times, self._group, n, unit=self._sample, weight=weight)
            for weight in (self._positive, self._negative)
        )
        true_up_to = np.cumsum(true, axis=1)
        decided = true_up_to + np.cumsum(false, axis=1)
        positives = true_up_to[:, -1] if n else np.zeros(n_rows)
        negatives = decided[:, -1] - positives if n else np.zeros(n_rows)
        # Ranks within a group are shared: half of its own positives count.
        wins = (false * (true_up_to - true / 2)).sum(axis=1)
        precision = np.divide(true_up_to, decided, out=np.zeros_like(decided), where=decided > 0)
        return (
            rates.ratio(wins, positives * negatives),
            rates.ratio((true * precision).sum(axis=1), positives),
            positives,
        )


class _Areas:
    """AUC and AP of the columns of a score matrix."""

    def __init__(
        self, score: NDArray[Any], positive: NDArray[np.bool_], unit: NDArray[np.int32] | None
    ) -> None:
        self.score, self.positive, self.unit = score, positive, unit
        n_columns = score.shape[1]
        self.columns = [_Ranked(score[:, j], positive[:, j]) for j in range(n_columns)]
        self.micro = None
        if n_columns > 1:
            sample = np.repeat(np.arange(len(score), dtype=np.int32), n_columns)
            self.micro = _Ranked(score.reshape(-1), positive.reshape(-1), sample)

    def joined(self, other: _Areas, n_units: int) -> _Areas:
        """Return those of the rows of both; the other's units come behind the own."""
        units = [
            np.arange(len(side.score), dtype=np.int32) if side.unit is None else side.unit
            for side in (self, other)
        ]
        return _Areas(
            np.concatenate([self.score, other.score]),
            np.concatenate([self.positive, other.positive]),
            np.concatenate([units[0], units[1] + np.int32(n_units)]),
        )

    def numbers(self, multiplicity: NDArray[Any], averaging: Averaging) -> dict[str, Any]:
        times = np.ascontiguousarray(multiplicity, np.int32)
        if self.unit is not None:
            times = np.ascontiguousarray(times[:, self.unit])
        found = [column.areas(times) for column in self.columns]
        auc, ap, support = (np.stack([each[i] for each in found], axis=1) for i in range(3))
        if self.micro is None:
            return {"auc": auc[:, 0], "ap": ap[:, 0]}
        numbers = {}
        for name, values in (("auc", auc), ("ap", ap)):
            for how in ("macro", "weighted"):
                numbers[f"{name}_{how}"] = averaging.averages(
                    values, support=support, absent=np.isnan(values), how=how
                )
        numbers["auc_micro"], numbers["ap_micro"], _ = self.micro.areas(times)
        return numbers


def with_areas(
    units: Units,
    score: NDArray[Any],
    positive: NDArray[np.bool_],
    *,
    absent_classes: str,
    unit: NDArray[np.int32] | None,
) -> Units:
    """Return units whose values have the areas under ROC and precision-recall curves, too.

    Parameters
    ----------
    units : Units
        Those of the labels of m samples.
    score, positive : ndarray, shape (m, K), or of binary data (m, 1)
        The scores of each sample, and where they are to be high.
    absent_classes : {"drop", "zero", "one"}
        As in `ThresholdCurves`.
    unit : ndarray, shape (m,), or None
        The unit of each sample; without, sample i is unit i.
    """
    areas = _Areas(score, positive, unit)
    averaging = Averaging(absent_classes)
    joined: list[tuple[_Areas, _Areas]] = []  # the last other's, and with them

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        if other is None:
            return {**units.values(multiplicity), **areas.numbers(multiplicity, averaging)}
        theirs, times = other
        if not joined or joined[0][0] is not theirs.content.areas:
            joined[:] = [
                (
                    theirs.content.areas,
                    areas.joined(theirs.content.areas, len(units.counts)),
                )
            ]
        both = np.concatenate([multiplicity, times], axis=1)
        return {
            **units.values(multiplicity, (theirs.content.inner, times)),
            **joined[0][1].numbers(both, averaging),
        }

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        assert units.class_values is not None
        inner = None if other is None else (other[0].content.inner, other[1])
        return units.class_values(multiplicity, inner)

    return units._replace(values=values, class_values=class_values, content=_Content(units, areas))


class _Content(NamedTuple):
    inner: Units
    areas: _Areas
