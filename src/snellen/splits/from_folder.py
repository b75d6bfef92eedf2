"""Image folders as samples: the class is the folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from snellen.errors import SchemaError, first_few
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.image_folder import read_image_folder
from snellen.splits.groups import Groups, groups_by_pattern
from snellen.splits.hashing import normalised_keys
from snellen.splits.source import Columns, Source
from snellen.splits.strata import Strata, factorised, sorted_names

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["file_of_row", "group_by_pattern", "images_below", "read_folder"]


def read_folder(path: Path, columns: Columns) -> Source:
    """Read the images of a folder of class folders, or of a folder without folders.

    Raises
    ------
    SchemaError
        Where there is no image.
    """
    columns.for_no_table("an image folder")
    notes = []
    strata = None
    if any(each.is_dir() and not each.name.startswith(".") for each in path.iterdir()):
        folder = read_image_folder(path)
        keys, places = normalised_keys(folder.files, str(path)), folder.paths
        notes.append(
            f"{path}: an image folder of {len(keys):,} images, {len(folder.classes)} classes"
        )
        if folder.empty:
            notes.append(f"class folders without images: {first_few(folder.empty)}")
        if folder.n_others:
            notes.append(f"{folder.n_others:,} files are left out: no images in a class folder")
        if columns.stratify == "auto":
            strata = Strata.of_codes(*factorised(folder.labels))
            if folder.empty:  # they keep their place among the classes
                names, place = sorted_names([*strata.names, *folder.empty], strata.code)
                strata = Strata.of_codes(names, place)
    else:
        found = sorted(images_below(path))
        keys = normalised_keys([within for within, _ in found], str(path))
        places = [place for _, place in found]
        notes.append(f"{path}: a folder of {len(keys):,} images without classes")
    if not keys:
        raise SchemaError("expected images, the folder has none", str(path))

    groups = group_by_pattern(keys, columns, notes)
    files = file_of_row(path, places)
    return Source("image folder", path, keys, strata, groups, tuple(notes), files)


def file_of_row(path: Path, places: list[str]) -> Callable[[int], list[tuple[Path, str]]]:
    """Return `Source.files` of samples that are a file each, from where these lie.

    Keys will not do: a name need not be in Unicode NFC on disk.
    """

    def files(row: int) -> list[tuple[Path, str]]:
        file = Path(places[row])
        return [(file, file.relative_to(path).as_posix())]

    return files


def images_below(path: Path) -> list[tuple[str, str]]:
    """Return all images below a folder: their paths within it, and where they lie; none hidden.

    Raises
    ------
    InputError
        Where a folder cannot be read.
    """
    return [found for found in files_below(path) if ending(found[0]) in IMAGES]


def group_by_pattern(keys: list[str], columns: Columns, notes: list[str]) -> Groups | None:
    """Return the groups that a pattern finds in the keys, where one was given."""
    if columns.group is None:
        return None
    texts, n_alone = groups_by_pattern(keys, columns.group)
    names, code = factorised(texts)
    if n_alone:
        notes.append(f"{n_alone:,} keys do not fit the pattern: each is a group of its own")
    notes.append(f"kept together by {columns.group}: {len(names):,} groups")
    return Groups(tuple(names), code)
