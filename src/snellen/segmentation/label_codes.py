"""Label images of class ids as codes: the position of each pixel's class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.errors import ClassError, InputError, ShapeError, first_few

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes

__all__ = ["MOST_CLASSES", "label_codes"]

MOST_CLASSES: Final = 2**16 - 1

# The types that the kernel takes; each other one goes with the smallest that holds its values.
_KERNEL_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("bool", "uint8"), np.uint8),
    "uint16": np.uint16,
    **dict.fromkeys(("int8", "int16", "int32"), np.int32),
    **dict.fromkeys(("uint32", "int64", "uint64"), np.int64),
}
# From so many unknown ids on, an image was hardly drawn with these.
_MANY = 8


def label_codes(
    labels: ArrayLike, name: str, classes: Classes, ignore_index: int | None
) -> NDArray[Any]:
    """Return label images as positions in the classes.

    Parameters
    ----------
    labels : array-like, shape (H, W) or (N, H, W)
        Class ids: whole numbers of any type, of NumPy or torch.
    name : str
        What they are, for messages: ``"truth"``.
    classes : Classes
        The K classes; their ids are whole numbers.
    ignore_index : int or None
        The id of pixels of no class.

    Returns
    -------
    ndarray, shape (N, H, W), uint8 or uint16
        Positions; K for pixels of no class.

    Raises
    ------
    ShapeError, InputError
        For what is no label image.
    ClassError
        For ids that are no class: which, of how many pixels, and where the first one is.
    """
    array = to_numpy(labels, name)
    if array.dtype.kind not in "biu":
        raise InputError(
            f"expected class ids as whole numbers, got {array.dtype}: "
            "of scores give the class of the highest (argmax)",
            name,
        )
    if array.ndim not in (2, 3) or 0 in array.shape[-2:]:
        raise ShapeError(
            f"expected label images of shape (H, W) or (N, H, W), got {array.shape}", name
        )
    ids = classes.keys.ids.astype(np.int64)
    images = array[None] if array.ndim == 2 else array
    if array.dtype == np.uint64:  # what int64 cannot hold must not become something else
        images = np.minimum(images, np.iinfo(np.int64).max)
    images = images.astype(_KERNEL_TYPES[array.dtype.name], copy=False)
    codes, unknown, counts = _core.label_codes(images.reshape(-1), ids, ignore_index)
    if len(unknown):
        raise _unknown_ids(images, unknown, counts, classes, name, is_batch=array.ndim == 3)
    return codes.reshape(images.shape)


def _unknown_ids(
    images: NDArray[Any],
    unknown: NDArray[np.int64],
    counts: NDArray[np.int64],
    classes: Classes,
    name: str,
    *,
    is_batch: bool,
) -> ClassError:
    some = [
        f"{label} ({n:,} pixel{'' if n == 1 else 's'})"
        for label, n in zip(unknown.tolist(), counts.tolist(), strict=True)
    ]
    hint = (
        ". Was an image resized with interpolation, or saved as JPEG?"
        if len(unknown) >= _MANY
        else ""
    )
    image, row, column = np.argwhere(np.isin(images, unknown))[0].tolist()
    place = [image, row, column] if is_batch else [row, column]
    return ClassError(
        f"expected ids of the {len(classes)} classes or of no class, "
        f"got {len(unknown)} other: {first_few(some)}{hint}",
        f"{name}[{', '.join(map(str, place))}]",
    )
