"""Calls on another thread: what they return and raise, in which order, and who has processors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from snellen.readers.background import Background
from snellen.threads import get_threads, set_threads

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = get_threads()
    set_threads(3)
    yield
    set_threads(before)


def test_a_call_returns_or_raises() -> None:
    assert Background(lambda: 7).result() == 7

    def fail() -> None:
        raise KeyError("seven")

    failing = Background(fail)
    for _ in range(2):
        with pytest.raises(KeyError, match="seven"):
            failing.result()


def test_a_call_waits_for_the_one_before_though_it_fails() -> None:
    go, events = threading.Event(), list[str]()

    def first() -> None:
        assert go.wait(60)
        events.append("first")
        raise ValueError

    before = Background(first)
    behind = Background(lambda: events.append("second"), after=before)
    assert events == []
    go.set()
    behind.result()
    assert events == ["first", "second"]


def test_one_processor_is_left_to_the_caller_until_it_waits() -> None:
    go, waits = threading.Event(), threading.Event()
    first = Background(lambda: go.wait(60))

    def second() -> int:
        # The caller waits for the first alone until this is said.
        assert waits.wait(60)
        return get_threads()

    last = Background(second, after=first)
    assert get_threads() == 2
    go.set()
    assert first.result()
    assert get_threads() == 2  # the last is still at work
    waiting = threading.Timer(0.1, waits.set)
    waiting.start()
    assert last.result() == 3
    waiting.join()
    assert get_threads() == 3
