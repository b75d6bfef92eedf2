"""Parts as folders of copies or links, COCO files, or YOLO lists: whole, or not at all.

What is to be written is worked out, and refused, by functions that write nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from snellen.errors import InputError, first_few
from snellen.splits.from_coco import coco_parts
from snellen.splits.from_yolo import yolo_lists
from snellen.splits.ratios import part_names
from snellen.splits.split import Folds, Split

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from snellen.splits.source import Source

__all__ = [
    "check_target",
    "coco_files",
    "files_of_parts",
    "write_files",
    "write_part_folders",
    "yolo_files",
]


def check_target(folder: str | Path) -> None:
    """Refuse a folder that is there and holds something, or has no folder to be made in."""
    path = Path(folder)
    if path.is_dir() and any(path.iterdir()):
        raise InputError("expected a new or an empty folder, this one holds files", str(path))
    if path.exists() and not path.is_dir():
        raise InputError("expected a new or an empty folder, this is a file", str(path))
    if not path.resolve().parent.is_dir():
        raise InputError("expected a folder to write into, there is none: make it", str(path))


def files_of_parts(result: Split | Folds, source: Source) -> list[tuple[Path, str]]:
    """Return the files of all parts, each with its place: below a folder of its part's name.

    Raises
    ------
    InputError
        Where samples have no files, some are missing, or a sample is in several parts.
    """
    rounds = result.rounds if isinstance(result, Folds) else (result,)
    if source.files is None:
        raise InputError(f"expected samples that are files, {source.kind} data have none")
    if len(rounds) > 1:
        raise InputError(f"expected one part for each sample, got {len(rounds)} rounds")
    split = rounds[0]
    names = part_names(split.names, len(split.names))
    wanted: list[tuple[Path, str]] = []
    missing: list[str] = []
    for row, part in enumerate(split.part.tolist()):
        for file, below in source.files(row):
            if not file.is_file():
                missing.append(str(file))
            elif Path(below).is_absolute() or ".." in Path(below).parts:
                raise InputError(
                    f'expected files below the table\'s folder, got "{below}"', str(source.path)
                )
            wanted.append((file, f"{names[part]}/{below}"))
    if missing:
        raise InputError(
            f"expected a file for each key, {len(missing)} are missing: {first_few(missing, 3)}",
            str(source.path),
        )
    return wanted


def write_part_folders(
    wanted: list[tuple[Path, str]], folder: str | Path, how: Literal["copy", "link"]
) -> int:
    """Copy or link what `files_of_parts` returned; return how many."""

    def fill(inside: Path) -> None:
        made: set[Path] = set()
        for file, below in wanted:
            target = inside / below
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if how == "copy":
                shutil.copy2(file, target)
            else:
                target.symlink_to(file.resolve())

    _make_folder(Path(folder), fill)
    return len(wanted)


def coco_files(result: Split | Folds, source: Source) -> dict[str, bytes]:
    """Return an annotation file for each part, or for each fold two.

    Raises
    ------
    InputError
        For data of another kind.
    """
    if source.kind != "COCO":
        raise InputError(f"expected a COCO file to write COCO files, got {source.kind} data")
    return coco_parts(source, _selections(result, ".json"))


def yolo_files(result: Split | Folds, source: Source) -> dict[str, bytes]:
    """Return a list of images for each part, or for each fold two, and data.yaml.

    Raises
    ------
    InputError
        For data of another kind, and for a path that a list cannot hold.
    """
    if source.kind != "YOLO":
        raise InputError(f"expected a YOLO folder to write YOLO lists, got {source.kind} data")
    return yolo_lists(source, _selections(result))


def _selections(result: Split | Folds, ending: str = "") -> dict[str, NDArray[np.bool_]]:
    """Return which samples each file is to hold, by its name."""
    if isinstance(result, Split):
        return {f"{name}{ending}": result.part == i for i, name in enumerate(result.names)}
    chosen: dict[str, Any] = {}
    for i, each in enumerate(result.rounds):
        first = f"round{i + 1}/" if len(result.rounds) > 1 else ""
        for k, name in enumerate(part_names(each.names, len(each.names))):
            chosen[f"{first}{name}/train{ending}"] = each.part != k
            chosen[f"{first}{name}/test{ending}"] = each.part == k
    return chosen


def write_files(files: Mapping[str, bytes], folder: str | Path) -> int:
    """Write files below a folder; return how many."""

    def fill(inside: Path) -> None:
        for name, data in files.items():
            target = inside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    _make_folder(Path(folder), fill)
    return len(files)


def _make_folder(folder: Path, fill: Any) -> None:
    """Fill a folder under a temporary name beside its place, then rename it."""
    check_target(folder)
    folder = Path(os.path.realpath(folder))
    staged = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        fill(staged)
        umask = os.umask(0)
        os.umask(umask)
        staged.chmod(0o777 & ~umask)
        if folder.is_dir():
            folder.rmdir()  # it is empty
        staged.replace(folder)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
