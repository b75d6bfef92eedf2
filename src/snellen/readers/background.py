"""Reading that goes on while the caller does something else.

The kernels that read files need no NumPy and run without the interpreter's lock, so that a command
can import what it needs (a tenth of a second) while its files are being read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Background"]

T = TypeVar("T")


class Background(Generic[T]):
    """A call on another thread.

    Parameters
    ----------
    function : callable
        Called once, at once, without arguments.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._value: T | None = None
        self._error: BaseException | None = None
        # Daemonic: an interrupted command does not wait for a large file.
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    def _call(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:  # handed to the caller of result()
            self._error = error

    def result(self) -> T:
        """Return what the call returned, or raise what it raised, once it has ended."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set: the call has ended without error
