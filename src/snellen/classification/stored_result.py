"""How results of classification go to bytes and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.classification.scores import Form
from snellen.errors import SchemaError
from snellen.result import Undefined, plain_intervals, stored_intervals
from snellen.state import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.result import Result

__all__ = ["packed_result", "result_fields"]


def packed_result(result: Result, form: Form | None, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a result that consists of headline numbers, classes and arrays as bytes."""
    content = {
        "metrics": {n: None if math.isnan(v) else v for n, v in result.metrics.items()},
        "protocol": dict(result.protocol),
        "undefined": [list(entry) for entry in result.undefined],
        "data": dict(result.data),
        "intervals": plain_intervals(result.intervals),
        "form": None if form is None else form.to_dict(),
    }
    return pack(type(result).__name__, content, arrays)


def result_fields(name: str, data: bytes, place: str, arrays: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a result that `packed_result` wrote, by name.

    Parameters
    ----------
    name : str
        The class that must have written it.
    data : bytes
        What it wrote.
    place : str
        Where it comes from, for messages.
    arrays : tuple of str
        The names of its arrays.

    Raises
    ------
    SchemaError
        Where it is not one of this class.
    """
    packed = unpack(data, place)
    if packed.name != name:
        raise SchemaError(f"expected a {name}, got a {packed.name}", place)
    content = packed.content

    def number(value: float | None) -> float:
        return math.nan if value is None else float(value)

    try:
        return {
            "metrics": {key: number(value) for key, value in content["metrics"].items()},
            "protocol": content["protocol"],
            "undefined": tuple(Undefined(*entry) for entry in content["undefined"]),
            "data": content["data"],
            "intervals": stored_intervals(content["intervals"]),
            "form": Form.from_dict(content["form"]),
            **{key: packed.arrays[key] for key in arrays},
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"expected a whole {name}: {error!r}", place) from error
