"""Ctrl-C between two steps, never in one."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Interruption"]


class Interruption:
    """While it is entered, an interruption is noted, so that the loop can end at a whole step.

    Another one, a second later or more, interrupts at once. Outside the main thread, where signals
    cannot be met, nothing is changed.

    Parameters
    ----------
    then : callable, optional
        What else is done when it comes.

    Attributes
    ----------
    requested : bool
        Whether one came.
    """

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.requested = False
        self._then = then
        self._since = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._meet)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _meet(self, number: int, frame: Any) -> None:
        del number, frame
        # A terminal and a parent may both send the first one.
        if self.requested and time.monotonic() - self._since > 1:
            raise KeyboardInterrupt
        if not self.requested:
            self.requested = True
            self._since = time.monotonic()
            if self._then is not None:
                self._then()
