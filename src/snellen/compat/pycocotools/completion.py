"""What results and truth lack before they can be evaluated, put into their dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen._core import LooseMasks
from snellen.compat.pycocotools import mask as mask_api
from snellen.compat.pycocotools.documents import no_collection
from snellen.compat.pycocotools.mask import area, frPyObjects, merge, toBbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["complete", "complete_masks", "compress", "has_shapes"]

_AT_ONCE = 4096  # masks whose runs are held


def has_shapes(result: Any) -> bool:
    """Whether a result has a box, a mask or keypoints."""
    return any(key in result for key in ("bbox", "segmentation", "keypoints"))


def complete(results: list[Any]) -> None:
    """Give results what annotations have: an id, an area, a box or a mask.

    The first one says of which kind all are.
    """
    first = results[0]
    if "caption" in first:
        for i, each in enumerate(results):
            each["id"] = i + 1
    elif "bbox" in first and not (first["bbox"] == []):  # noqa: SIM201  # of an array another thing
        if not _core.complete_boxes(results, crowds=True):
            for i, each in enumerate(results):
                _complete_box(each, i + 1)
    elif "segmentation" in first:
        complete_masks(results, crowds=True)
    elif "keypoints" in first:
        for i, each in enumerate(results):
            _complete_keypoints(each, i + 1)


def complete_masks(results: list[Any], *, crowds: bool) -> None:
    """Give results with masks an area, a box where they have none, an id and, if wanted, iscrowd.

    Where one is out of the ordinary it is measured alone, as what it raises comes in its turn; so
    are all where a script has replaced what measures them.
    """
    usual = mask_api.area is area and mask_api.toBbox is toBbox
    for begin in range(0, len(results), _AT_ONCE):
        some = results[begin : begin + _AT_ONCE]
        measured = _measured(some) if usual else None
        for i, each in enumerate(some):
            shape = each["segmentation"]
            each["area"] = mask_api.area(shape) if measured is None else measured[0][i]
            if "bbox" not in each:
                each["bbox"] = mask_api.toBbox(shape) if measured is None else measured[1][i]
            each["id"] = begin + i + 1
            if crowds:
                each["iscrowd"] = 0


def _measured(results: list[Any]) -> tuple[NDArray[np.uint32], NDArray[np.float64]] | None:
    """Return areas and boxes of masks; None where one is no dict of a size and runs."""
    plain = []
    for each in results:
        shape = each.get("segmentation") if type(each) is dict else None
        if type(shape) is not dict or type(shape.get("size")) is not list:
            return None
        counts = shape.get("counts")
        if type(counts) is str and counts.isascii():
            counts = counts.encode()
        if type(counts) is not bytes:
            return None
        plain.append({"size": shape["size"], "counts": counts})
    masks = LooseMasks.read(plain)
    return None if masks is None else (masks.areas(), masks.boxes())


def _complete_box(result: Any, number: int) -> None:
    box = result["bbox"]
    left, right, top, bottom = box[0], box[0] + box[2], box[1], box[1] + box[3]
    if "segmentation" not in result:
        result["segmentation"] = [[left, top, left, bottom, right, bottom, right, top]]
    # Also where there is a mask.
    result["area"] = box[2] * box[3]
    result["id"] = number
    result["iscrowd"] = 0


def _complete_keypoints(result: Any, number: int) -> None:
    numbers = result["keypoints"]
    x, y = numbers[0::3], numbers[1::3]
    left, right, top, bottom = np.min(x), np.max(x), np.min(y), np.max(y)
    result["area"] = (right - left) * (bottom - top)
    result["id"] = number
    result["bbox"] = [left, top, right - left, bottom - top]


def compress(annotations: Any, to_rle: Callable[[Any], Any], images: Any = None) -> None:
    """Put compressed masks in the place of what annotations of a data set have.

    Parameters
    ----------
    annotations : list of dict
        Of the data set.
    to_rle : callable
        Gives the mask of an annotation.
    images : mapping, optional
        The images by id, where `to_rle` is the usual one, so that it need not be asked for each.
    """
    with no_collection():
        if (
            type(annotations) is list
            and type(images) is dict
            and mask_api.frPyObjects is frPyObjects
            and mask_api.merge is merge
            and _core.compress_masks(annotations, images, to_rle)
        ):
            return
        for each in annotations:
            each["segmentation"] = to_rle(each)
