"""How far a benchmark is, for who waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["Progress", "Told", "no_progress"]

_LEAST_SECONDS = 0.25  # between two refreshes of the bar


class Told(Protocol):
    """Who is told how far a benchmark is."""

    def line(self, text: str) -> None:
        """Something is done."""
        ...

    def images(self, what: str, done: int, total: int) -> None:
        """So many of the images are done."""
        ...

    def close(self) -> None:
        """All is done."""
        ...


class Progress:
    """Shows it on stderr: lines, and on a terminal a bar below them.

    Parameters
    ----------
    console : rich.console.Console or None
        Where it is written; None: on stderr.
    clock : callable
        Returns seconds, from any moment.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._clock = clock
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._next = 0.0
        self._started = (0.0, 0)  # seconds, images done before
        self._what = ""

    def line(self, text: str) -> None:
        """Write a line."""
        self._there().print(text, markup=False, highlight=False, soft_wrap=True)

    def images(self, what: str, done: int, total: int) -> None:
        """Draw the bar, where there is a terminal and the last time is long enough ago."""
        now = self._clock()
        if what != self._what:
            self.close()
            self._what, self._started, self._next = what, (now, done), now
        console = self._there()
        if now < self._next or not console.is_terminal or console.is_dumb_terminal:
            return
        if self._bar is None:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[numbers]}", markup=False),
                console=console,
                auto_refresh=False,
                transient=True,
                expand=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(what, total=total, numbers="")
        assert self._task is not None  # made with the bar
        self._bar.update(self._task, completed=done, numbers=self._numbers(done, total, now))
        self._bar.refresh()
        self._next = self._clock() + _LEAST_SECONDS

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._task, self._what = None, None, ""

    def _numbers(self, done: int, total: int, now: float) -> str:
        from snellen.training.callbacks.progress import duration

        started, before = self._started
        text = f"{done:,} of {total:,}"
        if now > started and done > before:
            rate = (done - before) / (now - started)
            text += f"  {rate:,.0f} images/s  {duration((total - done) / rate)} left"
        return text

    def _there(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        return self._console


class _Nobody:
    def line(self, text: str) -> None:
        """Nothing."""

    def images(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def no_progress() -> Told:
    """Return who is told, and says nothing."""
    return _Nobody()
