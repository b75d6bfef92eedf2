"""Classes that contain others: what an object of one says of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, SchemaError, first_few
from snellen.table_text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects

    AnyObjects = TypeVar("AnyObjects", bound=Objects)

__all__ = ["ClassHierarchy", "expand_hierarchy", "expanded_rows"]

_DEEPEST: Final = 200  # far above any tree of classes, far below where Python stops


class ClassHierarchy:
    """Which classes are kinds of which others, as a tree in which a class may stand several times.

    Parameters
    ----------
    tree : mapping
        The root, as Open Images publishes it: ``LabelName``, and lists of such nodes
        ``Subcategory`` (kinds of it) and ``Part`` (what it has). The root is what all classes are,
        and no class. A part is no kind of what it is part of.

    Attributes
    ----------
    ancestors : dict of str to tuple of str
        For each class those that it is a kind of, on any path, without itself and the root.
    descendants : dict of str to tuple of str
        For each class the kinds of it, without itself.

    Raises
    ------
    SchemaError
        For what is no such tree, and for a class that is a kind of itself; with its place.

    Examples
    --------
    >>> tree = {"LabelName": "root", "Subcategory": [
    ...     {"LabelName": "animal", "Subcategory": [{"LabelName": "cat"}, {"LabelName": "dog"}]}]}
    >>> hierarchy = ClassHierarchy(tree)
    >>> hierarchy.ancestors["cat"], hierarchy.descendants["animal"]
    (('animal',), ('cat', 'dog'))
    """

    __slots__ = ("ancestors", "descendants")

    def __init__(self, tree: Mapping[str, Any]) -> None:
        # Keys of dictionaries are sets that keep their order.
        above: dict[str, dict[str, None]] = {}
        below: dict[str, dict[str, None]] = {}
        _name(tree, "$")
        # Nodes yet to be seen, the next one last: with the classes above them, and their place.
        waiting = _inner_nodes(tree, (), "$")
        while waiting:
            node, path, place = waiting.pop()
            name = _name(node, place)
            if name in path:
                raise SchemaError(
                    f'expected a tree, got "{printable(name, 60)}" below itself', place
                )
            if len(path) == _DEEPEST:
                raise SchemaError(f"expected a tree of at most {_DEEPEST} levels", place)
            above.setdefault(name, {}).update(dict.fromkeys(reversed(path)))
            below.setdefault(name, {})
            for ancestor in path:
                below[ancestor][name] = None
            waiting += _inner_nodes(node, (*path, name), place)
        self.ancestors = {name: tuple(each) for name, each in above.items()}
        self.descendants = {name: tuple(each) for name, each in below.items()}

    def __len__(self) -> int:
        return len(self.ancestors)

    def __repr__(self) -> str:
        return f"ClassHierarchy({len(self)} classes)"


def _name(node: Any, place: str) -> str:
    name = node.get("LabelName") if isinstance(node, Mapping) else None
    if not isinstance(name, str) or not name:
        raise SchemaError(
            "expected a node of a hierarchy, with a LabelName that is a text, got "
            f"{printable(repr(node), 60)}",
            place,
        )
    return name


def _inner_nodes(
    node: Mapping[str, Any], path: tuple[str, ...], place: str
) -> list[tuple[Any, tuple[str, ...], str]]:
    """Return the nodes in a node, last first, each with the classes above it and its place."""
    found = []
    for key, above in (("Subcategory", path), ("Part", ())):
        nodes = node.get(key, [])
        if not isinstance(nodes, Sequence) or isinstance(nodes, str):
            raise SchemaError(
                f"expected a list of nodes, got {printable(repr(nodes), 60)}", f"{place}.{key}"
            )
        found += [(each, above, f"{place}.{key}[{k}]") for k, each in enumerate(nodes)]
    return found[::-1]


def expand_hierarchy(truth: AnyObjects, hierarchy: ClassHierarchy) -> AnyObjects:
    """Return truth in which an object of a class is one of all classes above it too.

    Parameters
    ----------
    truth : Boxes, Masks, Poses or OrientedBoxes
        Objects whose class ids are those of the hierarchy.
    hierarchy : ClassHierarchy
        Which classes are kinds of which.

    Returns
    -------
    Boxes, Masks, Poses or OrientedBoxes
        Each object, and behind it the same object as one of each class above its own. All classes
        of the hierarchy are among the classes. Annotation ids, which would come several times, are
        left out. What was looked for (`Boxes.verified`) stays as it is: labels of images are
        expanded before, by `ImageLabels.expanded`.

    Raises
    ------
    ClassError
        For objects of classes that the hierarchy does not have.

    Examples
    --------
    >>> from snellen import Boxes
    >>> tree = {"LabelName": "root", "Subcategory": [
    ...     {"LabelName": "animal", "Subcategory": [{"LabelName": "cat"}]}]}
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9]], image_id=["a"], label=["cat"])
    >>> expanded = expand_hierarchy(truth, ClassHierarchy(tree))
    >>> expanded.classes.keys.ids[expanded.label].tolist()
    ['cat', 'animal']
    """
    rows, label, classes = expanded_rows(truth.boxes, hierarchy)
    found: Any = truth[rows]
    boxes = found.boxes
    changes: dict[str, Any] = {"label": label, "classes": classes, "id": None}
    if boxes.groups is not None:
        known = dict(zip(boxes.classes.keys.ids.tolist(), boxes.groups, strict=True))
        changes["groups"] = tuple(known.get(each, "") for each in classes.keys.ids.tolist())
    if boxes.verified is not None:
        code = classes.keys.codes(boxes.classes.keys.ids)
        changes["verified"] = dataclasses.replace(
            boxes.verified, label=code[boxes.verified.label].astype(np.int32)
        )
    boxes = dataclasses.replace(boxes, **changes)
    found = boxes if found.kind == "box" else dataclasses.replace(found, boxes=boxes)
    expanded: AnyObjects = found
    return expanded


def expanded_rows(
    boxes: Boxes, hierarchy: ClassHierarchy
) -> tuple[NDArray[np.int64], NDArray[np.int32], Classes]:
    """Return which rows expanded truth has, their classes, and all classes.

    Raises
    ------
    ClassError
        For boxes of classes that the hierarchy does not have.
    """
    ids = boxes.classes.keys.ids.tolist()
    used = np.bincount(boxes.label, minlength=len(ids)) > 0
    unknown = [
        each
        for each, some in zip(ids, used, strict=True)
        if some and each not in hierarchy.ancestors
    ]
    if unknown:
        raise ClassError(
            f"expected objects of the {len(hierarchy):,} classes of the hierarchy, got "
            f"{len(unknown):,} others: {first_few(printable(each, 60) for each in unknown)}"
        )
    classes = Classes.union([boxes.classes, Classes(list(hierarchy.ancestors))])
    # Of each class the codes of itself and of those above, one class behind the other.
    above = [classes.keys.codes([each, *hierarchy.ancestors.get(each, ())]) for each in ids]
    size = np.array([len(each) for each in above], np.int64)
    codes = np.concatenate([np.zeros(0, np.int32), *above])
    times = size[boxes.label]
    rows = np.repeat(np.arange(len(boxes), dtype=np.int64), times)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
    return rows, codes[(np.cumsum(size) - size)[boxes.label[rows]] + within], classes
