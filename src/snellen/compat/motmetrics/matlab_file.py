"""MATLAB files of version 5, as far as annotations need them: structures of arrays of numbers."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import SchemaError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["read_matlab"]

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_STRUCTURE = 2


def read_matlab(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the variables of a file: arrays of numbers, and structures as dictionaries of them.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    SchemaError
        Where it is no such file, or ends too soon. What is neither numbers nor a structure of one
        element is left out.
    """
    content = Path(path).read_bytes()
    if content[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise SchemaError("expected a MATLAB file of version 5, got another", str(path))
    order = "<" if content[126:128] == b"IM" else ">"
    variables = {}
    try:
        for kind, element in _elements(content[_HEADER:], order):
            inner = [(kind, element)]
            if kind == _COMPRESSED:
                inner = list(_elements(zlib.decompress(element), order))
            for inner_kind, matrix in inner:
                if inner_kind == _MATRIX:
                    name, value = _matrix(matrix, order)
                    if value is not None:
                        variables[name] = value
    except (IndexError, StopIteration, ValueError, zlib.error) as error:
        raise SchemaError(
            f"expected a whole MATLAB file, got one with {error}", str(path)
        ) from None
    return variables


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of elements; of small ones both are in 8 bytes."""
    at = 0
    while at + 8 <= len(content):
        kind, size = np.frombuffer(content, f"{order}u4", 2, at).tolist()
        if kind >> 16:
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start = at + 8
            # Compressed ones are not filled up.
            end = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > len(content):
            raise ValueError(f"{start + size - len(content)} bytes too few")
        yield kind, content[start : start + size]
        at = end


def _matrix(content: bytes, order: str) -> tuple[str, Any]:
    """Return a variable's name, and its value or None."""
    parts = list(_elements(content, order))
    if not parts:
        return "", None
    flags = np.frombuffer(parts[0][1], f"{order}u4", 1)[0]
    shape = np.frombuffer(parts[1][1], f"{order}i4")
    name = parts[2][1].decode("ascii")
    if flags & 0xFF == _STRUCTURE:
        width = int(np.frombuffer(parts[3][1], f"{order}i4", 1)[0])
        names = parts[4][1]
        fields = [
            names[i : i + width].split(b"\0")[0].decode("ascii")
            for i in range(0, len(names), width)
        ]
        if shape.prod() != 1:
            return name, None
        values = [_matrix(part, order)[1] for _, part in parts[5:]]
        return name, dict(zip(fields, values, strict=True))
    kind, data = parts[3]
    if kind not in _NUMBERS:
        return name, None
    return name, np.frombuffer(data, order + _NUMBERS[kind]).reshape(shape, order="F")
