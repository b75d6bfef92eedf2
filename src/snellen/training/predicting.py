"""Predictions for image files, written as `snellen evaluate` reads them."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from snellen.errors import DataWarning, InputError
from snellen.readers.message_text import few
from snellen.training.data.pictures import Look
from snellen.training.data.streamed import usable_threads
from snellen.training.decoded_images import DecodedImages, images_of
from snellen.training.prediction_files import write_maps, write_table

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from snellen.training.trained_network import TrainedNetwork

__all__ = ["Predictions", "predict_files"]


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
        The ids of images that could not be read.
    notes : tuple of str
        What people should know.
    """

    path: Path
    task: str
    n_samples: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.path}: predictions for {self.n_samples:,} images", *self.notes]
        if self.left_out:
            lines.append(f"left out, because they cannot be read: {few(self.left_out)}")
        return "\n".join(lines)


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
    maps = trained.task == "segmentation"
    n_channels, height, width = trained.input_shape
    decoded = DecodedImages(
        files,
        _look(trained),
        (n_channels, height, width),
        threads=threads or usable_threads(),
        strict=strict,
        sized=maps,
    )
    write = write_maps if maps else write_table
    notes = write(trained, decoded, place, batch_size)
    left_out = tuple(file.id for file, _ in decoded.left_out)
    if left_out:
        s = "" if len(left_out) == 1 else "s"
        warnings.warn(
            f"{len(left_out):,} image{s} that cannot be read left out: {few(left_out)}",
            DataWarning,
            stacklevel=2,
        )
    return Predictions(place, trained.task, len(files) - len(left_out), left_out, tuple(notes))


def _look(trained: TrainedNetwork) -> Look:
    """Return what images are made to: as those of training were."""
    data = trained.description.get("data")
    options = data if isinstance(data, dict) else {}
    n_channels, height, width = trained.input_shape
    # Arrays stay as they are; as float32 they hold bytes, too.
    mode = {1: "L", 3: "RGB"}.get(n_channels, "")
    return Look(height, width, mode, options.get("fit", "crop"), "f4")
