"""Accumulators of whole sequences: data frames of truth and of a tracker's results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.motmetrics.distances import iou_matrix, norm2squared_matrix
from snellen.compat.motmetrics.frame_tables import accumulated, occurrences
from snellen.compat.motmetrics.preprocess import preprocessResult
from snellen.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from snellen.compat.motmetrics.mot import MOTAccumulator

__all__ = ["CLEAR_MOT_M", "compare_to_groundtruth"]


def compare_to_groundtruth(
    gt: Any,
    dt: Any,
    dist: str = "iou",
    distfields: Sequence[str] | None = None,
    distth: float = 0.5,
) -> MOTAccumulator:
    """Return the events of a sequence.

    Parameters
    ----------
    gt, dt : pandas.DataFrame
        Indexed by "FrameId" and "Id". A frame of either counts.
    dist : {"iou", "euc", "seuc"}
        1 - IoU of boxes, Euclidean distance, or its square; in any case of letters.
    distfields : sequence of str, optional
        The columns of boxes or points; "X", "Y", "Width", "Height".
    distth : float
        The largest distance that is allowed.

    Raises
    ------
    InputError
        For another distance.
    """
    distances: dict[str, Callable[[Any, Any], Any]] = {
        "IOU": lambda a, b: iou_matrix(a, b, max_iou=distth),
        "EUC": lambda a, b: np.sqrt(norm2squared_matrix(a, b, max_d2=distth**2)),
        "SEUC": lambda a, b: norm2squared_matrix(a, b, max_d2=distth),
    }
    if dist.upper() not in distances:
        raise InputError(f'expected "iou", "euc" or "seuc", got "{dist}"', "dist")
    return accumulated(gt, dt, distances[dist.upper()], dist.upper() == "IOU", distth, distfields)


def CLEAR_MOT_M(  # noqa: N802  # the name in scripts
    gt: Any,
    dt: Any,
    inifile: str | os.PathLike[str],
    dist: str = "iou",
    distfields: Sequence[str] | None = None,
    distth: float = 0.5,
    include_all: bool = False,
    vflag: Any = "",
) -> tuple[MOTAccumulator, dict[str, dict[int, int]]]:
    """Return the events of a MOT16 or MOT17 sequence, and how often each id occurs.

    Predictions that lie on an object of a class that does not count are taken away
    (`preprocess.preprocessResult`), then objects with a confidence below 0.99 and those of other
    classes than 1.

    Parameters
    ----------
    gt, dt, distfields, distth
        As those of `compare_to_groundtruth`; gt also has "Confidence", "ClassId", "Visibility".
    inifile : path
        The sequence's seqinfo.ini.
    dist : str
        "iou", else the square of the Euclidean distance.
    include_all : bool
        Whether objects of all classes count.
    vflag : file, optional
        Gets a line for each error (`MOTAccumulator.update`).
    """
    dt = preprocessResult(dt, gt, inifile)
    counted = gt["Confidence"] >= 0.99
    gt = gt[counted if include_all else counted & (gt["ClassId"] == 1)]
    is_iou = dist.upper() == "IOU"

    def distance(a: Any, b: Any) -> Any:
        return iou_matrix(a, b, distth) if is_iou else norm2squared_matrix(a, b, distth)

    accumulator = accumulated(gt, dt, distance, is_iou, distth, distfields, vflag)
    return accumulator, {"hyp": occurrences(dt), "obj": occurrences(gt)}
