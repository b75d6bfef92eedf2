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
    family: Family,
    rows: Mapping[str, NDArray[Any]],
    n_frames: NDArray[np.int64],
    n_classes: int,
) -> dict[str, NDArray[Any]]:
    """Return the columns of a family as (S, K, …); 0 for a class that a sequence does not have.

    But its frames are frames of every class; `n_frames` has those of each sequence.
    """
    found = {}
    for name, column in unprefixed(f"{family.name}.", rows).items():
        grid = np.zeros((len(n_frames), n_classes, *column.shape[1:]), column.dtype)
        grid[rows["sequence"], rows["label"]] = column
        if name == "frames":
            grid[:] = n_frames[:, None]
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
    family: Family, sums: Columns, has_truth: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Return means over classes of the numbers of sums (K, …); counts are added.

    Over the classes that truth has, and of which the number is defined; counts over all.
    """
    found = {}
    for name, values in family.numbers(sums).items():
        classes = has_truth & ~np.asarray(family.is_undefined(sums, name))
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
    for family in families:
        sums = columns[family.name]
        numbers = family.numbers(sums)
        for name in family.fields:
            values = np.asarray(numbers[name], np.float64)
            if name in family.per_alpha:
                values = values.mean(axis=-1)
            if name in family.counts:
                found[name] = values.sum(axis=1)
                continue
            is_undefined = np.broadcast_to(family.is_undefined(sums, name), values.shape)
            if values.shape[1] == 1:
                found[name] = np.where(is_undefined, np.nan, values)[:, 0]
                continue
            counts = has_truth & ~is_undefined
            n_classes = counts.sum(axis=1)
            total = np.where(counts, values, 0.0).sum(axis=1)
            found[name] = np.divide(
                total, n_classes, out=np.full(len(values), np.nan), where=n_classes > 0
            )
    return found
