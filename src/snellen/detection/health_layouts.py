"""What four numbers of boxes most likely are: told by which reading fits images, or truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["Reading", "covered", "likely_layout", "likely_reading", "share_inside"]

_LAYOUTS: Final[dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "left, top, width, height": lambda box: box,
    "left, top, right, bottom": lambda box: _columns(
        box[:, 0], box[:, 1], box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    ),
    "centre x, centre y, width, height": lambda box: _columns(
        box[:, 0] - box[:, 2] / 2, box[:, 1] - box[:, 3] / 2, box[:, 2], box[:, 3]
    ),
    "top, left, height, width": lambda box: box[:, [1, 0, 3, 2]],
    "top, left, bottom, right": lambda box: _columns(
        box[:, 1], box[:, 0], box[:, 3] - box[:, 1], box[:, 2] - box[:, 0]
    ),
}
_AS_IS: Final = "left, top, width, height"
# Fewer boxes than this say nothing of a layout.
_ENOUGH: Final = 10
_IMAGES: Final = 500


class Reading(NamedTuple):
    """Another reading of boxes that fits better than the one that is meant.

    Attributes
    ----------
    words : str
        What the numbers are.
    share, share_as_is : float
        How many boxes fit so, and as they stand.
    """

    words: str
    share: float
    share_as_is: float


def _columns(*columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(columns, axis=1)


def share_inside(xywh: NDArray[np.float64], size: NDArray[np.float64]) -> float:
    """Return how many boxes have a size and stay in their image, but for a pixel."""
    if not len(xywh):
        return 1.0
    right, bottom = xywh[:, 0] + xywh[:, 2], xywh[:, 1] + xywh[:, 3]
    inside = (
        (xywh >= [-1, -1, 0, 0]).all(axis=1)
        & (right <= size[:, 1] + 1)
        & (bottom <= size[:, 0] + 1)
    )
    return float(inside.mean())


def likely_layout(box: NDArray[np.float64], size: NDArray[np.float64]) -> Reading | None:
    """Return the layout that boxes have, if they cannot be left, top, width and height.

    Parameters
    ----------
    box : ndarray, shape (n, 4)
        Finite numbers, in pixels.
    size : ndarray, shape (n, 2)
        Height and width of each one's image.
    """
    as_is = share_inside(box, size)
    if len(box) < _ENOUGH or as_is > 0.9:
        return None
    shares = {
        words: share_inside(read(box), size) for words, read in _LAYOUTS.items() if words != _AS_IS
    }
    words = max(shares, key=lambda each: shares[each])
    return Reading(words, shares[words], as_is) if shares[words] >= 0.99 else None


def covered(
    truth: tuple[NDArray[np.int64], NDArray[np.float64]],
    pred: tuple[NDArray[np.int64], NDArray[np.float64]],
    *,
    lowest: float = 0.5,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs of truth and predictions of an image that overlap, whatever their classes.

    Parameters
    ----------
    truth, pred : tuple of ndarray
        Image of each box, and the boxes: finite, of sizes above 0.
    lowest : float
        The least IoU.

    Returns
    -------
    tuple of ndarray
        Row of truth, row of pred, IoU.
    """
    (truth_image, truth_xywh), (pred_image, pred_xywh) = truth, pred
    n_images = 1 + max(truth_image.max(initial=-1), pred_image.max(initial=-1))
    found = _core.box_candidates(
        truth_image.astype(np.int32),
        np.zeros(len(truth_image), np.int32),
        np.ascontiguousarray(truth_xywh),
        np.zeros(len(truth_image), np.uint8),
        pred_image.astype(np.int32),
        np.zeros(len(pred_image), np.int32),
        np.ascontiguousarray(pred_xywh),
        n_images=int(n_images),
        n_labels=1,
        lowest=lowest,
        across_labels=True,
    )
    rows = np.repeat(np.arange(len(pred_image)), np.diff(found["begin"]))
    return found["truth"].astype(np.int64), rows, found["similarity"]


def likely_reading(
    truth: tuple[NDArray[np.int64], NDArray[np.float64]],
    pred: tuple[NDArray[np.int64], NDArray[np.float64]],
    size: NDArray[np.float64],
) -> tuple[float, Reading | None]:
    """Return how much truth predictions cover as they stand, and a reading that covers far more.

    Only some hundred images are looked at, spread over all.

    Parameters
    ----------
    truth, pred : tuple of ndarray
        Image of each box, and the boxes.
    size : ndarray, shape (n_pred, 2)
        Height and width of the image of each predicted box; NaN where unknown.
    """
    images = np.intersect1d(truth[0], pred[0])
    some = images[:: max(1, len(images) // _IMAGES)]
    of_truth, of_pred = np.isin(truth[0], some), np.isin(pred[0], some)
    looked_at = (truth[0][of_truth], truth[1][of_truth])
    n = len(looked_at[0])
    if n < _ENOUGH:
        return 1.0, None

    def share(box: NDArray[np.float64]) -> float:
        with np.errstate(invalid="ignore"):
            fit = (box[:, 2:] > 0).all(axis=1) & np.isfinite(box).all(axis=1)
        found, _, _ = covered(looked_at, (pred[0][of_pred][fit], box[fit]))
        return len(np.unique(found)) / n

    as_is = share(pred[1][of_pred])
    if as_is >= 0.3:
        return as_is, None
    shares = {
        words: share(box)
        for words, box in _readings(pred[1][of_pred], size[of_pred])
        if words != _AS_IS
    }
    words = max(shares, key=lambda each: shares[each])
    if shares[words] >= max(0.2, 3 * as_is):
        return as_is, Reading(words, shares[words], as_is)
    return as_is, None


def _readings(
    box: NDArray[np.float64], size: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    whole = size[:, [1, 0, 1, 0]]
    turned = size[:, [0, 1, 0, 1]]
    for words, read in _LAYOUTS.items():
        scale = turned if words.startswith("top") else whole
        yield words, read(box)
        yield f"{words}, as parts of the image's size", read(box * scale)
        yield f"{words}, as thousandths of the image's size", read(box * scale / 1000)
