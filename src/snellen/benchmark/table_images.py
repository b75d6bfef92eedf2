"""A manifest of ``snellen split``, a table of images and labels, a table of labels alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snellen.benchmark.label_file_images import LABEL_COLUMNS
from snellen.benchmark.listed_images import ListedImages, chosen_part, label_codes
from snellen.benchmark.stored_images import ImageFiles
from snellen.errors import SchemaError
from snellen.readers.column_names import IDS, first_of
from snellen.readers.message_text import few
from snellen.readers.table import read_table
from snellen.splits.strata import factorised
from snellen.training.data.written_split import read_written_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.listed_images import Options
    from snellen.readers.table import Table

__all__ = ["manifest_images", "table_images"]


def manifest_images(path: str, options: Options) -> ListedImages:
    """List the images of a part of a manifest; all its classes count, whatever part they are in.

    Raises
    ------
    InputError
        Where the part or the images are not there.
    SchemaError
        For a manifest without labels.
    """
    part_of = read_written_split(path).part_of
    table = read_table(path, header=True)
    if "label" not in table:
        raise SchemaError(
            "expected a column label, with each image's class, got none: split a labelled set", path
        )
    keys: list[str] = table["key"].text().array().tolist()
    names, codes = factorised(table["label"].text().array().tolist())
    notes: list[str] = []
    part = chosen_part(sorted(set(part_of.values())), options.part, notes, path)
    base = _base(path, options)
    whole = ListedImages(
        keys,
        codes.astype("int64"),
        names,
        ImageFiles([str(base / key) for key in keys]),
        {"data": path, "kind": "manifest", "part": part, "root": str(base)},
        notes,
    )
    return whole.taken([row for row, key in enumerate(keys) if part_of[key] == part])


def table_images(path: str, options: Options) -> ListedImages:
    """List the rows of a table: images with labels, or labels alone.

    Raises
    ------
    InputError
        Where the images are not there, though their folder is said.
    SchemaError
        Where the table has no labels, or no rows.
    """
    table = read_table(path)
    if table.n_rows == 0:
        raise SchemaError("expected labelled images, the table has no rows", path)
    files = first_of(IDS, table.names) if table.named else _unnamed_ids(table)
    label = _label_column(table, files)
    names, codes = label_codes(table[label].text().array().tolist(), table.place)
    notes = list(table.notes)
    if table.class_names is not None and all(name.isdecimal() for name in names):
        if len(table.class_names) < len(names):
            raise SchemaError(
                f"expected a name for each of {len(names):,} classes, got "
                f"{len(table.class_names):,}",
                path,
            )
        names = list(table.class_names)
    source = {"data": path, "kind": "table of labels"}
    if files is None:
        ids = [str(row) for row in range(table.n_rows)]
        return ListedImages(ids, codes, names, None, source, notes)
    ids = table[files].text().array().tolist()
    base = _base(path, options)
    # The first of them, not the first: some may be missing.
    if options.root is not None or any(os.path.isfile(base / each) for each in ids[:100]):  # noqa: PTH113  # which takes any text
        stored = ImageFiles([str(base / each) for each in ids])
        source = {"data": path, "kind": "table of images", "root": str(base)}
        return ListedImages(ids, codes, names, stored, source, notes)
    notes.append(
        f"no images: {few(ids, 1)} is not in {base}, so that only stored predictions can be "
        "measured"
    )
    return ListedImages(ids, codes, names, None, source, notes)


def _base(path: str, options: Options) -> Path:
    """Return the folder that paths start from."""
    return Path(path).parent if options.root is None else Path(options.root)


def _unnamed_ids(table: Table) -> str | None:
    """Return the first column without a name that is texts, where there are two or more."""
    texts = [name for name in table.names if table[name].kind == "text"]
    return texts[0] if len(table.names) > 1 and texts else None


def _label_column(table: Table, files: str | None) -> str:
    others: Sequence[str] = [name for name in table.names if name != files]
    found = first_of(LABEL_COLUMNS, others) if table.named else None
    if found is None and len(others) == 1:
        found = others[0]
    if found is None:
        raise SchemaError(f'expected a column "label", got {few(table.names, 8)}', table.path)
    return found
