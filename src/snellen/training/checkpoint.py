"""The state of a training in a file: whole, or not at all.

A file is written under another name, flushed to the disk, read back, and only then takes its name.
The last two are kept.
"""

from __future__ import annotations

import errno
import io
import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError, SchemaError, StateVersionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT", "Checkpoints", "read_checkpoint", "write_checkpoint"]

FORMAT = "snellen.checkpoint/1"
_NAME = re.compile(r"step-(\d{9})\.ckpt$")


class Checkpoints:
    """The checkpoints of a run: one folder.

    Parameters
    ----------
    folder : path
        Made when the first one is written.
    kept : int
        How many of the last ones stay.
    """

    def __init__(self, folder: str | os.PathLike[str], kept: int = 2) -> None:
        self.folder = Path(folder)
        self.kept = kept

    def paths(self) -> list[Path]:
        """Return the files, the newest last."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _NAME.match(path.name))

    def write(self, step: int, content: Mapping[str, Any]) -> Path:
        """Write the state after so many updates; remove all but the last ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step-{step:09}.ckpt"
        write_checkpoint(path, content)
        for old in self.paths()[: -self.kept]:
            old.unlink()
        return path

    def latest(self, at_most: int | None = None) -> tuple[dict[str, Any], Path, list[str]]:
        """Return the newest state that can be read, its file, and what could not be read.

        Parameters
        ----------
        at_most : int, optional
            The greatest number of updates.

        Raises
        ------
        InputError
            Where there is none.
        """
        passed: list[str] = []
        for path in reversed(self.paths()):
            if at_most is not None and int(path.name[5:14]) > at_most:
                continue
            try:
                return read_checkpoint(path), path, passed
            except SchemaError as error:
                passed.append(str(error))
        if passed:
            raise InputError(f"expected a checkpoint that can be read: {passed[0]}")
        raise InputError(
            "expected a checkpoint to go on from, there is none", os.fspath(self.folder)
        )


def write_checkpoint(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a state to a file; the file that was there stays until the new one is whole.

    Raises
    ------
    InputError
        Where the disk is full, or does not give back what was written.
    """
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    data = buffer.getbuffer()
    target = Path(path)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if temporary.read_bytes() != data:
            raise InputError("expected to read what was written, got other bytes", str(target))
        temporary.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else str(error.strerror)
        raise InputError(
            f"expected to save a checkpoint of {len(data):,} bytes, {reason}; "
            f"{_what_to_do(target)}",
            str(target),
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _what_to_do(path: Path) -> str:
    if path.exists() or Checkpoints(path.parent).paths():
        return "the one before is whole: make room and resume"
    return "there is none before: make room and begin again"


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a state. Nothing but tensors and plain values is loaded, and no code is run.

    Raises
    ------
    SchemaError
        Where the file is no checkpoint, is damaged, or holds anything else.
    StateVersionError
        Where a newer release wrote it.
    """
    place = os.fspath(path)
    try:
        # torch does not look at the checksums, so that a changed bit would become a weight.
        with zipfile.ZipFile(path) as file:
            changed = file.testzip()
    except OSError as error:
        raise SchemaError(f"expected a checkpoint, got: {error.strerror}", place) from None
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise SchemaError(f"expected a whole checkpoint, got: {error}", place) from None
    if changed is not None:
        raise SchemaError(f"expected a whole checkpoint, {changed} is damaged", place)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"it wants to run {foreign[1]}" if foreign else "it is none"
        raise SchemaError(
            f"expected a checkpoint of tensors and plain values, {what}: it is not loaded", place
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"expected a whole checkpoint, got: {reason}", place) from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        known = isinstance(found, str) and found.startswith("snellen.checkpoint/")
        raise (StateVersionError if known else SchemaError)(
            f"expected a checkpoint of format {FORMAT}, got {found!r}", place
        )
    return dict(content)
