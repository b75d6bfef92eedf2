"""Dicts whose values are made when they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["LazyDict"]


class LazyDict(dict[Any, Any]):
    """A dict of known keys.

    A dict, as others ask whether it is one. What is asked of it beside its keys, its length and
    single values makes all of them first.

    Parameters
    ----------
    values : mapping, optional
        All of them; `of` makes them later.
    """

    _lazy: Collection[Any] | None = None
    _make: Callable[[Any], Any]
    _what: str

    @classmethod
    def of(cls, keys: Collection[Any], make: Callable[[Any], Any], what: str) -> LazyDict:
        """Return a dict of keys, whose values, called something, are made of them."""
        values = cls()
        values._lazy = keys
        values._make = make
        values._what = what
        return values

    def _is_lazy(self, key: Any) -> bool:
        return self._lazy is not None and key in self._lazy

    def __missing__(self, key: Any) -> Any:
        if not self._is_lazy(key):
            raise KeyError(key)
        value = self._make(key)
        super().__setitem__(key, value)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key, or a default."""
        return self[key] if key in self else default  # noqa: SIM401  # which is this method

    def __contains__(self, key: Any) -> bool:
        return self._is_lazy(key) or super().__contains__(key)

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__() if self._lazy is None else iter(self._lazy)

    def __len__(self) -> int:
        return super().__len__() if self._lazy is None else len(self._lazy)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self._is_lazy(key):
            self.fill()
        super().__setitem__(key, value)

    def __repr__(self) -> str:
        if self._lazy is None:
            return super().__repr__()
        return f"<{len(self)} {self._what}, each made when it is looked at>"

    def __reduce__(self) -> Any:
        return dict, (dict(self.fill().items()),)

    def fill(self) -> LazyDict:
        """Make all values, in their order: from now on this is a dict like others."""
        if self._lazy is not None:
            values = {key: self[key] for key in self}
            self._lazy = None
            super().clear()
            super().update(values)
        return self


def _filled(name: str) -> Any:
    whole = getattr(dict, name)

    def method(self: LazyDict, *arguments: Any, **named: Any) -> Any:
        return whole(self.fill(), *arguments, **named)

    method.__name__ = name
    method.__doc__ = whole.__doc__
    return method


for _name in (
    *("keys", "values", "items", "pop", "popitem", "setdefault", "update", "clear", "copy"),
    *("__delitem__", "__eq__", "__ne__", "__or__", "__ror__", "__ior__", "__reversed__"),
):
    setattr(LazyDict, _name, _filled(_name))
del _name
