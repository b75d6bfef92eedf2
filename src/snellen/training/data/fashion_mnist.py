"""Fashion-MNIST: 70,000 small grey pictures of clothes, in ten classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import SchemaError
from snellen.readers.idx import read_idx
from snellen.training.data.fashion_mnist_files import CLASSES, URL, found_file, found_folder
from snellen.training.data.found import Found
from snellen.training.data.resident import ResidentPart

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["fashion_mnist"]


def fashion_mnist(
    *,
    validation: int | float = 5000,
    folder: str | None = None,
    url: str = URL,
    download_missing: bool = True,
) -> Found:
    """Return the training images and the test images.

    Parameters
    ----------
    validation : int or float
        How many of the 60,000 training images, or what share of them, are the validation part; 0
        for none.
    folder : str, optional
        Where the four files are.
    url : str
        Where they are downloaded from.
    download_missing : bool
        Whether to download them where they are nowhere.

    Raises
    ------
    InputError
        Where the files are nowhere and cannot be downloaded: the message says where to put them.
    """
    at = found_folder(folder=folder, url=url, download_missing=download_missing)
    return Found(
        {"train": _part(at, "train"), "test": _part(at, "t10k")},
        task="classification",
        class_names=CLASSES,
        source={"data": "fashion-mnist", "folder": str(at)},
        validation=validation,
    )


def _part(folder: Path, name: str) -> ResidentPart:
    images = _array(folder, f"{name}-images-idx3-ubyte.gz", 3)
    labels = _array(folder, f"{name}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels):
        raise SchemaError(
            f"expected a label for each of {len(images):,} images, got {len(labels):,}",
            str(folder),
        )
    part = "test" if name == "t10k" else name
    return ResidentPart(
        torch.from_numpy(images)[:, None],
        torch.from_numpy(labels.astype("int64")),
        [f"{part}/{i}" for i in range(len(images))],
    )


def _array(folder: Path, name: str, n_axes: int) -> NDArray[Any]:
    path = found_file(folder, name)
    assert path is not None, "looked for before"
    array = read_idx(path)
    if array.ndim != n_axes or array.dtype != "u1":
        raise SchemaError(
            f"expected bytes with {n_axes} axes, got {array.dtype} with {array.ndim}", str(path)
        )
    return array
