"""Tables with a row a sample: columns of numbers, or files of images, and targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snellen.errors import InputError, SchemaError
from snellen.readers.column_names import (
    GROUPS,
    IDS,
    LABELS,
    OTHERS,
    WEIGHTS,
    first_of,
    is_index,
)
from snellen.readers.image_files import IMAGES, ending
from snellen.readers.message_text import few
from snellen.readers.pictures import Fit  # noqa: TC001  # read with the options' types
from snellen.readers.table import read_table
from snellen.training.data.arrays import parts_of_arrays, typed_targets
from snellen.training.data.found import Found
from snellen.training.data.image_parts import Images, image_parts, rows_by_part
from snellen.training.data.loading import Files, Keep, Loading
from snellen.training.data.written_split import part_name, read_written_split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.readers.table import Table

__all__ = ["sample_table"]


def sample_table(
    path: str,
    *,
    target: str | tuple[str, ...] | None = None,
    features: tuple[str, ...] | None = None,
    image: str | None = None,
    id_column: str | None = None,
    part: str | None = None,
    root: str | None = None,
    split: str | None = None,
    split_round: int = 1,
    fold: int | None = None,
    validation: int | float = 0.1,
    test: int | float = 0,
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
    """Return the samples of a table: CSV, TSV, Parquet, JSON lines.

    Parameters
    ----------
    path : str
        The table.
    target : str or sequence of str, optional
        The columns to predict; by default one with a usual name: label, class, target, y, ….
    features : sequence of str, optional
        The columns of numbers to predict from; by default all numbers that are nothing else.
    image : str, optional
        The column of image files; by default one whose cells all end like images, if there is one.
    id_column : str, optional
        What samples are called; by default the image, or a column with a usual name, or the row.
    part : str, optional
        The column that says train, val or test; by default ``part`` or ``split``, if there is one.
    root : str, optional
        The folder that images' paths start from; by default the one that the table lies in.
    split : str, optional
        A manifest of ``snellen split``, instead of a column of parts.
    split_round, fold
        See `read_written_split`.
    validation, test : int or float
        How many samples, or what share, are these parts, where there are none.
    image_size, mode, fit
        See `Images`.
    keep, threads, check, strict, device
        See `Loading`.
    task : str
        What the targets are for; ``"auto"``: texts and whole numbers are classes.

    Raises
    ------
    InputError, SchemaError
        For columns that are not there, or cells that cannot be trained with.
    """
    table = read_table(path, header=True)
    if not table.n_rows:
        raise InputError("expected samples, the table has no rows", table.path)
    notes: list[str] = []
    for what, given in (("target", target), ("features", features)):
        if given is not None and not given:
            raise SchemaError(f"expected names of columns as {what}, got none", table.path)
    names = _target_columns(table, target)
    image = image if image is not None else _image_column(table)
    id_column = id_column or image or first_of(IDS, [n for n in table.names if n not in names])
    ids = (
        table[id_column].text().array().tolist()
        if id_column
        else [str(row) for row in range(table.n_rows)]
    )
    raw = _target_values(table, names, task, notes)
    rows, fold_of, part = _rows(table, ids, part, split, split_round, fold, notes)
    source: dict[str, Any] = {"data": path, "kind": "table", "target": list(names), "split": split}
    if image is not None:
        typed = typed_targets({"": raw}, task)
        base = Path(path).parent if root is None else Path(root)
        files = [str(base / each) for each in table[image].text().array().tolist()]
        parts: Mapping[str, Any] = image_parts(
            Files(ids, files),
            rows,
            typed.targets[""],
            Images(image_size, mode, fit),
            Loading(keep, threads, check, strict, device),
            notes,
        )
        source |= {"image": image, "root": str(base)}
    else:
        used = {*names, id_column, part}
        columns = features if features is not None else _feature_columns(table, used, notes)
        inputs = table.matrix(columns)
        try:
            parts, typed = parts_of_arrays(
                {name: (inputs[mine], raw[mine]) for name, mine in rows.items()},
                task=task,
                ids={name: [ids[row] for row in mine] for name, mine in rows.items()},
            )
        except InputError as error:
            raise error.within(table.path) from None
        source["features"] = list(columns)
    return Found(
        dict(parts),
        task=typed.task,
        class_names=typed.class_names,
        source=source,
        notes=notes,
        validation=validation,
        test=test,
        fold_of=fold_of,
    )


def _target_columns(table: Table, target: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if target is not None:
        return (target,) if isinstance(target, str) else target
    found = first_of(LABELS, table.names)
    if found is None:
        raise SchemaError(
            f"expected a column to predict, got {few(table.names, 8)}: name it (target)", table.path
        )
    return (found,)


def _image_column(table: Table) -> str | None:
    for name in table.names:
        column = table[name]
        if column.kind == "text" and all(ending(each) in IMAGES for each in column.values.tolist()):
            return name
    return None


def _target_values(table: Table, names: Sequence[str], task: str, notes: list[str]) -> Any:
    columns = [table[name] for name in names]
    if len(names) == 1 and columns[0].kind != "number" and task != "regression":
        array = columns[0].array()
        if columns[0].kind == "text":
            if "" in columns[0].values.tolist():
                row = int(np.argmax(array == ""))
                raise SchemaError(f"expected a cell in {names[0]}, got nothing", table.place(row))
        elif task == "auto":
            notes.append(
                f'{names[0]} holds whole numbers, taken as classes: say task = "regression" where '
                "they are amounts"
            )
        return array
    values = table.matrix(names)
    bad = ~np.isfinite(values).all(1)
    if bad.any():
        raise InputError(
            f"expected finite numbers in {few(names)}, got NaN or infinity in {int(bad.sum()):,} "
            "rows",
            table.place(int(np.argmax(bad))),
        )
    return values


def _feature_columns(table: Table, used: set[str | None], notes: list[str]) -> tuple[str, ...]:
    others = {*GROUPS, *OTHERS, *WEIGHTS, *IDS}
    left = [name for name in table.names if name not in used]
    # The number of a row, as data frames write it, is nothing to predict from.
    numbers = [name for name in left if table[name].kind != "text" and not is_index(name)]
    found = [name for name in numbers if name.lower() not in others]
    if not found:
        raise SchemaError(
            f"expected columns of numbers to predict from, got {few(table.names, 8)}", table.path
        )
    if len(found) < len(left):
        notes.append(f"columns not used: {few(name for name in left if name not in found)}")
    return tuple(found)


def _rows(
    table: Table,
    ids: Sequence[str],
    part: str | None,
    split: str | None,
    split_round: int,
    fold: int | None,
    notes: list[str],
) -> tuple[dict[str, list[int]], Mapping[str, str] | None, str | None]:
    """Return the rows of each part, the folds, and the column that says so."""
    if split is not None:
        if part is not None:
            raise InputError("expected a column of parts or a manifest (split), got both")
        written = read_written_split(split, split_round=split_round, fold=fold)
        return written.rows(ids, notes), written.fold_of, None
    if fold is not None or split_round != 1:
        raise InputError("expected a manifest (split) that has folds, got none")
    column = part
    if column is None:
        for name in ("part", "split"):
            if name in table and table[name].kind == "text":
                column = name
                break
    if column is None:
        return {"train": list(range(table.n_rows))}, None, None
    written_names = table[column].text().array().tolist()
    known = [part_name(name) for name in written_names]
    if None in known:
        row = known.index(None)
        raise SchemaError(
            f'expected train, val or test in {column}, got "{written_names[row]}"',
            table.place(row),
        )
    found = rows_by_part([name or "" for name in known])
    if "train" not in found:
        raise InputError(f"expected rows of train in {column}, got none", table.path)
    return found, None, column
