"""How long a call takes: warmed up, repeated, and how far the machine can be believed."""

from __future__ import annotations

import contextlib
import glob
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Clock", "Timing", "queued_seconds", "timed", "warm_up"]

_WINDOW = 5  # calls whose median is compared with that of the calls before
_SETTLED = 0.03  # as a part of the median
_MOST_CALLS = 200


def queued_seconds() -> float:
    """Return how long threads of this process had to wait for a processor that others had.

    That of threads that are there now; 0 where the system does not say it.
    """
    total = 0
    for path in glob.iglob("/proc/self/task/*/schedstat"):  # noqa: PTH207
        # It may have ended meanwhile, and a kernel may count nothing.
        with contextlib.suppress(OSError, IndexError, ValueError), open(path, "rb") as file:  # noqa: PTH123
            total += int(file.read().split()[1])
    return total / 1e9


class Clock(NamedTuple):
    """Seconds of wall time, of processor, and in the queue for one, from any moment."""

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time
    queued: Callable[[], float] = queued_seconds


_CLOCK = Clock()


class Timing(NamedTuple):
    """Calls that were timed.

    Attributes
    ----------
    seconds : tuple of float
        Wall time of each, in their order.
    cpu : float
        Seconds of processor, of all threads, for all of them.
    n_warm_up : int
        Calls before, which do not count.
    queued : float
        Seconds in which threads waited for a processor that others had, all threads together.
    """

    seconds: tuple[float, ...]
    cpu: float
    n_warm_up: int = 0
    queued: float = 0.0

    @property
    def median(self) -> float:
        """Half of the calls took no longer."""
        return median(self.seconds)

    def percentile(self, percent: float) -> float:
        """Return the seconds that so many calls of a hundred did not exceed: one of those timed."""
        return float(np.percentile(self.seconds, percent, method="inverted_cdf"))

    @property
    def spread(self) -> float:
        """The middle half of the calls, from its shortest to its longest, by the median."""
        return (self.percentile(75) - self.percentile(25)) / self.median

    def waited(self, n_threads: int = 1) -> float:
        """Return by how much wall time exceeds what the processor did, on so many threads.

        1 is none. On a GPU it says nothing; on several threads a share is always theirs, so only
        what is far above 1 means that other programs had the processor.
        """
        return sum(self.seconds) / max(self.cpu / n_threads, 1e-12)

    @property
    def queued_share(self) -> float:
        """Seconds in the queue for a processor by those on it: about 0 on a quiet machine."""
        return self.queued / max(self.cpu, 1e-12)


def warm_up(
    call: Callable[[], object],
    *,
    least_calls: int = 10,
    least_seconds: float = 0.5,
    most_seconds: float = 10.0,
    clock: Clock = _CLOCK,
) -> int:
    """Call until the time it takes has settled; return how often that was.

    First calls compile, choose algorithms, and get memory. It has settled where the median of five
    calls is within 3 % of that of the five before, and not before so many calls and seconds. After
    200 calls, or so many seconds and two calls, it counts as settled, whatever it does: nobody has
    minutes for calls that take long, and to those the first ones are little.
    """
    taken: list[float] = []
    start = clock.wall()
    while len(taken) < _MOST_CALLS:
        before = clock.wall()
        call()
        taken.append(clock.wall() - before)
        enough = len(taken) >= max(least_calls, 2 * _WINDOW)
        passed = clock.wall() - start
        if enough and passed >= least_seconds and _has_settled(taken):
            break
        if passed >= most_seconds and len(taken) > 1:
            break
    return len(taken)


def _has_settled(taken: Sequence[float]) -> bool:
    last, before = median(taken[-_WINDOW:]), median(taken[-2 * _WINDOW : -_WINDOW])
    return abs(last - before) <= _SETTLED * before


def timed(
    call: Callable[[], object],
    *,
    least_calls: int = 20,
    least_seconds: float = 1.0,
    n_warm_up: int = 0,
    clock: Clock = _CLOCK,
) -> Timing:
    """Time a call, again and again, for so many calls and seconds at least.

    The call must wait for what it starts: a GPU's work runs on after a call that does not.
    """
    seconds: list[float] = []
    queued, cpu = clock.queued(), clock.cpu()
    start = clock.wall()
    while len(seconds) < least_calls or clock.wall() - start < least_seconds:
        before = clock.wall()
        call()
        seconds.append(clock.wall() - before)
    used = clock.cpu() - cpu
    return Timing(tuple(seconds), used, n_warm_up, max(clock.queued() - queued, 0.0))
