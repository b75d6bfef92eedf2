"""Masks of truth and predictions, frame by frame: pairs that share pixels, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from snellen import _core
from snellen.errors import InputError, ShapeError
from snellen.mask_forms import size_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.rle_masks import RleMasks

__all__ = ["mask_pairs", "refuse_other_sizes", "refuse_overlaps"]


def mask_pairs(
    truth: RleMasks,
    pred: RleMasks,
    truth_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    *,
    kind: Literal["iou", "ioa_truth", "ioa_pred"] = "iou",
    frame: ArrayLike | None = None,
    place: str = "",
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the pairs of masks that share pixels, frame by frame.

    Parameters
    ----------
    truth, pred : RleMasks
    truth_begin, pred_begin : ndarray, shape (n_frames + 1,), int64
        Frame t has the rows ``begin[t]`` to ``begin[t + 1]``, exclusive.
    kind : {"iou", "ioa_truth", "ioa_pred"}
        What the shared pixels are divided by: those of the union, of truth, or of the prediction.
    frame : array-like, shape (n_frames,), optional
        Numbers of frames, for errors.
    place : str
        Where the masks come from, for errors.

    Returns
    -------
    begin : ndarray, shape (n_truth + 1,), int64
        Where the pairs of each truth row begin.
    pred : ndarray, int32
        The other row of each pair, ascending within a truth row.
    similarity : ndarray, float64
        Above 0; every bit as `pycocotools.mask.iou` computes it.

    Raises
    ------
    ShapeError
        For masks of different sizes in a frame.
    """
    refuse_other_sizes(truth, pred, truth_begin, pred_begin, frame=frame, place=place)
    return _core.mask_pairs(
        truth_begin,
        pred_begin,
        truth.runs,
        truth.offset,
        truth.size,
        pred.runs,
        pred.offset,
        pred.size,
        kind,
    )


def refuse_other_sizes(
    truth: RleMasks,
    pred: RleMasks,
    truth_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    *,
    frame: ArrayLike | None = None,
    place: str = "",
) -> None:
    """Refuse frames whose masks are of different sizes; the arguments are those of `mask_pairs`.

    Raises
    ------
    ShapeError
        Naming the first such frame and both sizes.
    """
    n_frames = len(truth_begin) - 1
    of_truth = np.repeat(np.arange(n_frames), np.diff(truth_begin))
    of_pred = np.repeat(np.arange(n_frames), np.diff(pred_begin))
    # The size that a frame should have: that of its first mask, of truth where it has one.
    wanted = np.zeros((n_frames, 2), np.int32)
    for begin, masks in ((pred_begin, pred), (truth_begin, truth)):
        filled = begin[:-1] < begin[1:]
        wanted[filled] = masks.size[begin[:-1][filled]]
    found: list[tuple[int, str, NDArray[np.int32]]] = []
    for side, of_frame, masks in (("truth", of_truth, truth), ("pred", of_pred, pred)):
        other = (masks.size != wanted[of_frame]).any(axis=1)
        if other.any():
            row = int(np.argmax(other))
            found.append((int(of_frame[row]), side, masks.size[row]))
    if not found:
        return
    at, side, size = min(found, key=lambda each: each[0])
    number = at if frame is None else int(np.asarray(frame)[at])
    first = "truth" if truth_begin[at] < truth_begin[at + 1] else "pred"
    raise ShapeError(
        f"expected masks of one size in frame {number}, got {size_text(wanted[at])} ({first}) and "
        f"{size_text(size)} ({side})",
        place,
    )


def refuse_overlaps(
    masks: RleMasks,
    begin: NDArray[np.int64],
    track: NDArray[np.int64],
    *,
    frame: ArrayLike | None = None,
    region: NDArray[np.uint8] | None = None,
    place: str = "",
) -> None:
    """Refuse frames in which objects share pixels; regions to ignore may share theirs.

    Parameters
    ----------
    masks : RleMasks
        Of one size within a frame.
    begin : ndarray, shape (n_frames + 1,), int64
        Frame t has the rows ``begin[t]`` to ``begin[t + 1]``, exclusive.
    track : ndarray, shape (n,)
        The id of each object.
    frame : array-like, shape (n_frames,), optional
        Numbers of frames, for errors.
    region : ndarray, shape (n,), uint8, optional
        1 for regions to ignore.
    place : str
        Where the masks come from, for errors.

    Raises
    ------
    InputError
        Naming the first such frame, both ids, and in how many frames more there are some.
    """
    found = _core.find_overlaps(masks.runs, masks.offset, masks.size, begin, region)
    if not len(found):
        return
    at, first, second = found[0].tolist()
    number = at if frame is None else int(np.asarray(frame)[at])
    more = f"; so do masks in {len(found) - 1:,} other frames" if len(found) > 1 else ""
    raise InputError(
        f"expected masks that share no pixels, got ids {track[first]} and {track[second]} that do "
        f"in frame {number}{more}: give each pixel to one object",
        place,
    )
