"""JSON files as ``json.load`` reads them from a text file, sooner."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import locale
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["decoded", "first_of_list", "no_collection", "read_bytes", "text_is_utf8"]

_HEAD_BYTES = 1 << 16


def read_bytes(path: Any) -> bytes:
    """Return the bytes of a file, which may be one that is open."""
    with open(path, "rb") as file:  # noqa: PTH123  # descriptors are taken too
        return file.read()


def text_is_utf8() -> bool:
    """Whether Python takes a text file for UTF-8, where nobody says what it is."""
    return locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"


def decoded(data: bytes) -> Any:
    """Return what the bytes of a file hold.

    msgspec reads what is JSON by the letter, and gives the same objects. What it refuses, infinite
    numbers and half surrogates among it, is for ``json``, as are its exceptions.
    """
    with no_collection():
        if text_is_utf8():
            with contextlib.suppress(msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
                return msgspec.json.decode(data)
        return json.load(io.TextIOWrapper(io.BytesIO(data)))


def first_of_list(data: bytes) -> Any:
    """Return the first value of a list; None where it is long, or there is none."""
    head = data[:_HEAD_BYTES].decode("utf-8", "replace")
    start = len(head) - len(head.lstrip(" \t\r\n[")) if head.lstrip().startswith("[") else 0
    try:
        return json.JSONDecoder().raw_decode(head, start)[0] if start else None
    except (ValueError, RecursionError):
        return None


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Make many objects without looking for circles among them again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
