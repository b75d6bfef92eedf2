"""Label images as codes: the position of each pixel's class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.errors import ClassError, InputError
from snellen.segmentation.label_scheme import MOST_CLASSES
from snellen.segmentation.stray_values import stray_report

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.segmentation.label_scheme import Encoding

__all__ = ["label_codes"]

# The types that the kernel takes; each other one goes with the smallest that holds its values.
_KERNEL_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("bool", "uint8"), np.uint8),
    "uint16": np.uint16,
    **dict.fromkeys(("int8", "int16", "int32"), np.int32),
    **dict.fromkeys(("uint32", "int64", "uint64"), np.int64),
}


def label_codes(
    maps: NDArray[Any], name: str, encoding: Encoding, n_classes: int, *, is_batch: bool
) -> NDArray[Any]:
    """Return label images as positions in the classes.

    Parameters
    ----------
    maps : ndarray, shape (N, H, W)
        Values of pixels: whole numbers of any type.
    name : str
        What they are: ``"truth"`` or ``"pred"``.
    encoding : Encoding
        What values mean.
    n_classes : int
        The number K of classes.
    is_batch : bool
        Whether places in messages have the number of the image.

    Returns
    -------
    ndarray, shape (N, H, W), uint8, or uint16 for more than 255 classes
        Positions; K for pixels of no class.

    Raises
    ------
    ClassError
        For values that are no class: which, of how many pixels, and where the first one is.
    InputError
        For more than 65,535 values that mean something.
    """
    if maps.dtype == np.uint64:  # what int64 cannot hold must not become something else
        maps = np.minimum(maps, np.iinfo(np.int64).max)
    maps = np.ascontiguousarray(maps, _KERNEL_TYPES[maps.dtype.name])
    values = encoding.values
    meaning = encoding.codes_of(values, pred=name == "pred")
    is_class = meaning >= 0
    void: list[int] = values[~is_class].tolist()
    in_order = meaning[is_class].tolist() == list(range(n_classes))
    known, ignored = values, None
    if in_order and len(void) < 2:
        known, ignored = values[is_class], (void[0] if void else None)
    if len(known) > MOST_CLASSES:
        raise InputError(
            f"expected up to {MOST_CLASSES:,} values of classes and of void, got {len(known):,}"
        )
    codes, unknown, _ = _core.label_codes(maps.reshape(-1), known, ignored)
    if len(unknown):
        raise _unknown_values(maps, unknown, encoding, name, is_batch=is_batch)
    if known is values:  # positions of values so far
        dtype = np.uint8 if n_classes <= np.iinfo(np.uint8).max else np.uint16
        codes = np.where(is_class, meaning, n_classes).astype(dtype)[codes]
    found: NDArray[Any] = codes.reshape(maps.shape)
    return found


def _unknown_values(
    maps: NDArray[Any],
    unknown: NDArray[np.int64],
    encoding: Encoding,
    name: str,
    *,
    is_batch: bool,
) -> ClassError:
    """Return what is wrong with values, and where the first one is."""
    image, row, column = np.argwhere(np.isin(maps, unknown))[0].tolist()
    place = [image, row, column] if is_batch else [row, column]
    return ClassError(
        stray_report(*np.unique(maps, return_counts=True), encoding),
        f"{name}[{', '.join(map(str, place))}]",
    )
