"""How diagnoses of detection go to bytes and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.classes import Classes
from snellen.state import Keys, pack
from snellen.stored_results import headline_content, headline_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.result import Result
    from snellen.state import PackedState

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
    stored: dict[str, Any] = {**headline_content(result), **content}
    classes.store(stored, columns)
    if images is not None:
        images.store("image_ids", stored, columns)
    return pack(type(result).__name__, stored, columns)


def result_fields(
    packed: PackedState,
    arrays: tuple[str, ...],
    *,
    has_images: bool = False,
    content: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the fields of a result that `packed_result` wrote, by name.

    Parameters
    ----------
    packed : PackedState
        What it wrote.
    arrays, content : tuple of str
        The names of its arrays and of its other fields.
    has_images : bool
        Whether it has images.

    Raises
    ------
    AttributeError, IndexError, KeyError, TypeError, ValueError
        Where it is not whole.
    """
    stored = packed.content
    fields = {
        **headline_fields(stored),
        "classes": Classes.stored(stored, packed.arrays),
        **{key: packed.arrays[key] for key in arrays},
        **{key: stored[key] for key in content},
    }
    if has_images:
        fields["images"] = Keys.stored("image_ids", "image id", stored, packed.arrays)
    return fields
