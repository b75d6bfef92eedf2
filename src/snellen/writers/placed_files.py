"""Files to their places: whole or not at all, and nothing of the user's without a word."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from snellen.atomic_files import write_atomically
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_target", "place_files"]


def check_target(target: str, *, is_folder: bool, force: bool) -> None:
    """Refuse, before the work is done, a place that cannot be written to, or must not be.

    Raises
    ------
    InputError
        Where something is there, and `force` is not said; where it is of the other kind, and where
        the folder around it is not there.
    """
    path = Path(target)
    if target in ("", "-"):
        raise InputError("expected the path of a file or folder to write", target or "TARGET")
    if not path.resolve().parent.is_dir():
        raise InputError("expected a folder to write into, there is none: make it", target)
    if is_folder:
        if path.exists() and not path.is_dir():
            raise InputError("expected a folder, or a new name for one, this is a file", target)
        if path.is_dir() and any(path.iterdir()) and not force:
            raise InputError(
                "expected a new or an empty folder, this one holds files: --force (force=True) "
                "replaces those of the same names",
                target,
            )
    elif path.is_dir():
        raise InputError("expected a file, or a new name for one, this is a folder", target)
    elif path.exists() and not force:
        raise InputError(
            "expected a new file, this one is there already: --force (force=True) replaces it",
            target,
        )


def place_files(target: str, files: Mapping[str, bytes], *, force: bool) -> int:
    """Write files below a folder, or a single one whose path is empty.

    A new folder is filled under a temporary name beside its place, and then renamed. Into one that
    holds files, each is written beside its place, then all are renamed.

    Parameters
    ----------
    target : str
        The folder or file.
    files : mapping of str to bytes
        What each holds, by its path below the target.
    force : bool
        Whether files that are there may be replaced.

    Returns
    -------
    int
        How many other files the folder holds.

    Raises
    ------
    InputError
        As `check_target`.
    OSError
        Where something cannot be written; nothing is then.
    """
    is_folder = set(files) != {""}
    check_target(target, is_folder=is_folder, force=force)
    if not is_folder:
        write_atomically({target: files[""]})
        return 0
    # A link to a folder stays one.
    folder = Path(os.path.realpath(target))
    if folder.is_dir() and any(folder.iterdir()):
        _add(folder, files)
        return _n_others(folder, files)
    _make(folder, files)
    return 0


def _make(folder: Path, files: Mapping[str, bytes]) -> None:
    path = folder
    staged: Path | None = None
    try:
        staged = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."[:100]))
        for name, data in files.items():
            path = folder / name
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(data)
        path = folder
        umask = os.umask(0)
        os.umask(umask)
        staged.chmod(0o777 & ~umask)
        if folder.is_dir():
            folder.rmdir()  # it is empty
        staged.replace(folder)
    except BaseException as error:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        if isinstance(error, OSError) and error.errno is not None:
            # Nobody knows the temporary name.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _add(folder: Path, files: Mapping[str, bytes]) -> None:
    made: list[Path] = []
    try:
        for parent in sorted({(folder / name).parent for name in files}):
            missing = [each for each in (parent, *parent.parents) if not each.exists()]
            for each in reversed(missing):
                each.mkdir()
                made.append(each)
        write_atomically({folder / name: data for name, data in files.items()})
    except BaseException:
        for each in reversed(made):
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _n_others(folder: Path, files: Mapping[str, bytes]) -> int:
    """Return how many files are in the folders that were written into, and are of another."""
    written = {str(folder / name) for name in files}
    others = 0
    for parent in {(folder / name).parent for name in files}:
        with os.scandir(parent) as entries:
            others += sum(
                entry.path not in written and entry.is_file() and not entry.name.startswith(".")
                for entry in entries
            )
    return others
