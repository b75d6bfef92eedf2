"""What went into a run, by its digest, taken beside the evaluation."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from snellen.run.run_record import DataDigest

__all__ = ["DataDigests", "DataSource", "data_digest"]

# Of a folder with more files or bytes, names and sizes are taken for its content.
_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 64 << 20
_BLOCK: Final = 1 << 20


class DataSource(NamedTuple):
    """A file or folder that goes into a run.

    Attributes
    ----------
    role : str
        What it is for.
    name : str
        Its path, as it was typed.
    files : tuple of str or None
        The files below the folder `name` that go in; None: it is what goes in, all of it.
    sizes_only : bool
        Whether names and sizes are taken for the files' content.
    """

    role: str
    name: str
    files: tuple[str, ...] | None = None
    sizes_only: bool = False

    @classmethod
    def of_files(cls, role: str, files: Sequence[str], *, sizes_only: bool = False) -> DataSource:
        """Return files that nobody named; their name is the folder that they have in common."""
        folders = {os.path.dirname(file) or "." for file in files}  # noqa: PTH120 - of many
        if len(folders) == 1:
            return cls(role, folders.pop(), tuple(files), sizes_only)
        # Of a and ../b, too, where the texts have nothing in common.
        name = os.path.commonpath([os.path.abspath(folder) for folder in folders])  # noqa: PTH100 - links stay
        if not any(map(os.path.isabs, folders)):
            name = os.path.relpath(name)
        return cls(role, name, tuple(files), sizes_only)


class DataDigests:
    """Digests of files and folders, taken by a thread of their own from the moment this is made.

    Parameters
    ----------
    sources : sequence of DataSource
        What goes in; what is no file and no folder has no digest.
    """

    def __init__(self, sources: Sequence[DataSource]) -> None:
        self._sources = sources
        self._found: list[DataDigest] = []
        self._later: list[DataDigests] = []
        # A daemon: a command that fails does not wait for it.
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def add(self, source: DataSource) -> None:
        """Take the digest of another one, too, that was found meanwhile."""
        self._later.append(DataDigests([source]))

    def result(self) -> list[DataDigest]:
        """Return the digests, in the order of the sources, when they are there."""
        self._thread.join()
        return [*self._found, *(found for later in self._later for found in later.result())]

    def _take(self) -> None:
        for source in self._sources:
            self._found.append(data_digest(source))


def data_digest(source: DataSource) -> DataDigest:
    """Return the digest of a file or folder; what cannot be read has none."""
    from snellen.run.run_record import DataDigest, plain_text

    role, path = source.role, Path(source.name)
    name = plain_text(source.name)
    try:
        if source.files is not None:
            below = [os.path.relpath(file, path) for file in source.files]
            sizes = [(each, (path / each).stat().st_size) for each in below]
            return _of_files(role, name, path, sizes, sizes_only=source.sizes_only)
        if path.is_dir():
            return _of_files(role, name, path, _files_below(path))
        # A pipe is read once, and not by us.
        if path.is_file():
            return DataDigest(role, name, path.stat().st_size, _of_file(path))
    except (OSError, ValueError):  # the reader says what is wrong with it
        pass
    return DataDigest(role, name)


def _of_files(
    role: str,
    name: str,
    folder: Path,
    found: Iterable[tuple[str, int]],
    *,
    sizes_only: bool = False,
) -> DataDigest:
    import hashlib

    from snellen.run.run_record import DataDigest

    files = sorted(found)
    size = sum(n for _, n in files)
    whole = not sizes_only and len(files) <= _MOST_FILES and size <= _MOST_BYTES
    digest = hashlib.sha256()
    for path, n in files:
        line = [path, str(n), *([_of_file(folder / path)] if whole else ())]
        digest.update("\0".join(line).encode("utf-8", "surrogateescape") + b"\n")
    of = "content" if whole else "names and sizes"
    return DataDigest(role, name, size, digest.hexdigest(), len(files), of)


def _files_below(folder: Path) -> Iterator[tuple[str, int]]:
    """Give path and size of each file below a folder; a link to a folder is not followed."""
    waiting = [""]
    while waiting:
        within = waiting.pop()
        with os.scandir(folder / within) as entries:
            for entry in entries:
                path = f"{within}/{entry.name}" if within else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                with contextlib.suppress(OSError):  # a link to itself
                    if entry.is_file():
                        yield path, entry.stat().st_size


def _of_file(path: Path) -> str:
    """Return the digest of a file's content, in hexadecimal."""
    import hashlib

    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
