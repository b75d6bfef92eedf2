"""Headline numbers of many resampled multilabel data sets at once.

Averages over classes need to know which labels a sample has; all else follows from how many of
its labels are right, wrong and missed, which is what a unit is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.directions import LOWER_IS_BETTER, NEITHER_IS_BETTER
from snellen.classification.resampled_labels import RANGES, class_rates
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.classification.averaging import Averaging
    from snellen.state import Keys

__all__ = ["LabelCounts", "SetRows", "label_set_units", "set_rates", "set_units"]


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
            sides.append((other[0].content, other[1].astype(np.float64)))
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

    exact = counts[1] + counts[2] == 0
    return Units(
        unit="sample",
        counts=samples,
        ids=None,
        values=values,
        class_metric="",
        classes=None,
        class_values=None,
        proportions={"subset_accuracy": (exact, np.ones_like(exact))},
        headline=("subset_accuracy", "hamming", "f1_micro", "f1_samples"),
        lower_is_better=LOWER_IS_BETTER,
        neither_is_better=NEITHER_IS_BETTER,
        ranges=RANGES,
        content=kinds,
    )


class SetRows(NamedTuple):
    """The labels of samples as rows, one for each label that is true or predicted.

    Attributes
    ----------
    sample, label : ndarray, shape (m,), int32
        The row's sample, and the position of its class.
    true, told : ndarray, shape (m,), bool
        Whether truth, whether the prediction has it.
    """

    sample: NDArray[np.int32]
    label: NDArray[np.int32]
    true: NDArray[np.bool_]
    told: NDArray[np.bool_]


def set_units(
    rows: SetRows,
    n_samples: int,
    classes: Classes,
    *,
    averaging: Averaging,
    beta: float,
    ids: Keys,
    unit: NDArray[np.int32] | None,
    truth: NDArray[Any] | None,
) -> Units:
    """Return samples, or groups of samples, as units whose values have every average.

    Parameters
    ----------
    rows : SetRows
        The labels of all samples.
    n_samples : int
        How many samples there are, those without labels too.
    ids : Keys
        The ids of the units.
    unit : ndarray, shape (n_samples,), or None
        The unit of each sample; without, sample i is unit i.
    truth : ndarray or None
        See `Units`.
    """
    n_classes = len(classes)

    def each_sample(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(rows.sample[which], minlength=n_samples)

    tp = each_sample(rows.true & rows.told)
    fp, fn = each_sample(rows.told) - tp, each_sample(rows.true) - tp
    inner = label_set_units(
        LabelCounts(tp, fp, fn, n_classes - tp - fp - fn),
        np.ones(n_samples, np.int64),
        averaging=averaging,
        beta=beta,
    )
    parts = [
        (rows.label[which], rows.sample[which])
        for which in (rows.true & rows.told, rows.told, rows.true)
    ]

    def of_samples(multiplicity: NDArray[Any]) -> NDArray[np.int32]:
        times = np.ascontiguousarray(multiplicity, np.int32)
        return times if unit is None else np.ascontiguousarray(times[:, unit])

    def class_counts(multiplicity: NDArray[Any]) -> LabelCounts:
        times = of_samples(multiplicity)
        right, told, true = (
            _core.sums_by_cell(times, label, n_classes, unit=sample) for label, sample in parts
        )
        n = times.sum(axis=1, dtype=np.float64)[:, None]
        return LabelCounts(right, told - right, true - right, n - told - true + right)

    def summed(multiplicity: NDArray[Any], other: Any) -> LabelCounts:
        own = class_counts(multiplicity)
        if other is None:
            return own
        theirs = other[0].content.class_counts(other[1])
        return LabelCounts(*(a + b for a, b in zip(own, theirs, strict=True)))

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        beside = None
        if other is not None:
            beside = (other[0].content.inner, other[0].content.of_samples(other[1]))
        found = dict(inner.values(of_samples(multiplicity), beside))
        counts = summed(multiplicity, other)
        absent = (counts.tp + counts.fp + counts.fn) == 0
        by_class = set_rates(counts, beta) | {"mcc": rates.matthews(*counts)}
        for name, each in by_class.items():
            for how in ("macro", "weighted"):
                found[f"{name}_{how}"] = averaging.averages(
                    each, support=counts.tp + counts.fn, absent=absent, how=how
                )
        return found

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        counts = summed(multiplicity, other)
        return rates.f_beta(counts.tp, counts.fp, counts.fn, 1.0)

    return inner._replace(
        unit="sample" if unit is None else "group",
        counts=np.ones(len(ids), np.int64),
        ids=ids,
        values=values,
        class_metric="f1",
        classes=classes,
        class_values=class_values,
        proportions=inner.proportions if unit is None else {},
        headline=("subset_accuracy", "hamming", "f1_micro", "f1_macro", "f1_samples"),
        truth=truth,
        content=_Content(inner, of_samples, class_counts),
    )


class _Content(NamedTuple):
    inner: Units
    of_samples: Callable[[NDArray[Any]], NDArray[np.int32]]
    class_counts: Callable[[NDArray[Any]], LabelCounts]
