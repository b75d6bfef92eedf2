"""Large files as memory: read where they are looked at, and let go of when that is over."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["file_content", "let_go"]

_MAPPED: Final = 16 << 20
"""From so many bytes on a file is mapped: of less, memory is no matter."""


class _MappedFile(mmap.mmap):
    """A map that was made here: of others, which may be written to, nothing is let go."""


def file_content(path: str | os.PathLike[str]) -> bytes | memoryview:
    """Return the bytes of a file; of a large one as memory that is read where it is looked at.

    What is written in the place of the file later, under a name of its own and renamed, does not
    show. A file that is written over or cut short in place while it is mapped takes the process
    down: this is for what reads a state, uses it and ends.

    Raises
    ------
    OSError
        Where it cannot be read.
    """
    with Path(path).open("rb") as file:
        if os.fstat(file.fileno()).st_size < _MAPPED:
            return file.read()
        try:
            return memoryview(_MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ))
        except OSError:  # file systems that map nothing; each map has a descriptor, and these end
            return file.read()


def let_go(*parts: NDArray[Any] | memoryview) -> None:
    """Let the system have back the memory of mapped files that arrays or views lie in.

    Nothing changes but memory: what is looked at again is read again. What is not of a file that
    `file_content` mapped stays as it is.
    """
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    mapped = {id(each): each for each in map(_mapping, parts) if each is not None}
    for each in mapped.values():
        each.madvise(mmap.MADV_DONTNEED)


def _mapping(part: Any) -> _MappedFile | None:
    """Return the mapped file that an array or a view lies in."""
    while part is not None and not isinstance(part, mmap.mmap):
        if isinstance(part, np.ndarray):
            part = part.base
        elif isinstance(part, memoryview):
            part = part.obj
        else:
            return None
    return part if isinstance(part, _MappedFile) else None
