"""Headline numbers of many resampled data sets at once, from how often each unit occurs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification import rates
from snellen.classification.agreement import KAPPA_WEIGHTS, expected_disagreement
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.classification.averaging import Averaging
    from snellen.state import Keys

__all__ = ["label_units"]

Array = Any


class _Pairs:
    """Units that each are a bundle of pairs (true, predicted) with weights.

    Pair j belongs to unit[j] and adds weight[j] to the cell (row[j], column[j]).
    """

    def __init__(
        self,
        row: NDArray[Any],
        column: NDArray[Any],
        unit: NDArray[Any] | None,
        weight: NDArray[np.float64] | None,
        n_classes: int,
    ) -> None:
        self.row, self.column, self.unit, self.weight = row, column, unit, weight
        self.n_classes = n_classes
        self.diagonal = np.flatnonzero(row == column)

    def weights(self, multiplicity: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weight of each pair in each data set, (R, n_pairs)."""
        weights = multiplicity if self.unit is None else multiplicity[:, self.unit]
        return weights.astype(np.float64) if self.weight is None else weights * self.weight

    def sums(self, weights: NDArray[np.float64]) -> tuple[Array, Array, Array, Array]:
        """Return diagonal, row sums, column sums (each (R, K)) and sums by distance (R, 3)."""
        k = self.n_classes
        diagonal = _grouped(weights[:, self.diagonal], self.row[self.diagonal], k)
        distance = np.abs(self.row - self.column).astype(np.float64)
        costs = weights @ np.stack([distance > 0, distance, distance**2], axis=1)
        return (
            diagonal,
            _grouped(weights, self.row, k),
            _grouped(weights, self.column, k),
            costs,
        )


def _grouped(values: NDArray[np.float64], place: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Sum columns by place: (R, m) to (R, n)."""
    sums = np.zeros((len(values), n))
    if not values.shape[1]:
        return sums
    if (np.diff(place) < 0).any():
        order = np.argsort(place, kind="stable")
        values, place = values[:, order], place[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    sums[:, place[first]] = np.add.reduceat(values, first, axis=1)
    return sums


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
    """
    pairs = _Pairs(row, column, unit, weight, len(classes))

    def summed(multiplicity: NDArray[np.int64], other: Any) -> tuple[Array, Array, Array, Array]:
        own = pairs.sums(pairs.weights(multiplicity))
        if other is None:
            return own
        units, times = other
        theirs = units.values.pairs
        joined = theirs.sums(theirs.weights(times))
        return tuple(a + b for a, b in zip(own, joined, strict=True))

    def values(multiplicity: NDArray[np.int64], other: Any = None) -> Mapping[str, Array]:
        return _headlines(
            *summed(multiplicity, other), averaging=averaging, beta=beta, positive=positive
        )

    def class_values(multiplicity: NDArray[np.int64], other: Any = None) -> Array:
        tp, true, predicted, _ = summed(multiplicity, other)
        return rates.f_beta(tp, predicted - tp, true - tp, 1.0)

    values.pairs = pairs  # type: ignore[attr-defined]  # for `other`
    proportions: dict[str, tuple[int, int]] = {}
    if unit is None and weight is None:
        right = row == column
        n = int(counts.sum())
        proportions["accuracy"] = (int(counts[right].sum()), n)
        if positive is not None:
            true, told = row == positive, column == positive
            for name, success, trial in (
                ("recall", right, true),
                ("precision", right, told),
                ("specificity", ~told, ~true),
                ("npv", ~true, ~told),
            ):
                proportions[name] = (int(counts[success & trial].sum()), int(counts[trial].sum()))
    return Units(
        unit=unit_name,
        counts=counts,
        ids=ids,
        values=values,
        class_metric="f1",
        classes=classes,
        class_values=class_values,
        proportions=proportions,
    )


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
    tn = total[:, None] - tp - fp - fn
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
    joint = correct * total - (true * predicted).sum(axis=-1)
    spread = (total**2 - (true**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    found["mcc"] = rates.ratio(joint, np.sqrt(spread))
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
