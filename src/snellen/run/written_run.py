"""A run folder is written: whole, or not at all."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from snellen.atomic_files import write_atomically
from snellen.errors import InputError, SnellenError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.examples import Examples
    from snellen.run.run_record import RunRecord

__all__ = ["is_run_record", "refuse_files_of_others", "refuse_other_folder", "write_run"]

_FILES: Final = "files"  # in the config of run.json


class _Config(msgspec.Struct):
    files: list[str] = []


class _Listing(msgspec.Struct):
    """What ``run.json`` says of further files."""

    config: _Config


def write_run(
    folder: str | os.PathLike[str],
    *,
    record: RunRecord,
    metric: StoredMetric[Result],
    result: Result,
    states: Mapping[str, StoredMetric[Result]] = MappingProxyType({}),
    examples: Examples | None = None,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write the folder of a run: all files, or none; what an earlier run left there goes.

    Parameters
    ----------
    folder : path
        Made, where there is none.
    record : RunRecord
        How the run came about.
    metric : StoredMetric
        Its metric.
    result : Result
        What that gave.
    states : mapping of str to StoredMetric
        States of further diagnoses by name; asked for one after the other.
    examples : Examples, optional
        Images with what is there and what was found.
    pictures : mapping of str to bytes
        The pictures that `examples` names.
    files : mapping of str to bytes
        Further files by name; ``run.json`` lists them, so that the next run knows whose they are.

    Raises
    ------
    InputError
        Where `folder` is a file, or for a name that is none of a file.
    OSError
        Where something cannot be written; then what was there stays.
    """
    from snellen.run.examples import refuse_unsafe_name

    home = Path(folder)
    refuse_other_folder(home)
    # States are made and written one after the other: together they may be gigabytes.
    content: dict[str | os.PathLike[str], bytes | Callable[[], bytes]] = {
        home / "state.bin": metric.to_bytes,
        home / "result.json": _json(result.to_dict()),
    }
    for name in states:
        refuse_unsafe_name(name, "states")
        content[home / "states" / f"{name}.bin"] = functools.partial(_state_bytes, states, name)
    if examples is not None:
        for name, data in pictures.items():
            refuse_unsafe_name(name, "examples")
            content[home / "examples" / name] = data
        content[home / "examples" / "examples.json"] = examples.to_bytes()
    if files:
        content |= {home / name: data for name, data in files.items()}
        record = msgspec.structs.replace(record, config={**record.config, _FILES: list(files)})
    # Last: a folder without it is none of a run.
    content[home / "run.json"] = record.to_bytes()

    old = _files_of_earlier_run(home)
    made = [path for path in (home, home / "states", home / "examples") if not path.exists()]
    try:
        for path in content:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(content)
    except BaseException:
        for path in reversed(made):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        raise
    for path in old.difference(map(Path, content)):
        path.unlink(missing_ok=True)
    for path in (home / "states", home / "examples"):
        if old and path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def refuse_other_folder(home: Path) -> None:
    """Refuse what is no folder, folders of trainings and benchmarks, and files that are not ours.

    Raises
    ------
    InputError
        Where a run would overwrite a part of something else.
    """
    if home.exists() and not home.is_dir():
        raise InputError("expected a folder, got a file: name another", str(home))
    if (home / "description.json").is_file():
        raise InputError(
            "expected a folder for a run, got that of a training: name another", str(home)
        )
    if (home / "models").is_dir() and (home / "result.json").is_file():
        raise InputError(
            "expected a folder for a run, got that of a benchmark: name another", str(home)
        )
    refuse_files_of_others(home)


def refuse_files_of_others(home: Path) -> None:
    """Refuse a folder with a ``run.json`` or ``result.json`` that Snellen did not write.

    Raises
    ------
    InputError
        Where it would be overwritten.
    """
    for path in (home / "run.json", home / "result.json"):
        if path.is_file() and not _begins_with(path, b'"snellen.'):
            raise InputError(
                f"expected a folder for a run, got one with a {path.name} of another program: name "
                "another",
                str(home),
            )


def _files_of_earlier_run(home: Path) -> set[Path]:
    """Return the files that an earlier run wrote to a folder: its pictures are of other data."""
    from snellen.run.examples import read_examples

    if not is_run_record(home / "run.json"):
        return set()
    found = {*(home / "states").glob("*.bin"), home / "report.html"}
    further = [home / name for name in _further_files(home / "run.json")]
    found |= {path for path in further if path.is_file()}
    listing = home / "examples" / "examples.json"
    if listing.is_file():
        found.add(listing)
        with contextlib.suppress(SnellenError):  # what cannot be read names nothing that is ours
            found |= {home / "examples" / name for name in read_examples(listing).picture_names()}
    return found


def _further_files(path: Path) -> list[str]:
    """Return the names of further files that a ``run.json`` lists."""
    try:
        names = msgspec.json.decode(path.read_bytes(), type=_Listing).config.files
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []  # what cannot be read names nothing that is ours
    return [name for name in names if name == Path(name).name]


def is_run_record(path: Path) -> bool:
    """Return whether a file is the ``run.json`` of a run, of whichever release."""
    return _begins_with(path, b'"snellen.run/')


def _begins_with(path: Path, schema: bytes) -> bool:
    """Return whether a file has a schema's name near its beginning."""
    try:
        with path.open("rb") as file:
            return schema in file.read(256)
    except OSError:
        return False


def _state_bytes(states: Mapping[str, StoredMetric[Result]], name: str) -> bytes:
    return states[name].to_bytes()


def _json(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
