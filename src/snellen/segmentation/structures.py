"""The structures of one image: how far the surfaces of truth and prediction are apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.segmentation.surface_elements import surface_elements
from snellen.state import Keys, Moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.segmentation.surface_rules import SurfaceRules

    Real = NDArray[np.float64]

__all__ = ["COLUMNS", "NO_CLASS", "Meaning", "Structures", "measure_structures"]

COLUMNS: Final = (
    *("hd", "percentile"),
    *("sum_truth", "sum_pred"),
    *("size_truth", "size_pred"),
    *("within_truth", "within_pred"),
)
"""What is known of a structure: the Hausdorff distance and its percentile; and of either side's
surface the sum of distances to the other side's (each times the size of its point), its size, and
the size of what lies within the tolerance. A side that is missing has size 0, and all distances to
it are infinite."""

NO_CLASS: Final = -1
_UNKNOWN = -2
# Classes whose ids span more are looked up one by one, not in a table of all ids between.
_WIDEST_TABLE = 1 << 22


class Structures(NamedTuple):
    """The structures that are in truth or prediction, one row each.

    Attributes
    ----------
    code : ndarray, shape (n,), int64
        The position of the class, ascending.
    numbers : ndarray, shape (n, 8), float64
        See `COLUMNS`.
    unknown : tuple of ndarray, int64
        The values of truth and of the prediction that are in no table, ascending.
    """

    code: NDArray[np.int64]
    numbers: Real
    unknown: tuple[NDArray[np.int64], NDArray[np.int64]]


class Meaning(NamedTuple):
    """What the values of a label map mean.

    Attributes
    ----------
    values : ndarray, shape (V,), int64
        All that are known, ascending.
    codes : ndarray, shape (V,), int32
        The position of each value's class; `NO_CLASS`.
    """

    values: NDArray[np.int64]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, meaning: Mapping[int, int]) -> Meaning:
        """Return the meaning of a mapping of value to code."""
        values = sorted(meaning)
        return cls(
            np.array(values, np.int64), np.array([meaning[each] for each in values], np.int32)
        )


def measure_structures(
    truth: NDArray[Any],
    pred: NDArray[Any],
    meanings: tuple[Meaning, Meaning],
    n_classes: int,
    *,
    spacing: tuple[float, ...],
    rules: SurfaceRules,
    percentile: float,
    tolerance: Real,
) -> Structures:
    """Measure all structures of an image or a volume.

    Parameters
    ----------
    truth, pred : ndarray, shape (H, W) or (D, H, W), C order
        The class of each pixel, as integers of at most 64 bits or flags.
    meanings : (Meaning, Meaning)
        What the values of truth and of the prediction mean; others are of no class.
    n_classes : int
        The number K of classes.
    spacing : tuple of float
        The distance between pixels along each axis.
    rules : SurfaceRules
        What a surface is, and which percentile is meant.
    percentile : float
        Which, above 0, up to 100.
    tolerance : ndarray, shape (K,)
        Up to which distance a point counts as within, for each class.
    """
    unknown: list[NDArray[np.int64]] = []
    table, first = None, 0
    if meanings[0] is meanings[1]:  # the kernel has one table
        table, first = _table(meanings[0])
    if table is None:
        coded = [_coded(*each) for each in zip((truth, pred), meanings, strict=True)]
        truth, pred = (codes for codes, _ in coded)
        unknown = [values for _, values in coded]
        table, first = np.arange(NO_CLASS, n_classes, dtype=np.int32), NO_CLASS
    is_contour = rules.surface == "contour"
    sides = _core.surface_distances(
        _kernel_input(truth),
        _kernel_input(pred),
        first=first,
        code=table,
        n_classes=n_classes,
        spacing=(*(1.0,) * (3 - len(spacing)), *spacing),
        corners=is_contour,
    )
    elements = surface_elements(spacing) if is_contour else None
    surfaces = [
        _Surface(start, distance, None if elements is None else elements[around])
        for start, distance, around, _ in sides
    ]
    there = np.flatnonzero(np.maximum(*(surface.n_points for surface in surfaces)))
    numbers = np.empty((len(there), len(COLUMNS)))
    sums = [surface.sums() for surface in surfaces]
    for row, k in zip(numbers, there.tolist(), strict=True):
        parts = [surface.of(k) for surface in surfaces]
        row[:] = (
            max(part.longest for part in parts),
            _percentile(parts, percentile, rules.percentile),
            *(total[k] for total in sums),
            *(part.whole for part in parts),
            *(part.within(tolerance[k]) for part in parts),
        )
    of_truth, of_pred = unknown or (values for *_, values in sides)
    return Structures(there, numbers, (of_truth, of_pred))


# ---- Classes ------------------------------------------------------------------------------------


def _table(meaning: Meaning) -> tuple[NDArray[np.int32] | None, int]:
    """Return the code of each value from a first one on; None where they lie too far apart."""
    values = meaning.values
    if not len(values):
        return np.zeros(0, np.int32), 0
    first, last = int(values[0]), int(values[-1])
    if last - first >= _WIDEST_TABLE:
        return None, 0
    table = np.full(last - first + 1, _UNKNOWN, np.int32)
    table[values - first] = meaning.codes
    return table, first


def _coded(labels: NDArray[Any], meaning: Meaning) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the code of each value, NO_CLASS where it has none, and the values not known."""
    flat = labels.reshape(-1).astype(np.int64)
    place = Keys(meaning.values, "value").codes(flat)
    # The last code is that of values that are not there, at -1.
    codes = np.append(meaning.codes, np.int32(NO_CLASS))[place]
    return codes.reshape(labels.shape), np.unique(flat[place < 0])


def _kernel_input(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values.view(np.uint8) if values.dtype == bool else values)


# ---- Numbers ------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """The points of a class: distances, and how much each counts (None: all alike)."""

    distance: Real
    size: Real | None

    @property
    def longest(self) -> float:
        return float(self.distance.max()) if len(self.distance) else math.inf

    @property
    def whole(self) -> float:
        return float(len(self.distance)) if self.size is None else math.fsum(self.size.tolist())

    def within(self, tolerance: float) -> float:
        near = self.distance <= tolerance
        if self.size is None:
            return float(np.count_nonzero(near))
        return math.fsum(self.size[near].tolist())


class _Surface:
    """The surfaces of all classes on one side."""

    def __init__(self, start: NDArray[np.int64], distance: Real, size: Real | None) -> None:
        self.start, self.distance, self.size = start, distance, size
        self.n_points = np.diff(start)

    def of(self, k: int) -> _Part:
        """Return the points of a class."""
        points = slice(self.start[k], self.start[k + 1])
        return _Part(self.distance[points], None if self.size is None else self.size[points])

    def sums(self) -> Real:
        """Return the sum of distances of each class, exact and rounded once."""
        values = self.distance if self.size is None else self.distance * self.size
        cell = np.repeat(np.arange(len(self.n_points)), self.n_points)
        finite = np.isfinite(values)
        infinite = np.unique(cell[~finite])
        if len(infinite):
            values, cell = values[finite], cell[finite]
        moments = Moments(distance=self.n_points.shape)
        moments.add_at("distance", cell, values)
        sums = moments.total("distance")
        sums[infinite] = math.inf
        return sums


def _percentile(parts: Sequence[_Part], percentile: float, rule: str) -> float:
    if not all(len(part.distance) for part in parts):
        return math.inf
    if rule == "sized":
        return max(_percentile_by_size(part, percentile) for part in parts)
    if rule == "stacked":
        return _linear_percentile(np.concatenate([part.distance for part in parts]), percentile)
    return max(_linear_percentile(part.distance, percentile) for part in parts)


def _linear_percentile(values: Real, percentile: float) -> float:
    """Return what `numpy.percentile` does, by the same arithmetic; here it cannot change."""
    at = (len(values) - 1) * (percentile / 100)
    below = math.floor(at)
    above = min(below + 1, len(values) - 1)
    ordered = np.partition(values, (below, above))
    low, high, share = float(ordered[below]), float(ordered[above]), at - below
    gap = high - low
    return high - gap * (1 - share) if share >= 0.5 else low + gap * share


def _percentile_by_size(part: _Part, percentile: float) -> float:
    """Return the first distance, in ascending order, with at least the share of the whole size.

    The sums are NumPy's, as in the reference: where a share is reached exactly, their rounding
    decides.
    """
    size = np.ones(len(part.distance)) if part.size is None else part.size
    order = np.lexsort((size, part.distance))
    share = np.cumsum(size[order]) / np.sum(size[order])
    at = int(np.searchsorted(share, percentile / 100))
    return float(part.distance[order[min(at, len(order) - 1)]])
