"""Ctrl-C between two steps, never in one."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Interruption"]


class Interruption:
    """While it is entered, an interruption is noted, so that the loop can end at a whole step.

    A second one interrupts at once. Outside the main thread, where signals cannot be met, nothing
    is changed.

    Attributes
    ----------
    requested : bool
        Whether one came.
    """

    def __init__(self) -> None:
        self.requested = False
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
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
