"""What part of the data an image is of: by its folder, or by a column of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import IdError, InputError, first_few
from snellen.readers.join import find_ids
from snellen.readers.table import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read_slices"]


def read_slices(source: str, image_ids: Sequence[str], files: Sequence[Path]) -> dict[str, str]:
    """Return the slice of each image.

    Parameters
    ----------
    source : str
        ``"folder"``: the folder that the image's file is in. Else a table and one of its columns,
        ``scenes.csv:weather``; images are found by the table's ids (a column called ``image``,
        ``id``, …, else its first), with or without an ending.
    image_ids : sequence of str
        What the images are called.
    files : sequence of path
        Their files.

    Raises
    ------
    InputError
        For another source, and files that cannot be read.
    SchemaError
        Where the table has no such column.
    IdError
        For images that the table does not have, or has twice.
    """
    if source == "folder":
        names = (path.parent.name for path in files)
        return dict(zip(image_ids, names, strict=True))
    path, colon, column = source.rpartition(":")
    if not (colon and path and column):
        raise InputError(f'expected "folder" or TABLE:COLUMN, got "{source}"')
    table = read_table(path)
    ids = find_ids(table, None)
    if ids.column is None:
        raise InputError("expected a table with a column of image ids, got none", path)
    slices = table[column].text().array()
    found: dict[str, str] = {}
    for row, (name, part) in enumerate(zip(ids.column.text().array(), slices, strict=True)):
        key = _without_ending(str(name))
        if key in found:
            raise IdError(f"expected each image once, got {name} again", table.place(row))
        found[key] = str(part)
    missing = [each for each in image_ids if _without_ending(each) not in found]
    if missing:
        raise IdError(
            f"expected a row for each image, got none for {len(missing)}: {first_few(missing)}",
            path,
        )
    return {each: found[_without_ending(each)] for each in image_ids}


def _without_ending(name: str) -> str:
    """Return an image's name as it is compared."""
    name = name.removesuffix(".gz")
    stem, dot, end = name.rpartition(".")
    return stem if dot and "/" not in end and 2 <= len(end) <= 4 and end.isalnum() else name
