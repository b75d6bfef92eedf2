"""Pixels of each image and class, and the means of what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification import rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.segmentation.protocols import SegmentationProtocol

__all__ = [
    "CLASS_NUMBERS",
    "PixelTables",
    "class_means",
    "class_numbers",
    "image_means",
    "mean_number",
    "tables_of",
    "worst_mean",
]

_PLACES = 2.0**32  # see _sums

CLASS_NUMBERS = ("iou", "dice", "precision", "recall")
"""What is computed for each class; means of them are mIoU, mDice, mPrecision, mRecall."""


class PixelTables(NamedTuple):
    """How many pixels N images (or data sets) have of K classes; all (N, K).

    Only pixels that have a class in truth count.

    Attributes
    ----------
    correct : ndarray
        Pixels of the class on both sides.
    truth, predicted : ndarray
        Pixels of the class on either side.
    missed : ndarray
        Pixels of the class in truth that are predicted as no class.
    """

    correct: NDArray[Any]
    truth: NDArray[Any]
    predicted: NDArray[Any]
    missed: NDArray[Any]

    def times(self, times: NDArray[Any]) -> PixelTables:
        """Return those of R data sets in which image n occurs times[r, n] times."""
        # Whole numbers below 2^53: exact, in whatever order they are added.
        weights = times.astype(np.float64)
        return PixelTables(*(weights @ each.astype(np.float64) for each in self))

    def total(self) -> PixelTables:
        """Return those of all images together, (1, K)."""
        return PixelTables(*(each.sum(axis=0, keepdims=True) for each in self))


def tables_of(
    image: NDArray[Any], cell: NDArray[Any], count: NDArray[Any], n_images: int, n_classes: int
) -> PixelTables:
    """Return tables of rows that count the pixels of a cell in an image.

    A cell is true class × (K + 1) + predicted class; K stands for no class.
    """
    row, column = np.divmod(cell.astype(np.int64), n_classes + 1)
    place = image.astype(np.int64) * n_classes

    def table(chosen: NDArray[np.bool_], code: NDArray[np.int64]) -> NDArray[np.int64]:
        # Whole numbers below 2^53 are exact in float64.
        summed = np.bincount(
            place[chosen] + code[chosen], count[chosen], minlength=n_images * n_classes
        )
        return summed.astype(np.int64).reshape(n_images, n_classes)

    known = row < n_classes
    return PixelTables(
        correct=table(known & (row == column), row),
        truth=table(known, row),
        predicted=table(known & (column < n_classes), column),
        missed=table(known & (column == n_classes), row),
    )


def class_numbers(
    tables: PixelTables, protocol: SegmentationProtocol
) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of each class by name, each (N, K); 0/0 is NaN."""
    correct, truth = tables.correct, _true(tables, protocol)
    union = truth + tables.predicted - correct
    return {
        "iou": rates.ratio(correct, union),
        "dice": rates.ratio(2 * correct, truth + tables.predicted),
        "precision": rates.ratio(correct, tables.predicted),
        "recall": rates.ratio(correct, truth),
    }


def class_means(
    values: NDArray[np.float64], tables: PixelTables, protocol: SegmentationProtocol
) -> NDArray[np.float64]:
    """Return the mean over classes in each row of (N, K); NaN where no class counts."""
    filled, counts = _filled(values, tables, protocol)
    there = np.where(counts, filled, 0.0)
    summed = np.cumsum(there, axis=-1)[..., -1] if protocol.in_turn else there.sum(axis=-1)
    return rates.ratio(summed, np.count_nonzero(counts, axis=-1))


def mean_number(
    name: str,
    images: PixelTables,
    summed: PixelTables,
    protocol: SegmentationProtocol,
    times: NDArray[Any],
) -> NDArray[np.float64]:
    """Return the mean of a number of classes in R data sets, (R,).

    Parameters
    ----------
    name : str
        One of `CLASS_NUMBERS`.
    images : PixelTables
        Of each of N images.
    summed : PixelTables
        Of each data set: ``images.times(times)``.
    times : ndarray, shape (R, N)
        How often each image occurs in each data set.
    """
    if protocol.over == "dataset":
        return class_means(class_numbers(summed, protocol)[name], summed, protocol)
    values = class_numbers(images, protocol)[name]
    filled, counts = _filled(values, images, protocol)
    there = np.where(counts, filled, 0.0)
    if protocol.over == "pairs":
        total = _sums(times, there).sum(axis=-1)
        return rates.ratio(total, _sums(times, counts.astype(np.float64)).sum(axis=-1))
    if protocol.over == "images":
        return _mean_where_defined(times, class_means(values, images, protocol))
    means = rates.ratio(_sums(times, there), _sums(times, counts.astype(np.float64)))
    defined = ~np.isnan(means)
    return rates.ratio(np.where(defined, means, 0.0).sum(axis=-1), defined.sum(axis=-1))


def image_means(
    name: str, images: PixelTables, protocol: SegmentationProtocol
) -> NDArray[np.float64]:
    """Return, for each image, the mean of a number over its classes, (N,)."""
    return class_means(class_numbers(images, protocol)[name], images, protocol)


def worst_mean(
    values: NDArray[np.float64], times: NDArray[Any], share: float
) -> NDArray[np.float64]:
    """Return the mean of the least values in R data sets, (R,).

    Of n values that are no NaN, the max(1, ⌊share · n⌋) least ones.

    Parameters
    ----------
    values : ndarray, shape (N,)
    times : ndarray, shape (R, N)
        How often each occurs.
    """
    defined = np.flatnonzero(~np.isnan(values))
    order = defined[np.argsort(values[defined], kind="stable")]
    often = np.ascontiguousarray(times[:, order], np.int64)
    before = np.cumsum(often, axis=1) - often
    total = often.sum(axis=1, keepdims=True)
    wanted = np.maximum(1, (share * total + 1e-9).astype(np.int64))
    taken = np.clip(wanted - before, 0, often)
    return rates.ratio((taken * values[order]).sum(axis=1), taken.sum(axis=1))


def _true(tables: PixelTables, protocol: SegmentationProtocol) -> NDArray[Any]:
    """Return the true pixels of each class that count."""
    return tables.truth - tables.missed if protocol.no_class == "dropped" else tables.truth


def _filled(
    values: NDArray[np.float64], tables: PixelTables, protocol: SegmentationProtocol
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what each number counts as, and whether it counts, which 0/0 never does."""
    truth = _true(tables, protocol)
    absent = truth == 0 if protocol.present == "truth" else truth + tables.predicted == 0
    if protocol.absent == "drop":
        return values, ~absent & ~np.isnan(values)
    filled = np.where(absent, float(protocol.absent == "one"), values)
    return filled, ~np.isnan(filled)


def _sums(times: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of values in R data sets, (R,) or (R, K), each so often as it occurs.

    Values lie between 0 and 1. They are cut into parts of 32 binary places, whose products with
    whole numbers add up exactly in a matrix product (of up to 2^21 images), in whatever order the
    machine adds: the same bits everywhere, as soon as a machine can.
    """
    often = times.astype(np.float64)
    high = np.floor(values * _PLACES) / _PLACES
    low = np.floor((values - high) * _PLACES**2) / _PLACES**2
    summed: NDArray[np.float64] = often @ high + often @ low
    return summed


def _mean_where_defined(times: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = ~np.isnan(values)
    return rates.ratio(
        _sums(times, np.where(defined, values, 0.0)), _sums(times, defined.astype(np.float64))
    )
