"""The names of a model's outputs, from a file, or from what its own file says."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from snellen.errors import ClassError, SchemaError
from snellen.readers.class_list import whole_numbers
from snellen.readers.message_text import printable
from snellen.readers.table import read_bytes

__all__ = ["chosen_class_names", "class_names_of", "read_class_names"]

_WORDNET = re.compile(r"n[0-9]{8}")


def read_class_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read the name of each output of a network.

    Parameters
    ----------
    path : path
        A text with a name a line (``n01440764 tench``: the WordNet id counts), or JSON: a list of
        names, a mapping of the number of an output to a name or to several (as in Keras'
        ``imagenet_class_index.json``; the first counts), or of a name to the number.

    Raises
    ------
    InputError
        Where it cannot be read.
    SchemaError, ClassError
        Where it holds something else, and where an output has no name.
    """
    place = os.fspath(path)
    data = read_bytes(place).removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}", place
        ) from None
    if place.lower().removesuffix(".gz").endswith(".json"):
        try:
            content = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SchemaError(f"expected JSON: {error}", place) from None
        return class_names_of(content, place)
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if all(_WORDNET.match(line) for line in lines):
        lines = [line.split(maxsplit=1)[0].rstrip(",;:") for line in lines]
    if "" in lines:
        raise SchemaError(
            "expected the name of a class, got an empty line",
            f"{place} line {lines.index('') + 1}" if len(lines) > 1 else place,
        )
    return class_names_of(lines, place)


def class_names_of(content: Any, place: str) -> tuple[str, ...]:
    """Return the name of each output from plain values, as in `read_class_names`.

    A text is taken for JSON, or else for a literal of Python: both stand in metadata of networks.

    Raises
    ------
    SchemaError, ClassError
        As `read_class_names`.
    """
    if isinstance(content, str):
        content = _values_of(content, place)
    if isinstance(content, Mapping):
        content = _in_order(content, place)
    if not isinstance(content, Sequence) or not content:
        raise SchemaError("expected names of classes, got none", place)
    names = []
    for k, each in enumerate(content):
        name = each[0] if isinstance(each, Sequence) and each else each
        name = each if isinstance(each, str) else name
        if not isinstance(name, str) or not name:
            raise ClassError(f"expected a name of class {k}, got {printable(str(each), 60)}", place)
        names.append(name)
    return tuple(names)


def chosen_class_names(
    settings: Mapping[str, str], own: Sequence[str] | None, n: int, place: str
) -> tuple[str, ...] | None:
    """Return the names of n outputs: of the file that ``classes`` names, else the model's own.

    Raises
    ------
    ClassError
        Where they are not as many.
    InputError
        As `read_class_names`.
    """
    file = settings.get("classes")
    names = own if file is None else read_class_names(file)
    if names is None:
        return None
    if len(names) != n:
        raise ClassError(
            f"expected a name for each of the {n} scores of {place}, got {len(names)}",
            file or place,
        )
    return tuple(names)


def _values_of(text: str, place: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise SchemaError(
            f'expected a list or mapping of class names, got "{printable(text, 60)}"', place
        ) from None


def _in_order(content: Mapping[Any, Any], place: str) -> list[Any]:
    keys, values = list(content), list(content.values())
    numbers = keys if all(type(key) is int for key in keys) else whole_numbers(list(map(str, keys)))
    if numbers is None and all(type(value) is int for value in values):
        numbers, values = values, keys
    if numbers is None or sorted(numbers) != list(range(len(numbers))):
        raise ClassError(
            f"expected the numbers 0 … {len(keys) - 1}, each with the name of its class, got "
            f"{printable(str(keys[0]), 60)} … {printable(str(keys[-1]), 60)}",
            place,
        )
    return [name for _, name in sorted(zip(numbers, values, strict=True))]
