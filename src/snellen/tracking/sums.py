"""From rows of sequences and classes to numbers: of each, over sequences, over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.state import unprefixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Family

__all__ = ["added", "averaged", "columns_of", "headline_values", "plain_value"]


def columns_of(
    family: Family, rows: Mapping[str, NDArray[Any]], n_sequences: int, n_classes: int
) -> dict[str, NDArray[Any]]:
    """Return the columns of a family as (S, K, …); 0 for what a sequence does not have."""
    found = {}
    for name, column in unprefixed(f"{family.name}.", rows).items():
        grid = np.zeros((n_sequences, n_classes, *column.shape[1:]), column.dtype)
        grid[rows["sequence"], rows["label"]] = column
        found[name] = grid
    return found


def added(columns: Columns) -> dict[str, NDArray[Any]]:
    """Return sums over the first axis, one after the other: so the reference adds floats."""
    sums = {}
    for name, column in columns.items():
        total = np.zeros(column.shape[1:], column.dtype)
        for part in column:
            total = total + part
        sums[name] = total
    return sums


def averaged(
    family: Family, numbers: Mapping[str, NDArray[Any]], classes: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Return the mean over some classes of numbers (K, …); counts are added, over all classes."""
    found = {}
    for name, values in numbers.items():
        if name in family.counts:
            found[name] = np.sum(values, axis=0)
        elif classes.any():
            found[name] = np.mean(values[classes], axis=0)
        else:
            found[name] = np.full(values.shape[1:], np.nan)
    return found


def plain_value(family: Family, name: str, value: NDArray[Any]) -> float:
    """Return a number as one float: those of thresholds as their mean."""
    return float(np.mean(value)) if name in family.per_alpha else float(value)


def headline_values(
    families: tuple[Family, ...], columns: Mapping[str, Columns], has_truth: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Return headline numbers of R data sets.

    Parameters
    ----------
    families : tuple of Family
    columns : mapping of str to mapping of str to ndarray, shape (R, K, …)
        Sums over sequences, by family.
    has_truth : ndarray, shape (R, K), bool
        Which classes have truth objects: those that a mean over classes is of.
    """
    found: dict[str, NDArray[np.float64]] = {}
    n_classes = has_truth.shape[1]
    weight = has_truth / np.maximum(1, has_truth.sum(axis=1, keepdims=True))
    for family in families:
        numbers = family.numbers(columns[family.name])
        for name in family.fields:
            values = np.asarray(numbers[name], np.float64)
            if name in family.per_alpha:
                values = values.mean(axis=-1)
            if n_classes == 1:
                found[name] = values[:, 0]
            elif name in family.counts:
                found[name] = values.sum(axis=1)
            else:
                found[name] = (np.where(has_truth, values, 0.0) * weight).sum(axis=1)
                found[name][~has_truth.any(axis=1)] = np.nan
    return found
