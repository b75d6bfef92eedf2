"""How many threads the kernels use. It never changes a number."""

from __future__ import annotations

from snellen import _core
from snellen.errors import InputError

__all__ = ["get_threads", "set_threads"]

_MOST = 4096  # more than any machine has use for; a larger number is a mistake


def set_threads(n: int | None) -> None:
    """Set the number of threads of all kernels in this process.

    Parameters
    ----------
    n : int or None
        At least 1; None goes back to one for each processor that the process may use.

    Raises
    ------
    InputError
        For anything else.
    """
    if n is not None and (type(n) is not int or not 1 <= n <= _MOST):
        raise InputError(f"expected a whole number from 1 to {_MOST}, got {n!r}", "n")
    _core.set_thread_count(n or 0)


def get_threads() -> int:
    """Return the number of threads that kernels use."""
    return _core.thread_count()
