"""Headline numbers of many resampled multilabel data sets at once.

Averages over classes need to know which labels a sample has; all else follows from how many of
its labels are right, wrong and missed, which is what a unit is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates
from snellen.classification.resampled_labels import class_rates
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classification.averaging import Averaging

__all__ = ["LabelCounts", "label_set_units", "set_rates"]


class LabelCounts(NamedTuple):
    """Right, false, missed and rightly left out labels, of one shape."""

    tp: NDArray[Any]
    fp: NDArray[Any]
    fn: NDArray[Any]
    tn: NDArray[Any]


def set_rates(counts: LabelCounts, beta: float) -> dict[str, NDArray[np.float64]]:
    """Return the ratios of classes, of samples or of everything, by name."""
    tp, fp, fn, tn = counts
    return {
        **class_rates(tp, fp, fn, tn, beta),
        "accuracy": rates.ratio(tp + tn, tp + fp + fn + tn),
    }


class _Samples:
    """U kinds of samples: true, false, missed and rightly left out labels, each (U,)."""

    def __init__(self, counts: LabelCounts, averaging: Averaging, beta: float) -> None:
        tp, fp, fn = counts[:3]
        exact = (fp + fn) == 0
        self.sums = np.stack([*counts, exact, np.ones_like(exact)], axis=1).astype(np.float64)
        self.absent = (tp + fp + fn) == 0
        self.rates = set_rates(counts, beta)
        self.averaging = averaging

    def tops_and_wholes(
        self, multiplicity: NDArray[np.float64]
    ) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return, for each ratio, its sum over the samples that count, and how many do."""
        found = {}
        for name, values in self.rates.items():
            filled, counts = self.averaging.filled(values, self.absent)
            found[name] = (
                multiplicity @ np.where(counts, filled, 0.0),
                multiplicity @ counts.astype(np.float64),
            )
        return found


def label_set_units(
    counts: LabelCounts,
    samples: NDArray[np.int64],
    *,
    averaging: Averaging,
    beta: float,
) -> Units:
    """Return samples of U kinds as units.

    Parameters
    ----------
    counts : LabelCounts, shape (U,)
        The numbers of labels of each kind of sample.
    samples : ndarray, shape (U,)
        How many samples of each kind there are.
    """
    kinds = _Samples(counts, averaging, beta)

    def values(multiplicity: NDArray[np.int64], other: Any = None) -> Mapping[str, Any]:
        sides = [(kinds, multiplicity.astype(np.float64))]
        if other is not None:
            sides.append((other[0].values.kinds, other[1].astype(np.float64)))
        sums = np.sum([times @ side.sums for side, times in sides], axis=0)
        whole = LabelCounts(*sums.T[:4])
        tp, fp, fn, tn = whole
        exact, n = sums.T[4:]
        found = {f"{name}_micro": value for name, value in set_rates(whole, beta).items()}
        found["mcc_micro"] = rates.matthews(*whole)
        parts = [side.tops_and_wholes(times) for side, times in sides]
        for name in kinds.rates:
            top, bottom = (sum(part[name][i] for part in parts) for i in (0, 1))
            found[f"{name}_samples"] = rates.ratio(top, bottom)
        cells = tp + fp + fn + tn
        found |= {
            "subset_accuracy": rates.ratio(exact, n),
            "hamming": rates.ratio(fp + fn, cells),
            "cardinality_truth": rates.ratio(tp + fn, n),
            "cardinality_prediction": rates.ratio(tp + fp, n),
            "density_truth": rates.ratio(tp + fn, cells),
            "density_prediction": rates.ratio(tp + fp, cells),
        }
        return found

    values.kinds = kinds  # type: ignore[attr-defined]  # for `other`
    exact = counts[1] + counts[2] == 0
    return Units(
        unit="sample",
        counts=samples,
        ids=None,
        values=values,
        class_metric="",
        classes=None,
        class_values=None,
        proportions={"subset_accuracy": (int(samples[exact].sum()), int(samples.sum()))},
        headline=("subset_accuracy", "hamming", "f1_micro", "f1_samples"),
        lower_is_better=frozenset({"hamming"}),
    )
