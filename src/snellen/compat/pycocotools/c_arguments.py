"""Arguments as a compiled extension takes them: what it refuses, with which exception."""

from __future__ import annotations

from typing import Any

import numpy as np

from snellen.errors import InputError

__all__ = ["check_buffer", "int_argument", "memory_of", "size_argument", "type_name"]

_C_TYPES = {
    "?": "bool",
    "b": "signed char",
    "B": "unsigned char",
    "h": "short",
    "H": "unsigned short",
    "i": "int",
    "I": "unsigned int",
    "l": "long",
    "L": "unsigned long",
    "q": "long long",
    "Q": "unsigned long long",
    "f": "float",
    "d": "double",
    "g": "long double",
}
# The names that the reference's source has for what it wants.
_WANTED = {"B": "uint8_t", "I": "uint32_t", "d": "double_t"}


def type_name(value: object) -> str:
    """Return the name of a value's type, with its module where that is none of Python's."""
    found = type(value)
    inner = found.__module__ in ("builtins", "__main__")
    return found.__qualname__ if inner else f"{found.__module__}.{found.__qualname__}"


def check_buffer(array: Any, name: str, dtype: Any, ndim: int, *, fortran: bool = False) -> None:
    """Refuse what is no array of this kind; flags pass as bytes.

    Raises
    ------
    TypeError
        For what is no array.
    ValueError
        For another order, another number of axes, other numbers.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"Argument '{name}' has incorrect type (expected numpy.ndarray, got {type_name(array)})"
        )
    if fortran and not array.flags.f_contiguous:
        raise ValueError("ndarray is not Fortran contiguous")
    if array.ndim != ndim:
        raise ValueError(
            f"Buffer has wrong number of dimensions (expected {ndim}, got {array.ndim})"
        )
    wanted = np.dtype(dtype)
    if array.dtype == wanted or (wanted == np.uint8 and array.dtype == np.bool_):
        return
    if not array.dtype.isnative:
        raise ValueError("Big-endian buffer not supported on little-endian compiler")
    got = f"'{_C_TYPES.get(array.dtype.char, str(array.dtype))}'"
    if array.dtype == object:
        got = "Python object"
    raise ValueError(f"Buffer dtype mismatch, expected '{_WANTED[wanted.char]}' but got {got}")


def size_argument(value: Any) -> int:
    """Return a height or a width: a whole number from 0 on, or what can be cut down to one.

    Raises
    ------
    TypeError, ValueError
        For what is no number.
    OverflowError
        For negative numbers, infinity, and those from 2^63 on.
    """
    number = _whole(value)
    if number < 0:
        raise OverflowError("can't convert negative value to siz")
    if number >= 2**63:
        raise OverflowError("Python int too large to convert to C unsigned long")
    return number


def int_argument(value: Any) -> int:
    """Return a whole number of 32 bits.

    Raises
    ------
    TypeError, ValueError
        For what is no number.
    OverflowError
        For others.
    """
    number = _whole(value)
    if not -(2**31) <= number < 2**31:
        raise OverflowError("value too large to convert to int")
    return number


def memory_of(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the first 4 n numbers of the memory behind n rows, however those lie in it.

    pycocotools takes an array of boxes for one in C's order: of a part of a wider array, or of one
    in Fortran's order, it reads other boxes than those that it was given.

    Raises
    ------
    InputError
        Where the array has not that much memory, or begins behind its own first row.
    """
    n = 4 * len(rows)
    if not rows.size and n:
        extent = 0
    else:
        steps = [step * (each - 1) for step, each in zip(rows.strides, rows.shape, strict=True)]
        extent = 0 if min(steps) < 0 else sum(steps) // rows.itemsize + 1
    if n > extent and n:
        raise InputError(
            f"expected boxes (n, 4) of left, top, width and height, got shape {rows.shape} that "
            "does not lie row by row in memory: numpy.ascontiguousarray makes one that does",
            "bb",
        )
    return np.lib.stride_tricks.as_strided(rows, (n,), (rows.itemsize,), writeable=False)


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    convert = getattr(type(value), "__int__", None)
    if convert is None:
        raise TypeError("an integer is required")
    return int(convert(value))
