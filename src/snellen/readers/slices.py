"""What part of the data an image is of: by its folder, or by a column of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from snellen.errors import IdError, InputError, SchemaError, first_few
from snellen.readers.image_names import match_images
from snellen.readers.join import find_ids
from snellen.readers.table import read_table
from snellen.readers.typed_json import read_typed_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from snellen.readers.table import Table

__all__ = ["read_image_slices", "read_slices"]


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
    path, table, rows = _rows(source, '"folder" or TABLE:COLUMN')
    found: dict[str, str] = {}
    for row, (name, part) in enumerate(rows):
        key = _without_ending(name)
        if key in found:
            raise IdError(f"expected each image once, got {name} again", table.place(row))
        found[key] = part
    missing = [each for each in image_ids if _without_ending(each) not in found]
    if missing:
        raise IdError(
            f"expected a row for each image, got none for {len(missing)}: {first_few(missing)}",
            path,
        )
    return {each: found[_without_ending(each)] for each in image_ids}


def read_image_slices(
    source: str,
    image_ids: Sequence[int | str],
    truth: str | None = None,
    *,
    what: str = "image",
) -> dict[int | str, str]:
    """Return the slice of each image that a table has.

    Parameters
    ----------
    source : str
        A table and one of its columns, ``scenes.csv:weather``. Its rows are about images by their
        ids, or by what else they are called (`match_images`); rows about others are not looked at.
    image_ids : sequence of int or str
        The images.
    truth : str, optional
        A COCO annotation file: images may be called by the names of their files, too.
    what : str
        What the images are, where they are something else: ``"sample"``, ``"sequence"``.

    Returns
    -------
    dict
        Images without a row, or with an empty cell, are not in it.

    Raises
    ------
    InputError
        For another source, and files that cannot be read.
    SchemaError
        Where the table has no such column.
    IdError
        Where the table has none of the images, or one of them twice.
    """
    path, table, rows = _rows(source, "TABLE:COLUMN")
    row_of: dict[str, int] = {}
    for row, (name, _) in enumerate(rows):
        if name in row_of:
            raise IdError(f"expected each {what} once, got {name} again", table.place(row))
        row_of[name] = row
    # Whichever rows are about other images says nothing of the rule: images look for their rows.
    names = None if truth is None else _file_names(truth, image_ids)
    place = match_images(list(row_of), image_ids, names).position.tolist()
    found = {
        image_ids[at]: rows[row][1]
        for at, row in zip(place, row_of.values(), strict=True)
        if at >= 0
    }
    if not found and image_ids:
        raise IdError(
            f"expected rows about the {what}s, such as {first_few(list(image_ids))}, got "
            f"{first_few(list(row_of))}",
            path,
        )
    return {image: part for image, part in found.items() if part}


def _rows(source: str, expected: str) -> tuple[str, Table, list[tuple[str, str]]]:
    """Return the path of a table, the table, and the image and the slice that each row names."""
    path, colon, column = source.rpartition(":")
    if not (colon and path and column):
        raise InputError(f'expected {expected}, got "{source}"')
    # Whoever names a column has a line of names; without one, columns are called 1, 2, ….
    table = read_table(path, header=None if column.isdecimal() else True)
    ids = find_ids(table, None)
    if ids.column is None:
        raise InputError("expected a table with a column of ids, got none", path)
    columns = (ids.column.text().array(), table[column].text().array())
    rows = zip(*(each.tolist() for each in columns), strict=True)
    return path, table, [(str(name), str(part)) for name, part in rows]


class _Image(msgspec.Struct):
    id: int | str
    file_name: str | None = None


class _Images(msgspec.Struct):
    images: list[_Image]


def _file_names(truth: str, image_ids: Sequence[int | str]) -> list[str] | None:
    """Return the names of the files of COCO's images; None where not all have one."""
    try:
        listed = read_typed_json(truth, _Images, "a COCO annotation file").images
    except SchemaError:
        return None
    name_of = {image.id: image.file_name for image in listed}
    names = [name_of.get(each) for each in image_ids]
    return [name for name in names if name] if all(names) else None


def _without_ending(name: str) -> str:
    """Return an image's name as it is compared."""
    name = name.removesuffix(".gz")
    stem, dot, end = name.rpartition(".")
    return stem if dot and "/" not in end and 2 <= len(end) <= 4 and end.isalnum() else name
