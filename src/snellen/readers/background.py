"""Reading that goes on while the caller does something else.

The kernels that read files need no NumPy and run without the interpreter's lock, so that a command
can import what it needs (a tenth of a second) while its files are being read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Background"]

T = TypeVar("T")


class Background(Generic[T]):
    """A call on another thread.

    Meanwhile kernels leave a processor to the caller, until that waits for a call to end.

    Parameters
    ----------
    function : callable
        Called once, without arguments: at once, or behind another call.
    after : Background, optional
        The call that has to end before, whether well or not.
    """

    _lock = threading.Lock()
    _n_at_work = 0

    def __init__(self, function: Callable[[], T], after: Background[Any] | None = None) -> None:
        self._function = function
        self._after = after
        self._value: T | None = None
        self._error: BaseException | None = None
        self._count(1)
        # Daemonic: an interrupted command does not wait for a large file.
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    @classmethod
    def _count(cls, change: int) -> None:
        with cls._lock:
            Background._n_at_work += change
            _core.set_threads_aside(1 if cls._n_at_work else 0)

    def _call(self) -> None:
        if self._after is not None:
            self._after._thread.join()
        try:
            self._value = self._function()
        except BaseException as error:  # handed to the caller of result()
            self._error = error
        self._count(-1)

    def result(self) -> T:
        """Return what the call returned, or raise what it raised, once it has ended."""
        if self._thread.is_alive():
            _core.set_threads_aside(0)
            self._thread.join()
            self._count(0)
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set: the call has ended without error
