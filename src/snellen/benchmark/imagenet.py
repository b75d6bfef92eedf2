"""ImageNet's 1,000 classes: their ids in WordNet, their names, and which of them a name means.

Ids and words are WordNet 3.0's (Princeton University); which classes there are, and in what order,
is the ILSVRC 2012's (Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV
115, 2015). They stand in ``imagenet_classes.txt``.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "IMAGENET_IDS",
    "folded",
    "imagenet_index",
    "imagenet_indices",
    "imagenet_names",
    "is_imagenet_in_order",
]


def _read() -> tuple[tuple[str, tuple[str, ...]], ...]:
    text = resources.files(__package__).joinpath("imagenet_classes.txt").read_text("utf-8")
    lines = [line.split(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return tuple((wordnet_id, tuple(words.split(", "))) for wordnet_id, words in lines)


_CLASSES: Final = _read()
_MOST_ELSEWHERE: Final = 0.02

IMAGENET_IDS: Final = tuple(wordnet_id for wordnet_id, _ in _CLASSES)
"""The WordNet ids in their order, which is that of networks' outputs: ascending."""


@functools.cache
def imagenet_names() -> tuple[str, ...]:
    """Return a name of each class, no two alike: its first word, with the id where two share it.

    Examples
    --------
    >>> imagenet_names()[0], imagenet_names()[134], imagenet_names()[517]
    ('tench', 'crane (n02012849)', 'crane (n03126707)')
    """
    often = Counter(words[0] for _, words in _CLASSES)
    return tuple(
        words[0] if often[words[0]] == 1 else f"{words[0]} ({wordnet_id})"
        for wordnet_id, words in _CLASSES
    )


def folded(name: str) -> str:
    """Return a name as it is compared: in any case, with blanks for ``_``, ``-`` and ``/``.

    Examples
    --------
    >>> folded("Great_white-Shark")
    'great white shark'
    """
    # Folders cannot have the / of "T-shirt/top".
    plain = unicodedata.normalize("NFC", name).casefold()
    return " ".join(re.sub(r"[_\-/]", " ", plain).split())


def imagenet_index(name: str) -> int | None:
    """Return the place of the class that a name means; None for none, or for several.

    Parameters
    ----------
    name : str
        A WordNet id; one of `imagenet_names`; or words of a class, as `folded` compares them.

    Examples
    --------
    >>> imagenet_index("n01443537"), imagenet_index("Carassius auratus"), imagenet_index("crane")
    (1, 1, None)
    """
    exact, words = _indices()
    found = exact.get(name)
    return words.get(folded(name)) if found is None else found


@functools.cache
def _indices() -> tuple[dict[str, int], dict[str, int | None]]:
    """Return what ids and names mean, and what words mean: None where that is not one class."""
    exact = {wordnet_id: k for k, wordnet_id in enumerate(IMAGENET_IDS)}
    exact |= {name: k for k, name in enumerate(imagenet_names())}
    meant: dict[str, int | None] = {}
    # A first word means its class even where it is a further word of another, as does a missile.
    for of_class in (
        lambda words: (words[0], ", ".join(words)),
        lambda words: words[1:],
    ):
        found: dict[str, set[int]] = {}
        for k, (_, words) in enumerate(_CLASSES):
            for word in of_class(words):
                found.setdefault(folded(word), set()).add(k)
        for word, places in found.items():
            meant.setdefault(word, min(places) if len(places) == 1 else None)
    return exact, meant


def imagenet_indices(names: Iterable[str]) -> list[int] | None:
    """Return the place of each class of a data set, None where they are not ImageNet's.

    They are where all names are WordNet ids of it, or where they are the numbers 0 … 999, as in
    ImageNetV2.

    Examples
    --------
    >>> imagenet_indices(["n01443537", "n01440764"]), imagenet_indices(["cat", "dog"])
    ([1, 0], None)
    """
    listed = list(names)
    known: dict[str, int] = {wordnet_id: k for k, wordnet_id in enumerate(IMAGENET_IDS)}
    numbers = {str(k): k for k in range(len(IMAGENET_IDS))}
    if set(listed) == set(numbers):
        known = numbers
    return [known[name] for name in listed] if listed and known.keys() >= set(listed) else None


def is_imagenet_in_order(names: Sequence[str]) -> bool:
    """Return whether 1,000 names are ImageNet's classes in their order, whoever has worded them.

    Lists differ in some words; in another order next to none would be in its place, so that more
    than half of them there are enough, where next to none means a class of another place.
    """
    if len(names) != len(_CLASSES):
        return False
    n_there = n_elsewhere = 0
    for k, name in enumerate(names):
        index = imagenet_index(name)
        if index == k or folded(name) in map(folded, _CLASSES[k][1]):
            n_there += 1
        elif index is not None and name == IMAGENET_IDS[index]:
            return False  # words may be another's, ids are not
        else:
            n_elsewhere += index is not None
    return 2 * n_there > len(names) and n_elsewhere <= len(names) * _MOST_ELSEWHERE
