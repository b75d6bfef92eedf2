"""WebDataset shards: tar files in which files of one name, but for the ending, are a sample."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snellen.errors import InputError, SchemaError
from snellen.readers.pictures import Fit, decode_picture, look_of, read_head_of
from snellen.training.data.arrays import typed_targets
from snellen.training.data.found import Found
from snellen.training.data.loading import Files, Keep, Loading, fits, part_of_files, without_bad
from snellen.training.data.shard_files import expanded, indexed_shard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.training.data.parts import Part
    from snellen.training.data.shard_files import Member, ShardSample

__all__ = ["webdataset"]


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
    samples: list[ShardSample] = []
    rows: dict[str, list[int]] = {}
    for name, each in patterns.items():
        first = len(samples)
        for path in expanded(each):
            samples += indexed_shard(path, len(shards), target)
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


class _Shards:
    """Open tar files, of which several threads read at a time."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._files = [os.open(path, os.O_RDONLY) for path in paths]

    def read(self, member: Member) -> bytes:
        data = os.pread(self._files[member.shard], member.size, member.start)
        if len(data) != member.size:
            raise SchemaError(
                f"expected {member.size:,} bytes, the shard ends before", self._paths[member.shard]
            )
        return data

    def __del__(self) -> None:
        for file in getattr(self, "_files", ()):
            os.close(file)


def _column(targets: list[Any]) -> Any:
    """Return targets as an array: of numbers where all are numbers, else of texts."""
    if any(isinstance(each, str) for each in targets):
        return np.array([str(each) for each in targets])
    try:
        return np.array(targets)
    except ValueError:
        raise SchemaError("expected targets of one shape, got several") from None
