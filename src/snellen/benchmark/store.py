"""Scores kept as they come: an interrupted benchmark goes on, a second one reads them."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from snellen.atomic_files import write_atomically
from snellen.benchmark.pipeline import LeftOut
from snellen.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["PredictionStore", "Predictions"]

_MAGIC: Final = b"snellen predictions 1\n"
_DIGEST: Final = 16  # bytes
_LENGTH: Final = 4  # bytes
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Predictions(NamedTuple):
    """Scores of some images of a set.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Which images; ascending.
    scores : ndarray of float32, shape (n, K)
        As the network gives them.
    left_out : tuple of LeftOut
        Images that could not be read; ascending.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    left_out: tuple[LeftOut, ...]


class PredictionStore:
    """A folder of chunks: each holds the scores of so many images that follow each other.

    Chunks are written under another name and renamed, so several processes may work in it: the
    last one wins, and all write the same. They carry check sums: after a power cut, which can leave
    files without what was in them, nothing wrong is read.

    Parameters
    ----------
    folder : path
        Where all stores lie; it is made with the first chunk.
    key : mapping
        What scores depend on, in plain values. Another key is another store.
    n_images : int
        Of the set.
    chunk_rows : int
        Images of a chunk.

    Attributes
    ----------
    folder : Path
        Of this store: a digest of the key, below that of all.
    notes : list of str
        Which chunks were damaged.

    Raises
    ------
    InputError
        For a key that is no plain values.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        key: Mapping[str, Any],
        n_images: int,
        *,
        chunk_rows: int = 1024,
    ) -> None:
        whole = {"chunk_rows": chunk_rows, "key": dict(key), "n_images": n_images}
        try:
            encoded = msgspec.json.encode(whole, order="deterministic")
        except (TypeError, ValueError) as error:
            raise InputError(f"expected a key of plain values, got: {error}") from None
        self.folder = Path(folder, hashlib.blake2b(encoded, digest_size=_DIGEST).hexdigest())
        self.n_images = n_images
        self.chunk_rows = chunk_rows
        self.notes: list[str] = []
        self._key = msgspec.json.format(encoded) + b"\n"

    @property
    def n_chunks(self) -> int:
        """How many there are when all is done."""
        return -(-self.n_images // self.chunk_rows)

    def rows_of(self, chunk: int) -> NDArray[np.int64]:
        """Return the images that a chunk is of."""
        start = chunk * self.chunk_rows
        return np.arange(start, min(start + self.chunk_rows, self.n_images))

    def missing(self, again: Callable[[int], bool] | None = None) -> list[int]:
        """Return the chunks that are to be predicted: not there, or damaged.

        Parameters
        ----------
        again : callable, optional
            Says of an image that was left out whether it is to be tried again, and with it its
            chunk.
        """
        found = ((k, self._read(k)) for k in range(self.n_chunks))
        return [
            k
            for k, chunk in found
            if chunk is None or (again and any(again(row) for row, _ in chunk.left_out))
        ]

    def write(
        self,
        chunk: int,
        rows: NDArray[np.int64],
        scores: NDArray[Any],
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        """Keep the scores of a chunk, shape (n, K); K is 0 where no image could be read.

        Raises
        ------
        InputError
            Where the disk is full; what was written before stays.
        OSError
            Where it cannot be written for another reason.
        """
        assert self._are_of(chunk, rows, left_out), "all images of the chunk, each once"
        numbers = np.ascontiguousarray(scores, "<f4")
        head = _Head(rows.tolist(), [(row, reason) for row, reason in left_out], numbers.shape[1])
        packed = msgspec.msgpack.encode(head)
        content = len(packed).to_bytes(_LENGTH, "little") + packed + numbers.tobytes()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            files: dict[str | os.PathLike[str], bytes] = {
                self._file(chunk): _MAGIC + _digest(content) + content
            }
            if not (self.folder / "key.json").is_file():
                files[self.folder / "key.json"] = self._key
            write_atomically(files)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise InputError(
                f"expected room for predictions ({len(content):,} bytes more), the disk is "
                "full: what was written before is kept, the next run goes on from there",
                str(self.folder),
            ) from error

    def read(self) -> Predictions:
        """Return all scores.

        Raises
        ------
        InputError
            Where some are missing.
        """
        rows: list[NDArray[np.int64]] = []
        scores = np.empty((0, 0), np.float32)
        left_out: list[LeftOut] = []
        n = n_missing = 0
        for k in range(self.n_chunks):
            chunk = self._read(k)
            if chunk is None:
                n_missing += 1
                continue
            left_out += chunk.left_out
            if not len(chunk.rows):
                continue
            if not rows:  # all at once: 50,000 images of 1,000 classes are 200 MB
                scores = np.empty((self.n_images, chunk.scores.shape[1]), np.float32)
            elif chunk.scores.shape[1] != scores.shape[1]:
                widths = sorted({chunk.scores.shape[1], scores.shape[1]})
                raise InputError(
                    f"expected one number of classes, got {widths}: remove this folder",
                    str(self.folder),
                )
            rows.append(chunk.rows)
            scores[n : n + len(chunk.rows)] = chunk.scores
            n += len(chunk.rows)
        if n_missing:
            raise InputError(
                f"expected the scores of {self.n_images} images, {n_missing} of {self.n_chunks} "
                "chunks are missing or damaged: run the benchmark again",
                str(self.folder),
            )
        return Predictions(
            np.concatenate([np.empty(0, np.int64), *rows]), scores[:n], tuple(left_out)
        )

    def _file(self, chunk: int) -> Path:
        return self.folder / f"{chunk:06d}.scores"

    def _read(self, chunk: int) -> Predictions | None:
        """Return a chunk; None where it is not there, or damaged."""
        try:
            data = self._file(chunk).read_bytes()
        except FileNotFoundError:
            return None
        content = memoryview(data)[len(_MAGIC) + _DIGEST :]
        whole = data[: len(_MAGIC) + _DIGEST] == _MAGIC + _digest(content)
        found = _decoded(content) if whole else None
        if found is None or not self._are_of(chunk, found.rows, found.left_out):
            self._note(chunk)
            return None
        return found

    def _are_of(self, chunk: int, rows: NDArray[np.int64], left_out: Sequence[LeftOut]) -> bool:
        """Return whether these are all images of a chunk, each once."""
        there = np.sort([*rows.tolist(), *(each.row for each in left_out)])
        return np.array_equal(there, self.rows_of(chunk))

    def _note(self, chunk: int) -> None:
        rows = self.rows_of(chunk)
        note = (
            f"stored predictions of images {rows[0] + 1} to {rows[-1] + 1} were damaged, and were "
            f"left aside - at {self._file(chunk)}"
        )
        if note not in self.notes:
            self.notes.append(note)


class _Head(msgspec.Struct, array_like=True):
    rows: list[int]
    left_out: list[tuple[int, str]]
    n_classes: int


def _decoded(content: memoryview) -> Predictions:
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    head = msgspec.msgpack.decode(content[_LENGTH:start], type=_Head)
    scores = np.frombuffer(content[start:], "<f4").reshape(len(head.rows), head.n_classes)
    left_out = tuple(LeftOut(row, reason) for row, reason in head.left_out)
    return Predictions(np.array(head.rows, np.int64), scores, left_out)


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()
