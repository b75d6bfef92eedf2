"""The functions of the extension module under ``pycocotools.mask``: lists in, lists out.

Numbers, types and order of what comes back, and the types of what is raised, are pycocotools'; what
it reads or writes outside its memory, or loops over for ever, is an error or nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen._core import LooseMasks, first_far_polygon, loose_box_iou
from snellen.compat.pycocotools.c_arguments import (
    check_buffer,
    int_argument,
    memory_of,
    size_argument,
    type_name,
)
from snellen.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "area",
    "decode",
    "encode",
    "frBbox",
    "frPoly",
    "frPyObjects",
    "frUncompressedRLE",
    "iou",
    "merge",
    "toBbox",
]

_ENDS = "expected masks whose runs have the same sum, got one that ends before another"
# What the grid of vertices, five times as fine as pixels, has room for in 32 bits.
_FAR = 2**30 // 5


def encode(mask: Any) -> list[dict[str, Any]]:
    """Return the masks of images (h, w, n)."""
    check_buffer(mask, "mask", np.uint8, 3, fortran=True)
    height, width, n = mask.shape
    pixels = mask.view(np.ndarray).view(np.uint8).reshape(-1, order="F")
    return LooseMasks.of_pixels(pixels, height, width, n).objects()


def decode(rleObjs: Any) -> NDArray[np.uint8]:  # noqa: N803  # the name in scripts
    """Return the pixels of masks, (h, w, n)."""
    masks = _read(rleObjs)
    if not len(masks):
        return np.zeros((0, 0, 0), np.uint8, order="F")
    pixels = masks.pixels()
    if pixels is None:
        raise ValueError("Invalid RLE mask representation")
    return pixels


def merge(rleObjs: Any, intersect: Any = 0) -> dict[str, Any]:  # noqa: N803
    """Return the union or the intersection of masks; of size 0 × 0 where theirs differ."""
    masks = _read(rleObjs)
    merged = masks.merged(int_argument(intersect) != 0)
    if merged is None:
        raise ValueError(_ENDS)
    return merged.objects()[0]


def area(rleObjs: Any) -> NDArray[np.uint32]:  # noqa: N803
    """Return the number of pixels in masks, (n,)."""
    return _read(rleObjs).areas()


def toBbox(rleObjs: Any) -> NDArray[np.float64]:  # noqa: N802, N803
    """Return the smallest box around masks, (n, 4)."""
    return _read(rleObjs).boxes()


def iou(dt: Any, gt: Any, pyiscrowd: Any) -> Any:
    """Return the IoU of every detection with every object.

    Parameters
    ----------
    dt, gt : list of dict, list of list, or ndarray of shape (n, 4)
        Masks, or boxes (left, top, width, height); both sides of one kind.
    pyiscrowd : sequence of n_gt flags
        Against a crowd the detection's own area stands for the union.

    Returns
    -------
    ndarray, shape (n_dt, n_gt), float64
        In Fortran's order; -1 for masks of different sizes whose boxes meet. An empty list where a
        side is empty.

    Raises
    ------
    AssertionError
        For another number of flags than objects.
    Exception
        For sides that are neither masks nor boxes, or one of each.
    """
    crowd = np.array(pyiscrowd, dtype=np.uint8)
    check_buffer(crowd, "iscrowd", np.uint8, 1)
    pred, truth = _side(dt), _side(gt)
    if len(pyiscrowd) != len(truth):
        raise AssertionError("iou(iscrowd=) must have the same length as gt")
    if not len(pred) or not len(truth):
        return []
    if type(pred) is not type(truth):
        raise Exception(
            "The dt and gt should have the same data type, either RLEs, list or np.ndarray"
        )
    if isinstance(pred, LooseMasks):
        found = pred.iou(truth, crowd)
        if found is None:
            raise ValueError(_ENDS)
        return found
    for boxes in (pred, truth):
        check_buffer(boxes, "boxes", np.float64, 2)
    return loose_box_iou(pred.ravel(order="K"), truth.ravel(order="K"), crowd)


def frBbox(bb: Any, h: Any, w: Any) -> list[dict[str, Any]]:  # noqa: N802
    """Return the masks of boxes (left, top, width, height), an array (n, 4)."""
    height, width = size_argument(h), size_argument(w)
    check_buffer(bb, "bb", np.float64, 2)
    left, top, right, bottom = memory_of(bb).reshape(-1, 4).T
    with np.errstate(all="ignore"):
        right = left + right
        bottom = top + bottom
    corners = np.stack([left, top, left, bottom, right, bottom, right, top], axis=1)
    begin = np.arange(len(corners) + 1, dtype=np.int64) * 4
    return _of_polygons(corners.ravel(), begin, height, width)


def frPoly(poly: Any, h: Any, w: Any) -> list[dict[str, Any]]:  # noqa: N802
    """Return the masks of polygons, each x, y, x, y …; a number without its other is left out."""
    height, width = size_argument(h), size_argument(w)
    len(poly)  # what has no length is refused before its first polygon
    begin = [0]
    parts = []
    for each in poly:
        numbers = np.array(each, dtype=np.float64, order="F")
        check_buffer(numbers, "np_poly", np.float64, 1)
        n = len(numbers) // 2
        parts.append(numbers[: 2 * n])
        begin.append(begin[-1] + n)
    xy = parts[0] if len(parts) == 1 else np.concatenate([*parts, np.zeros(0)])
    return _of_polygons(xy, np.array(begin, np.int64), height, width)


def frUncompressedRLE(ucRles: Any, h: Any, w: Any) -> list[dict[str, Any]]:  # noqa: N802, N803
    """Return masks whose ``counts`` are lists of runs, compressed; h and w are not used."""
    size_argument(h), size_argument(w)
    found = []
    for i in range(len(ucRles)):
        runs = np.array(ucRles[i]["counts"], dtype=np.uint32)
        check_buffer(runs, "cnts", np.uint32, 1)
        height = size_argument(ucRles[i]["size"][0])
        width = size_argument(ucRles[i]["size"][1])
        found.append(LooseMasks.of_runs(runs, height, width).objects()[0])
    return found


def frPyObjects(pyobj: Any, h: Any, w: Any) -> Any:  # noqa: N802
    """Return the masks of boxes, polygons or lists of runs.

    Parameters
    ----------
    pyobj : ndarray, list or dict
        An array (n, 4) of boxes, a list of polygons whose first has more than four numbers, a list
        of dicts of ``size`` and ``counts``, or one such dict.
    h, w : int
        Height and width of the image.

    Returns
    -------
    list of dict, or dict

    Raises
    ------
    Exception
        For other objects.
    TypeError
        For a list of lists of four numbers, which pycocotools 2.0.11 does not take either.
    """
    if type(pyobj) is np.ndarray:
        return frBbox(pyobj, h, w)
    if type(pyobj) is list:
        first = pyobj[0]
        if len(first) == 4:
            return frBbox(pyobj, h, w)
        if len(first) > 4:
            return frPoly(pyobj, h, w)
        if type(first) is dict and "counts" in first and "size" in first:
            return frUncompressedRLE(pyobj, h, w)
        if len(pyobj) == 4:
            return frBbox([pyobj], h, w)[0]
        if len(pyobj) > 4:
            return frPoly([pyobj], h, w)[0]
    elif type(pyobj) is dict and "counts" in pyobj and "size" in pyobj:
        return frUncompressedRLE([pyobj], h, w)[0]
    raise Exception("input type is not supported.")


def _read(masks: Any) -> LooseMasks:
    """Return the runs of mappings; texts and sizes of other types are judged one by one."""
    found = LooseMasks.read(masks)
    if found is not None:
        return found
    len(masks)
    plain = []
    for each in masks:
        counts = each["counts"]
        if type(counts) is str:
            counts = counts.encode()
        if counts is None:
            raise TypeError("expected bytes, NoneType found")
        if type(counts) is not bytes:
            raise TypeError(f"Expected bytes, got {type_name(counts)}")
        size = [size_argument(each["size"][0]), size_argument(each["size"][1])]
        plain.append({"size": size, "counts": counts})
    found = LooseMasks.read(plain)
    if found is None:
        raise OverflowError("expected sizes below 2^63")
    return found


def _of_polygons(
    xy: NDArray[np.float64], begin: NDArray[np.int64], height: int, width: int
) -> list[dict[str, Any]]:
    # pycocotools subtracts them all the same, and fills gigabytes with an edge.
    far = first_far_polygon(xy, begin)
    if far < len(begin) - 1:
        raise InputError(
            f"expected vertices between -{_FAR} and {_FAR}, got others", f"polygon {far}"
        )
    return LooseMasks.of_polygons(xy, begin, height, width).objects()


def _side(objects: Any) -> Any:
    """Return boxes as an array, masks as their runs, and what is empty as it is."""
    if len(objects) == 0:
        return objects
    if type(objects) is np.ndarray:
        if objects.ndim == 1:
            objects = objects.reshape((objects[0], 1))
        if objects.ndim != 2 or objects.shape[1] != 4:
            raise Exception(
                "numpy ndarray input is only for *bounding boxes* and should have Nx4 dimension"
            )
        return objects.astype(np.float64)
    if type(objects) is not list:
        raise Exception(
            "unrecognized type.  The following type: RLEs (rle), np.ndarray (box), and list (box) "
            "are supported."
        )
    masks = LooseMasks.read(objects)
    if masks is not None:
        return masks
    lengths = {len(each) for each in objects}
    if lengths == {4} and all(type(each) in (list, np.ndarray) for each in objects):
        return np.array(objects, dtype=np.float64)
    if all(type(each) is dict for each in objects):
        return _read(objects)
    raise Exception("list input can be bounding box (Nx4) or RLEs ([RLE])")
