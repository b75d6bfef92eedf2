"""Truth and predictions of pixels as maps of labels: the one place that says what is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.arrays import device_of, tensor_top_class, to_device, to_numpy
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LabelMaps", "label_maps"]

# Pixels whose scores are looked at in one go: planes of them fit the cache.
_BLOCK: Final = 1 << 15
# A map that is three or four pixels wide and so high is taken for colours, unless it is said.
_HIGH: Final = 16


class LabelMaps(NamedTuple):
    """Both sides of N images of one size, as values of pixels.

    NumPy arrays; or torch tensors on one device, where either side lay on a device.

    Attributes
    ----------
    truth, pred : array, shape (N, H, W), integers or bool; colours: (N, H, W, 3), uint8
        The values.
    truth_classes, pred_classes : int or None
        The number K of classes, where the side came as one-hot or scores: its values are positions
        0 … K − 1. None where it came as labels or colours.
    """

    truth: Any
    pred: Any
    truth_classes: int | None
    pred_classes: int | None


def label_maps(
    truth: ArrayLike,
    pred: ArrayLike,
    *,
    colours: bool | tuple[bool, bool] | None = None,
) -> LabelMaps:
    """Return both sides of a batch as maps of labels.

    Parameters
    ----------
    truth : array-like, shape (H, W) or (N, H, W); (N, K, H, W)
        Labels: integers or flags. With four axes it is one-hot: exactly one class of each pixel is
        1, the rest 0.
    pred : array-like, shape of the labels of truth; or with an axis of K >= 2 classes before H
        Labels: integers or flags. With one more axis, (K, H, W) or (N, K, H, W), scores of any
        real type, of which the highest decides (of equal ones the lowest class); flags are
        one-hot.
    colours : bool or (bool, bool), optional
        Whether the sides (truth, pred) are colours: uint8 with R, G, B as the last axis. Without,
        uint8 arrays that look like colours (a last axis of 3 or 4, 16 or more before) are refused.

    Raises
    ------
    ShapeError
        For shapes that don't fit, naming both.
    InputError
        For what is no label: fractions, NaN among scores, one-hot with none or several classes of
        a pixel.

    Notes
    -----
    Each may be a NumPy array, nested lists, a torch tensor on any device, a JAX array. Labels that
    are tensors of the host or NumPy arrays are not copied. Where one side lies on another device,
    all is done there.
    """
    said = colours if isinstance(colours, tuple) else (colours, colours)
    device = device_of(pred) or device_of(truth)
    sides = [
        _array(value, name) if device is None else to_device(value, device, name)
        for value, name in ((truth, "truth"), (pred, "pred"))
    ]
    for side, is_colours, name in zip(sides, said, ("truth", "pred"), strict=True):
        _check_colours(side, is_colours, name)
    n_truth, n_pred = _class_axes(tuple(sides[0].shape), tuple(sides[1].shape), said)
    return LabelMaps(
        _maps(sides[0], bool(said[0]), n_truth, "truth"),
        _maps(sides[1], bool(said[1]), n_pred, "pred"),
        n_truth,
        n_pred,
    )


def _class_axes(
    truth: tuple[int, ...], pred: tuple[int, ...], colours: tuple[bool | None, bool | None]
) -> tuple[int | None, int | None]:
    """Return how many classes the axis of classes of either side has; None without such an axis."""
    n_truth = n_pred = None
    size = truth[:-1] if colours[0] else truth
    if len(size) == 4:
        n_truth, size = size[1], (size[0], *size[2:])
    if len(size) not in (2, 3):
        raise ShapeError(f"expected label maps of shape (H, W) or (N, H, W), got {truth}", "truth")
    if colours[1]:
        fits = pred == (*size, 3)
    elif len(pred) == len(size) + 1:
        n_pred = pred[-3]
        fits = (*pred[:-3], *pred[-2:]) == size
    else:
        fits = pred == size
    if not fits:
        raise ShapeError(_misfit(truth, size, pred), "pred")
    return n_truth, n_pred


def _maps(side: Any, is_colours: bool, n_classes: int | None, name: str) -> Any:
    """Return a side as maps (N, H, W) of labels, or (N, H, W, 3) of colours."""
    kind = _kind(side)
    if n_classes is not None:
        return _top_classes(side if side.ndim == 4 else side[None], kind, name)
    if kind not in "biu":
        raise InputError(
            f"expected whole numbers as labels, got {side.dtype} of shape {tuple(side.shape)}: "
            "make class ids integers; scores have an axis of classes, (N, K, H, W) or (K, H, W)",
            name,
        )
    return side[None] if side.ndim == (3 if is_colours else 2) else side


def _array(value: Any, name: str) -> NDArray[Any]:
    array = to_numpy(value, name, contiguous=False)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _kind(array: Any) -> str:
    """Return the letter that NumPy has for the type of an array or tensor."""
    if isinstance(array, np.ndarray):
        return str(array.dtype.kind)
    if array.is_floating_point():
        return "f"
    if array.is_complex():
        return "c"
    return "b" if str(array.dtype) == "torch.bool" else "i"


def _check_colours(side: Any, said: bool | None, name: str) -> None:
    shape, dtype = tuple(side.shape), str(side.dtype)
    is_bytes = dtype in ("uint8", "torch.uint8")
    if said and not (is_bytes and len(shape) in (3, 4) and shape[-1] == 3):
        raise ShapeError(
            f"expected colours as uint8 of shape (H, W, 3) or (N, H, W, 3), got {dtype} {shape}",
            name,
        )
    looks_so = is_bytes and len(shape) in (3, 4) and shape[-1] in (3, 4) and shape[-2] >= _HIGH
    if said is None and looks_so:
        raise ShapeError(
            f"expected labels, got uint8 of shape {shape}, which look like colours: say "
            f"colours=True if they are R, G, B, or colours=False if the maps are {shape[-1]} "
            "pixels wide",
            name,
        )


def _misfit(given: tuple[int, ...], size: tuple[int, ...], pred: tuple[int, ...]) -> str:
    scores = (*size[:-2], "K", *size[-2:])
    shown = ", ".join(map(str, scores))
    text = f"expected labels of shape {size} or scores ({shown}) for truth {given}, got {pred}"
    if len(pred) == len(size) + 1 and pred[:-1] == size:
        text += ": move the axis of classes before H, as in numpy.moveaxis(pred, -1, -3)"
    elif len(pred) == len(size) and sorted(pred) == sorted(size):
        text += ": are the axes in another order?"
    return text


def _top_classes(score: Any, kind: str, name: str) -> Any:
    """Return the class of the highest score of each pixel, (N, H, W); of truth, of the only 1."""
    n_classes = score.shape[1]
    if kind not in "biuf":
        raise InputError(f"expected scores that are numbers, got {score.dtype}", name)
    if n_classes < 2:
        raise ShapeError(
            f"expected an axis of 2 or more classes, got {tuple(score.shape)}: give labels "
            f"{name}[:, 0], or flags such as {name}[:, 0] > 0 for a single logit",
            name,
        )
    if name == "truth" or kind == "b":
        _check_one_hot(score, name)
    if not isinstance(score, np.ndarray):
        ids, has_nan = tensor_top_class(score)
    else:
        ids, has_nan = _top_class(score)
    if has_nan:
        raise InputError("expected scores that are numbers, got nan", name)
    return ids


def _check_one_hot(array: Any, name: str) -> None:
    is_one = array if str(array.dtype) in ("bool", "torch.bool") else array == 1
    n_ones = is_one.sum(1)
    others = int((array != 0).sum()) - int(is_one.sum())
    bad = n_ones != 1
    if others or bool(bad.any()):
        raise InputError(
            "expected one-hot: exactly one class of each pixel 1 and the rest 0, got "
            f"{int(bad.sum())} pixels with none or several, and {others} values that are neither "
            "0 nor 1",
            name,
        )


def _top_class(score: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """Return the lowest class of the highest score, (N, H, W), and whether a score is NaN.

    By planes, block by block: NumPy's argmax over another than the last axis takes seven times as
    long.
    """
    n_images, n_classes, height, width = score.shape
    # Classes and their number must fit: a plane's mark is 0 or its class.
    dtype = np.uint8 if n_classes <= 256 else np.uint16 if n_classes <= 1 << 16 else np.int64
    ids = np.zeros((n_images, height * width), dtype)
    rows = max(1, _BLOCK // max(1, width))
    has_nan = False
    for image in range(n_images):
        for first in range(0, height, rows):
            block = np.ascontiguousarray(score[image, :, first : first + rows])
            if block.dtype == np.float16:  # which NumPy compares one by one
                block = block.astype(np.float32)
            planes = block.reshape(n_classes, -1)
            highest = planes[0].copy()
            top = ids[image, first * width : first * width + len(highest)]
            is_higher = np.empty(len(highest), bool)
            mark = np.empty(len(highest), dtype)
            for k in range(1, n_classes):
                np.greater(planes[k], highest, out=is_higher)
                np.maximum(planes[k], highest, out=highest)
                # Classes ascend, so the class of a higher score is the larger number.
                np.multiply(is_higher.view(np.uint8), dtype(k), out=mark)
                np.maximum(top, mark, out=top)
            # The maximum with a NaN is NaN.
            has_nan = has_nan or (highest.dtype.kind == "f" and bool(np.isnan(highest).any()))
    return ids.reshape(n_images, height, width), has_nan
