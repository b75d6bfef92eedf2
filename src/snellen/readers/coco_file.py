"""The bytes of COCO files to raw columns; needs no NumPy (see `snellen.readers.background`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

from snellen import _core
from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kind_of_results", "masks_of_results", "read_raw_results", "read_raw_truth"]

_HEAD_BYTES: Final = 1 << 16
_SHAPES: Final = ("bbox", "segmentation", "keypoints")

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


def kind_of_results(path: str | os.PathLike[str]) -> str:
    """Return what a results file has: ``"box"``, else ``"mask"``, else ``"keypoints"``.

    Its first record says it, as pycocotools has it. A file that is empty or cannot be read, and a
    pipe, count as boxes: what is wrong with it is said by its reader.
    """
    first = _first_record(_head(os.fspath(path)))
    if "bbox" in first and first["bbox"] != []:
        return "box"
    return "mask" if "segmentation" in first else "keypoints" if "keypoints" in first else "box"


def masks_of_results(path: str | os.PathLike[str]) -> _core.CocoResults | None:
    """Read the masks of a results file of another kind; None where its first record has none."""
    head = _head(os.fspath(path))
    # To look is quicker than to decode, unless names may be written with escapes.
    if b"\\" not in head and b'"segmentation"' not in head:
        return None
    if "segmentation" not in _first_record(head):
        return None
    return read_raw_results(path, "mask")


def _first_record(head: bytes) -> dict[str, object]:
    """Return the first record of results that begin so; of one that is too long what it has."""
    start = head.find(b"{")
    if start < 0:
        return {}
    import json

    try:
        record, _ = json.JSONDecoder().raw_decode(head[start:].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {name: None for name in _SHAPES if f'"{name}"'.encode() in head}
    return record if isinstance(record, dict) else {}


def _head(place: str) -> bytes:
    """Return the beginning of a file; nothing of what cannot be read, or only once."""
    try:
        if not os.path.isfile(place):  # noqa: PTH113  # pathlib takes time to import
            return b""
        if place.endswith(".gz"):
            import gzip
            import zlib

            try:
                with gzip.open(place, "rb") as packed:
                    return packed.read(_HEAD_BYTES)
            except zlib.error:
                return b""
        with open(place, "rb") as file:  # noqa: PTH123  # pathlib takes time
            return file.read(_HEAD_BYTES)
    except (OSError, EOFError):
        return b""


def _whole(place: str) -> bytes:
    try:
        with open(place, "rb") as file:  # noqa: PTH123  # pathlib takes time
            return file.read()
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", place) from error


def _read(
    path: str | os.PathLike[str],
    kind: str,
    from_file: Callable[[str, str], Raw],
    from_bytes: Callable[[bytes, str], Raw],
) -> Raw:
    place = os.fspath(path)
    if not place.endswith(".gz"):
        try:
            place.encode()
        except UnicodeEncodeError:  # a name of bytes that are no text, which the core does not take
            return checked(from_bytes(_whole(place), kind), place)
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
