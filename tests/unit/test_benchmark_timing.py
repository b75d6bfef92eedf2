"""Timing, by a clock that says what calls take."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from snellen.benchmark.timing import Clock, Timing, queued_seconds, timed, warm_up


class Called:
    """A call that takes seconds out of a list, and the clock that knows."""

    def __init__(self, seconds: Iterator[float], *, busy: float = 1.0) -> None:
        self.now = self.cpu = 0.0
        self.n = 0
        self._seconds = seconds
        self._busy = busy
        self.clock = Clock(lambda: self.now, lambda: self.cpu, lambda: self.now / 4)

    def __call__(self) -> None:
        taken = next(self._seconds)
        self.now += taken
        self.cpu += taken * self._busy
        self.n += 1


def test_what_settles_at_once_is_called_for_half_a_second() -> None:
    call = Called(repeat(0.02))
    assert warm_up(call, clock=call.clock) == call.n == 25
    slow = Called(repeat(1.0))
    assert warm_up(slow, clock=slow.clock) == 10  # but not less often


def test_first_calls_are_waited_for() -> None:
    # The first is slow, as where something is compiled; then calls become faster for a while.
    call = Called(chain([5.0], (1.0 - k / 20 for k in range(15)), repeat(0.25)))
    # From the 17th on all are alike. The window before the last one is full of them at the 26th,
    # and its median is theirs two calls sooner.
    assert warm_up(call, least_seconds=0, most_seconds=60, clock=call.clock) == 17 + 4 + 5 - 2
    never = Called(1.1**k for k in range(1000))
    assert warm_up(never, least_seconds=0, most_seconds=math.inf, clock=never.clock) == 200


def test_calls_that_take_long_are_warm_after_two() -> None:
    call = Called(repeat(4.0))
    assert warm_up(call, clock=call.clock) == 3  # after 12 seconds
    slow = Called(repeat(60.0))
    assert warm_up(slow, clock=slow.clock) == 2


def test_calls_and_seconds_are_both_reached() -> None:
    call = Called(repeat(0.25))
    assert len(timed(call, clock=call.clock).seconds) == 20
    fast = Called(repeat(2.0**-6))
    found = timed(fast, clock=fast.clock, n_warm_up=7)
    assert (len(found.seconds), found.cpu, found.n_warm_up) == (64, 1.0, 7)


def test_percentiles_are_calls_that_were_timed() -> None:
    found = Timing(tuple(float(k) for k in range(100, 0, -1)), 1.0)
    assert [found.percentile(p) for p in (50, 90, 99)] == [50, 90, 99]
    assert found.median == 50.5
    assert Timing((3.0,), 1.0).percentile(99) == 3.0


@pytest.mark.parametrize(("busy", "n_threads"), [(1.0, 1), (0.5, 1), (1.5, 2)])
def test_what_calls_wait_for(busy: float, n_threads: int) -> None:
    call = Called(repeat(0.1), busy=busy)
    found = timed(call, clock=call.clock)
    assert found.waited(n_threads) == pytest.approx(n_threads / busy)
    assert found.queued_share == pytest.approx(0.25 / busy)


def test_of_no_time_on_a_processor_nothing_is_said() -> None:
    assert Timing((1.0,), 0.0).queued_share == 0.0


@pytest.mark.skipif(
    queued_seconds() == 0.0 or not hasattr(os, "sched_setaffinity"),
    reason="the system does not say how long threads wait",
)
def test_another_program_on_the_same_processor_is_seen() -> None:
    before = os.sched_getaffinity(0)
    one = {min(before)}
    code = f"import os; os.sched_setaffinity(0, {one}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            os.sched_setaffinity(0, one)
            found = timed(lambda: sum(range(100_000)), least_calls=20, least_seconds=0.5)
        finally:
            os.sched_setaffinity(0, before)
            other.kill()
    assert found.queued_share > 0.3
    assert found.waited() > 1.3
