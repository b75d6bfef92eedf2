"""Whether the steps of an object are still those its class was written with."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["class_has_other", "has_other", "remembered"]

Class = TypeVar("Class", bound=type)

# Scripts replace methods of a subclass, of an object, and of the class itself.
_OWN: dict[type, dict[str, Any]] = {}


def remembered(kind: Class) -> Class:
    """Keep what a class is written with, and return it."""
    _OWN[kind] = dict(vars(kind))
    return kind


def has_other(value: object, *names: str) -> bool:
    """Whether an object has other methods than a class that is `remembered`."""
    return any(name in vars(value) for name in names) or class_has_other(type(value), *names)


def class_has_other(kind: type, *names: str) -> bool:
    """Whether a class has other attributes than what it, or what it derives from, was given."""
    own: dict[str, Any] = next((_OWN[each] for each in kind.__mro__ if each in _OWN), {})
    return any(getattr(kind, name, None) is not own.get(name) for name in names)
