"""What formats that hold boxes alone lose of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes, are_upright
from snellen.readers.point_names import are_numbers
from snellen.writers.detections import Detections, Loss, areas_differ

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["box_losses", "cut_to_images", "ids_are_counted", "turned_areas_differ"]

_FLAGS: Final = {
    "difficult": "difficult boxes: as others",
    "truncated": "truncated boxes: as others",
    "occluded": "occluded boxes: as others",
    "depiction": "boxes of depictions: as others",
    "inside": "boxes seen from inside: as others",
}
_SHAPES: Final = {
    "mask": ("masks", "masks: their boxes stay"),
    "keypoints": ("keypoints", "objects' keypoints: their boxes stay"),
    "oriented": ("oriented", "turned boxes: the upright boxes around them stay"),
}
_SMALL: Final = 1e-6


def box_losses(
    data: Detections,
    *,
    keeps: Collection[str] = (),
    levels: int = 1,
    numbers: NDArray[np.float64] | None = None,
) -> list[Loss]:
    """Return what is lost of objects.

    Parameters
    ----------
    data : Detections
    keeps : collection of str
        What the format holds: ``crowds``, ``areas``, ``ids``, the data's kind, flags,
        ``point_names``.
    levels : int
        The highest number that a flag may have.
    numbers : ndarray, shape (n, k), optional
        The boxes as they are read, in the data's own pixels or parts; of turned boxes the corners.
    """
    boxes = data.boxes
    found: list[tuple[str, Any, str]] = []
    if data.kind in _SHAPES and data.kind not in keeps:
        name, text = _SHAPES[data.kind]
        turned: Any = len(boxes)
        if isinstance(data.columns, OrientedBoxes):
            # Of one that is not turned the upright box is the same.
            turned = ~are_upright(np.asarray(data.columns.corners, np.float64))
        found.append((name, turned, text))
    # Predictions have the names of truth, in whose order their keypoints are.
    if data.is_truth and "keypoints" in keeps and "point_names" not in keeps:
        n_named = sum(not are_numbers(names) for names in data.point_names.values())
        found.append(("point_names", n_named, "names of classes' keypoints: their order stays"))
    if "crowds" not in keeps and boxes.crowd is not None:
        found.append(("crowds", boxes.crowd, "crowd flags: boxes as others"))
    # Those of masks are the numbers of their pixels. Where of turned boxes the upright ones stay,
    # that is told.
    if "areas" not in keeps and data.is_truth:
        if isinstance(data.columns, OrientedBoxes):
            differ = "oriented" in keeps and turned_areas_differ(data.columns)
            found.append(("areas", differ, "areas of turned boxes: those of their corners instead"))
        elif isinstance(data.columns, Masks) and "mask" in keeps:
            differ = boxes.area is not None and boxes.area != data.columns.rle.areas()
            found.append(("areas", differ, "areas: the numbers of the masks' pixels instead"))
        else:
            differ = areas_differ(boxes)
            found.append(("areas", differ, "areas of masks: those of the boxes instead"))
    if "ids" not in keeps and boxes.id is not None and not ids_are_counted(boxes.id):
        found.append(("ids", len(boxes), "ids of annotations"))
    for flag, text in _FLAGS.items():
        values = data.flag(flag)
        if values is None:
            continue
        if flag not in keeps:
            found.append((flag, values, text))
        else:
            found.append((f"{flag}_levels", values > levels, f"how {flag} objects are: {levels}"))
    if numbers is not None and len(numbers):
        off = np.abs(numbers - _compared(data, keeps)).max(axis=1)
        small = off[off <= _SMALL].max(initial=0)
        found.append(("coordinates", off > _SMALL, "boxes that float64 does not hold as corners"))
        found.append(
            (
                "digits",
                (off > 0) & (off <= _SMALL),
                f"boxes' last digits, by at most {small:.2g}: an IoU on a threshold may fall to "
                "its other side",
            )
        )
    losses = []
    for name, which, text in found:
        n = which if isinstance(which, int) else int(np.count_nonzero(which))
        if n:
            losses.append(Loss(name, n, text))
    return losses


def _compared(data: Detections, keeps: Collection[str]) -> NDArray[np.float64]:
    if "oriented" in keeps and isinstance(data.columns, OrientedBoxes):
        return np.asarray(data.columns.corners, np.float64).reshape(len(data.columns), -1)
    return data.boxes.xywh


def turned_areas_differ(oriented: OrientedBoxes) -> NDArray[np.bool_]:
    """Return which turned boxes have another area than that of their outline."""
    area = oriented.boxes.area
    if area is None:
        return np.zeros(len(oriented), np.bool_)
    corners = np.asarray(oriented.corners, np.float64).reshape(len(oriented), -1)
    _, own, _ = _core.order_corners(np.ascontiguousarray(corners))
    differ: NDArray[np.bool_] = area != own
    return differ


def ids_are_counted(ids: NDArray[np.int64]) -> bool:
    """Return whether ids say nothing: 1, 2, 3, … in any order."""
    return bool(np.array_equal(np.sort(ids), np.arange(1, len(ids) + 1)))


def cut_to_images(
    xywh: NDArray[np.float64], extent: NDArray[np.float64], out: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], list[Loss]]:
    """Return boxes of which some are cut to their images.

    Parameters
    ----------
    xywh : ndarray, shape (n, 4)
    extent : ndarray, shape (n, 2)
        Width and height of each box's image.
    out : ndarray, shape (n,)
        Which boxes stand further out of their images than readers allow.
    """
    n = int(np.count_nonzero(out))
    if not n:
        return xywh, []
    cut = xywh.copy()
    first = np.clip(xywh[out, :2], 0, extent[out])
    last = np.clip(xywh[out, :2] + xywh[out, 2:], 0, extent[out])
    cut[out] = np.concatenate([first, last - first], axis=1)
    return cut, [Loss("outside", n, "boxes that stand out of their images: cut to them")]
