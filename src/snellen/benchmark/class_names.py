"""How the classes of data are called: by a file of names, or as ImageNet's."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from snellen.benchmark.imagenet import (
    IMAGENET_IDS,
    imagenet_indices,
    imagenet_names,
    is_imagenet_in_order,
)
from snellen.readers.class_list import ClassList, LabelSet
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.benchmark.listed_images import ListedImages

__all__ = ["named_classes"]

# As synset_words.txt and LOC_synset_mapping.txt have them: n01440764 tench, Tinca tinca.
_ID_AND_WORDS = re.compile(r"(n\d{8})\s+(\S.*)")


def named_classes(listed: ListedImages, path: str | None) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of classes, unique, and the place of each image's class among them.

    Parameters
    ----------
    listed : ListedImages
        The images; notes are added to them.
    path : str, optional
        A file of names, in the order of indices, or with ids; or ``"imagenet"``. Without,
        ImageNet's classes get their names, and others keep what their labels are.

    Raises
    ------
    ClassError
        For labels that are none of the file's classes.
    InputError, SchemaError
        For a file that cannot be read.
    """
    names, codes = listed.names, listed.codes
    if path is not None:
        names, places = _by_file(listed, path)
        codes = places[codes]
    index = imagenet_indices(names)
    if index is not None:
        numbers = names[0].isdecimal()
        listed.notes.append(
            "labels 0 … 999 are taken for ImageNet's classes in their order"
            if numbers
            else "WordNet ids are shown as ImageNet's names of classes"
        )
        names = [imagenet_names()[k] for k in index]
    return names, codes


def _by_file(listed: ListedImages, path: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of a file, and the place of each of the data's classes among them."""
    known = _read(path)
    labels = LabelSet(
        listed.names, str(listed.source["data"]), lambda _: str(listed.source["data"])
    )
    ordered = np.asarray(known.in_order, np.int64)
    place = np.empty(len(ordered), np.int64)
    place[ordered] = np.arange(len(ordered))
    shown = known.classes.display_names()
    names = [shown[k] for k in known.in_order]
    often = Counter(names)
    if is_imagenet_in_order(names):
        names = list(imagenet_names())
    elif len(often) < len(names):
        names = [f"{name} ({k})" if often[name] > 1 else name for k, name in enumerate(names)]
    return names, place[known.codes(labels)]


def _read(path: str) -> ClassList:
    if path == "imagenet":
        pairs = enumerate(zip(IMAGENET_IDS, imagenet_names(), strict=True))
        return ClassList({k: list(pair) for k, pair in pairs})
    if path.lower().removesuffix(".gz").endswith(".json"):
        return ClassList.read(path)
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    matches = [_ID_AND_WORDS.fullmatch(line.strip()) for line in lines if line.strip()]
    found = [(each[1], each[2].split(", ")) for each in matches if each]
    if not found or len(found) < len(matches):
        return ClassList.read(path)
    return ClassList({k: [wid, *words, words[0]] for k, (wid, words) in enumerate(found)})
