"""Events of two data frames of objects, frame by frame or all frames at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen import _core
from snellen.compat.motmetrics.distances import has_plain_numbers
from snellen.compat.motmetrics.mot import MOTAccumulator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["accumulated", "occurrences"]

_BOX = ("X", "Y", "Width", "Height")


def accumulated(
    gt: Any,
    dt: Any,
    distance: Callable[[Any, Any], Any],
    is_iou: bool,
    limit: float,
    fields: Sequence[str] | None = None,
    vf: Any = "",
) -> MOTAccumulator:
    """Return the events of all frames.

    Parameters
    ----------
    gt, dt : pandas.DataFrame
        Indexed by "FrameId" and "Id".
    distance : function
        Of the values of a frame.
    is_iou : bool
        Whether it is 1 - IoU, which is then computed for all frames at once, up to the limit.
    limit : float
    fields : sequence of str, optional
        Names of columns; those of boxes.
    vf : file, optional
        As `MOTAccumulator.update` has it.
    """
    frames = _all_frames(gt.index, dt.index)
    names = list(_BOX if fields is None else fields)
    truth, pred = _Side(gt, names, frames), _Side(dt, names, frames)
    accumulator = MOTAccumulator()
    if vf == "" and is_iou and truth.is_plain and pred.is_plain:
        pairs = _core.box_distances(
            truth.begin, pred.begin, truth.values, pred.values, max_distance=limit
        )
        accumulator.update_many(
            frames.tolist(), truth.begin, pred.begin, truth.ids, pred.ids, *pairs
        )
        return accumulator
    for t, frame_id in enumerate(frames):
        here, there = truth.rows(t), pred.rows(t)
        of_pairs = np.empty((0, 0))
        if here.stop > here.start and there.stop > there.start:
            of_pairs = distance(truth.values[here], pred.values[there])
        accumulator.update(truth.ids[here], pred.ids[there], of_pairs, frame_id, vf)
    return accumulator


def occurrences(table: Any) -> dict[int, int]:
    """Return how often each id occurs, in the order of frames."""
    frame = table.index.get_level_values("FrameId")
    ids = table.index.get_level_values("Id")[frame.argsort(kind="stable")]
    code, distinct = pd.factorize(ids)
    return dict(zip(map(int, distinct), np.bincount(code).tolist(), strict=True))


def _all_frames(truth: Any, pred: Any) -> Any:
    """Return the frames of either index, ascending.

    A frame counts also where an index of pandas only knows it: rows were left out. Then the answer
    is what a union of the indices makes of it, which is slow.
    """
    of_truth, of_pred = truth.levels[0], pred.levels[0]
    for index, level in ((truth, of_truth), (pred, of_pred)):
        used = np.bincount(index.codes[0][index.codes[0] >= 0], minlength=len(level))
        if not (len(index) and used.all() and level.is_monotonic_increasing):
            return truth.union(pred).levels[0]
    return of_truth.union(of_pred)


class _Side:
    """The rows of a data frame in the order of frames."""

    def __init__(self, table: Any, names: list[str], frames: Any) -> None:
        code = frames.get_indexer(table.index.get_level_values("FrameId"))
        order = np.argsort(code, kind="stable")
        self.begin: NDArray[np.int64] = np.searchsorted(code[order], np.arange(len(frames) + 1))
        self.ids = table.index.get_level_values("Id").to_numpy()[order]
        self.values = np.ascontiguousarray(table[names].to_numpy()[order])
        if not np.issubdtype(self.values.dtype, np.inexact):
            self.values = self.values.astype(np.float64)
        self.is_plain = self.values.shape[1] == 4 and has_plain_numbers(self.values)

    def rows(self, t: int) -> slice:
        return slice(self.begin[t], self.begin[t + 1])
