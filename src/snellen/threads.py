"""How many threads the kernels use, and jobs on as many. It never changes a number."""

from __future__ import annotations

import collections
import itertools
import os
from typing import TYPE_CHECKING, TypeVar

from snellen import _core
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["get_threads", "in_threads", "set_threads", "usable_threads"]

Item = TypeVar("Item")
Done = TypeVar("Done")

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


def usable_threads() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_threads() -> int:
    """Return the number of threads that kernels use."""
    return _core.thread_count()


def in_threads(job: Callable[[Item], Done], items: Iterable[Item]) -> Iterator[Done]:
    """Yield what a job returns of each item, in their order.

    Memory stays flat: no more than twice as many items as threads are on their way. After an error
    nothing more starts.
    """
    from concurrent.futures import ThreadPoolExecutor

    n_threads = get_threads()
    if n_threads == 1:
        yield from map(job, items)
        return
    jobs = iter(items)
    with ThreadPoolExecutor(n_threads) as pool:
        waiting = collections.deque(
            pool.submit(job, item) for item in itertools.islice(jobs, 2 * n_threads)
        )
        try:
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(job, item) for item in itertools.islice(jobs, 1))
                yield done
        finally:
            for future in waiting:
                future.cancel()
