"""Annotations by image and category."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GroupsAttribute", "LazyGroups", "by_cell", "extended"]


def by_cell(
    annotations: Iterable[Any], cells: defaultdict[Any, list[Any]] | None = None
) -> defaultdict[Any, list[Any]]:
    """Return the annotations of each (image, category), in their order, after those of others."""
    found: defaultdict[Any, list[Any]] = defaultdict(list) if cells is None else cells
    for each in annotations:
        found[each["image_id"], each["category_id"]].append(each)
    return found


class LazyGroups(NamedTuple):
    """Groups as those of `by_cell`, which `made` makes: an evaluation in columns needs none.

    Attributes
    ----------
    annotations : list, or LazyRows
        The annotations.
    images : list
        All of them.
    categories : list of lists
        With which each image is paired, one list after the other; a pair without annotations has an
        empty list.
    before : LazyGroups or None
        Groups that these are put into.
    """

    annotations: Iterable[Any]
    images: list[Any]
    categories: list[list[Any]]
    before: LazyGroups | None = None

    def made(self) -> defaultdict[Any, list[Any]]:
        """Return the groups."""
        cells = by_cell(self.annotations, None if self.before is None else self.before.made())
        for categories in self.categories:
            for image in self.images:
                for category in categories:
                    cells[image, category]  # which makes it
        return cells

    def all_annotations(self) -> list[Any]:
        """Return the annotations, those of before first."""
        if self.before is None:
            return list(self.annotations)
        return [*self.before.all_annotations(), *self.annotations]


class GroupsAttribute:
    """An attribute of groups that are made once somebody looks at it.

    Parameters
    ----------
    kept : str
        The attribute that holds the groups, lazy ones too.
    """

    def __init__(self, kept: str) -> None:
        self._kept = kept

    def __get__(self, evaluator: Any, owner: type | None = None) -> Any:
        if evaluator is None:
            return self
        groups = getattr(evaluator, self._kept)
        if isinstance(groups, LazyGroups):
            groups = groups.made()
            setattr(evaluator, self._kept, groups)
        return groups

    def __set__(self, evaluator: Any, groups: Any) -> None:
        setattr(evaluator, self._kept, groups)


def extended(cells: Any, annotations: list[Any]) -> Any:
    """Return groups with others put in: lazy ones while nobody looked at them."""
    if isinstance(cells, LazyGroups):
        return LazyGroups(annotations, [], [], cells)
    if type(cells) is defaultdict and not cells:
        return LazyGroups(annotations, [], [])
    return by_cell(annotations, cells)
