"""Where bytes are: a file, or a member of a zip archive; either may be gzipped."""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "opened", "source_bytes", "source_name"]

Source: TypeAlias = "str | os.PathLike[str] | tuple[str | os.PathLike[str], str]"
"""A path, or the path of a zip archive and the name of a member."""


def source_name(source: Source) -> str:
    """Return what messages call it.

    Examples
    --------
    >>> source_name(("results.zip", "MOT17-02.txt"))
    'results.zip/MOT17-02.txt'
    """
    if isinstance(source, tuple):
        return f"{os.fspath(source[0])}/{source[1]}"
    return os.fspath(source)


@contextlib.contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open for reading, unpacked where the name ends in ``.gz``.

    Raises
    ------
    InputError
        Where it cannot be read, then or later.
    """
    place = source_name(source)
    wrong: tuple[type[BaseException], ...] = (OSError, EOFError)
    kind = "file"
    try:
        with contextlib.ExitStack() as stack:
            file: IO[bytes]
            if isinstance(source, tuple):
                import zipfile
                import zlib

                # An encrypted member is a RuntimeError.
                wrong += (zipfile.BadZipFile, zlib.error, RuntimeError)
                kind = "zip archive"
                archive = stack.enter_context(zipfile.ZipFile(os.fspath(source[0])))
                if source[1] not in archive.namelist():
                    raise InputError("expected a member of the zip archive, there is none", place)
                file = stack.enter_context(archive.open(source[1]))
            else:
                # A path given as text stays as it was given.
                file = stack.enter_context(open(os.fspath(source), "rb", buffering=0))  # noqa: PTH123
            if place.lower().endswith(".gz"):
                import gzip
                import zlib

                wrong += (zlib.error,)
                kind = "gzip file"
                unpacked = gzip.GzipFile(fileobj=file)
                stack.callback(unpacked.close)
                file = cast("IO[bytes]", unpacked)
            yield file
    except wrong as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise InputError(f"expected a readable {kind}, got: {reason or error}", place) from error


def source_bytes(source: Source) -> bytes:
    """Return all bytes; errors as `opened`."""
    with opened(source) as file:
        return file.read()
