"""What a script gets where the package asserts."""

from __future__ import annotations

from snellen.errors import InputError

__all__ = ["FailedAssertionError"]


class FailedAssertionError(InputError, AssertionError):
    """A wrong call: an `InputError` for ours, an `AssertionError` for scripts that catch one."""
