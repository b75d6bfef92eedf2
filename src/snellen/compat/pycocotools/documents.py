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

__all__ = ["no_collection", "read_document"]


def read_document(path: Any) -> Any:
    """Return what a file holds.

    msgspec reads what is JSON by the letter, and gives the same objects. What it refuses, infinite
    numbers and half surrogates among it, is for ``json``, as are its exceptions.
    """
    with open(path, "rb") as file:  # noqa: PTH123  # descriptors are taken too
        data = file.read()
    with no_collection():
        if locale.getpreferredencoding(False).lower().replace("-", "") == "utf8":
            with contextlib.suppress(msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
                return msgspec.json.decode(data)
        return json.load(io.TextIOWrapper(io.BytesIO(data)))


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
