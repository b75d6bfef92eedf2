"""MNIST and its like: an IDX file of images, and one of labels."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snellen.benchmark.listed_images import ListedImages, chosen_part, index_names
from snellen.benchmark.stored_images import ArrayImages
from snellen.errors import InputError, SchemaError
from snellen.readers.idx import read_idx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.benchmark.listed_images import Options

__all__ = ["fashion_mnist_images", "idx_images", "is_idx_images"]

_IMAGES = re.compile(r"(.*)images([-.])idx3(.*)", re.IGNORECASE)
_PART_NAMES = {"t10k": "test", "test": "test", "train": "train"}


def is_idx_images(name: str) -> bool:
    """Return whether a file's name is that of an IDX file of images.

    Examples
    --------
    >>> is_idx_images("t10k-images.idx3-ubyte"), is_idx_images("t10k-labels-idx1-ubyte.gz")
    (True, False)
    """
    return _IMAGES.fullmatch(os.path.basename(name)) is not None  # noqa: PTH119


def fashion_mnist_images(options: Options) -> ListedImages:
    """List the images of Fashion-MNIST, wherever `found_folder` finds it.

    Raises
    ------
    InputError
        Where its files are nowhere, or the part is none of them.
    """
    from snellen.training.data.fashion_mnist_files import CLASSES, found_folder

    listed = idx_images(str(found_folder()), options)
    listed.names = list(CLASSES)
    listed.source["data"] = "fashion-mnist"
    return listed


def idx_images(path: str, options: Options) -> ListedImages:
    """List the images of an IDX file, or of a folder with a train and a test file.

    Raises
    ------
    InputError
        Where a file, or the part, is not there.
    SchemaError
        Where files are damaged, or labels do not fit.
    """
    notes: list[str] = []
    part = None
    if Path(path).is_dir():
        parts: dict[str, str] = {}
        for each in sorted(Path(path).iterdir()):
            if not is_idx_images(each.name):
                continue
            known = parts.setdefault(_part(each.name), str(each))
            if known.removesuffix(".gz") != str(each).removesuffix(".gz"):
                raise InputError(
                    f"expected one file of images of each part, got {known} and {each.name}: name "
                    "the file that is meant",
                    path,
                )
        part = chosen_part(list(parts), options.part, notes, path)
        file = parts[part]
    elif options.part is not None:
        raise InputError(f'expected no part of one file, got "{options.part}"', path)
    else:
        file = path
        part = _part(os.path.basename(path))  # noqa: PTH119
    images, labels_file = _array(file, 3), _labels_beside(file)
    labels = _array(labels_file, 1)
    if len(images) != len(labels):
        raise SchemaError(
            f"expected a label for each of {len(images):,} images, got {len(labels):,}", labels_file
        )
    if not len(labels):
        raise SchemaError("expected images, the file has none", file)
    return ListedImages(
        [f"{part}/{i}" for i in range(len(images))],
        labels.astype(np.int64),
        index_names(int(labels.max()) + 1),
        ArrayImages(images[..., None], [file, labels_file]),
        {"data": path, "kind": "idx", "part": part, "images": file},
        notes,
    )


def _part(name: str) -> str:
    """Return the part that a file's name says; the name's own beginning where it is another."""
    found = _IMAGES.fullmatch(name)
    before = found[1].strip("-_.") if found else ""
    last = re.split(r"[-_.]", before)[-1].lower()
    return _PART_NAMES.get(last, before or "images")


def _labels_beside(path: str) -> str:
    """Return the file of labels that belongs to one of images, packed or unpacked."""
    folder, name = os.path.split(path)
    found = _IMAGES.fullmatch(name)
    if found is None:
        raise InputError(
            "expected a file called …-images-idx3-ubyte, whose labels are in …-labels-idx1-ubyte, "
            f"got {name}: rename it",
            path,
        )
    rest = found[3].removesuffix(".gz")
    wanted = {
        f"{found[1]}labels{mark}idx1{rest}{packed}" for mark in "-." for packed in ("", ".gz")
    }
    there = sorted(each.name for each in Path(folder or ".").iterdir() if each.name in wanted)
    if not there:
        raise InputError(
            f"expected the labels {found[1]}labels{found[2]}idx1{found[3]} beside the images, they "
            "are not there",
            path,
        )
    same = [each for each in there if each.endswith(".gz") == name.endswith(".gz")]
    return os.path.join(folder, (same or there)[0])  # noqa: PTH118


def _array(path: str, n_axes: int) -> NDArray[np.uint8]:
    array = read_idx(path)
    if array.ndim != n_axes or array.dtype != np.uint8:
        raise SchemaError(
            f"expected bytes with {n_axes} axes, got {array.dtype} with {array.ndim}", path
        )
    return array
