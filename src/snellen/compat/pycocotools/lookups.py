"""What is looked up in a data set."""

from __future__ import annotations

from typing import Any

__all__ = ["found", "is_array_like", "of_categories"]


def is_array_like(value: Any) -> bool:
    """Whether a value is of several, as pycocotools sees it."""
    return hasattr(value, "__iter__") and hasattr(value, "__len__")


class _Membership(dict[Any, bool]):
    """Whether a value is in a collection, which is asked once for each value."""

    def __init__(self, among: Any) -> None:
        self.among = among

    def __missing__(self, value: Any) -> bool:
        found = self[value] = value in self.among
        return found


def of_categories(annotations: list[Any], wanted: Any) -> list[Any]:
    """Return the annotations of some categories."""
    asked = _Membership(wanted)
    try:
        return [each for each in annotations if asked[each["category_id"]]]
    except TypeError:  # categories that cannot be hashed
        return [each for each in annotations if each["category_id"] in wanted]


def found(index: dict[Any, Any], ids: Any) -> Any:
    """Return what an index has of several ids or of one int; None of anything else."""
    if is_array_like(ids):
        return [index[each] for each in ids]
    if type(ids) is int:
        return [index[ids]]
    return None
