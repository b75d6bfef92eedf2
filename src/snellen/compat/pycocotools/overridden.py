"""Whether the steps of an object are still those of its class."""

from __future__ import annotations

__all__ = ["has_other"]


def has_other(value: object, base: type, *names: str) -> bool:
    """Whether an object has other methods than its base class."""
    return any(
        name in vars(value) or getattr(type(value), name) is not getattr(base, name)
        for name in names
    )
