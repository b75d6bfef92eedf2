"""The classes of a data set: ids and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from snellen.errors import ClassError
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Classes"]


class Classes:
    """Class ids in ascending order, each with its name.

    Parameters
    ----------
    ids : array-like of int or str
        The ids, any order, each once.
    names : sequence of str, optional
        The name of each id; ``""`` where it has none.

    Attributes
    ----------
    keys : Keys
        The ids, ascending.
    names : tuple of str
        The names in the order of `keys`; ``""`` where unknown.

    Raises
    ------
    ClassError
        Where an id comes twice.
    """

    __slots__ = ("keys", "names")

    def __init__(self, ids: ArrayLike, names: Sequence[str] | None = None) -> None:
        self.keys = Keys(ids, "class id")
        codes = self.keys.codes(ids).tolist()
        if len(codes) != len(self.keys):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            raise ClassError(
                "expected each class id once, got "
                f"{self.keys.ids[twice[0]]} {codes.count(twice[0])} times"
            )
        ordered = [""] * len(self.keys)
        if names is not None:
            if len(names) != len(codes):
                raise ClassError(f"expected {len(codes)} class names, got {len(names)}")
            for code, name in zip(codes, names, strict=True):
                ordered[code] = name
        self.names = tuple(ordered)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"Classes({', '.join(self.display_names())})"

    def display_names(self) -> list[str]:
        """Return a name for each class: its own, else its id."""
        return [
            name or str(class_id)
            for class_id, name in zip(self.keys.ids.tolist(), self.names, strict=True)
        ]

    def same_as(self, other: Classes) -> bool:
        """Return whether both hold the same ids and names."""
        return self is other or (self.keys.same_as(other.keys) and self.names == other.names)

    def store(self, content: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Put ids and names into a state; see `Keys.store`."""
        content["class_names"] = list(self.names)
        self.keys.store("class_ids", content, arrays)

    @classmethod
    def stored(cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Classes:
        """Return what `store` put into a state.

        Raises
        ------
        KeyError, IdError, ClassError
            Where it is not whole.
        """
        ids: Any = arrays if "class_ids" in arrays else content
        return cls(ids["class_ids"], content["class_names"])

    @classmethod
    def of(cls, description: Classes | Mapping[Any, str] | Sequence[str]) -> Classes:
        """Return classes from a mapping of id to name, or from names whose ids are 0, 1, 2, ….

        Raises
        ------
        ClassError
            For a text, whose letters are no classes, and for what has no elements.
        """
        if isinstance(description, Classes):
            return description
        if isinstance(description, Mapping):
            return cls(list(description), list(description.values()))
        if isinstance(description, (str, bytes)) or not isinstance(description, Iterable):
            raise ClassError(
                f"expected a list of class names or a mapping of id to name, got {description!r}: "
                'of a single class say ["name"]',
                "classes",
            )
        names = list(description)
        return cls(range(len(names)), names)

    @classmethod
    def union(cls, parts: Sequence[Classes]) -> Classes:
        """Return the classes of all parts; a name given by one part holds for all.

        Raises
        ------
        ClassError
            Where two parts give one id two names.
        """
        if parts and all(part.same_as(parts[0]) for part in parts):
            return parts[0]
        keys = Keys.union([part.keys for part in parts], "class id")
        names = [""] * len(keys)
        for part in parts:
            for code, name in zip(keys.codes(part.keys.ids).tolist(), part.names, strict=True):
                if name and names[code] and names[code] != name:
                    raise ClassError(
                        f'expected one name for class {keys.ids[code]}, got "{names[code]}" and '
                        f'"{name}": do these data belong to the same classes?'
                    )
                names[code] = names[code] or name
        union = cls.__new__(cls)
        union.keys, union.names = keys, tuple(names)
        return union
