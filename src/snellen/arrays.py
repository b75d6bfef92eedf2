"""The only place that meets NumPy, torch, JAX, Arrow and data frames.

No framework of arrays is imported here: an array of one can only come from a program that imported
it already, and each knows how to become a NumPy array. Pandas is, once a data frame is asked for.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError, MissingExtraError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "data_frame",
    "device_of",
    "is_array",
    "tensor_pair_counts",
    "tensor_top_class",
    "to_device",
    "to_finite",
    "to_flags",
    "to_numpy",
]

# DLPack's numbers of devices whose memory is the host's: CPU, and pinned for CUDA and for ROCm.
_ON_HOST = (1, 3, 11)
# Tensors are counted so many pixels at a time: it bounds the memory that a device must have free.
_PIXELS_AT_ONCE = 1 << 22
# Up to so many cells a device counts into a table; beyond, it sorts.
_TABLE_CELLS = 1 << 20


def to_numpy(
    value: Any, name: str, dtype: DTypeLike | None = None, *, contiguous: bool = True
) -> NDArray[Any]:
    """Return any array-like as a NumPy array on the host.

    Parameters
    ----------
    value : array-like
        A NumPy array, a torch tensor on any device, an array of JAX, CuPy or another library with
        ``__array__`` or DLPack, an Arrow array, a data frame column, or nested lists.
    name : str
        What it is, for messages.
    dtype : numpy dtype, optional
        What to convert to.
    contiguous : bool
        Whether an array with gaps or in another order of axes is copied.

    Raises
    ------
    InputError
        Where the value is no array of numbers or texts.
    """
    try:
        array = np.asarray(value if isinstance(value, np.ndarray) else _host_array(value))
        if array.dtype.name == "bfloat16":  # of JAX, by ml_dtypes
            array = array.astype(np.float32)
        if dtype is not None and array.dtype.kind in "OUSmMc":
            raise TypeError(f"expected numbers, got {array.dtype}")
        if not contiguous:
            return array if dtype is None else array.astype(dtype, copy=False)
        return (
            np.ascontiguousarray(array, dtype) if array.ndim else array.astype(dtype or array.dtype)
        )
    # What libraries raise that have the array: of their own kinds, those derive from these.
    except (TypeError, ValueError, OverflowError, RuntimeError, BufferError) as error:
        raise InputError(f"expected an array: {error}", name) from error


def is_array(value: Any) -> bool:
    """Return whether a value is an array of NumPy, a tensor, or an array of another library."""
    return hasattr(value, "__dlpack__") or hasattr(value, "__array__")


def _host_array(value: Any) -> Any:
    if isinstance(value, (list, tuple)):  # of tensors, or of what NumPy takes as it is
        return [_host_array(each) for each in value] if _is_tensor(value[:1]) else value
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a torch tensor
        tensor = value.detach().cpu()
        # NumPy has no bfloat16; every value of it is a float32.
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    if type(value).__module__.startswith("pyarrow"):
        return np.asarray(value)  # its `to_numpy` refuses what is copied: texts, flags, nulls
    if hasattr(value, "to_numpy"):  # pandas, polars
        return value.to_numpy()
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        return _from_dlpack(value)
    return value


def _is_tensor(first: Any) -> bool:
    return any(hasattr(each, "__dlpack__") and not isinstance(each, np.ndarray) for each in first)


def _from_dlpack(value: Any) -> Any:
    if hasattr(value, "__array__"):
        try:
            return np.asarray(value)  # JAX: also from a device, also bfloat16
        except TypeError:  # CuPy: only where it is said that a copy is wanted
            pass
    if value.__dlpack_device__()[0] in _ON_HOST:
        return np.from_dlpack(value)
    if hasattr(value, "get"):  # CuPy, with any release of NumPy
        return value.get()
    return np.from_dlpack(value, device="cpu")


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
    """Return one uint8 of 0 or 1 for each value: any number but 0 counts as set.

    Raises
    ------
    ShapeError
        For other shapes, and for what are neither flags nor numbers.
    InputError
        For NaN, as which what is missing comes; the first place is named.
    """
    array = to_numpy(value, name)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biuf"):
        raise ShapeError(f"expected flags in one axis, got {array.dtype} {array.shape}", name)
    if array.dtype.kind == "f" and np.isnan(array).any():
        at = int(np.isnan(array).argmax())
        raise InputError("expected flags, got nan", f"{name}[{at}]")
    flags: NDArray[np.uint8] = (array != 0).astype(np.uint8)
    return flags


def data_frame(records: list[dict[str, Any]]) -> Any:
    """Return records as a pandas data frame, one row each.

    Raises
    ------
    MissingExtraError
        Where pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("pandas", "frame") from None
    return pd.DataFrame.from_records(records)


def device_of(value: Any) -> Any:
    """Return the device that a torch tensor lies on, or None for what lies on the host."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor) or value.device.type == "cpu":
        return None
    return value.device


def to_device(value: Any, device: Any, name: str) -> Any:
    """Return any array-like as a torch tensor on a device; only for a program that has torch."""
    torch = sys.modules["torch"]
    if isinstance(value, torch.Tensor):
        return value.detach().to(device)
    array = to_numpy(value, name)
    # torch warns of arrays that it must not write to, though nothing here would.
    return torch.as_tensor(array if array.flags.writeable else array.copy()).to(device)


def tensor_top_class(score: Any) -> tuple[Any, bool]:
    """Return the class of the highest score, found on the tensor's device.

    Parameters
    ----------
    score : torch.Tensor, shape (N, K, …)
        The score of each class.

    Returns
    -------
    ids : torch.Tensor, shape (N, …), uint8 or int32
        Of equal scores the lowest class.
    has_nan : bool
        Whether any score is NaN.
    """
    torch = sys.modules["torch"]
    if not score.is_floating_point():  # torch finds no maxima of flags and some integers
        score = score.to(torch.int64)
    highest, ids = score.max(dim=1)
    has_nan = score.is_floating_point() and bool(highest.isnan().any())
    return ids.to(torch.uint8 if score.shape[1] <= 256 else torch.int32), has_nan


def tensor_pair_counts(
    truth: Any, pred: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count pairs of values on the tensors' device; only the rows found come to the host.

    Parameters
    ----------
    truth, pred : torch.Tensor, shape (N, n_pixels), integers or bool
        On one device.

    Returns
    -------
    start, truth, pred, count : ndarray, int64
        As `_core.value_pairs` returns them.

    Raises
    ------
    InputError
        For values of 2^63 or more.
    """
    n_images, n_pixels = truth.shape
    groups = [(np.zeros(0, np.int64),) * 4]
    if n_pixels:
        step = max(1, _PIXELS_AT_ONCE // n_pixels)
        for first in range(0, n_images, step):
            image, *rest = _tensor_rows(truth[first : first + step], pred[first : first + step])
            groups.append((image + first, *rest))
    image, truth_value, pred_value, count = (
        np.concatenate(each) for each in zip(*groups, strict=True)
    )
    start = np.zeros(n_images + 1, np.int64)
    np.cumsum(np.bincount(image, minlength=n_images), out=start[1:])
    return start, truth_value, pred_value, count


def _tensor_rows(truth: Any, pred: Any) -> Any:
    """Return image, truth, pred and count of the pairs of some images, in this order."""
    torch = sys.modules["torch"]
    unsigned = [str(side.dtype) == "torch.uint64" for side in (truth, pred)]
    truth, pred = truth.to(torch.int64), pred.to(torch.int64)
    ends = torch.stack([*torch.aminmax(truth), *torch.aminmax(pred)]).tolist()
    for low, is_unsigned in zip(ends[::2], unsigned, strict=True):
        if low < 0 and is_unsigned:
            raise InputError(f"expected values below 2^63, got {low + 2**64}")
    n_truth, n_pred = ends[1] - ends[0] + 1, ends[3] - ends[2] + 1
    known = None
    if len(truth) * n_truth * n_pred < 2**63:
        truth, pred = truth - ends[0], pred - ends[2]
    else:  # no key holds such a pair: positions among the values that occur take their place
        truth_values, truth = torch.unique(truth, return_inverse=True)
        pred_values, pred = torch.unique(pred, return_inverse=True)
        n_truth, n_pred = len(truth_values), len(pred_values)
        known = truth_values, pred_values
    image = torch.arange(len(truth), device=truth.device)[:, None]
    key = ((image * n_truth + truth) * n_pred + pred).flatten()
    n_cells = len(truth) * n_truth * n_pred
    if n_cells <= _TABLE_CELLS:
        table = torch.bincount(key, minlength=n_cells)
        key = table.nonzero().flatten()
        count = table[key]
    else:
        key, count = torch.unique(key, return_counts=True)
    rest, pred = key // n_pred, key % n_pred
    image, truth = rest // n_truth, rest % n_truth
    if known is None:
        truth, pred = truth + ends[0], pred + ends[2]
    else:
        truth, pred = known[0][truth], known[1][pred]
    return torch.stack([image, truth, pred, count]).cpu().numpy()
