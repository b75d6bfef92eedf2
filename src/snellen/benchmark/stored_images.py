"""Where images are kept: files, an array, tar shards. Threads read from each at the same time."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Protocol

import numpy as np

from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ArrayImages", "ImageFiles", "ShardImages", "StoredImages", "file_stamp", "writable"]

_GONE = (-1, -1)


def file_stamp(path: str) -> tuple[int, int]:
    """Return what tells that a file changed, its size and time; (-1, -1) where it is not there."""
    try:
        state = os.stat(path)  # noqa: PTH116  # fifty thousand files: no object for each
    except OSError:
        return _GONE
    return state.st_size, state.st_mtime_ns


def writable(name: str) -> str:
    r"""Return the name of a file as results can hold it: what is not UTF-8 as ``\xff``."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class StoredImages(Protocol):
    """An `ImageReader` of which a part can be taken, and that knows when its files changed."""

    def data(self, row: int) -> bytes | NDArray[np.uint8]:
        """Return an image as it is stored; see `ImageReader`."""
        ...

    def taken(self, rows: Sequence[int]) -> StoredImages:
        """Return some of them."""
        ...

    def stamps(self) -> list[tuple[int, int]]:
        """Return `file_stamp` of each of its files."""
        ...


@dataclasses.dataclass
class ImageFiles:
    """A file for each image.

    Attributes
    ----------
    paths : sequence of str
        The files.
    """

    paths: Sequence[str]

    def data(self, row: int) -> bytes:
        """Return what is in a file."""
        path = self.paths[row]
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # no object for each
                return file.readall()
        except OSError as error:
            raise InputError(
                f"expected a readable image, got: {error.strerror}", writable(path)
            ) from None

    def taken(self, rows: Sequence[int]) -> ImageFiles:
        """Return some of them."""
        return ImageFiles([self.paths[row] for row in rows])

    def stamps(self) -> list[tuple[int, int]]:
        """Return `file_stamp` of each."""
        return [file_stamp(path) for path in self.paths]


@dataclasses.dataclass
class ArrayImages:
    """Images of one size in memory.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, H, W, C)
        The images.
    files : sequence of str
        Where they came from.
    """

    images: NDArray[np.uint8]
    files: Sequence[str]

    def data(self, row: int) -> NDArray[np.uint8]:
        """Return an image, shape (H, W, C)."""
        image: NDArray[np.uint8] = self.images[row]
        return image

    def taken(self, rows: Sequence[int]) -> ArrayImages:
        """Return some of them."""
        return ArrayImages(self.images[np.asarray(rows, np.int64)], self.files)

    def stamps(self) -> list[tuple[int, int]]:
        """Return `file_stamp` of each file."""
        return [file_stamp(path) for path in self.files]


@dataclasses.dataclass
class ShardImages:
    """Members of tar files.

    Attributes
    ----------
    shards : sequence of str
        The tar files.
    members : sequence of (int, int, int)
        Of each image its shard, where it begins there, and its bytes.
    """

    shards: Sequence[str]
    members: Sequence[tuple[int, int, int]]

    def data(self, row: int) -> bytes:
        """Return what is in a member."""
        shard, start, size = self.members[row]
        path = self.shards[shard]
        try:
            # Opened each time: a thousand shards are more files than a process may have open.
            file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                data = os.pread(file, size, start)
            finally:
                os.close(file)
        except OSError as error:
            raise InputError(f"expected a readable shard, got: {error.strerror}", path) from None
        if len(data) != size:
            raise SchemaError(f"expected {size:,} bytes, the shard ends before", path)
        return data

    def taken(self, rows: Sequence[int]) -> ShardImages:
        """Return some of them."""
        return ShardImages(self.shards, [self.members[row] for row in rows])

    def stamps(self) -> list[tuple[int, int]]:
        """Return `file_stamp` of each shard."""
        return [file_stamp(path) for path in self.shards]
