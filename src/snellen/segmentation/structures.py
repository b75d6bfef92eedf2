"""The structures of one image: how far the surfaces of truth and prediction are apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.segmentation.surface_elements import surface_elements
from snellen.state import Keys, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.segmentation.surface_rules import SurfaceRules

    Real = NDArray[np.float64]

__all__ = ["COLUMNS", "NO_CLASS", "Structures", "measure_structures"]

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


def measure_structures(
    truth: NDArray[Any],
    pred: NDArray[Any],
    ids: NDArray[np.int64],
    others: Sequence[int],
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
    ids : ndarray, shape (K,), int64
        The ids of the classes, ascending.
    others : sequence of int
        Values that are known to be of no class.
    spacing : tuple of float
        The distance between pixels along each axis.
    rules : SurfaceRules
        What a surface is, and which percentile is meant.
    percentile : float
        Which, above 0, up to 100.
    tolerance : ndarray, shape (K,)
        Up to which distance a point counts as within, for each class.
    """
    table, first = _table(ids, others)
    unknown: list[NDArray[np.int64]] = []
    if table is None:
        coded = [_coded(side, ids, others) for side in (truth, pred)]
        truth, pred = (codes for codes, _ in coded)
        unknown = [values for _, values in coded]
        table, first = np.arange(NO_CLASS, len(ids), dtype=np.int32), NO_CLASS
    is_contour = rules.surface == "contour"
    sides = _core.surface_distances(
        _kernel_input(truth),
        _kernel_input(pred),
        first=first,
        code=table,
        n_classes=len(ids),
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


def _table(ids: NDArray[np.int64], others: Sequence[int]) -> tuple[NDArray[np.int32] | None, int]:
    """Return the code of each value from a first one on; None where they lie too far apart."""
    known = [*ids.tolist(), *others]
    if not known:
        return np.zeros(0, np.int32), 0
    first = min(known)
    if max(known) - first >= _WIDEST_TABLE:
        return None, 0
    table = np.full(max(known) - first + 1, _UNKNOWN, np.int32)
    table[[other - first for other in others]] = NO_CLASS
    table[ids - first] = np.arange(len(ids), dtype=np.int32)
    return table, first


def _coded(
    values: NDArray[Any], ids: NDArray[np.int64], others: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the code of each value, NO_CLASS where it has none, and the values not known."""
    flat = values.reshape(-1).astype(np.int64)
    codes = Keys(ids, "class id").codes(flat)
    unknown = np.unique(flat[codes < 0])
    return codes.reshape(values.shape), unknown[~np.isin(unknown, np.array(others, np.int64))]


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
