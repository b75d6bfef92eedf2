"""Keys as they are compared everywhere, and the order that hashing gives them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.errors import IdError, InputError, first_few

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "MAX_SEED",
    "hash_order",
    "hash_ranks",
    "normalised_keys",
    "refuse_repeated",
    "spelt_on_disk",
    "texts_of",
]

MAX_SEED = 2**64 - 1


def texts_of(values: Iterable[Any], what: str) -> list[str]:
    """Return whole numbers or texts as texts: a number as its decimal digits.

    Parameters
    ----------
    values : array-like or iterable of int, str or path
        The values, one axis.
    what : str
        What they are, for messages.

    Raises
    ------
    InputError
        For other values.
    """
    if not isinstance(values, np.ndarray):
        if hasattr(values, "to_numpy") or hasattr(values, "detach"):
            values = to_numpy(values, what)
        else:
            values = list(values)
            if set(map(type, values)) == {str}:
                return values
            values = np.array(values, dtype=object)
    if values.ndim != 1:
        raise InputError(f"expected one axis, got an array of shape {values.shape}", what)
    if values.dtype.kind in "iuU":
        return list(map(str, values.tolist()))
    texts = []
    for i, value in enumerate(values.tolist()):
        if isinstance(value, str) or hasattr(value, "__fspath__"):
            texts.append(value if isinstance(value, str) else value.__fspath__())
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            texts.append(str(value))
        elif isinstance(value, float) and value.is_integer():
            texts.append(str(int(value)))
        else:
            raise InputError(f"expected whole numbers or texts, got {value!r}", f"{what}[{i}]")
    return texts


def normalised_keys(keys: Iterable[Any], what: str = "keys") -> list[str]:
    r"""Return keys as they are hashed: Unicode NFC, ``/`` between folders, no ``./`` in front.

    Parameters
    ----------
    keys : array-like or iterable of int, str or path
        What names the samples.
    what : str
        What they are, for messages.

    Returns
    -------
    list of str
        The keys in the given order.

    Raises
    ------
    InputError
        For keys that are neither whole numbers nor texts, or empty.

    Examples
    --------
    >>> normalised_keys([r".\cat\1.jpg", "dog/2.jpg"]), normalised_keys([7, 12])
    (['cat/1.jpg', 'dog/2.jpg'], ['7', '12'])
    """
    texts = texts_of(keys, what)
    joined = "\n".join(texts)
    if not joined.isascii():
        texts = [unicodedata.normalize("NFC", text) for text in texts]
    if "\\" in joined:
        texts = [text.replace("\\", "/") for text in texts]
    if "./" in joined or ".\\" in joined:
        texts = [text.removeprefix("./") for text in texts]
    if "" in texts:
        raise InputError("expected a key, got an empty text", f"{what}[{texts.index('')}]")
    return texts


def spelt_on_disk(folder: Path, key: str) -> str:
    """Return the path of a key below a folder in the letters that its file has.

    Names on disk need not be in Unicode NFC, as keys are: an archive made on macOS has them
    decomposed (NFD). The key itself is returned where there is no such file.
    """
    if key.isascii() or (folder / key).exists():
        return key
    ways: list[tuple[str, ...]] = [()]
    for name in key.split("/"):
        spelt = {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}
        further = [(*way, each) for way in ways for each in sorted(spelt)]
        ways = [way for way in further if folder.joinpath(*way).exists()]
    return "/".join(ways[0]) if ways else key


def hash_ranks(texts: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a number for each text that the seed and the text alone decide, uint64.

    It is the 8-byte BLAKE2b digest (RFC 7693) of the seed as 8 bytes, little-endian, and the text
    in UTF-8, read big-endian.

    Raises
    ------
    InputError
        For a seed outside 0 to 2**64 - 1, or a text that has no UTF-8.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"expected a seed from 0 to 2**64 - 1, got {seed}")
    try:
        return _core.hash_ranks(texts if isinstance(texts, list) else list(texts), seed)
    except UnicodeEncodeError as error:
        raise InputError(
            f"expected keys that can be written in UTF-8, got {error.object!a}"
        ) from None


def refuse_repeated(keys: Sequence[str], what: str) -> None:
    """Raise where a key comes twice.

    Raises
    ------
    IdError
        With the first ones.
    """
    if len(set(keys)) == len(keys):
        return
    twice = sorted(key for key, often in Counter(keys).items() if often > 1)
    raise IdError(
        f"expected each key once, got {len(twice)} that come again: {first_few(twice)}; "
        "drop the repeated rows, or name another column",
        what,
    )


def hash_order(keys: Sequence[str], rank: NDArray[np.uint64], what: str) -> NDArray[np.int64]:
    """Return the places of keys in ascending order of rank; equal ranks in the order of the keys.

    Raises
    ------
    IdError
        Where a key comes twice.
    """
    order = np.argsort(rank, kind="stable")
    ordered = rank[order]
    equal = np.nonzero(ordered[1:] == ordered[:-1])[0]
    if len(equal):
        refuse_repeated([keys[i] for i in order[np.union1d(equal, equal + 1)]], what)
        # Two keys of one hash: once in many million data sets of a million keys.
        order = np.array(sorted(order.tolist(), key=lambda i: (int(rank[i]), keys[i])), np.int64)
    return order
