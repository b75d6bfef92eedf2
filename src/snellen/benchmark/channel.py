"""Messages between two processes: plain values, over a pair of pipes."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

import msgspec

from snellen.errors import InputError

__all__ = ["Channel"]

_LENGTH: Final = 8  # bytes before each message that say how long it is


class Channel:
    """One end of two pipes.

    Parameters
    ----------
    incoming, outgoing : int
        File descriptors, which are the channel's from now on.
    """

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()
        self._open = True

    def send(self, message: Any) -> None:
        """Send plain values.

        Raises
        ------
        BrokenPipeError
            Where nobody reads them any more.
        InputError
            For a text that is no Unicode, as the name of a file may be.
        """
        if not self._open:
            raise BrokenPipeError
        try:
            packed = msgspec.msgpack.encode(message)
        except UnicodeEncodeError as error:
            shown = error.object.encode("utf-8", "backslashreplace").decode()
            raise InputError(
                f"expected names that can be written in UTF-8, got {shown}: rename it"
            ) from None
        rest = memoryview(len(packed).to_bytes(_LENGTH, "little") + packed)
        with self._sending:
            while rest:
                rest = rest[os.write(self._outgoing, rest) :]

    def receive(self) -> Any:
        """Wait for a message.

        Raises
        ------
        EOFError
            Where the other side has gone, or ended in the middle of a message.
        """
        if not self._open:
            raise EOFError
        return msgspec.msgpack.decode(
            self._exactly(int.from_bytes(self._exactly(_LENGTH), "little"))
        )

    def _exactly(self, n: int) -> bytes:
        parts: list[bytes] = []
        while n:
            part = os.read(self.incoming, min(n, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close both pipes; again does nothing."""
        if self._open:
            self._open = False
            os.close(self.incoming)
            os.close(self._outgoing)
