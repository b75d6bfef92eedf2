"""IDEucl: how much of the way of each object its best track goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.tracking.family import Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["IDEUCL"]

_THRESHOLD: Final = 0.4  # of the similarity, in the reference


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    del settings
    centre = coded.frames.truth.centre
    if centre is None:
        # No objects are of no kind: it is not known that they are masks.
        has_objects = int(len(coded.frames.truth) > 0)
        return {
            "ratio": 0.0,
            "sequences": 1,
            "still": 1 - has_objects,
            "without_centre": has_objects,
        }
    n_truth = len(coded.truth_ids)
    way = np.zeros(n_truth)
    tracks, ways = _path_lengths(coded.truth_track.astype(np.int64), centre)
    way[tracks] = ways
    # In the order in which objects appear, as the reference adds.
    first_row = np.full(n_truth, len(coded.truth_track), np.int64)
    np.minimum.at(first_row, coded.truth_track, np.arange(len(coded.truth_track)))
    order = np.argsort(first_row)
    whole = float(np.sum(way[order]))
    best = _ways_together(coded, centre)
    return {
        "ratio": float(np.sum(best[order])) / whole if whole else 0.0,
        "sequences": 1,
        "still": int(not whole),
        "without_centre": 0,
    }


def _ways_together(coded: CodedFrames, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the way of each object on which the track that is assigned to it goes with it."""
    n_truth, n_pred = len(coded.truth_ids), len(coded.pred_ids)
    best = np.zeros(n_truth)
    pairs = coded.frames.pairs
    alike = pairs.similarity >= _THRESHOLD
    if not alike.any():
        return best
    row = np.repeat(np.arange(len(coded.frames.truth)), np.diff(pairs.begin))[alike]
    cell = coded.truth_track[row].astype(np.int64) * n_pred + coded.pred_track[pairs.pred[alike]]
    used, lengths = _path_lengths(cell, centre[row])
    together = np.zeros((n_truth, n_pred))
    together.reshape(-1)[used] = lengths
    # Rows and columns that have no pair at all are no part of the reference's matrix.
    is_row, is_column = np.zeros(n_truth, np.bool_), np.zeros(n_pred, np.bool_)
    is_row[used // n_pred] = is_column[used % n_pred] = True
    matrix = np.ascontiguousarray(together[is_row][:, is_column])
    column = _core.assign(matrix.max() - matrix)
    best[is_row] = np.where(column >= 0, matrix[np.arange(len(matrix)), column], 0.0)
    return best


def _path_lengths(
    group: NDArray[np.int64], point: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each group, ascending, and the length of the way through its points in order."""
    if not len(group):
        return group, np.zeros(0)
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    start = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    steps = np.linalg.norm(np.diff(point[order], axis=0), axis=1)
    ends = np.append(start[1:], len(group))
    # Each by its own sum, whose rounding is that of the reference.
    lengths = [
        float(np.sum(steps[first : last - 1]))
        for first, last in zip(start.tolist(), ends.tolist(), strict=True)
    ]
    return ordered[start], np.asarray(lengths, np.float64)


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    return {"IDEucl": sums["ratio"] / np.maximum(1, sums["sequences"])}


def _gaps(sums: Columns) -> list[Gap]:
    name = ("IDEucl",)
    return [
        Gap(name, np.equal(sums["sequences"], 0), "there are no sequences"),
        Gap(name, np.greater(sums["without_centre"], 0), "masks have no centre"),
        Gap(name, np.equal(sums["still"], sums["sequences"]), "no object moves"),
    ]


IDEUCL: Final = Family(
    name="ideucl",
    title="IDEucl",
    columns={
        "ratio": np.float64,
        **dict.fromkeys(("sequences", "still", "without_centre"), np.int64),
    },
    measure=_measure,
    numbers=_numbers,
    gaps=_gaps,
    fields=("IDEucl",),
    summary=("IDEucl",),
    detailed=("IDEucl",),
)
"""Dendorfer et al.'s share of the way, with centres of boxes in pixels; over sequences its mean."""
