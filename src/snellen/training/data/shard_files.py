"""Where the samples of WebDataset shards lie: tar files whose heads are read once."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.image_files import PICTURES
from snellen.readers.message_text import few

__all__ = ["Member", "ShardSample", "expanded", "indexed_shard"]

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


class Member(NamedTuple):
    """Where a file lies within a shard."""

    shard: int
    start: int
    size: int


class ShardSample(NamedTuple):
    """An image and its target; the key begins with the shard's name."""

    key: str
    image: Member
    target: Any


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


def indexed_shard(path: str, shard: int, target: str) -> list[ShardSample]:
    """Return the samples of a shard in order; only heads and targets are read.

    Parameters
    ----------
    path : str
        The tar file.
    shard : int
        What its members are said to lie in.
    target : str
        The key of a ``.json`` that holds the target.

    Raises
    ------
    InputError, SchemaError
        For a shard that is not there, packed or damaged, and samples without image or target.
    IdError
        Where a sample has two files of one kind.
    """
    found: list[ShardSample] = []
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
) -> ShardSample:
    place = f"{path} {key}"
    images = [suffix for suffix in group if suffix in PICTURES]
    if len(images) != 1:
        raise SchemaError(f"expected one image of each sample, got files {few(group)}", place)
    member = group[images[0]]
    name = next((suffix for suffix in (".cls", ".json", ".txt") if suffix in group), None)
    if name is None:
        raise SchemaError(
            f"expected a .cls, .json or .txt beside the image, got {few(group)}", place
        )
    file = shard_file.extractfile(group[name])
    assert file is not None, "it is a regular file"
    data = file.read()
    return ShardSample(
        f"{Path(path).name}/{key}",
        Member(shard, member.offset_data, member.size),
        _target(data, name, target, place),
    )


def _target(data: bytes, name: str, target: str, place: str) -> Any:
    try:
        if name != ".json":
            text = data.decode().strip()
            return int(text) if text.lstrip("-").isdecimal() else text
        value = msgspec.json.decode(data)
        found = value[target] if isinstance(value, dict) else value
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"expected a target, got: {error}", f"{place}{name}") from None
    except KeyError:
        raise SchemaError(
            f'expected "{target}", got {few(value)}: name the key of the target (target)',
            f"{place}{name}",
        ) from None
    if found is None:
        raise SchemaError("expected a target, got null", f"{place}{name}")
    return found
