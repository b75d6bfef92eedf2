"""What MOT16 and MOT17 take out of a tracker's results before they are judged."""

from __future__ import annotations

from configparser import ConfigParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen.compat.motmetrics.distances import iou_matrix
from snellen.compat.motmetrics.frame_tables import accumulated
from snellen.errors import ClassError, SchemaError, first_few
from snellen.tracking.motmetrics_list import MATCH

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["preprocessResult"]

_BOX = ["X", "Y", "Width", "Height"]
_N_CLASSES = 13
# A person on a vehicle, a static person, a distractor, a reflection.
_DISTRACTORS = (2, 7, 8, 12)


def preprocessResult(  # noqa: N802  # the name in scripts
    res: Any, gt: Any, inifile: str | os.PathLike[str]
) -> Any:
    """Return the predictions without those that lie on what does not count.

    In each frame objects of all classes are matched to predictions, as many as can be with an IoU
    of at least 0.5, by the largest sum. A prediction matched to a distractor, or to an object of a
    visibility below 0, is taken away.

    Parameters
    ----------
    res, gt : pandas.DataFrame
        Indexed by "FrameId" and "Id", with boxes; gt also has "ClassId" and "Visibility".
    inifile : path
        The sequence's seqinfo.ini, which says how many frames it has.

    Raises
    ------
    SchemaError
        Where the file does not say that.
    ClassError
        For classes that are none of 1 … 13.
    """
    settings = ConfigParser()
    settings.read(inifile, encoding="utf8")
    try:
        n_frames = int(settings["Sequence"]["seqLength"])
    except (KeyError, ValueError):
        raise SchemaError(
            "expected a whole number as seqLength of [Sequence], got none", str(inifile)
        ) from None
    # With numbers of rows in place of ids no pair is one of an earlier frame.
    truth, truth_rows = _numbered(gt, gt.index.isin(res.index.levels[0], level=0), n_frames)
    pred, pred_rows = _numbered(res, res.index.isin(gt.index.levels[0], level=0), n_frames)
    of_class = gt["ClassId"].to_numpy()[truth_rows]
    unknown = ~np.isin(of_class, np.arange(1, _N_CLASSES + 1))
    if unknown.any():
        raise ClassError(
            f"expected classes 1 … {_N_CLASSES}, got {first_few(np.unique(of_class[unknown]))}",
            "gt ClassId",
        )
    out = np.isin(of_class, _DISTRACTORS) | (gt["Visibility"].to_numpy()[truth_rows] < 0)
    columns = accumulated(truth, pred, lambda a, b: iou_matrix(a, b, 0.5), True, 0.5).columns
    matched = columns.kind == MATCH
    is_out = out[columns.truth_ids[columns.truth[matched]].astype(int)]
    dropped = pred_rows[columns.pred_ids[columns.pred[matched][is_out]].astype(int)]
    # Every row of that frame and id.
    frame, track = res.index.codes
    row_id = frame.astype(np.int64) * len(res.index.levels[1]) + track
    return res[~np.isin(row_id, row_id[dropped])]


def _numbered(table: Any, in_both: NDArray[np.bool_], n_frames: int) -> tuple[Any, Any]:
    """Return boxes of the frames 1 … n, rows numbered in place of ids; and which rows they are."""
    frame = table.index.get_level_values(0)
    rows = np.flatnonzero(in_both & frame.isin(range(1, n_frames + 1)))
    index = pd.MultiIndex.from_arrays([frame[rows], np.arange(len(rows))], names=["FrameId", "Id"])
    return table[_BOX].iloc[rows].set_axis(index), rows
