"""Headline numbers of many resampled multilabel data sets at once.

Averages over classes need to know which labels a sample has (`kept_set_units`); all else follows
from how many of its labels are right, false and missed (`label_set_units`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.label_sets import Compared, LabelSets, compared
from snellen.classification.resampled_labels import class_rates
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classification.averaging import Averaging
    from snellen.state import Keys

__all__ = ["LabelCounts", "kept_set_units", "label_set_units", "set_rates"]


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


class _Kinds:
    """S kinds of samples by their numbers of labels, each (S,), and what a sample of each adds."""

    def __init__(self, counts: LabelCounts, averaging: Averaging, beta: float) -> None:
        tp, fp, fn = counts[:3]
        exact = (fp + fn) == 0
        absent = (tp + fp + fn) == 0
        columns = [*counts, exact, np.ones_like(exact)]
        for values in set_rates(counts, beta).values():
            filled, counted = averaging.filled(values, absent)
            columns += [np.where(counted, filled, 0.0), counted]
        self._columns = np.stack(columns, axis=1).astype(np.float64)

    def sums(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of data sets that have so many of each kind: (R, S) to (R, columns)."""
        sums: NDArray[np.float64] = times @ self._columns
        return sums


class _Counted:
    """Units that each are one kind of sample."""

    def __init__(self, kinds: _Kinds) -> None:
        self._kinds = kinds

    def sums(self, multiplicity: NDArray[Any]) -> NDArray[np.float64]:
        return self._kinds.sums(multiplicity.astype(np.float64))


class _Kept:
    """Units that each are some samples, whose labels are known."""

    def __init__(
        self,
        labels: Compared,
        n_classes: int,
        averaging: Averaging,
        beta: float,
        unit: NDArray[np.int32],
        weight: NDArray[np.float64] | None,
    ) -> None:
        kinds, kind = np.unique(labels.per_sample, axis=1, return_inverse=True)
        tp, fp, fn = kinds
        self._kinds = _Kinds(LabelCounts(tp, fp, fn, n_classes - tp - fp - fn), averaging, beta)
        self._kind, self._n_kinds = kind.reshape(-1).astype(np.int32), kinds.shape[1]
        self._unit, self._weight, self._n_classes = unit, weight, n_classes
        row = np.concatenate(labels.row)
        cells = [code + block * n_classes for block, code in enumerate(labels.code)]
        self._cell = np.concatenate(cells).astype(np.int32)
        self._unit_of_label = unit[row]
        self._weight_of_label = None if weight is None else weight[row]

    def sums(self, multiplicity: NDArray[Any]) -> NDArray[np.float64]:
        times = np.ascontiguousarray(multiplicity, np.int32)
        return self._kinds.sums(
            _core.sums_by_cell(
                times, self._kind, self._n_kinds, unit=self._unit, weight=self._weight
            )
        )

    def class_sums(self, multiplicity: NDArray[Any]) -> NDArray[np.float64]:
        """Return true positives, false positives and false negatives of classes, (R, 3, K)."""
        sums = _core.sums_by_cell(
            np.ascontiguousarray(multiplicity, np.int32),
            self._cell,
            3 * self._n_classes,
            unit=self._unit_of_label,
            weight=self._weight_of_label,
        )
        return sums.reshape(len(sums), 3, self._n_classes)


def _sample_numbers(sums: NDArray[np.float64], beta: float) -> dict[str, NDArray[np.float64]]:
    """Return the numbers that follow from sums over kinds of samples."""
    columns = sums.T
    whole = LabelCounts(*columns[:4])
    tp, fp, fn, tn = whole
    exact, n = columns[4:6]
    cells = tp + fp + fn + tn
    micro = set_rates(whole, beta)
    found = {f"{name}_micro": value for name, value in micro.items()}
    found["mcc_micro"] = rates.matthews(*whole)
    for i, name in enumerate(micro):
        found[f"{name}_samples"] = rates.ratio(columns[6 + 2 * i], columns[7 + 2 * i])
    return {
        **found,
        "subset_accuracy": rates.ratio(exact, n),
        "hamming": rates.ratio(fp + fn, cells),
        "cardinality_truth": rates.ratio(tp + fn, n),
        "cardinality_prediction": rates.ratio(tp + fp, n),
        "density_truth": rates.ratio(tp + fn, cells),
        "density_prediction": rates.ratio(tp + fp, cells),
    }


def _class_numbers(
    sums: NDArray[np.float64], n: NDArray[np.float64], averaging: Averaging, beta: float
) -> dict[str, NDArray[np.float64]]:
    """Return the averages over classes from (R, 3, K) sums of R data sets of weight n."""
    tp, fp, fn = sums.transpose(1, 0, 2)
    positive = tp + fn
    left_out = n[:, None] - positive - fp
    # What rounding of weighted sums leaves where nothing is left.
    counts = LabelCounts(tp, fp, fn, np.where(left_out > 1e-12 * n[:, None], left_out, 0.0))
    values = set_rates(counts, beta) | {"mcc": rates.matthews(*counts)}
    return {
        f"{name}_{how}": averaging.averages(
            value, support=positive, absent=(positive + fp) == 0, how=how
        )
        for name, value in values.items()
        for how in ("macro", "weighted")
    }


_HEADLINE = ("subset_accuracy", "hamming", "f1_micro", "f1_samples")


def label_set_units(
    counts: LabelCounts,
    samples: NDArray[np.int64],
    *,
    averaging: Averaging,
    beta: float,
) -> Units:
    """Return samples of U kinds as units: for the numbers that don't depend on single classes.

    Parameters
    ----------
    counts : LabelCounts, shape (U,)
        The numbers of labels of each kind of sample.
    samples : ndarray, shape (U,)
        How many samples of each kind there are.
    """
    counted = _Counted(_Kinds(counts, averaging, beta))

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        sums = counted.sums(multiplicity)
        if other is not None:
            sums = sums + other[0].values.side.sums(other[1])
        return _sample_numbers(sums, beta)

    values.side = counted  # type: ignore[attr-defined]  # for `other`
    exact = counts.fp + counts.fn == 0
    return Units(
        unit="sample",
        counts=samples,
        ids=None,
        values=values,
        class_metric="",
        classes=None,
        class_values=None,
        proportions={"subset_accuracy": (int(samples[exact].sum()), int(samples.sum()))},
        headline=_HEADLINE,
        lower_is_better=frozenset({"hamming"}),
    )


def kept_set_units(
    truth: LabelSets,
    pred: LabelSets,
    *,
    averaging: Averaging,
    beta: float,
    ids: Keys | None = None,
    unit: NDArray[np.int32] | None = None,
    weight: NDArray[np.float64] | None = None,
    unit_name: str = "sample",
) -> Units:
    """Return samples whose labels are known as units: for every number.

    Parameters
    ----------
    truth, pred : LabelSets
        Both sides, of the same n samples and the same K classes.
    ids : Keys, optional
        The ids of the units.
    unit : ndarray, shape (n,), int32, optional
        The unit of each sample; without, sample j is unit j.
    weight : ndarray, shape (n,), optional
        The weight of each sample.
    """
    labels = compared(truth, pred)
    n_units = truth.n
    if unit is not None:
        n_units = len(ids) if ids is not None else int(unit.max(initial=-1)) + 1
    of_sample = np.arange(truth.n, dtype=np.int32) if unit is None else unit
    kept = _Kept(labels, len(truth.classes), averaging, beta, of_sample, weight)

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        sums, of_classes = kept.sums(multiplicity), kept.class_sums(multiplicity)
        if other is not None:
            side, times = other[0].values.side, other[1]
            sums, of_classes = sums + side.sums(times), of_classes + side.class_sums(times)
        return {
            **_sample_numbers(sums, beta),
            **_class_numbers(of_classes, sums[:, 5], averaging, beta),
        }

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Any:
        of_classes = kept.class_sums(multiplicity)
        if other is not None:
            of_classes = of_classes + other[0].values.side.class_sums(other[1])
        tp, fp, fn = of_classes.transpose(1, 0, 2)
        return rates.f_beta(tp, fp, fn, 1.0)

    values.side = kept  # type: ignore[attr-defined]  # for `other`
    proportions = {}
    if unit is None and weight is None:
        right = labels.per_sample[1:].sum(axis=0) == 0
        proportions["subset_accuracy"] = (int(np.count_nonzero(right)), truth.n)
    return Units(
        unit=unit_name,
        counts=np.ones(n_units, np.int64),
        ids=ids,
        values=values,
        class_metric="f1",
        classes=truth.classes,
        class_values=class_values,
        proportions=proportions,
        headline=("f1_macro", *_HEADLINE),
        lower_is_better=frozenset({"hamming"}),
    )
