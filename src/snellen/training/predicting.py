"""Predictions for image files, written as `snellen evaluate` reads them."""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import os
import shutil
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import DataWarning, IdError, InputError, SnellenError
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.message_text import few
from snellen.training.data.pictures import Look, decode_picture
from snellen.training.data.streamed import usable_threads
from snellen.training.label_files import png_bytes, to_original_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.training.trained_network import TrainedNetwork

__all__ = ["ImageFile", "Predictions", "images_of", "predict_files"]


class ImageFile(NamedTuple):
    """An image, and what it is called in a file of predictions."""

    id: str
    path: str


@dataclasses.dataclass(frozen=True)
class Predictions:
    """What was predicted, and where it is.

    Attributes
    ----------
    path : Path
        The table, or the folder of label images.
    task : str
        What the network does.
    n_samples : int
        How many images it holds.
    left_out : tuple of str
        The images that could not be read.
    notes : tuple of str
        What people should know.
    """

    path: Path
    task: str
    n_samples: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.path}: predictions for {self.n_samples:,} images", *self.notes])


def predict_files(
    trained: TrainedNetwork,
    images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    batch_size: int = 64,
    threads: int | None = None,
    strict: bool = False,
) -> Predictions:
    """Predict for image files, and write what `snellen evaluate` reads.

    Images are decoded, turned upright and brought to the network's size as those of its training
    were.

    Parameters
    ----------
    trained : TrainedNetwork
        A network of images.
    images : path or sequence of path
        Files, and folders of which all images are taken.
    out : path
        Classification: a CSV with ``id``, ``prediction`` and ``prob_…`` of each class. Regression:
        a CSV with ``id`` and a column for each number. Segmentation: a folder, which is new or
        empty, of PNGs of the images' own sizes, whose pixels are class ids.
    root : path, optional
        The folder below which paths are ids. By default the folder that was named; a single file
        is called as it was named.
    batch_size : int
        How many go through the network at a time.
    threads : int, optional
        How many files are decoded at a time; one for each processor by default.
    strict : bool
        Whether an image that cannot be read is an error; else it is left out, counted and named.

    Returns
    -------
    Predictions
        Where they are.

    Raises
    ------
    InputError
        Where there are no images, or none that can be read, or the network takes none.
    IdError
        Where two images would be called the same.
    MissingExtraError
        Without Pillow.

    Warns
    -----
    DataWarning
        For images that are left out.
    """
    place = Path(out)
    if len(trained.input_shape) != 3:
        raise InputError(
            f"expected a network of images, got one of {trained.input_shape[0]} numbers: use "
            "TrainedNetwork.predict in Python"
        )
    if batch_size < 1:
        raise InputError(f"expected a whole number from 1, got {batch_size}", "batch_size")
    files = images_of(images, root)
    look = _look(trained)
    reading = _Reading(files, look, threads or usable_threads(), strict)
    write = _write_maps if trained.task == "segmentation" else _write_table
    notes = write(trained, reading, place, batch_size)
    left_out = tuple(error.place for error in reading.errors)
    if left_out:
        s = "" if len(left_out) == 1 else "s"
        text = f"{len(left_out):,} image{s} that cannot be read left out: {few(left_out)}"
        warnings.warn(text, DataWarning, stacklevel=2)
        notes = [*notes, text]
    return Predictions(place, trained.task, len(files) - len(left_out), left_out, tuple(notes))


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


def _look(trained: TrainedNetwork) -> Look:
    """Return what images are made to: as those of training were."""
    data = trained.description.get("data")
    options = data if isinstance(data, dict) else {}
    n_channels, height, width = trained.input_shape
    # Arrays stay as they are; as float32 they hold bytes, too.
    mode = {1: "L", 3: "RGB"}.get(n_channels, "")
    return Look(height, width, mode, options.get("fit", "crop"), "f4")


class _Batch(NamedTuple):
    files: list[ImageFile]
    inputs: NDArray[Any]
    sizes: list[tuple[int, int]]  # height and width of the upright images


class _Reading:
    """Decode files by threads, some batches ahead of the network, in order."""

    def __init__(self, files: list[ImageFile], look: Look, threads: int, strict: bool) -> None:
        self.files = files
        self.look = look
        self.threads = threads
        self.strict = strict
        self.errors: list[SnellenError] = []

    def batches(self, size: int) -> Iterator[_Batch]:
        """Yield what can be read.

        Raises
        ------
        SnellenError
            For the first that cannot be read, where that is to stop, or where none can.
        """
        batch = _Batch([], np.empty(0), [])
        arrays: list[NDArray[Any]] = []
        for file, answer in self._decoded(2 * size + self.threads):
            if isinstance(answer, SnellenError):
                if self.strict:
                    raise answer
                self.errors.append(answer)
                continue
            array, original = answer
            batch.files.append(file)
            batch.sizes.append(original)
            arrays.append(array)
            if len(arrays) == size:
                yield batch._replace(inputs=_stacked(arrays))
                batch, arrays = _Batch([], np.empty(0), []), []
        if arrays:
            yield batch._replace(inputs=_stacked(arrays))
        if len(self.errors) == len(self.files):
            raise self.errors[0]

    def _decoded(self, ahead: int) -> Iterator[tuple[ImageFile, Any]]:
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
        from snellen.training.data.pictures import read_head

        try:
            if not self.look.mode and ending(file.path) != ".npy":
                raise InputError("expected an array (.npy) for this network", file.path)
            head = read_head(file.path)
            array = decode_picture(file.path, self.look)
            shape = (array.shape[0], *array.shape[1:])
            if shape[1:] != (self.look.height, self.look.width):
                raise InputError(
                    f"expected an array of {self.look.height} × {self.look.width}, got "
                    f"{shape[1]} × {shape[2]}",
                    file.path,
                )
        except InputError as error:
            return error
        return array, (head.height, head.width)


def _stacked(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    kinds = {array.dtype for array in arrays}
    # Pictures are bytes and arrays may be numbers: the network takes either, but one at a time.
    return np.stack(arrays) if len(kinds) == 1 else np.stack([a.astype("f4") for a in arrays])


def _write_table(
    trained: TrainedNetwork, reading: _Reading, place: Path, batch_size: int
) -> list[str]:
    names = trained.classes.display_names() if trained.classes is not None else []
    labels = trained.task == "classification"
    columns = [f"prob_{name}" for name in names] if labels else _targets(trained)
    with _replaced(place) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "prediction", *columns] if labels else ["id", *columns])
        for batch in reading.batches(batch_size):
            found = trained.predict(batch.inputs, batch_size)
            best = found.argmax(1) if labels else None
            for row, (image, values) in enumerate(zip(batch.files, found, strict=True)):
                answer = [names[best[row]]] if best is not None else []
                # Of float32 the shortest decimals that give it back, not those of its float64.
                numbers = values.tolist() if labels else [str(value) for value in values]
                table.writerow([image.id, *answer, *numbers])
    return []


def _targets(trained: TrainedNetwork) -> list[str]:
    """Return the names of predicted numbers: those of the columns that it was trained on."""
    data = trained.description.get("data")
    named = data.get("target") if isinstance(data, dict) else None
    names = [named] if isinstance(named, str) else list(named or [])
    n = trained.n_outputs
    if len(names) == n:
        return names
    return ["prediction"] if n == 1 else [f"pred_{i}" for i in range(n)]


def _write_maps(
    trained: TrainedNetwork, reading: _Reading, place: Path, batch_size: int
) -> list[str]:
    within = {}
    for file in reading.files:
        name = os.path.splitext(file.id.lstrip("/"))[0] + ".png"  # noqa: PTH122 - an id is no path
        if ".." in name.split("/"):
            raise InputError(f'expected names below a folder, got "{file.id}": give a root')
        if name in within:
            raise IdError(
                f"expected images whose names differ by more than their ending, got "
                f"{within[name]} and {file.id}"
            )
        within[name] = file.id
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError("expected a new or empty folder for label images", str(place))
    n_cut = 0
    with _replaced_folder(place) as temporary:
        for batch in reading.batches(batch_size):
            found = trained.predict(batch.inputs, batch_size)
            for image, labels, size in zip(batch.files, found, batch.sizes, strict=True):
                whole, cut = to_original_size(labels, size, reading.look.fit, trained.n_outputs)
                n_cut += cut
                name = os.path.splitext(image.id.lstrip("/"))[0] + ".png"  # noqa: PTH122
                target = temporary / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(png_bytes(whole))
    if not n_cut:
        return []
    return [
        f"{n_cut:,} images are wider or higher than what the network sees: the pixels beside it "
        "are 255, no class"
    ]


@contextlib.contextmanager
def _replaced(place: Path) -> Iterator[Path]:
    """Give a new file beside a place, which takes it once it is whole."""
    if place.is_dir():
        raise InputError("expected a file for the table, got a folder", str(place))
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _replaced_folder(place: Path) -> Iterator[Path]:
    """Give a new folder beside a place, which takes it once it is whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if place.is_dir():
            place.rmdir()
        temporary.replace(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
