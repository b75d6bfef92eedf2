"""Rows of a table as samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snellen.errors import ClassError, InputError, SchemaError, first_few
from snellen.readers.column_names import GROUPS, IDS, LABELS, first_of
from snellen.readers.table import read_table
from snellen.splits.continuous import strata_of_targets
from snellen.splits.groups import Groups, groups_by_pattern
from snellen.splits.hashing import normalised_keys, spelt_on_disk
from snellen.splits.source import Columns, Source
from snellen.splits.strata import Strata, factorised, sorted_names

if TYPE_CHECKING:
    from pathlib import Path

    from snellen.readers.table import Column, Table

__all__ = ["read_samples"]

# A text with one of these is meant as a pattern, not as a column's name.
_PATTERN = frozenset("^$()[]*+?\\|")
# So many samples that each of a class of its own is a mistake.
_MANY = 20


def read_samples(path: Path, columns: Columns) -> Source:
    """Read the samples of a table, one a row; see `snellen.readers.table.read_table`."""
    table = read_table(path)
    if table.n_rows == 0:
        raise SchemaError("expected rows, the table has none", str(path))
    key = first_of(IDS, table.names) if columns.key is None else columns.key
    if key is None:
        raise SchemaError(
            f"expected a column that names the samples, got {first_few(table.names, 8)}: say "
            "which one (--key)",
            str(path),
        )
    named = table[key]
    _refuse_empty(table, key, named)
    keys = normalised_keys(named.text().array(), f"{path} {key}")
    notes = [*table.notes, f"{path}: a table of {len(keys):,} samples, named by {key}"]

    strata = _strata(table, key, columns, notes)
    groups = _groups(table, key, keys, columns, notes)
    folder = path.parent

    def files(row: int) -> list[tuple[Path, str]]:
        within = spelt_on_disk(folder, keys[row])
        return [(folder / within, within)]

    return Source("table", path, keys, strata, groups, tuple(notes), files)


def _strata(table: Table, key: str, columns: Columns, notes: list[str]) -> Strata | None:
    if columns.target is not None:
        if columns.stratify not in ("auto", "none"):
            raise InputError("expected labels or a target to stratify by, got both")
        values = table.matrix([columns.target])[:, 0]
        bad = np.nonzero(~np.isfinite(values))[0]
        if len(bad):
            raise InputError(
                f'expected finite numbers in column "{columns.target}", got {values[bad[0]]}',
                table.place(int(bad[0])),
            )
        strata = strata_of_targets(values, len(values), columns.bins)
        notes.append(f"stratified by {len(strata.names)} bins of {columns.target}")
        return strata
    if columns.stratify == "none":
        return None
    name: str | None = columns.stratify
    if name == "auto":
        name = first_of(LABELS, (other for other in table.names if other != key))
        if name is None or table[name].kind == "number":
            notes.append("not stratified: no column of classes was found (--stratify COLUMN)")
            return None
    assert name is not None
    label = table[name]
    if label.kind == "number":
        raise ClassError(
            f'expected classes in column "{name}", got numbers with decimals: --target bins them',
            table.path,
        )
    _refuse_empty(table, name, label)
    if len(label.values) == table.n_rows > _MANY:
        raise ClassError(
            f'expected classes in column "{name}", got another value in each of {table.n_rows} '
            "rows: is it an id? Name the column of classes (--stratify COLUMN), or none",
            table.path,
        )
    strata = Strata.of_codes(*sorted_names([str(v) for v in label.values.tolist()], label.codes))
    notes.append(f"stratified by {name}: {len(strata.names):,} classes")
    return strata


def _groups(
    table: Table, key: str, keys: list[str], columns: Columns, notes: list[str]
) -> Groups | None:
    if columns.group is None:
        usual = first_of(GROUPS, (other for other in table.names if other != key))
        if usual is not None:
            notes.append(f"column {usual} is not used: --group {usual} keeps its groups together")
        return None
    if columns.group not in table and _PATTERN & set(columns.group):
        texts, n_alone = groups_by_pattern(keys, columns.group)
        names, code = factorised(texts)
        if n_alone:
            notes.append(f"{n_alone:,} keys do not fit the pattern: each is a group of its own")
    else:
        column = table[columns.group]
        _refuse_empty(table, columns.group, column)
        names, code = sorted_names([str(v) for v in column.values.tolist()], column.codes)
    notes.append(f"kept together by {columns.group}: {len(names):,} groups")
    return Groups(tuple(names), code)


def _refuse_empty(table: Table, name: str, column: Column) -> None:
    if column.kind != "text":
        return
    empty = [i for i, value in enumerate(column.values.tolist()) if not value]
    if empty:
        rows = np.nonzero(np.isin(column.codes, empty))[0]
        raise SchemaError(
            f'expected a value of "{name}" in each row, {len(rows)} have none',
            table.place(int(rows[0])),
        )
