"""What Python code has at hand as parts: arrays, torch datasets and loaders, generators."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.training.data.arrays import parts_of_arrays, typed_targets
from snellen.training.data.found import Found
from snellen.training.data.iterable import IterablePart
from snellen.training.data.resident import ResidentPart
from snellen.training.data.streamed import StreamedPart
from snellen.training.randomness import drew

if TYPE_CHECKING:
    from snellen.training.choices import Choice
    from snellen.training.data.parts import Part
    from snellen.training.data.training_data import TrainingData

__all__ = ["from_function", "from_objects"]

_PARTS = ("train", "validation", "test")
_KEYS = (*_PARTS, "classes", "hold_out")


def from_objects(objects: Any, *, task: str = "auto", name: str = "Python objects") -> Found:
    """Return parts of objects.

    Parameters
    ----------
    objects : mapping, tuple or single object
        By part, ``"train"``, ``"validation"``, ``"test"``: (inputs, targets) as arrays; a torch
        Dataset, which is read by index, in our order; a DataLoader, an IterableDataset, or a
        function that returns an iterable (of samples, for an epoch, whose number it may take),
        which keep their own order; or a `Part`. ``"classes"`` names the classes, and ``"hold_out"``
        says how much of train is to be the validation part, where there is none. A tuple of two
        of these is train and test, of three train, validation and test; a single one is train.
    task : str
        What the targets are for.
    name : str
        What the description calls them.

    Raises
    ------
    InputError, SchemaError
        For anything else.
    """
    given = _named(objects)
    for key in given:
        if key not in _KEYS:
            hint = did_you_mean(str(key), _KEYS) or f" There are {', '.join(_KEYS)}."
            raise SchemaError(f'expected parts, got "{key}".{hint}')
    if given.get("train") is None:
        raise SchemaError("expected a part train, got none")
    notes: list[str] = []
    values = {part: given[part] for part in _PARTS if given.get(part) is not None}
    arrays = {part: pair for part, value in values.items() if (pair := _arrays(value)) is not None}
    parts: dict[str, Part] = {}
    names = given.get("classes")
    own = task
    if arrays:
        made, typed = parts_of_arrays(arrays, task=task)
        parts.update(made)
        own = typed.task
        names = names if names is not None else typed.class_names
    for part, value in values.items():
        if part not in arrays:
            parts[part] = _part(value, own, notes, part)
    return Found(
        {part: parts[part] for part in values},
        task=_task(parts, own),
        class_names=None if names is None else [str(each) for each in names],
        source={"data": name},
        notes=notes,
        validation=given.get("hold_out", 0 if _streams(parts) else 0.1),
    )


def from_function(choice: Choice, *, task: str = "auto") -> TrainingData | Found:
    """Return what a user's function makes: ``"module:function"``, with its options.

    Raises
    ------
    InputError
        Where there is no such function, it does not take the options, or makes no data.
    """
    from snellen.training.data.training_data import TrainingData
    from snellen.training.network.foreign import imported

    function = imported(choice)
    try:
        inspect.signature(function).bind(**choice.options)
    except TypeError as error:
        raise SchemaError(
            f"expected options of {choice.name}, got: {error}", choice.place
        ) from None
    made = function(**choice.options)
    if isinstance(made, (TrainingData, Found)):
        return made
    return from_objects(made, task=task, name=choice.name)


def _named(objects: Any) -> Mapping[str, Any]:
    if isinstance(objects, Mapping):
        return objects
    if isinstance(objects, (tuple, list)) and _arrays(objects) is None:
        if len(objects) == 2:
            return {"train": objects[0], "test": objects[1]}
        if len(objects) == 3:
            return dict(zip(_PARTS, objects, strict=True))
        raise SchemaError(
            f"expected train and test, or train, validation and test, got {len(objects)} objects"
        )
    return {"train": objects}


def _arrays(value: Any) -> tuple[Any, Any] | None:
    """Return inputs and targets, where a part is two arrays."""
    if isinstance(value, TensorDataset) and len(value.tensors) == 2:
        return value.tensors[0], value.tensors[1]
    if (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(hasattr(each, "shape") or _is_list(each) for each in value)
    ):
        return value[0], value[1]
    return None


def _is_list(value: Any) -> bool:
    """Return whether something is a list of numbers or texts, and not of parts."""
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float, str)) or hasattr(value, "__array__")


def _part(value: Any, task: str, notes: list[str], name: str) -> Part:
    if isinstance(value, (ResidentPart, StreamedPart, IterablePart)):
        return value
    if isinstance(value, DataLoader):
        # A loader has workers of its own, and draws its order from torch's random numbers.
        part = IterablePart(
            lambda: value, _length(value.dataset), batched=True, prefetch=0, seeded=True
        )
        return _counted(part, notes, name)
    if isinstance(value, IterableDataset):
        return _counted(IterablePart(lambda: value, _length(value)), notes, name)
    if isinstance(value, Dataset) or (hasattr(value, "__getitem__") and hasattr(value, "__len__")):
        return _dataset(value, task, notes, name)
    if callable(value):
        return _counted(IterablePart(value), notes, name)
    if isinstance(value, Iterable):
        raise SchemaError(
            f"expected a part {name} that can be gone through each epoch, got "
            f"{type(value).__name__}: give the function that returns it"
        )
    raise SchemaError(
        f"expected arrays, a Dataset, a DataLoader or a function as the part {name}, got "
        f"{type(value).__name__}"
    )


def _dataset(value: Any, task: str, notes: list[str], name: str) -> StreamedPart:
    """Return a dataset that is read by index, by one thread: many are not made for several."""
    n = len(value)
    if not n:
        raise InputError(f"expected samples in the part {name}, it is empty")
    known, random = getattr(value, "targets", None), False
    # What torchvision keeps is what `target_transform` has still to change.
    changed = getattr(value, "target_transform", None) is not None
    if known is None or changed or len(known) != n:
        known, random = drew(lambda: [value[row][1] for row in range(n)])
        notes.append(f"{name} was gone through once for its targets")
    if isinstance(known, list):
        known = [each.tolist() if isinstance(each, torch.Tensor) else each for each in known]
    targets = typed_targets({name: known}, task).targets[name]
    names = [f"{name}/{row}" for row in range(n)]
    # The first sample is loaded, to see its shape.
    part, first_is_random = drew(
        lambda: StreamedPart(lambda row: (value[row][0], 0), n, targets, names, threads=1)
    )
    part.seeded = random or first_is_random
    if part.seeded:
        notes.append(
            f"{name} draws random numbers: they are functions of seed, epoch and place, and "
            "nothing is loaded ahead"
        )
    return part


def _counted(part: IterablePart, notes: list[str], name: str) -> IterablePart:
    notes.append(f"{name} was gone through once for its number of samples and their targets")
    return part.counted()


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except TypeError:
        return None


def _streams(parts: Mapping[str, Part]) -> bool:
    return isinstance(parts["train"], IterablePart)


def _task(parts: Mapping[str, Part], task: str) -> str:
    """Return what targets are for, from the first that are known."""
    targets = parts["train"].targets
    if task == "regression" and targets is not None and not targets.is_floating_point():
        raise InputError("expected targets that are floats for regression, got whole numbers")
    if task != "auto":
        return task
    if targets is None or targets.ndim == 3:
        return "segmentation"
    return "regression" if targets.is_floating_point() else "classification"
