"""How diagnoses of detection go to bytes and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.classes import Classes
from snellen.errors import SchemaError
from snellen.result import Undefined, plain_intervals, stored_intervals
from snellen.state import Keys, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.result import Result

__all__ = ["packed_result", "result_fields"]


def packed_result(
    result: Result,
    classes: Classes,
    arrays: Mapping[str, NDArray[Any]],
    *,
    images: Keys | None = None,
    **content: Any,
) -> bytes:
    """Return a result that consists of headline numbers, classes and arrays as bytes.

    Parameters
    ----------
    result : Result
    classes : Classes
        Its classes.
    arrays : mapping of str to ndarray
        Its arrays.
    images : Keys, optional
        Its images.
    **content
        Its other fields, as values that JSON can hold.
    """
    columns = dict(arrays)
    stored: dict[str, Any] = {
        "metrics": {n: None if math.isnan(v) else v for n, v in result.metrics.items()},
        "protocol": dict(result.protocol),
        "undefined": [list(entry) for entry in result.undefined],
        "data": dict(result.data),
        "intervals": plain_intervals(result.intervals),
        **content,
    }
    classes.store(stored, columns)
    if images is not None:
        images.store("image_ids", stored, columns)
    return pack(type(result).__name__, stored, columns)


def result_fields(
    name: str,
    data: bytes,
    place: str,
    arrays: tuple[str, ...],
    *,
    has_images: bool = False,
    content: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the fields of a result that `packed_result` wrote, by name.

    Parameters
    ----------
    name : str
        The class that must have written it.
    data : bytes
        What it wrote.
    place : str
        Where it comes from, for messages.
    arrays, content : tuple of str
        The names of its arrays and of its other fields.
    has_images : bool
        Whether it has images.

    Raises
    ------
    SchemaError
        Where it is not one of this class.
    """
    packed = unpack(data, place)
    if packed.name != name:
        raise SchemaError(f"expected a {name}, got a {packed.name}", place)
    stored = packed.content
    try:
        fields = {
            "metrics": {
                key: math.nan if value is None else float(value)
                for key, value in stored["metrics"].items()
            },
            "protocol": stored["protocol"],
            "undefined": tuple(Undefined(*entry) for entry in stored["undefined"]),
            "data": stored["data"],
            "intervals": stored_intervals(stored["intervals"]),
            "classes": Classes.stored(stored, packed.arrays),
            **{key: packed.arrays[key] for key in arrays},
            **{key: stored[key] for key in content},
        }
        if has_images:
            fields["images"] = Keys.stored("image_ids", "image id", stored, packed.arrays)
        return fields
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"expected a whole {name}: {error!r}", place) from error
