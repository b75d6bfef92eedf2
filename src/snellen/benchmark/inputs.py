"""The files that go into a benchmark, for ``run.json``: of the data, and of each network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.sources import is_predictions, kind_of_file, parsed
from snellen.benchmark.stored_images import ArrayImages, ImageFiles, ShardImages
from snellen.run.data_digests import DataSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.model import Facts
    from snellen.benchmark.sources import ModelName

__all__ = ["input_files", "weights_beside"]

# What is read of the folder of a network that was trained here.
_TRAINED: Final = ("weights.safetensors", "network.json")


def input_files(
    models: Sequence[str], images: LabelledImages, request: Mapping[str, Any]
) -> list[DataSource]:
    """Return the files that go in, each once.

    Parameters
    ----------
    models : sequence of str
        As they were typed.
    images : LabelledImages
        The data.
    request : mapping
        What they were opened with.
    """
    found = [*_of_data(images, request), *(each for text in models for each in _of_model(text))]
    return list(dict.fromkeys(found))


def weights_beside(text: str, facts: Facts) -> tuple[str, ...]:
    """Return the files beside an ONNX file that hold weights of it."""
    path = parsed(text).name
    # Few have any, and looking at the graph takes time.
    if not Path(path).is_file() or facts.file_bytes in (None, Path(path).stat().st_size):
        return ()
    from snellen.benchmark.onnx_graph import read_graph

    return read_graph(path).files if parsed(text).prefix == "onnx" else ()


def _of_data(images: LabelledImages, request: Mapping[str, Any]) -> Iterator[DataSource]:
    data = Path(request["data"])
    if data.is_file():
        yield DataSource("data", str(request["data"]))
    for name in ("labels", "synsets", "real", "classes"):
        path = request[name]
        if path is not None and Path(path).is_file():
            yield DataSource(name, path)
    # The development kit's names that lie beside its labels.
    beside = images.source.get("synsets")
    if request["synsets"] is None and beside is not None:
        yield DataSource("synsets", beside)
    files = [file for file in _files_of(images) if file != request["data"]]
    files = [file for file in files if os.path.isfile(file)]  # noqa: PTH113 - of fifty thousand
    if not files:
        return
    if data.is_dir():
        yield DataSource("data", str(request["data"]), tuple(files))
    else:
        yield DataSource.of_files("images" if data.is_file() else "data", files)


def _files_of(images: LabelledImages) -> Sequence[str]:
    """Return the files in which images are, and of IDX their labels."""
    reader = images.reader
    if isinstance(reader, ImageFiles):
        return reader.paths
    if isinstance(reader, ArrayImages):
        return reader.files
    return reader.shards if isinstance(reader, ShardImages) else ()


def _of_model(text: str) -> Iterator[DataSource]:
    model = parsed(text)
    role = "predictions" if is_predictions(text) else "model"
    place = Path(model.name)
    inner = tuple(str(place / name) for name in _TRAINED)
    if model.prefix == "snellen" and all(map(os.path.isfile, inner)):
        yield DataSource(role, model.name, inner)
    elif _names_a_file(model) and place.is_file():
        yield DataSource(role, model.name)
        description = place.with_suffix(".json")
        if place.suffix == ".safetensors" and description.is_file():
            yield DataSource(role, str(description))
    for key, value in model.settings.items():
        if key != "name" and Path(value).is_file():
            yield DataSource(f"{role}-{key}", value)


def _names_a_file(model: ModelName) -> bool:
    """Whether a name may be that of a file; of a network in a library it is not."""
    if model.prefix == "keras":
        return kind_of_file(model.name) == "keras"
    return model.prefix not in ("timm", "torchvision")
