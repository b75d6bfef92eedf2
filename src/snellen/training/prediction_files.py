"""Predictions as files: tables of labels and numbers, and folders of label images."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from snellen.errors import IdError, InputError
from snellen.training.label_files import png_bytes, to_original_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from snellen.training.decoded_images import DecodedImages
    from snellen.training.trained_network import TrainedNetwork

__all__ = ["write_maps", "write_table"]


def write_table(
    trained: TrainedNetwork,
    batches: Iterable[tuple[Sequence[str], ArrayLike]],
    place: Path,
    batch_size: int,
) -> None:
    """Write a row for each sample: its label and scores, or its numbers.

    Parameters
    ----------
    trained : TrainedNetwork
        What predicts.
    batches : iterable of (ids, inputs)
        The samples.
    place : Path
        The table.
    batch_size : int
        How many go through the network at a time.

    Raises
    ------
    InputError
        What cannot be read, where that is to stop; then nothing is written.
    """
    names = trained.classes.display_names() if trained.classes is not None else []
    labels = trained.task == "classification"
    columns = [f"prob_{name}" for name in names] if labels else _targets(trained)
    with _replaced(place) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "prediction", *columns] if labels else ["id", *columns])
        for ids, inputs in batches:
            found = trained.predict(inputs, batch_size)
            best = found.argmax(1) if labels else None
            for row, (name, values) in enumerate(zip(ids, found, strict=True)):
                answer = [names[best[row]]] if best is not None else []
                # Of float32 the shortest decimals that give it back, not those of its float64.
                numbers = values.tolist() if labels else [str(value) for value in values]
                table.writerow([name, *answer, *numbers])


def _targets(trained: TrainedNetwork) -> list[str]:
    """Return the names of predicted numbers: those of the columns that it was trained on."""
    data = trained.description.get("data")
    named = data.get("target") if isinstance(data, dict) else None
    names = [named] if isinstance(named, str) else list(named or [])
    n = trained.n_outputs
    if len(names) == n:
        return names
    return ["prediction"] if n == 1 else [f"pred_{i}" for i in range(n)]


def write_maps(
    trained: TrainedNetwork, images: DecodedImages, place: Path, batch_size: int
) -> list[str]:
    """Write a label image for each image, of its own size.

    Returns
    -------
    list of str
        What people should know.

    Raises
    ------
    InputError
        Where the folder holds something; what cannot be read, where that is to stop. Then nothing
        is written.
    IdError
        Where two images would have the same label image.
    """
    within: dict[str, str] = {}
    for file in images.files:
        name = _label_name(file.id)
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
        for batch in images.batches(batch_size):
            found = trained.predict(batch.inputs, batch_size)
            for image, labels, size in zip(batch.files, found, batch.sizes, strict=True):
                whole, cut = to_original_size(labels, size, images.look.fit, trained.n_outputs)
                n_cut += cut
                target = temporary / _label_name(image.id)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(png_bytes(whole))
    if not n_cut:
        return []
    return [
        f"{n_cut:,} images are wider or higher than what the network sees: the pixels beside it "
        "are 255, no class"
    ]


def _label_name(image_id: str) -> str:
    return os.path.splitext(image_id.lstrip("/"))[0] + ".png"  # noqa: PTH122 - an id is no path


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
