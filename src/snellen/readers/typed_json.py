"""JSON documents of a known structure, read straight into it; faults name the record."""

from __future__ import annotations

import types
import typing
from typing import Any, TypeVar

import msgspec

from snellen.errors import SchemaError
from snellen.readers.table import read_bytes

__all__ = ["decoded", "read_typed_json"]

T = TypeVar("T")


def read_typed_json(path: str, kind: type[T], what: str) -> T:
    """Read a JSON file, plain or ``.gz``; see `decoded`.

    Raises
    ------
    InputError
        Where the file cannot be read.
    SchemaError
        As `decoded`.
    """
    return decoded(read_bytes(path), kind, what, path)


def decoded(document: bytes, kind: type[T], what: str, path: str) -> T:
    """Return a JSON document as a value of a type.

    Parameters
    ----------
    document : bytes
        The JSON, UTF-8; a byte order mark is skipped.
    kind : type
        What it should be: of structs, lists and plain types.
    what : str
        What it should be, for messages: ``"BDD100K tracking labels"``.
    path : str
        The file, for messages.

    Raises
    ------
    SchemaError
        Where it is something else; the message ends with the place: ``pred.json $[3].score``.
    """
    document = document.removeprefix(b"\xef\xbb\xbf")
    if not document.strip():
        raise SchemaError(f"expected {what}, the file is empty", path)
    try:
        try:
            return msgspec.json.decode(document, type=kind)
        except msgspec.ValidationError:
            # Says where; or that it is no JSON further on.
            message, place = _fault(msgspec.json.decode(document), kind, "$")
            raise SchemaError(f"expected {what}: {message}", f"{path} {place}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected {what} as JSON: {error}", path) from None


def _fault(value: Any, kind: Any, place: str) -> tuple[str, str]:
    """Return what is wrong in a value that is not of a kind, and where the least part of it is."""
    for part, part_kind, part_place in _parts(value, kind, place):
        if _problem(part, part_kind):
            return _fault(part, part_kind, part_place)
    return _problem(value, kind), place


def _problem(value: Any, kind: Any) -> str:
    """Return why a value is not of a kind; nothing where it is."""
    try:
        # As JSON: parts may stay JSON, which objects in memory cannot be.
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except msgspec.ValidationError as error:
        message = str(error).split(" - at ", 1)[0].replace("`", '"')
        return message[:1].lower() + message[1:]
    return ""


def _parts(value: Any, kind: Any, place: str) -> list[tuple[Any, Any, str]]:
    """Return the parts of a list or an object whose kinds are known."""
    choices = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for choice in choices:
        of = typing.get_args(choice)
        if typing.get_origin(choice) is list and isinstance(value, list):
            return [(part, of[0], f"{place}[{k}]") for k, part in enumerate(value)]
        if typing.get_origin(choice) is tuple and isinstance(value, list):
            numbered = enumerate(zip(value, of, strict=False))
            return [(part, kind, f"{place}[{k}]") for k, (part, kind) in numbered]
        if typing.get_origin(choice) is dict and isinstance(value, dict):
            return [(part, of[1], f"{place}.{key}") for key, part in value.items()]
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            if not isinstance(value, dict):
                continue
            return [
                (value[field.encode_name], field.type, f"{place}.{field.encode_name}")
                for field in msgspec.structs.fields(choice)
                if field.encode_name in value
            ]
    return []
