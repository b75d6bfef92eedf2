"""How results of classification go to bytes and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.classification.scores import Form
from snellen.state import pack
from snellen.stored_results import headline_content, headline_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.result import Result
    from snellen.state import PackedState

__all__ = ["packed_result", "result_fields"]


def packed_result(result: Result, form: Form | None, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a result that consists of headline numbers, classes and arrays as bytes."""
    content = {**headline_content(result), "form": None if form is None else form.to_dict()}
    return pack(type(result).__name__, content, arrays)


def result_fields(packed: PackedState, arrays: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a result that `packed_result` wrote, by name.

    Parameters
    ----------
    packed : PackedState
        What it wrote.
    arrays : tuple of str
        The names of its arrays.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError
        Where it is not whole.
    """
    return {
        **headline_fields(packed.content),
        "form": Form.from_dict(packed.content["form"]),
        **{key: packed.arrays[key] for key in arrays},
    }
