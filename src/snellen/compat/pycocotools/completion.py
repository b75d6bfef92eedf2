"""What results and truth lack before they can be evaluated, put into their dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools import mask as mask_api
from snellen.compat.pycocotools.documents import no_collection

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["complete", "compress", "has_shapes"]


def has_shapes(result: Any) -> bool:
    """Whether a result has a box, a mask or keypoints."""
    return any(key in result for key in _BY_SHAPE)


def complete(results: list[Any]) -> None:
    """Give results what annotations have: an id, an area, a box or a mask.

    The first one says of which kind all are.
    """
    if "caption" in results[0]:
        for i, each in enumerate(results):
            each["id"] = i + 1
        return
    for key, complete_one in _BY_SHAPE.items():
        if key not in results[0] or (key == "bbox" and results[0]["bbox"] == []):
            continue
        if key != "bbox" or not _core.complete_boxes(results, crowds=True):
            for i, each in enumerate(results):
                complete_one(each, i + 1)
        return


def _complete_box(result: Any, number: int) -> None:
    box = result["bbox"]
    left, right, top, bottom = box[0], box[0] + box[2], box[1], box[1] + box[3]
    if "segmentation" not in result:
        result["segmentation"] = [[left, top, left, bottom, right, bottom, right, top]]
    # Also where there is a mask.
    result["area"] = box[2] * box[3]
    result["id"] = number
    result["iscrowd"] = 0


def _complete_mask(result: Any, number: int) -> None:
    result["area"] = mask_api.area(result["segmentation"])
    if "bbox" not in result:
        result["bbox"] = mask_api.toBbox(result["segmentation"])
    result["id"] = number
    result["iscrowd"] = 0


def _complete_keypoints(result: Any, number: int) -> None:
    numbers = result["keypoints"]
    x, y = numbers[0::3], numbers[1::3]
    left, right, top, bottom = np.min(x), np.max(x), np.min(y), np.max(y)
    result["area"] = (right - left) * (bottom - top)
    result["id"] = number
    result["bbox"] = [left, top, right - left, bottom - top]


_BY_SHAPE = {
    "bbox": _complete_box,
    "segmentation": _complete_mask,
    "keypoints": _complete_keypoints,
}


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
            and _core.compress_masks(annotations, images, to_rle)
        ):
            return
        for each in annotations:
            each["segmentation"] = to_rle(each)
