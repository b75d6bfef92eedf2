"""Memory that a step frees, kept for the next one, which needs as much again.

The GNU C library gives large blocks back to the system when they are freed. Each step of a training
then gets its activations as pages that the system has to find, and to fill with zeros, one by one:
a quarter of the time of a small convolutional network.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

__all__ = ["kept_memory"]

# Of <malloc.h>.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3

_LARGEST_KEPT: Final = 1 << 30  # bytes; larger blocks go back at once
_MOST_KEPT: Final = (1 << 31) - 1  # what the library takes as a number
# How far the library raises its thresholds by itself, when a program frees large blocks.
_USUAL_LARGEST: Final = 32 << 20
_USUAL_MOST: Final = 64 << 20


@contextlib.contextmanager
def kept_memory(device: torch.device) -> Iterator[None]:
    """Keep freed memory while training on a CPU; give it back at the end.

    Does nothing elsewhere: with another C library, or where the environment says by ``MALLOC_…_``
    or ``GLIBC_TUNABLES`` how memory is to be got.
    """
    library = _gnu_library() if device.type == "cpu" else None
    if library is None or any(name.startswith(("MALLOC_", "GLIBC_TUN")) for name in os.environ):
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
    library.mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _USUAL_LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _USUAL_MOST)
        library.malloc_trim(0)


def _gnu_library() -> Any:
    """Return the C library of this process where it is GNU's, else None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
