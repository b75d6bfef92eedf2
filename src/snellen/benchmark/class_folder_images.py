"""Folders of images with a folder for each class: ImageNet's layout, ImageNetV2's, any other."""

from __future__ import annotations

from collections import Counter

import numpy as np

from snellen.benchmark.listed_images import ListedImages
from snellen.benchmark.stored_images import ImageFiles
from snellen.errors import ClassError, SchemaError
from snellen.readers.image_folder import read_image_folder
from snellen.readers.message_text import few
from snellen.splits.strata import name_order

__all__ = ["class_folder_images"]


def class_folder_images(path: str) -> ListedImages:
    """List the images of a folder that has a folder for each class.

    Folders that are called 0, 1, 2, … keep the order of their numbers.

    Raises
    ------
    InputError, SchemaError
        Where it cannot be read, or has no images.
    ClassError
        Where two folders have one name.
    """
    folder = read_image_folder(path)
    twice = [name for name, often in Counter(folder.classes).items() if often > 1]
    if twice:
        raise ClassError(
            f"expected each class in one folder, got two that are called {few(twice)} but for how "
            "Unicode composes letters: rename one",
            path,
        )
    if not folder.files:
        raise SchemaError(
            f"expected images in the {len(folder.classes):,} folders, there are none", path
        )
    names = sorted(folder.classes, key=name_order)  # numbers by value
    place = {name: k for k, name in enumerate(names)}
    notes = []
    if folder.empty:
        notes.append(f"{len(folder.empty):,} classes without images: {few(folder.empty)}")
    if folder.n_others:
        notes.append(
            f"{folder.n_others:,} files left out that are no images, or lie in no class folder"
        )
    return ListedImages(
        folder.files,
        np.array([place[label] for label in folder.labels], np.int64),
        names,
        ImageFiles(folder.paths),
        {"data": path, "kind": "class folders"},
        notes,
    )
