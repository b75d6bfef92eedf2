"""Which of a class' names a subclass or an object has replaced."""

from __future__ import annotations

__all__ = ["changes"]


def changes(value: object, base: type, *names: str) -> bool:
    """Whether an object has something else under one of these names than a base class of it."""
    return any(
        name in vars(value) or getattr(type(value), name) is not getattr(base, name)
        for name in names
    )
