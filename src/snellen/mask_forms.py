"""The forms in which masks are given: what is none of them is refused, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.errors import InputError, SchemaError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "image_stack",
    "run_list",
    "run_offsets",
    "size_of",
    "size_text",
    "sizes_of",
    "vertices_of",
]

_MOST_PIXELS = 2**32 - 1


def size_text(size: Iterable[int]) -> str:
    """Return a height and a width as errors write them."""
    return " × ".join(str(int(each)) for each in size)


def size_of(size: Any, place: str) -> tuple[int, int]:
    """Return height and width of one image."""
    try:
        height, width = (int(each) for each in size)
        whole = [height, width] == list(size)
    except (TypeError, ValueError, OverflowError):  # of an infinite one
        whole = False
    if not whole or height < 0 or width < 0 or max(height, width) >= 2**31:
        raise SchemaError(f"expected a size of height and width, got {size!r}", place)
    if height * width > _MOST_PIXELS:
        raise SchemaError(
            f"expected an image of less than 2^32 pixels, got {height * width}", place
        )
    return height, width


def sizes_of(size: ArrayLike, n: int, place: str) -> NDArray[np.int32]:
    """Return height and width of n images, given once or for each."""
    try:
        sizes = np.asarray(size)
    except ValueError:
        sizes = np.zeros(0, np.object_)
    if n == 0 and not sizes.size:
        return np.zeros((0, 2), np.int32)
    if sizes.shape not in ((2,), (n, 2)) or sizes.dtype.kind not in "iu":
        raise SchemaError(
            f"expected height and width as whole numbers, once or for each of {n} objects, got "
            f"shape {sizes.shape} of {sizes.dtype}",
            f"size of {place}",
        )
    wide = np.broadcast_to(sizes, (n, 2)).astype(np.int64)
    if ((wide < 0) | (wide >= 2**31)).any() or (wide[:, 0] * wide[:, 1] > _MOST_PIXELS).any():
        raise SchemaError(
            "expected heights and widths from 0 on, of less than 2^32 pixels", f"size of {place}"
        )
    return wide.astype(np.int32, order="C")


def vertices_of(shape: ArrayLike, place: str) -> NDArray[np.float64]:
    """Return the vertices of a polygon, (n, 2)."""
    try:
        numbers = np.asarray(shape)
    except ValueError:
        numbers = np.zeros(0, np.object_)
    paired = numbers.ndim == 2 and numbers.shape[1] == 2
    flat = numbers.ndim == 1 and len(numbers) % 2 == 0
    if numbers.dtype.kind not in "iuf" or not (paired or flat):
        raise SchemaError(
            f"expected the numbers x, y, x, y … of a polygon, got {shape!r:.60}", place
        )
    return numbers.astype(np.float64).reshape(-1, 2)


def run_list(counts: Any, place: str) -> NDArray[np.uint32]:
    """Return the runs of a list of whole numbers."""
    try:
        runs = np.asarray(counts)
    except ValueError:
        runs = np.zeros(0, np.object_)
    if not runs.size and runs.dtype != np.object_:
        return np.zeros(0, np.uint32)
    if runs.ndim != 1 or runs.dtype.kind not in "iu":
        raise SchemaError(
            f"expected run lengths as text or as a list of whole numbers, got {counts!r:.60}", place
        )
    if runs.dtype != np.uint32 and (int(runs.min()) < 0 or int(runs.max()) > _MOST_PIXELS):
        raise SchemaError("expected runs from 0 on, below 2^32", place)
    return np.ascontiguousarray(runs, np.uint32)


def run_offsets(offset: ArrayLike, n_runs: int, place: str) -> NDArray[np.int64]:
    """Return where the runs of each mask begin among joined ones, and the end of the last."""
    try:
        given = np.asarray(offset)
    except ValueError:
        given = np.zeros(0, np.object_)
    if given.ndim == 1 and given.size and given.dtype.kind in "iu":
        bounds = np.ascontiguousarray(given, np.int64)
        if bounds[0] == 0 and bounds[-1] == n_runs and (bounds[:-1] <= bounds[1:]).all():
            return bounds
    raise SchemaError(
        f"expected whole numbers that ascend from 0 to {n_runs}, the number of runs, got "
        f"{offset!r:.60}",
        f"offset of {place}",
    )


def image_stack(value: Any, name: str, what: str) -> NDArray[Any]:
    """Return flags or whole numbers of images, (n, height, width)."""
    array = to_numpy(value, name)
    if array.ndim != 3:
        raise ShapeError(f"expected {what} (n, height, width), got shape {array.shape}", name)
    if array.dtype.kind not in "biu":
        raise InputError(f"expected flags or whole numbers, got {array.dtype}", name)
    if array.shape[1] * array.shape[2] > _MOST_PIXELS:
        raise InputError("expected images of less than 2^32 pixels", name)
    return array
