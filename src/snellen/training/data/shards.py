"""WebDataset shards: tar files in which files of one name, but for the ending, are a sample."""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.image_files import PICTURES
from snellen.readers.message_text import few
from snellen.readers.pictures import Fit, decode_picture, look_of, read_head_of
from snellen.training.data.arrays import typed_targets
from snellen.training.data.found import Found
from snellen.training.data.loading import Files, Keep, Loading, fits, part_of_files, without_bad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.training.data.parts import Part

__all__ = ["expanded", "webdataset"]

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


class _Member(NamedTuple):
    """Where a file lies within a shard."""

    shard: int
    start: int
    size: int


class _Sample(NamedTuple):
    key: str
    image: _Member
    target: Any


def webdataset(
    pattern: str,
    *,
    validation: int | float | str = 0.1,
    test: int | float | str = 0,
    target: str = "label",
    image_size: int | tuple[int, int] | None = None,
    mode: Literal["auto", "L", "RGB"] = "auto",
    fit: Fit = "crop",
    keep: Keep = "auto",
    threads: int | None = None,
    check: Literal["whole", "head"] = "whole",
    strict: bool = False,
    device: str = "cpu",
    task: str = "auto",
) -> Found:
    """Return the samples of shards: an image each, and a ``.cls`` or ``.json`` with its target.

    The heads of a shard are read once; then any sample can be read, so that all samples of all
    shards are shuffled together.

    Parameters
    ----------
    pattern : str
        A tar file, ``shards/{000..009}.tar``, or a folder of tar files.
    validation, test : int, float or str
        The shards of these parts, or how many samples, or what share, they are.
    target : str
        The key of a ``.json`` that holds the target.
    image_size, mode, fit
        See `Images`.
    keep, threads, check, strict, device
        See `Loading`.
    task : str
        What the targets are for.

    Raises
    ------
    InputError, SchemaError
        For shards that are not there, packed or damaged, and samples without image or target.
    """
    notes: list[str] = []
    loading = Loading(keep, threads, check, strict, device)
    patterns = {"train": pattern}
    patterns |= {
        name: value
        for name, value in (("validation", validation), ("test", test))
        if isinstance(value, str)
    }
    shards: list[str] = []
    samples: list[_Sample] = []
    rows: dict[str, list[int]] = {}
    for name, each in patterns.items():
        first = len(samples)
        for path in expanded(each):
            samples += _indexed(path, len(shards), target)
            shards.append(path)
        rows[name] = list(range(first, len(samples)))
        if not rows[name]:
            raise InputError(f"expected samples in the part {name}, its shards have none", each)
    opened = _Shards(shards)
    ids = [sample.key for sample in samples]
    typed = typed_targets({"": _column([sample.target for sample in samples])}, task)
    found = without_bad(
        lambda row: read_head_of(opened.read(samples[row].image), ids[row]),
        ids,
        loading,
        "image",
        notes,
    )
    heads = [(ids[row], head) for row, head in zip(found.rows, found.values, strict=True)]
    look = look_of(heads, image_size=image_size, mode=mode, fit=fit)
    keep_all = fits([int(np.prod(look.shape)) * len(heads)], loading)
    usable = set(found.rows)

    def part(mine: Sequence[int]) -> Part:
        import torch

        def load(k: int) -> tuple[Any, Any]:
            sample = samples[mine[k]]
            return decode_picture(opened.read(sample.image), look, sample.key), 0

        return part_of_files(
            load,
            Files([ids[row] for row in mine], [shards[samples[row].image.shard] for row in mine]),
            typed.targets[""][list(mine)],
            look.shape,
            torch.uint8,
            keep=keep_all,
            loading=loading,
            notes=notes,
        )

    return Found(
        {name: part([row for row in mine if row in usable]) for name, mine in rows.items()},
        task=typed.task,
        class_names=typed.class_names,
        source={"data": pattern, "kind": "webdataset", "shards": len(shards)},
        notes=notes,
        validation=validation if not isinstance(validation, str) else 0,
        test=test if not isinstance(test, str) else 0,
    )


def expanded(pattern: str) -> list[str]:
    """Return the shards that a pattern names, in order.

    Examples
    --------
    >>> expanded("shards/{08..10}.tar")
    ['shards/08.tar', 'shards/09.tar', 'shards/10.tar']
    """
    match = _BRACES.search(pattern)
    if match is None:
        if Path(pattern).is_dir():
            found = sorted(str(each) for each in Path(pattern).iterdir() if each.suffix == ".tar")
            if not found:
                raise InputError("expected shards (.tar), the folder has none", pattern)
            return found
        return [pattern]
    first, last = match[1], match[2]
    if int(first) > int(last):
        raise InputError(f"expected the lower number first, got {match[0]}", pattern)
    return [
        each
        for k in range(int(first), int(last) + 1)
        for each in expanded(
            f"{pattern[: match.start()]}{k:0{len(first)}d}{pattern[match.end() :]}"
        )
    ]


class _Shards:
    """Open tar files, of which several threads read at a time."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._files = [os.open(path, os.O_RDONLY) for path in paths]

    def read(self, member: _Member) -> bytes:
        data = os.pread(self._files[member.shard], member.size, member.start)
        if len(data) != member.size:
            raise SchemaError(
                f"expected {member.size:,} bytes, the shard ends before", self._paths[member.shard]
            )
        return data

    def __del__(self) -> None:
        for file in getattr(self, "_files", ()):
            os.close(file)


def _indexed(path: str, shard: int, target: str) -> list[_Sample]:
    """Return the samples of a shard in order; only heads and targets are read."""
    found: list[_Sample] = []
    try:
        with tarfile.open(path, "r:") as shard_file:
            group: dict[str, tarfile.TarInfo] = {}
            key = None
            for member in shard_file:
                if not member.isfile():
                    continue
                own, suffix = _key(member.name)
                if own != key and group:
                    found.append(_sample(path, shard, key or "", group, shard_file, target))
                    group = {}
                key = own
                if suffix in group:
                    raise IdError(f"expected one {suffix} of {own}, got two", path)
                group[suffix] = member
            if group:
                found.append(_sample(path, shard, key or "", group, shard_file, target))
    except tarfile.ReadError as error:
        packed = Path(path).suffix in (".gz", ".tgz", ".bz2", ".xz", ".zst")
        advice = ": unpack it, packed shards cannot be read in any order" if packed else ""
        raise SchemaError(f"expected a tar file, got: {error}{advice}", path) from None
    except OSError as error:
        raise InputError(f"expected a readable shard, got: {error.strerror}", path) from None
    return found


def _key(name: str) -> tuple[str, str]:
    """Return what a sample's files have in common, and the rest: up to the name's first dot."""
    folder, _, bare = name.removeprefix("./").rpartition("/")
    stem, _, suffix = bare.partition(".")
    return f"{folder}/{stem}" if folder else stem, f".{suffix.lower()}"


def _sample(
    path: str,
    shard: int,
    key: str,
    group: dict[str, tarfile.TarInfo],
    shard_file: tarfile.TarFile,
    target: str,
) -> _Sample:
    place = f"{path} {key}"
    images = [suffix for suffix in group if suffix in PICTURES]
    if len(images) != 1:
        raise SchemaError(f"expected one image of each sample, got files {few(group)}", place)
    member = group[images[0]]
    name = next((suffix for suffix in (".cls", ".json") if suffix in group), None)
    if name is None:
        raise SchemaError(f"expected a .cls or .json beside the image, got {few(group)}", place)
    file = shard_file.extractfile(group[name])
    assert file is not None, "it is a regular file"
    data = file.read()
    return _Sample(
        f"{Path(path).name}/{key}",
        _Member(shard, member.offset_data, member.size),
        _target(data, name, target, place),
    )


def _target(data: bytes, name: str, target: str, place: str) -> Any:
    try:
        if name == ".cls":
            text = data.decode().strip()
            return int(text) if text.lstrip("-").isdecimal() else text
        value = msgspec.json.decode(data)
        return value[target] if isinstance(value, dict) else value
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"expected a target, got: {error}", f"{place}{name}") from None
    except KeyError:
        raise SchemaError(
            f'expected "{target}", got {few(value)}: name the key of the target (target)',
            f"{place}{name}",
        ) from None


def _column(targets: list[Any]) -> Any:
    """Return targets as an array: of numbers where all are numbers, else of texts."""
    if any(isinstance(each, str) for each in targets):
        return np.array([str(each) for each in targets])
    try:
        return np.array(targets)
    except ValueError:
        raise SchemaError("expected targets of one shape, got several") from None
