"""Data by name: a built-in set, a file, a folder, a function, or objects of Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.training.choices import Choice, made
from snellen.training.data.training_data import TrainingData, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from snellen.training.data.found import Found

__all__ = ["TrainingData", "open_data"]

_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")


def open_data(
    choice: Any, *, task: str = "auto", seed: int = 0, device: torch.device | str = "cpu"
) -> TrainingData:
    """Open labelled data.

    Parameters
    ----------
    choice : Choice, str or objects
        ``"fashion-mnist"``, ``"digits"``; a folder of class folders, perhaps within train, val and
        test; a folder of images and labels; a manifest of ``snellen split``; a table; an ``.npz``;
        ``shards/{000..009}.tar``; ``module:function``. Or objects of Python: see `from_objects`.
        What each takes as options are the keyword-only parameters of its function.
    task : str
        What the data are for; ``"auto"`` sees it from the targets.
    seed : int
        What the validation part is a function of, where the source has none.
    device : torch.device or str
        Where batches are made.

    Raises
    ------
    InputError
        The message says what to do.

    Examples
    --------
    >>> open_data({"train": ([[0.0], [1.0], [2.0]], [0, 1, 0]), "hold_out": 0})
    TrainingData(train=3)
    """
    if isinstance(choice, TrainingData):
        return choice.to(device)
    if isinstance(choice, (Choice, str, Path)):
        choice = choice if isinstance(choice, Choice) else Choice(str(choice))
        found = _opened(choice, task, str(device))
        place = choice.place
    else:
        from snellen.training.data.python_objects import from_objects

        found, place = from_objects(choice, task=task), ""
    if isinstance(found, TrainingData):
        return found.to(device)
    try:
        return finished(found, task=task, seed=seed).to(device)
    except InputError as error:
        if error.place or not place:
            raise
        raise error.within(place) from None


def _opened(choice: Choice, task: str, device: str) -> Found | TrainingData:
    from snellen.training.data.digits import digits
    from snellen.training.data.fashion_mnist import fashion_mnist

    named: Mapping[str, Callable[..., Found]] = {"fashion-mnist": fashion_mnist, "digits": digits}
    name = choice.name
    if name in named:
        return made(choice, named, "data")
    module, colon, function = name.partition(":")
    if colon and function.isidentifier() and module.replace(".", "").isidentifier():
        from snellen.training.data.python_objects import from_function

        return from_function(choice, task=task)
    kind, source = _kind(name, choice.place, named)
    # Messages call it by its kind: an option of "a table", not of a long path.
    return made(choice._replace(name=kind), {kind: source}, "data", name, task=task, device=device)


def _kind(
    name: str, place: str, named: Mapping[str, Callable[..., Found]]
) -> tuple[str, Callable[..., Found]]:
    """Return what a path is, and the function that reads such."""
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix == ".tar" or (path.is_dir() and any(path.glob("*.tar"))):
        from snellen.training.data.shards import webdataset

        return "shards", webdataset
    if not path.exists():
        hint = did_you_mean(name, named)
        raise InputError(
            f'expected {", ".join(named)}, a file, a folder or module:function, got "{name}", '
            f"which is not there.{hint}",
            place,
        )
    if path.is_dir():
        from snellen.training.data.class_folders import class_folders
        from snellen.training.data.label_folders import image_folder_of, label_folders

        if image_folder_of(name) is not None:
            return "a folder of images and labels", label_folders
        return "a folder of classes", class_folders
    if suffix == ".npz":
        from snellen.training.data.arrays import array_file

        return "arrays", array_file
    if path.name.lower().removesuffix(".gz").endswith(_TABLES):
        from snellen.training.data.class_folders import split_manifest
        from snellen.training.data.tables import sample_table
        from snellen.training.data.written_split import is_manifest

        if is_manifest(name):
            return "a manifest", split_manifest
        return "a table", sample_table
    raise SchemaError(
        f"expected a folder, .npz, .tar, or a table ({', '.join(_TABLES)}), got a file {suffix}",
        name,
    )
