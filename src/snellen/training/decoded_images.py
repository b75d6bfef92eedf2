"""Image files decoded by threads, ahead of the network that they are for."""

from __future__ import annotations

import collections
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, InputError, ShapeError, SnellenError
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.pictures import decode_picture, read_head

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.readers.pictures import Look

__all__ = ["DecodedImages", "ImageBatch", "ImageFile", "images_of"]


class ImageFile(NamedTuple):
    """An image, and what it is called in a file of predictions."""

    id: str
    path: str


class ImageBatch(NamedTuple):
    """Some images that could be read.

    Attributes
    ----------
    files : list of ImageFile
        The n images.
    inputs : ndarray, shape (n, C, H, W)
        What is in them, as bytes or float32.
    sizes : list of (int, int)
        Height and width of each upright image before it was brought to (H, W), where they were
        asked for.
    """

    files: list[ImageFile]
    inputs: NDArray[Any]
    sizes: list[tuple[int, int]]


def images_of(
    images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    root: str | os.PathLike[str] | None = None,
) -> list[ImageFile]:
    """Return the images of files and folders, each called by its path.

    Raises
    ------
    InputError
        Where there is no such file, or no image.
    IdError
        Where two would be called the same.
    """
    named = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    found: list[ImageFile] = []
    for name in named:
        path = os.fspath(name)
        if Path(path).is_dir():
            before = "" if len(named) == 1 else f"{Path(path).name}/"
            inside = [item for item in files_below(path) if ending(item[0]) in IMAGES]
            if not inside:
                raise InputError("expected images, got a folder without any", path)
            found += [ImageFile(before + within, file) for within, file in inside]
        elif Path(path).is_file():
            found.append(ImageFile(Path(path).as_posix(), path))
        else:
            raise InputError("expected an image or a folder of images, there is none", path)
    if not found:
        raise InputError("expected images, got none")
    if root is not None:
        found = [ImageFile(_below(file.path, os.fspath(root)), file.path) for file in found]
    paths: dict[str, str] = {}
    for file in found:
        if file.id in paths:
            raise IdError(
                f'expected images of different names, got "{file.id}" twice: name the folder that '
                "paths are below (root)",
                file.path,
            )
        paths[file.id] = file.path
    return found


def _below(path: str, root: str) -> str:
    try:
        return Path(path).resolve().relative_to(Path(root).resolve()).as_posix()
    except ValueError:
        raise InputError(f"expected images below {root}, got another", path) from None


class DecodedImages:
    """Images, batch by batch and in order; what cannot be read is left out.

    Parameters
    ----------
    files : list of ImageFile
        The images.
    look : Look
        What they are made to.
    shape : tuple of int
        Channels, height and width that they have then.
    threads : int
        How many are decoded at a time.
    strict : bool
        Whether one that cannot be read is an error.
    sized : bool
        Whether the sizes are asked for that images had.

    Attributes
    ----------
    left_out : list of (ImageFile, SnellenError)
        What could not be read so far, and why.
    """

    def __init__(
        self,
        files: list[ImageFile],
        look: Look,
        shape: tuple[int, int, int],
        *,
        threads: int,
        strict: bool,
        sized: bool,
    ) -> None:
        self.files = files
        self.look = look
        self.shape = shape
        self.threads = threads
        self.strict = strict
        self.sized = sized
        self.left_out: list[tuple[ImageFile, SnellenError]] = []

    def batches(self, size: int) -> Iterator[ImageBatch]:
        """Yield what can be read.

        Raises
        ------
        SnellenError
            For the first that cannot be read, where that is to stop, or where none can.
        """
        batch = ImageBatch([], np.empty(0), [])
        arrays: list[NDArray[Any]] = []
        with contextlib.closing(self._decoded(2 * size + self.threads)) as decoded:
            for file, answer in decoded:
                if isinstance(answer, SnellenError):
                    if self.strict:
                        raise answer
                    self.left_out.append((file, answer))
                    continue
                array, original = answer
                batch.files.append(file)
                batch.sizes.append(original)
                arrays.append(array)
                if len(arrays) == size:
                    yield batch._replace(inputs=_stacked(arrays))
                    batch, arrays = ImageBatch([], np.empty(0), []), []
        if arrays:
            yield batch._replace(inputs=_stacked(arrays))
        if len(self.left_out) == len(self.files):
            raise self.left_out[0][1]

    def _decoded(self, ahead: int) -> Generator[tuple[ImageFile, Any], None, None]:
        waiting: collections.deque[tuple[ImageFile, Any]] = collections.deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for file in self.files:
                    waiting.append((file, pool.submit(self._decode, file)))
                    if len(waiting) >= ahead:
                        first, future = waiting.popleft()
                        yield first, future.result()
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _decode(self, file: ImageFile) -> tuple[NDArray[Any], tuple[int, int]] | SnellenError:
        try:
            if not self.look.mode and ending(file.path) != ".npy":
                raise InputError("expected an array (.npy) for this network", file.path)
            array = decode_picture(file.path, self.look)
            if array.shape != self.shape:
                raise ShapeError(f"expected an array {self.shape}, got {array.shape}", file.path)
            head = read_head(file.path) if self.sized else None
        except InputError as error:
            return error
        return array, self.shape[1:] if head is None else (head.height, head.width)


def _stacked(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    kinds = {array.dtype for array in arrays}
    # Pictures are bytes and arrays may be numbers: the network takes either, but one at a time.
    return np.stack(arrays) if len(kinds) == 1 else np.stack([a.astype("f4") for a in arrays])
