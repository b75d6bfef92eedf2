"""Predictions for image files and tables, written as `snellen evaluate` reads them."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import DataWarning, IdError, InputError
from snellen.readers.column_names import IDS, first_of
from snellen.readers.message_text import few
from snellen.readers.pictures import Look
from snellen.readers.table import read_table
from snellen.threads import usable_threads
from snellen.training.decoded_images import DecodedImages, images_of
from snellen.training.prediction_files import write_maps, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.readers.table import Table
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
        How many images, or rows, it holds.
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
        lines = [f"{self.path}: {self.n_samples:,} predictions", *self.notes]
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
    """Predict for image files, or the rows of a table; write what `snellen evaluate` reads.

    Images are decoded, turned upright and brought to the network's size as those of its training
    were.

    Parameters
    ----------
    trained : TrainedNetwork
        A network of images, or one that was trained on the columns of a table.
    images : path or sequence of path
        Files, and folders of which all images are taken. For a network of columns one table (CSV,
        TSV, Parquet, JSON lines) that has them, by name; its ids are those of the column that
        training had them of, or of one with a usual name, or row numbers from 0.
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
        Where there are no images, or none that can be read, or the network takes neither images
        nor columns that have names; for cells that are not finite; where `out` is one of `images`.
    SchemaError
        Where the table lacks a column, or has text in one.
    IdError
        Where two samples would be called the same.
    MissingExtraError
        Without Pillow.

    Warns
    -----
    DataWarning
        For images that are left out.
    """
    place = Path(out)
    if batch_size < 1:
        raise InputError(f"expected a whole number from 1, got {batch_size}", "batch_size")
    if threads is not None and threads < 1:
        raise InputError(f"expected a whole number from 1, got {threads}", "threads")
    if len(trained.input_shape) != 3:
        if root is not None:
            raise InputError("expected no root for the rows of a table: it is of images", "root")
        return _predict_rows(trained, images, place, batch_size)
    files = images_of(images, root)
    _refuse_input(place, [file.path for file in files])
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
    notes = []
    if maps:
        notes = write_maps(trained, decoded, place, batch_size)
    else:
        batches = decoded.batches(batch_size)
        named = (([file.id for file in batch.files], batch.inputs) for batch in batches)
        write_table(trained, named, place, batch_size)
    left_out = tuple(file.id for file, _ in decoded.left_out)
    if left_out:
        s = "" if len(left_out) == 1 else "s"
        warnings.warn(
            f"{len(left_out):,} image{s} that cannot be read left out: {few(left_out)}",
            DataWarning,
            stacklevel=2,
        )
    return Predictions(place, trained.task, len(files) - len(left_out), left_out, tuple(notes))


def _predict_rows(
    trained: TrainedNetwork,
    tables: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    place: Path,
    batch_size: int,
) -> Predictions:
    """Predict for the rows of a table."""
    if trained.features is None:
        raise InputError(
            f"expected a network of images, or of columns of a table, got one of "
            f"{trained.input_shape[0]} numbers without names: use TrainedNetwork.predict in Python"
        )
    paths = [tables] if isinstance(tables, (str, os.PathLike)) else list(tables)
    if len(paths) != 1:
        raise InputError(f"expected one table for a network of columns, got {len(paths)}")
    _refuse_input(place, paths)
    table = read_table(os.fspath(paths[0]), header=True)
    values = table.matrix(trained.features)
    bad = ~np.isfinite(values).all(1)
    if bad.any():
        raise InputError(
            f"expected finite numbers in {few(trained.features)}, got NaN or infinity in "
            f"{int(bad.sum()):,} rows",
            table.place(int(np.argmax(bad))),
        )
    ids, notes = _ids(trained, table)

    def batches() -> Iterator[tuple[Sequence[str], NDArray[np.float32]]]:
        for start in range(0, len(ids), batch_size):
            rows = slice(start, start + batch_size)
            yield ids[rows], values[rows].astype(np.float32)

    write_table(trained, batches(), place, batch_size)
    return Predictions(place, trained.task, len(ids), (), notes)


def _refuse_input(place: Path, read: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse to write over what is read."""
    if place.is_file() and os.path.realpath(place) in map(os.path.realpath, read):
        raise InputError("expected another path than that of what is predicted for", str(place))


def _ids(trained: TrainedNetwork, table: Table) -> tuple[list[str], tuple[str, ...]]:
    """Return what the rows are called, and what should be known of it."""
    data = trained.description.get("data")
    column = data.get("id_column") if isinstance(data, dict) else None
    if column is None:
        others = [name for name in table.names if name not in (trained.features or ())]
        column = first_of(IDS, others)
    if column is None:
        return [str(row) for row in range(table.n_rows)], ("ids are row numbers, from 0",)
    ids: list[str] = table[column].text().array().tolist()
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if first.setdefault(name, row) != row:
            raise IdError(
                f'expected each id once in {column}, got "{name}" again after '
                f"{table.locate(first[name])}",
                table.place(row),
            )
    return ids, ()


def _look(trained: TrainedNetwork) -> Look:
    """Return what images are made to: as those of training were."""
    n_channels, height, width = trained.input_shape
    # Arrays stay as they are; as float32 they hold bytes, too.
    mode = {1: "L", 3: "RGB"}.get(n_channels, "")
    return Look(height, width, mode, trained.fit, "f4")
