"""The validation labels of ImageNet's development kit, which count classes in an order of its own.

``ILSVRC2012_validation_ground_truth.txt`` holds numbers from 1 to 1000. They are neither the places
of WordNet ids in their order nor what any network gives; ``meta.mat`` beside it, or
``map_clsloc.txt``, says what they mean.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.errors import ClassError, InputError, MissingExtraError, SchemaError
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["devkit_codes", "image_number", "looks_like_devkit", "synsets_beside"]

_N: int = len(IMAGENET_IDS)
_VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})(?:\D|$)")
_BESIDE = ("meta.mat", "map_clsloc.txt")


def image_number(name: str) -> int | None:
    """Return which image of ImageNet's validation set a file is, from 1; None where it is none.

    Examples
    --------
    >>> image_number("val/ILSVRC2012_val_00000293.JPEG")
    293
    """
    found = _VALIDATION.search(name)
    return int(found[1]) if found else None


def looks_like_devkit(numbers: Sequence[int], labels: str) -> bool:
    """Return whether the labels in a file are the kit's numbers.

    There is no 0, and a 1000; or, as some of the lines have none, the file is called as the kit's
    is, or what explains the kit's numbers lies beside it.
    """
    if not numbers or min(numbers) < 1 or max(numbers) > _N:
        return False
    name = Path(labels).name.lower()
    return max(numbers) == _N or "ground_truth" in name or synsets_beside(labels) is not None


def synsets_beside(labels: str) -> str | None:
    """Return the file beside the labels that says what their numbers mean; None without."""
    found = (Path(labels).parent / name for name in _BESIDE)
    return next((str(path) for path in found if path.is_file()), None)


def devkit_codes(numbers: Sequence[int], synsets: str, place: str) -> NDArray[np.int64]:
    """Return the places of classes in ImageNet's usual order from the kit's numbers.

    Parameters
    ----------
    numbers : sequence of int
        1 to 1000.
    synsets : str
        What they mean: ``meta.mat``, ``map_clsloc.txt``, or the WordNet ids in the kit's order.
    place : str
        Where the labels are, for messages.

    Raises
    ------
    ClassError
        For other numbers, or a file that does not say what they mean.
    InputError, SchemaError
        For a file that cannot be read.
    MissingExtraError
        For ``meta.mat`` without SciPy.
    """
    bad = next((each for each in numbers if not 1 <= each <= _N), None)
    if bad is not None:
        raise ClassError(
            f"expected the development kit's numbers, 1 to {_N}, because synsets are given, got "
            f"{bad}",
            place,
        )
    by_number = _from_mat(synsets) if synsets.lower().endswith(".mat") else _from_text(synsets)
    if set(by_number) != set(range(1, _N + 1)) or set(by_number.values()) != set(IMAGENET_IDS):
        raise ClassError(
            f"expected the WordNet ids of ImageNet's {_N:,} classes, each once, got "
            f"{len(set(by_number.values()) & set(IMAGENET_IDS)):,} of them: give meta.mat or "
            "map_clsloc.txt of the development kit",
            synsets,
        )
    ordered = [by_number[k] for k in range(1, _N + 1)]
    if tuple(ordered) == IMAGENET_IDS:
        raise ClassError(
            "expected the WordNet ids in the development kit's order (it begins with n02119789), "
            "got them in ascending order: give its meta.mat or map_clsloc.txt",
            synsets,
        )
    index = {wordnet_id: k for k, wordnet_id in enumerate(IMAGENET_IDS)}
    places = np.array([index[wordnet_id] for wordnet_id in ordered], np.int64)
    return places[np.asarray(numbers, np.int64) - 1]


def _from_text(path: str) -> dict[int, str]:
    """Return ids by number: from lines ``n02119789 1 kit_fox``, or as many lines as classes."""
    found: dict[int, str] = {}
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    for k, line in enumerate((each for each in lines if each.strip()), 1):
        first, *others = line.split()
        if not re.fullmatch(r"n\d{8}", first):
            raise SchemaError(
                f'expected a WordNet id, as in "n02119789 1 kit_fox", got "{first[:40]}"',
                f"{path} line {k}",
            )
        number = int(others[0]) if others and others[0].isdecimal() else k
        found[number] = first
    return found


def _from_mat(path: str) -> dict[int, str]:
    """Return ids by number out of the kit's ``meta.mat``."""
    try:
        matlab: Any = importlib.import_module("scipy.io")
    except ImportError:
        raise MissingExtraError("scipy", "train") from None
    try:
        rows = matlab.loadmat(path, squeeze_me=True)["synsets"]
        pairs = zip(rows["ILSVRC2012_ID"].tolist(), rows["WNID"].tolist(), strict=True)
        # Those from 1001 on are above the classes in WordNet's tree.
        return {int(number): str(wnid) for number, wnid in pairs if int(number) <= _N}
    except OSError as error:
        raise InputError(
            f"expected a readable file, got: {error.strerror or error}", path
        ) from None
    # SciPy raises whatever comes of what is wrong.
    except Exception as error:
        raise SchemaError(
            f"expected meta.mat of ImageNet's development kit, got: {error!r}", path
        ) from None
