"""How alike the objects of each frame are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.errors import InputError, ShapeError
from snellen.tracking.frames import Pairs
from snellen.tracking.mask_pairs import mask_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.shapes import Shapes

__all__ = ["covered_preds", "covered_share", "similar_pairs"]

_KIND_OF: Final = {
    "iou": "boxes",
    "ioa": "boxes",
    "giou": "boxes",
    "mask_iou": "masks",
    "mask_ioa": "masks",
    "distance": "points",
    "iou_3d": "boxes in space",
    "distance_3d": "boxes in space",
}


def similar_pairs(
    truth: Any,
    pred: Any,
    truth_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    similarity: str,
    zero_distance: float,
) -> Pairs:
    """Return which objects of each frame are alike, and how much.

    Parameters
    ----------
    truth, pred : Shapes
        The objects of all frames.
    truth_begin, pred_begin : ndarray, shape (F + 1,), int64
        The rows of each frame; see `Side`.
    similarity : str
        As in `TrackingProtocol`.
    zero_distance : float
        The distance of similarity 0.

    Raises
    ------
    InputError
        For shapes that have no such similarity.
    """
    wanted = _KIND_OF[similarity]
    for name, shape in (("truth", truth), ("pred", pred)):
        if shape.kind != wanted:
            fitting = [each for each, kind in _KIND_OF.items() if kind == shape.kind]
            raise InputError(
                f"expected {wanted}, of which the similarity {similarity} is, got {shape.kind}: "
                f"similarities of {shape.kind} are {', '.join(fitting)}",
                name,
            )
    begins = (truth_begin, pred_begin)
    if wanted == "masks":
        of_masks: Any = "iou" if similarity == "mask_iou" else "ioa_truth"
        return Pairs(*mask_pairs(truth, pred, *begins, kind=of_masks))
    if wanted == "boxes":
        kind = "ioa_truth" if similarity == "ioa" else similarity
        return Pairs(*_core.box_pairs(*begins, truth.xyxy, pred.xyxy, kind))
    if similarity == "iou_3d":
        return Pairs(*_core.box3d_pairs(*begins, truth.rows, pred.rows))
    points = _points(truth), _points(pred)
    widths = [each.shape[1] for each in points]
    if widths[0] != widths[1]:
        if len(truth) and len(pred):
            raise ShapeError(
                f"expected points of {widths[0]} coordinates as truth has, got {widths[1]}", "pred"
            )
        # Of no points it is not known how many coordinates they would have.
        width = widths[0] if len(truth) else widths[1]
        points = points[0].reshape(-1, width), points[1].reshape(-1, width)
    return Pairs(*_core.point_pairs(*begins, *points, float(zero_distance)))


def _points(shape: Shapes) -> NDArray[np.float64]:
    centres = shape.centres()
    assert centres is not None  # of points and boxes in space
    return np.ascontiguousarray(centres)


def covered_preds(
    regions: Any,
    pred: Any,
    region_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    threshold: float,
) -> NDArray[np.bool_]:
    """Return which predictions have more than a share of their area in an area to be ignored.

    Masks of several areas of a frame count as one; of boxes each counts for itself.
    """
    if regions.kind != pred.kind or regions.kind not in ("boxes", "masks"):
        raise InputError(
            f"expected areas to be ignored and predictions of one kind, boxes or masks, got "
            f"{regions.kind} and {pred.kind}"
        )
    covered = np.zeros(len(pred), np.bool_)
    if regions.kind == "masks":
        has_region = region_begin[1:] > region_begin[:-1]
        whole = regions.merged(region_begin)[has_region]
        whole_begin = np.append(0, np.cumsum(has_region)).astype(np.int64)
        pairs = Pairs(*mask_pairs(whole, pred, whole_begin, pred_begin, kind="ioa_pred"))
    else:
        pairs = Pairs(
            *_core.box_pairs(region_begin, pred_begin, regions.xyxy, pred.xyxy, "ioa_pred")
        )
    covered[pairs.pred[pairs.similarity > threshold]] = True
    return covered


def covered_share(
    regions: Any, objects: Any, region_begin: NDArray[np.int64], object_begin: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return which share of each box lies in the areas of its frame, taken as one, (n,).

    Raises
    ------
    InputError
        For other shapes than boxes.
    """
    if regions.kind != "boxes" or objects.kind != "boxes":
        raise InputError(
            f"expected boxes, got areas that are {regions.kind} and objects that are {objects.kind}"
        )
    share = np.zeros(len(objects))
    for t in np.flatnonzero(np.diff(region_begin) * np.diff(object_begin)).tolist():
        area = regions.xyxy[region_begin[t] : region_begin[t + 1]]
        rows = slice(object_begin[t], object_begin[t + 1])
        box = objects.xyxy[rows]
        # The lines of the areas cut the plane into cells, each covered or not.
        x, y = (np.sort(area[:, [axis, axis + 2]].reshape(-1)) for axis in (0, 1))
        in_x = (area[:, :1] <= x[:-1]) & (area[:, 2:3] >= x[1:])
        in_y = (area[:, 1:2] <= y[:-1]) & (area[:, 3:4] >= y[1:])
        is_covered = (in_x[:, :, None] & in_y[:, None, :]).any(axis=0)
        along_x, along_y = (
            np.maximum(
                0.0,
                np.minimum(box[:, axis + 2, None], line[1:])
                - np.maximum(box[:, axis, None], line[:-1]),
            )
            for axis, line in ((0, x), (1, y))
        )
        common = ((along_x @ is_covered.astype(np.float64)) * along_y).sum(axis=1)
        size = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
        share[rows] = np.divide(common, size, out=np.zeros(len(box)), where=size > 0)
    return share
