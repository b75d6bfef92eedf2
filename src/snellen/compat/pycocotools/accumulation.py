"""From cells to curves, as ``COCOeval.accumulate`` of pycocotools 2.0.11 makes them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.compat.pycocotools.cells import stable_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Chosen", "Curves", "curves_of_cells"]


class Curves(NamedTuple):
    """Precision and scores (T, R, K, A, M), recall (T, K, A, M); -1 where no truth counts."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def undefined(cls, shape: tuple[int, int, int, int, int]) -> Curves:
        """Return curves of nothing."""
        return cls(-np.ones(shape), -np.ones((shape[0], *shape[2:])), -np.ones(shape))


class Chosen(NamedTuple):
    """Which cells are read.

    The positions are those of wanted values that were also evaluated, in the list of what is
    wanted; they are used as positions in the list of what was evaluated. Where the first is no
    beginning of the second, other cells are read than were asked for: pycocotools' way.

    Attributes
    ----------
    categories, areas, images : list of int
        Positions.
    caps : list
        Values, not positions.
    n_areas, n_images : int
        Of what was evaluated.
    """

    categories: list[int]
    areas: list[int]
    caps: list[Any]
    images: list[int]
    n_areas: int
    n_images: int

    @classmethod
    def of(cls, wanted: Any, evaluated: Any) -> Chosen:
        """Return which cells are read for parameters, of those of others."""
        categories = set(evaluated.catIds if evaluated.useCats else [-1])
        areas = set(map(tuple, evaluated.areaRng))
        caps = set(evaluated.maxDets)
        images = set(evaluated.imgIds)
        return cls(
            [n for n, each in enumerate(wanted.catIds) if each in categories],
            [n for n, each in enumerate(map(tuple, wanted.areaRng)) if each in areas],
            [each for each in wanted.maxDets if each in caps],
            [n for n, each in enumerate(wanted.imgIds) if each in images],
            len(evaluated.areaRng),
            len(evaluated.imgIds),
        )


def curves_of_cells(cells: Any, chosen: Chosen, parameters: Any, curves: Curves) -> None:
    """Write the curves of cells (category, area range, image), None where one is empty."""
    for k, category in enumerate(chosen.categories):
        for a, area in enumerate(chosen.areas):
            first = category * chosen.n_areas * chosen.n_images + area * chosen.n_images
            read: Any = None
            for m, cap in enumerate(chosen.caps):
                if read is None:
                    read = [cells[first + i] for i in chosen.images]
                    read = [cell for cell in read if cell is not None]
                if read:
                    _write_curve(read, cap, parameters.recThrs, curves, (k, a, m))


def _write_curve(
    cells: list[dict[str, Any]], cap: Any, recalls: Any, curves: Curves, at: tuple[int, int, int]
) -> None:
    scores = np.concatenate([cell["dtScores"][0:cap] for cell in cells])
    order = stable_order(-scores)
    scores = scores[order]
    took = np.concatenate([cell["dtMatches"][:, 0:cap] for cell in cells], axis=1)[:, order]
    left_out = np.concatenate([cell["dtIgnore"][:, 0:cap] for cell in cells], axis=1)[:, order]
    n_truth = np.count_nonzero(np.concatenate([cell["gtIgnore"] for cell in cells]) == 0)
    if n_truth == 0:
        return
    counts = np.logical_not(left_out)
    true = np.cumsum(np.logical_and(took, counts), axis=1).astype(float)
    false = np.cumsum(np.logical_and(np.logical_not(took), counts), axis=1).astype(float)
    n_detections = len(scores)
    k, a, m = at
    for t in range(len(true)):
        recall = true[t] / n_truth
        precision = true[t] / (false[t] + true[t] + np.spacing(1))
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        curves.recall[t, k, a, m] = recall[-1] if n_detections else 0
        first = np.searchsorted(recall, recalls, side="left")
        read = _read_off(first, precision, scores)
        curves.precision[t, :, k, a, m], curves.scores[t, :, k, a, m] = read


def _read_off(
    first: NDArray[np.int64], precision: NDArray[np.float64], scores: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and score at detections; 0 from the first that there is not."""
    found = np.zeros(len(first)), np.zeros(len(first))
    beyond = np.flatnonzero(first >= len(scores))
    n = beyond[0] if len(beyond) else len(first)
    found[0][:n] = precision[first[:n]]
    if scores.dtype != object:
        found[1][:n] = scores[first[:n]]
        return found
    i = -1
    with contextlib.suppress(OverflowError, TypeError, ValueError):
        for i in range(n):
            found[1][i] = scores[first[i]]
        return found
    found[0][i + 1 :] = 0  # the first that float64 has no room for is the last
    return found
