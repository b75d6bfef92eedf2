"""IDX files: the arrays of MNIST and its like."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import SchemaError
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_idx"]

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an array: two zero bytes, its type, its axes, their lengths, its elements.

    Parameters
    ----------
    path : path
        The file; it may be packed, where its name ends in ``.gz``.

    Raises
    ------
    InputError
        Where the file cannot be read.
    SchemaError
        Where it is no IDX file, or shorter or longer than it says.
    """
    place = os.fspath(path)
    data = read_bytes(place)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES:
        raise SchemaError(
            "expected an IDX file, which begins with two zero bytes and a type", place
        )
    n_axes = data[3]
    start = 4 + 4 * n_axes
    if len(data) < start:
        raise SchemaError(f"expected the lengths of {n_axes} axes, the file ends before", place)
    shape = tuple(np.frombuffer(data, ">u4", n_axes, 4).tolist())
    kind = np.dtype(_TYPES[data[2]])
    expected = start + math.prod(shape) * kind.itemsize
    if len(data) != expected:
        raise SchemaError(
            f"expected {expected:,} bytes, as its head says, got {len(data):,}", place
        )
    array = np.frombuffer(data, kind, offset=start).reshape(shape)
    return array.astype(kind.newbyteorder("="))
