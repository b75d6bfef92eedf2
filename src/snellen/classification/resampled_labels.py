"""Headline numbers of many resampled data sets at once, from how often each unit occurs in them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.agreement import KAPPA_WEIGHTS, expected_disagreement
from snellen.classification.directions import LOWER_IS_BETTER, NEITHER_IS_BETTER
from snellen.errors import InputError
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.classification.averaging import Averaging
    from snellen.state import Keys

__all__ = ["RANGES", "label_units"]

# What numbers from labels can be: shares, save these.
RANGES = {
    "": (0.0, 1.0),
    **dict.fromkeys(("mcc", "mcc_micro", "kappa", "kappa_linear", "kappa_quadratic"), (-1.0, 1.0)),
    **dict.fromkeys(("lr_positive", "lr_negative"), (0.0, math.inf)),
    **dict.fromkeys(("cardinality_truth", "cardinality_prediction"), (0.0, math.inf)),
}

# Sums of weights are rounded; less than this share of the whole is no sample.
_ROUNDING = 1e-12

Array = Any


class _Pairs:
    """Units that each are a bundle of pairs (true, predicted) with weights.

    Pair j belongs to unit[j] and adds weight[j] to the cell (row[j], column[j]).
    """

    def __init__(
        self,
        row: NDArray[Any],
        column: NDArray[Any],
        unit: NDArray[np.int32] | None,
        weight: NDArray[np.float64] | None,
        n_classes: int,
    ) -> None:
        self._row, self._column = (np.ascontiguousarray(side, np.int32) for side in (row, column))
        self._unit, self._weight, self._n_classes = unit, weight, n_classes

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets in which units occur so often."""
        times = np.ascontiguousarray(multiplicity, np.int32)
        return _Sums(
            *_core.label_sums(
                times, self._row, self._column, self._n_classes, self._unit, self._weight
            )
        )


class _Sums(NamedTuple):
    """Of R data sets: diagonal, row and column sums (R, K), and costs of disagreement (R, 3)."""

    correct: NDArray[np.float64]
    truth: NDArray[np.float64]
    predicted: NDArray[np.float64]
    costs: NDArray[np.float64]


def label_units(
    row: NDArray[Any],
    column: NDArray[Any],
    counts: NDArray[np.int64],
    classes: Classes,
    *,
    averaging: Averaging,
    beta: float,
    positive: int | None,
    ids: Keys | None = None,
    unit: NDArray[Any] | None = None,
    weight: NDArray[np.float64] | None = None,
    unit_name: str = "sample",
) -> Units:
    """Return units of single labels.

    Parameters
    ----------
    row, column : ndarray, shape (m,)
        Pairs (true, predicted) as positions in `classes`.
    counts : ndarray, shape (U,)
        How many equal units of each kind there are.
    unit : ndarray, shape (m,), optional
        The unit of each pair; without, pair j is unit j.
    weight : ndarray, shape (m,), optional
        The weight of each pair.

    Raises
    ------
    InputError
        For more units than can be resampled.
    """
    if counts.sum() > np.iinfo(np.int32).max:
        raise InputError(f"expected fewer than 2^31 units to resample, got {counts.sum():,}")
    if weight is not None:
        (weight,) = rates.about_one(weight)
    pairs = _Pairs(row, column, unit, weight, len(classes))

    def summed(multiplicity: NDArray[Any], other: Any) -> _Sums:
        own = pairs.sums(multiplicity)
        if other is None:
            return own
        units, times = other
        return _Sums(*(a + b for a, b in zip(own, units.content.sums(times), strict=True)))

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Array]:
        return _headlines(
            *summed(multiplicity, other), averaging=averaging, beta=beta, positive=positive
        )

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Array:
        sums = summed(multiplicity, other)
        fp, fn = sums.predicted - sums.correct, sums.truth - sums.correct
        return rates.f_beta(sums.correct, fp, fn, 1.0)

    proportions: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}
    if unit is None and weight is None:
        right = row == column
        proportions["accuracy"] = (right, np.ones_like(right))
        if positive is not None:
            true, told = row == positive, column == positive
            for name, success, trial in (
                ("recall", right, true),
                ("precision", right, told),
                ("specificity", ~told, ~true),
                ("npv", ~true, ~told),
            ):
                proportions[name] = (success & trial, trial)
    return Units(
        unit=unit_name,
        counts=counts,
        ids=ids,
        values=values,
        class_metric="f1",
        classes=classes,
        class_values=class_values,
        proportions=proportions,
        headline=("accuracy", "balanced_accuracy", "f1_macro", "mcc")
        if positive is None
        else ("accuracy", "precision", "recall", "f1"),
        lower_is_better=LOWER_IS_BETTER,
        neither_is_better=NEITHER_IS_BETTER,
        ranges=RANGES,
        content=pairs,
        correct=row == column if ids is not None and unit is None and weight is None else None,
    )


def _without_residue(difference: Array, whole: Array) -> Array:
    """Return differences of sums of weights, 0 where only their rounding is left.

    Counts are whole numbers, which cancel exactly: of those nothing is lost.
    """
    return np.where(np.abs(difference) <= _ROUNDING * whole, 0.0, difference)


def _headlines(
    tp: Array,
    true: Array,
    predicted: Array,
    costs: Array,
    *,
    averaging: Averaging,
    beta: float,
    positive: int | None,
) -> dict[str, NDArray[np.float64]]:
    total = true.sum(axis=-1)
    fp, fn = predicted - tp, true - tp
    fp, fn, tn = (
        _without_residue(each, total[:, None]) for each in (fp, fn, total[:, None] - tp - fp - fn)
    )
    correct = tp.sum(axis=-1)
    absent = (tp + fp + fn) == 0
    found = {"accuracy": rates.ratio(correct, total)}
    recall = rates.recall(tp, fn)
    there = ~np.isnan(recall)
    found["balanced_accuracy"] = rates.ratio(
        np.where(there, recall, 0.0).sum(axis=-1), there.sum(axis=-1)
    )
    per_class = class_rates(tp, fp, fn, tn, beta)
    tp_all, fp_all, fn_all, tn_all = (each.sum(axis=-1) for each in (tp, fp, fn, tn))
    for name, micro in class_rates(tp_all, fp_all, fn_all, tn_all, beta).items():
        if positive is not None:
            found[name] = per_class[name][:, positive]
        for how in ("macro", "weighted"):
            found[f"{name}_{how}"] = averaging.averages(
                per_class[name], support=true, absent=absent, how=how
            )
        found[f"{name}_micro"] = micro
    if positive is not None:
        p_tp, p_fp, p_fn, p_tn = (each[:, positive] for each in (tp, fp, fn, tn))
        positives, negatives = p_tp + p_fn, p_tn + p_fp
        found["lr_positive"] = rates.ratio(p_tp * negatives, p_fp * positives)
        found["lr_negative"] = rates.ratio(p_fn * negatives, p_tn * positives)
    joint = correct * total - (true * predicted).sum(axis=-1)
    spread = [
        _without_residue(total**2 - (each**2).sum(-1), total**2) for each in (true, predicted)
    ]
    found["mcc"] = rates.ratio(joint, np.sqrt(spread[0] * spread[1]))
    for i, weights in enumerate(KAPPA_WEIGHTS):
        name = "kappa" if weights == "none" else f"kappa_{weights}"
        found[name] = 1 - rates.ratio(costs[:, i], expected_disagreement(true, predicted, weights))
    found["hamming"] = rates.ratio(total - correct, total)
    return found


def class_rates(
    tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any], tn: NDArray[Any], beta: float
) -> dict[str, NDArray[np.float64]]:
    """Return the ratios of classes by name; F-beta of another beta than 1 by its number."""
    found = {
        "precision": rates.precision(tp, fp),
        "recall": rates.recall(tp, fn),
        "f1": rates.f_beta(tp, fp, fn, 1.0),
        "jaccard": rates.jaccard(tp, fp, fn),
        "specificity": rates.specificity(tn, fp),
        "npv": rates.negative_predictive_value(tn, fn),
    }
    if beta != 1:
        found[f"f{beta:g}"] = rates.f_beta(tp, fp, fn, beta)
    return found
