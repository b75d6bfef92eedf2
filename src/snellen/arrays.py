"""The only place that meets NumPy, torch, JAX, Arrow and data frames.

No framework is imported here: an array of one can only come from a program that imported it
already, and each knows how to become a NumPy array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["to_finite", "to_flags", "to_numpy"]


def to_numpy(value: Any, name: str, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return any array-like as a contiguous NumPy array on the host.

    Parameters
    ----------
    value : array-like
        A NumPy array, a torch tensor on any device, a JAX array, an Arrow array, a data frame
        column, or nested lists.
    name : str
        What it is, for messages.
    dtype : numpy dtype, optional
        What to convert to.

    Raises
    ------
    InputError
        Where the value is no array of numbers or texts.
    """
    if not isinstance(value, np.ndarray):
        value = _host_array(value)
    try:
        array = np.asarray(value)
        if dtype is not None and array.dtype.kind in "OUSmMc":
            raise TypeError(f"expected numbers, got {array.dtype}")
        return (
            np.ascontiguousarray(array, dtype) if array.ndim else array.astype(dtype or array.dtype)
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"expected an array: {error}", name) from error


def _host_array(value: Any) -> Any:
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a torch tensor
        tensor = value.detach().cpu()
        # NumPy has no bfloat16; every value of it is a float32.
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    if hasattr(value, "to_numpy"):  # Arrow, pandas, polars
        return value.to_numpy()
    return value


def to_finite(value: Any, name: str, *, width: int | None = None) -> NDArray[np.float64]:
    """Return float64 numbers, checked: one axis, or rows of `width`; no NaN, no infinity.

    Raises
    ------
    ShapeError
        For other shapes; an empty array of any shape has no rows.
    InputError
        For values that are not finite; the first place is named.
    """
    array = to_numpy(value, name, np.float64)
    if array.size == 0:
        return np.zeros((0,) if width is None else (0, width))
    wanted = "(n,)" if width is None else f"(n, {width})"
    if array.ndim != (1 if width is None else 2) or (width and array.shape[1] != width):
        raise ShapeError(f"expected shape {wanted}, got {array.shape}", name)
    finite = np.isfinite(array)
    if not finite.all():
        at = np.argwhere(~finite)[0].tolist()
        raise InputError(
            f"expected finite numbers, got {array[tuple(at)]}", f"{name}[{', '.join(map(str, at))}]"
        )
    return array


def to_flags(value: Any, name: str) -> NDArray[np.uint8]:
    """Return one uint8 of 0 or 1 for each value: anything but 0 counts as set."""
    array = to_numpy(value, name)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biuf"):
        raise ShapeError(f"expected flags in one axis, got {array.dtype} {array.shape}", name)
    flags: NDArray[np.uint8] = (array != 0).astype(np.uint8)
    return flags
