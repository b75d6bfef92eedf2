"""Annotations by image and category."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LateGroups", "by_cell"]


def by_cell(annotations: Iterable[Any]) -> defaultdict[Any, list[Any]]:
    """Return the annotations of each (image, category), in their order."""
    cells: defaultdict[Any, list[Any]] = defaultdict(list)
    for each in annotations:
        cells[each["image_id"], each["category_id"]].append(each)
    return cells


class LateGroups(NamedTuple):
    """The same, for when it is asked for.

    Attributes
    ----------
    annotations : list, or LateRows
        The annotations.
    images : list
        All of them.
    categories : list of lists
        With which each image is paired, one list after the other; a pair without annotations has an
        empty list.
    """

    annotations: Iterable[Any]
    images: list[Any]
    categories: list[list[Any]]

    def made(self) -> defaultdict[Any, list[Any]]:
        """Return the groups."""
        cells = by_cell(self.annotations)
        for categories in self.categories:
            for image in self.images:
                for category in categories:
                    cells[image, category]  # which makes it
        return cells
