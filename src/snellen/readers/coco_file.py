"""The bytes of COCO files to raw columns; needs no NumPy (see `snellen.readers.background`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from snellen import _core
from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["read_raw_results", "read_raw_truth"]

Raw = TypeVar("Raw", _core.CocoTruth, _core.CocoResults)


def read_raw_truth(path: str | os.PathLike[str], kind: str = "box") -> _core.CocoTruth:
    """Read an annotation file, plain or gzipped (by its name).

    Parameters
    ----------
    path : path
    kind : {"box", "mask", "keypoints"}
        What is read of each object.

    Raises
    ------
    SchemaError
        Where the file is not what it should be; the message ends with the place.
    InputError
        Where it cannot be read.
    """
    return _read(path, kind, _core.read_coco_truth_file, _core.read_coco_truth)


def read_raw_results(path: str | os.PathLike[str], kind: str = "box") -> _core.CocoResults:
    """Read a results file, plain or gzipped (by its name); as `read_raw_truth`."""
    return _read(path, kind, _core.read_coco_results_file, _core.read_coco_results)


def _read(
    path: str | os.PathLike[str],
    kind: str,
    from_file: Callable[[str, str], Raw],
    from_bytes: Callable[[bytes, str], Raw],
) -> Raw:
    place = os.fspath(path)
    if not place.endswith(".gz"):
        return checked(from_file(place, kind), place)
    import gzip
    import zlib

    try:
        with gzip.open(place, "rb") as file:
            document = file.read()
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"expected a readable file, got: {error.strerror}", place) from error
        raise InputError(f"expected a gzip file, as its name says, got: {error}", place) from error
    return checked(from_bytes(document, kind), place)


def checked(raw: Raw, place: str) -> Raw:
    """Return columns that were read without a fault; raise the fault otherwise."""
    fault = raw.fault()
    if fault is None:
        return raw
    message, path, byte, line = fault
    if line == 0:  # the file itself, not its content
        raise InputError(f"expected a readable file, got: {message}", place)
    where = " ".join(part for part in (place, path, f"(line {line}, byte {byte})") if part)
    raise SchemaError(message, where)
