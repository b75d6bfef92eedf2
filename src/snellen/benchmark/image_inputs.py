"""What the shape of a network's input says of its images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.benchmark.preprocessing_settings import Takes
from snellen.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.preprocessing import Kind, Preprocessing

__all__ = ["check_batch", "image_shapes", "notes_of_fixed", "parts_of", "takes_of"]

_COLOURS: Final = (1, 3)
_NUMBERS: Final = ("float32", "float64", "float16", "bfloat16")


def takes_of(shape: Sequence[int | None], dtype: str, name: str, place: str) -> Takes:
    """Return what a network says of its images.

    Images have channels and two axes; grey ones may lack the channel, and small squares of them
    may come as rows of numbers.

    Parameters
    ----------
    shape : sequence of int or None
        Of its input, with the axis of the batch; None for a length that may be any.
    dtype : str
        The name of its type, as of torch.
    name, place : str
        The input and the model, for messages.

    Raises
    ------
    ShapeError
        For what is no image.
    """
    if dtype not in ("uint8", *_NUMBERS):
        raise ShapeError(
            f"expected a network that takes numbers or bytes (uint8, {', '.join(_NUMBERS)}), got "
            f"{dtype} for {name}",
            place,
        )
    kind: Kind = "uint8" if dtype == "uint8" else "float32"
    if len(shape) == 4:
        _, first, middle, last = shape
        if last in _COLOURS and first not in _COLOURS:
            return Takes(first, middle, last, "channels_last", kind)
        if first in _COLOURS:
            return Takes(middle, last, first, "channels_first", kind)
        if first is last is None:  # then it can be either
            return Takes(dtype=kind)
        if first is None:
            return Takes(middle, last, None, "channels_first", kind)
        if last is None:
            return Takes(first, middle, None, "channels_last", kind)
    if len(shape) == 3:
        return Takes(shape[1], shape[2], 1, None, kind)
    n = shape[1] if len(shape) == 2 else None
    if n is not None and math.isqrt(n) ** 2 == n:
        return Takes(math.isqrt(n), math.isqrt(n), 1, None, kind)
    shown = ", ".join("any" if length is None else str(length) for length in shape)
    raise ShapeError(
        f"expected a network of images, (N, 1 or 3, H, W) or (N, H, W, 1 or 3), {name} is "
        f"({shown})",
        place,
    )


def image_shapes(
    preprocessing: Preprocessing, n_axes: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of an image in a batch, and as a network takes it whose input has n axes."""
    channels, size = preprocessing.n_channels, (preprocessing.height, preprocessing.width)
    first = preprocessing.layout == "channels_first"
    in_batch = (channels, *size) if first else (*size, channels)
    return in_batch, {2: (math.prod(in_batch),), 3: size}.get(n_axes, in_batch)


def check_batch(batch: NDArray[Any], in_batch: tuple[int, ...], place: str) -> None:
    """Refuse a batch of another shape, and an empty one.

    Raises
    ------
    ShapeError
    """
    if batch.shape[1:] != in_batch or not len(batch):
        wanted = ", ".join(map(str, in_batch))
        raise ShapeError(f"expected a batch (n, {wanted}), got {batch.shape}", place)


def parts_of(batch: NDArray[Any], fixed: int | None) -> Iterator[NDArray[Any]]:
    """Yield a batch as a network takes it that takes a fixed number of images.

    The last part is filled up with zeros. Where any number is taken, it is all of it.
    """
    if fixed is None:
        yield batch
        return
    for start in range(0, len(batch), fixed):
        part = batch[start : start + fixed]
        if len(part) < fixed:
            missing = np.zeros((fixed - len(part), *part.shape[1:]), part.dtype)
            part = np.concatenate([part, missing])
        yield part


def notes_of_fixed(fixed: int | None) -> list[str]:
    """Return what people should know of a network that takes a fixed number of images."""
    if fixed is None:
        return []
    many = "one image" if fixed == 1 else f"{fixed} images"
    return [f"it takes {many} at a time, whatever the size of a batch"]
