"""The folder of a benchmark: page, table, result, and the state of each model."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import msgspec

from snellen.atomic_files import write_atomically
from snellen.benchmark.decoding import decoded
from snellen.benchmark.model_csv import class_csv, confusion_csv
from snellen.benchmark.page import page
from snellen.errors import InputError, MissingExtraError
from snellen.run.run_names import folder_names
from snellen.run.written_run import is_run_record, refuse_files_of_others

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.result import BenchmarkResult
    from snellen.run.run_record import RunRecord

__all__ = ["json_bytes", "refuse_other_folder", "thumbnail", "write_benchmark"]

_SIDE: Final = 112  # pixels of a thumbnail's longer side


def refuse_other_folder(home: Path) -> None:
    """Refuse the folder of a training or of an evaluation, and files that are not ours.

    Raises
    ------
    InputError
        Where a benchmark would overwrite a part of something else.
    """
    is_training = (home / "description.json").is_file()
    if is_training or ((home / "run.json").is_file() and (home / "state.bin").is_file()):
        what = "a training" if is_training else "an evaluation"
        raise InputError(
            f"expected a folder for a benchmark, got that of {what}: name another", str(home)
        )
    refuse_files_of_others(home)


def write_benchmark(
    result: BenchmarkResult, folder: Path, images: LabelledImages, record: RunRecord
) -> None:
    """Write ``index.html``, ``table.csv``, ``result.json``, ``run.json``, and a folder a model.

    Raises
    ------
    OSError
        Where they cannot be written; then what was there stays.
    """
    row_of = {name: row for row, name in enumerate(images.ids)}
    names = [model.name for model in result.models]
    places = {name: f"models/{each}" for name, each in zip(names, folder_names(names), strict=True)}
    files: dict[str | os.PathLike[str], bytes] = {
        folder / "index.html": page(
            result, lambda place: thumbnail(images, row_of[result.ids[place]]), beside=places
        ).encode(),
        folder / "table.csv": result.csv().encode(),
        folder / "result.json": json_bytes(result.to_dict()),
    }
    for model in result.models:
        place = folder / places[model.name]
        place.mkdir(parents=True, exist_ok=True)
        files |= {
            place / "state.bin": model.metric.to_bytes(),
            place / "result.json": json_bytes(model.result.to_dict()),
            place / "classes.csv": class_csv(model).encode(),
            place / "confusion.csv": confusion_csv(model).encode(),
        }
    files[folder / "run.json"] = record.to_bytes()
    was_ours = is_run_record(folder / "run.json")
    write_atomically(files)
    if was_ours:  # the page of what was there before
        (folder / "report.html").unlink(missing_ok=True)


def json_bytes(content: object) -> bytes:
    """Return plain values as the bytes of a JSON file that people can read, too."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def thumbnail(images: LabelledImages, row: int) -> bytes | None:
    """Return a small picture of an image as PNG or JPEG; None where there is none."""
    if images.reader is None:
        return None
    try:
        from PIL import Image

        array = decoded(images.reader.data(row), "RGB", images.ids[row])
    except (InputError, MissingExtraError):  # it was readable, and the page needs no picture
        return None
    grey = bool((array == array[..., :1]).all())
    picture = Image.fromarray(array[..., 0] if grey else array)
    longer = max(picture.size)
    if longer > _SIDE:
        size = [max(1, round(each * _SIDE / longer)) for each in picture.size]
        picture = picture.resize(size, Image.Resampling.BOX)
    out = io.BytesIO()
    # Small drawings are as small losslessly; photographs are not.
    if longer <= _SIDE // 2:
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=85)
    return out.getvalue()
