"""Arrays as parts: what inputs and targets have to look like, and what targets are for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from snellen.errors import (
    ClassError,
    InputError,
    SchemaError,
    ShapeError,
    did_you_mean,
    one_line,
)
from snellen.readers.message_text import few
from snellen.splits.strata import factorised
from snellen.training.data.found import Found
from snellen.training.data.resident import ResidentPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["Layout", "Typed", "array_file", "inputs_of", "parts_of_arrays", "typed_targets"]

Layout = Literal["auto", "channels_first", "channels_last"]

# What an axis of channels can have.
_CHANNELS = (1, 2, 3, 4)
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_INPUTS = ("x", "X", "inputs", "images", "data")
_TARGETS = ("y", "Y", "targets", "labels", "target", "label")
_NAMES = ("classes", "class_names")
_SUM_TOLERANCE = 1e-3


class Typed(NamedTuple):
    """Targets of all parts, and what they are for.

    Attributes
    ----------
    targets : dict of str to Tensor
        By part: int64 classes, float32 shares of classes or numbers, uint8 or int64 label maps.
    task : str
        What they are for.
    class_names : list of str or None
        Where classes were texts.
    """

    targets: dict[str, Tensor]
    task: str
    class_names: list[str] | None


def parts_of_arrays(
    arrays: Mapping[str, tuple[Any, Any]],
    *,
    task: str = "auto",
    layout: Layout = "auto",
    ids: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[str, ResidentPart], Typed]:
    """Return parts of arrays of inputs and targets.

    Parameters
    ----------
    arrays : mapping of str to (array, array)
        Inputs and targets of each part.
    task : str
        What the targets are for; ``"auto"``: whole numbers and texts are classes, other numbers
        are to be predicted, maps of whole numbers are label maps.
    layout : {"auto", "channels_first", "channels_last"}
        Of images with four axes.
    ids : mapping, optional
        What the samples of each part are called; by default ``"train/0"`` and so on.

    Raises
    ------
    InputError, ShapeError, ClassError
        For arrays that cannot be trained with.
    """
    inputs = {name: inputs_of(x, layout, name) for name, (x, _) in arrays.items()}
    for name, (x, y) in arrays.items():
        if len(x) != len(y):
            raise ShapeError(
                f"expected a target for each of {len(x):,} inputs, got {len(y):,}", name
            )
    typed = typed_targets({name: y for name, (_, y) in arrays.items()}, task)
    for name, target in typed.targets.items():
        shape = tuple(inputs[name].shape)
        if typed.task == "segmentation" and (
            len(shape) != 4 or tuple(target.shape[1:]) != shape[2:]
        ):
            raise ShapeError(
                f"expected label maps of the images' size, got {tuple(target.shape[1:])} for "
                f"images of {shape[1:]}",
                name,
            )
    named = ids or {name: [f"{name}/{row}" for row in range(len(x))] for name, x in inputs.items()}
    return {
        name: ResidentPart(x, typed.targets[name], named[name]) for name, x in inputs.items()
    }, typed


def inputs_of(values: Any, layout: Layout = "auto", place: str = "") -> Tensor:
    """Return inputs as a tensor, (N, C, H, W) or (N, F), of bytes or float32.

    Raises
    ------
    ShapeError
        For other axes, or images whose axis of channels is not clear.
    InputError
        For what is no number, and for NaN.
    """
    array = _numbers(values, place)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4:
        first, last = array.shape[1] in _CHANNELS, array.shape[3] in _CHANNELS
        if layout == "auto" and first == last:
            raise ShapeError(
                f"expected images (N, C, H, W) or (N, H, W, C), got {array.shape}: say which "
                '(layout = "channels_first" or "channels_last")',
                place,
            )
        if layout == "channels_last" or (layout == "auto" and last):
            array = array.transpose(0, 3, 1, 2)
    elif array.ndim == 1:
        array = array[:, None]
    elif array.ndim != 2:
        raise ShapeError(
            f"expected inputs (N, F), (N, H, W) or (N, C, H, W), got {array.shape}", place
        )
    if array.dtype != np.uint8:
        _refuse_not_finite(array, "inputs", place)
        array = array.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(array))


def typed_targets(values: Mapping[str, Any], task: str = "auto") -> Typed:
    """Return the targets of all parts, of one kind; see `parts_of_arrays`.

    Raises
    ------
    InputError, ShapeError, ClassError
        For targets that are not of one kind, or not of the task.
    """
    arrays = {name: _array(value) for name, value in values.items()}
    if any(array.dtype.kind in "OUS" for array in arrays.values()):
        return _texts(arrays, task)
    found = {name: _one(array, task, name) for name, array in arrays.items()}
    tasks = {name: own for name, (_, own) in found.items()}
    if len(set(tasks.values())) > 1:
        raise InputError(
            "expected targets of one kind in all parts, got those of "
            + " and ".join(f"{own} in {name}" for name, own in tasks.items())
        )
    return Typed(
        {name: target for name, (target, _) in found.items()}, next(iter(tasks.values())), None
    )


def _texts(arrays: Mapping[str, NDArray[Any]], task: str) -> Typed:
    if task not in ("auto", "classification"):
        raise InputError(f"expected numbers as targets for {task}, got texts")
    texts: list[str] = []
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "OUS":
            raise InputError(
                f"expected a text for each sample, got {array.dtype} of {array.shape}", name
            )
        found = array.tolist()
        gone = [row for row, each in enumerate(found) if _is_missing(each)]
        if gone:
            raise InputError(
                f"expected a class for each sample, got nothing in {len(gone):,} of "
                f"{len(found):,} samples: row {few(gone, 3)}",
                name,
            )
        texts += [each.decode() if isinstance(each, bytes) else str(each) for each in found]
    names, codes = factorised(texts)
    ends = np.cumsum([len(array) for array in arrays.values()])[:-1]
    cut = np.split(codes.astype(np.int64), ends)
    targets = {name: torch.from_numpy(each) for name, each in zip(arrays, cut, strict=True)}
    return Typed(targets, "classification", names)


def _one(array: NDArray[Any], task: str, place: str) -> tuple[Tensor, str]:
    """Return the targets of a part, and what they are for."""
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iuf":
        raise InputError(f"expected numbers or texts as targets, got {array.dtype}", place)
    _refuse_not_finite(array, "targets", place)
    if array.ndim == 4 and 1 in (array.shape[1], array.shape[3]):
        array = array[:, 0] if array.shape[1] == 1 else array[..., 0]
    if array.ndim > 1 and array.shape[1:] == (1,) and task != "regression":
        array = array[:, 0] if array.dtype.kind != "f" or task == "classification" else array
    whole = array.dtype.kind != "f"
    if array.ndim == 3:
        if not whole or task not in ("auto", "segmentation"):
            raise InputError(
                f"expected label maps of whole numbers for segmentation, got {array.dtype} of "
                f"{array.shape}",
                place,
            )
        return _maps(array, place), "segmentation"
    if array.ndim not in (1, 2) or task == "segmentation":
        raise ShapeError(
            f"expected targets (N,), (N, D) or label maps (N, H, W), got {array.shape}"
            + ("" if task == "auto" else f" for {task}"),
            place,
        )
    if task == "regression" or (task == "auto" and not whole):
        wide = array[:, None] if array.ndim == 1 else array
        return torch.from_numpy(wide.astype(np.float32)), "regression"
    return _classes(array, place), "classification"


def _classes(array: NDArray[Any], place: str) -> Tensor:
    if array.ndim == 2:
        sums = array.sum(1)
        if (array < 0).any() or (np.abs(sums - 1) > _SUM_TOLERANCE).any():
            raise InputError(
                f"expected a class for each sample, or shares of classes that add up to 1, got "
                f"{array.shape}",
                place,
            )
        if array.dtype.kind == "f":
            return torch.from_numpy(array.astype(np.float32))
        return torch.from_numpy(array.argmax(1).astype(np.int64))
    numbers = array.astype(np.int64)
    if (numbers != array).any():
        bad = array[numbers != array][0]
        raise ClassError(f"expected whole numbers as classes, got {bad}", place)
    return torch.from_numpy(numbers)


def _maps(array: NDArray[Any], place: str) -> Tensor:
    if array.size and (array.min() < 0 or array.max() > 255):
        raise ClassError(
            f"expected class ids from 0 to 254, and 255 for void, got {array.min()} … "
            f"{array.max()}",
            place,
        )
    return torch.from_numpy(np.ascontiguousarray(array.astype(np.uint8)))


def _is_missing(value: Any) -> bool:
    """Return whether it stands for nothing, as data frames write it."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        tensor: NDArray[Any] = values.detach().cpu().numpy()
        return tensor
    array = np.asarray(values)
    # Among texts NumPy would make one of NaN.
    return np.array(values, dtype=object) if _hides_missing(values, array) else array


def _hides_missing(values: Any, array: NDArray[Any]) -> bool:
    listed = isinstance(values, (list, tuple)) and array.ndim == 1
    return listed and array.dtype.kind in "US" and any(map(_is_missing, values))


def _numbers(values: Any, place: str) -> NDArray[Any]:
    array = _array(values)
    if array.dtype.kind == "b":
        array = np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind not in "iuf":
        raise InputError(f"expected numbers as inputs, got {array.dtype}", place)
    return array


def _refuse_not_finite(array: NDArray[Any], what: str, place: str) -> None:
    if array.dtype.kind != "f" or not array.size:
        return
    # What is too large for float32 would be infinite there. NaN goes through both extremes.
    limit = float(np.finfo(np.float32).max)
    if float(array.max()) <= limit and float(array.min()) >= -limit:
        return
    bad = ~(np.abs(array) <= limit)
    rows = np.nonzero(bad.reshape(len(bad), -1).any(1))[0]
    raise InputError(
        f"expected finite {what}, got NaN or infinity in {len(rows):,} of {len(array):,} "
        f"samples: row {few(rows.tolist(), 3)}",
        place,
    )


def array_file(
    path: str,
    *,
    validation: int | float = 0.1,
    test: int | float = 0,
    layout: Layout = "auto",
    task: str = "auto",
) -> Found:
    """Return the arrays of an ``.npz``: x_train and y_train, perhaps x_val …, x_test …; or x and y.

    Parameters
    ----------
    path : str
        The file. Texts in ``classes`` name the classes.
    validation, test : int or float
        How many samples, or what share, are these parts, where there are none.
    layout : {"auto", "channels_first", "channels_last"}
        Of images with four axes.
    task : str
        What the targets are for.

    Raises
    ------
    InputError, SchemaError
        Where the file cannot be read, or has other arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"expected an .npz of arrays, got: {reason}", path) from None
    arrays = _paired(held, path)
    try:
        parts, typed = parts_of_arrays(arrays, task=task, layout=layout)
    except InputError as error:
        raise error.within(path) from None
    names = next((held[name] for name in _NAMES if name in held), None)
    return Found(
        dict(parts),
        task=typed.task,
        class_names=typed.class_names if names is None else [str(name) for name in names.tolist()],
        source={"data": path, "kind": "arrays"},
        validation=validation,
        test=test,
    )


def _paired(held: Mapping[str, NDArray[Any]], path: str) -> dict[str, tuple[Any, Any]]:
    """Return inputs and targets by part."""
    arrays = {}
    taken = set(_NAMES)
    for part, words in _PARTS.items():
        endings = [f"_{word}" for word in words] + ([""] if part == "train" else [])
        for ending in endings:
            x, y = (
                next((f"{name}{ending}" for name in names if f"{name}{ending}" in held), None)
                for names in (_INPUTS, _TARGETS)
            )
            if x is None and y is None:
                continue
            if x is None or y is None:
                raise SchemaError(
                    f"expected inputs and targets, got {x or y} alone of the part {part}", path
                )
            if part not in arrays:
                arrays[part] = (held[x], held[y])
                taken |= {x, y}
    others = [name for name in held if name not in taken]
    if "train" not in arrays or others:
        hint = did_you_mean(others[0], ["x_train", "y_train", "x_val", "x_test"]) if others else ""
        raise SchemaError(
            f"expected arrays x_train and y_train, x_val …, x_test …, or x and y, got "
            f"{few(held, 8) or 'none'}.{hint}",
            path,
        )
    return arrays
