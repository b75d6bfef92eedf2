"""Rows of numbers as they come, in two files: CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import math
import numbers
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from snellen.atomic_files import write_atomically
from snellen.errors import SchemaError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

__all__ = ["RowLog"]


class RowLog:
    """Writes rows to ``NAME.csv`` and ``NAME.jsonl``; each is in the files when `add` returns.

    Rows may have different columns: the CSV has all, empty where a row lacks one. A number that is
    not finite is null in JSON.

    Parameters
    ----------
    folder : path
        Made where there is none.
    name : str
        Of the two files.
    """

    def __init__(self, folder: str | os.PathLike[str], name: str) -> None:
        self.csv = Path(folder) / f"{name}.csv"
        self.jsonl = Path(folder) / f"{name}.jsonl"
        self.rows: list[dict[str, Any]] = []
        self._columns: list[str] = []

    def begin(self, keep: Callable[[Mapping[str, Any]], bool]) -> None:
        """Keep some of the rows that are in the files already, and drop the others.

        A last line that was being written when its process ended is dropped, too.

        Raises
        ------
        SchemaError
            Where another line is no row.
        """
        self.jsonl.parent.mkdir(parents=True, exist_ok=True)
        self.rows = [row for row in self._stored() if keep(row)]
        self._columns = list(dict.fromkeys(name for row in self.rows for name in row))
        lines = b"".join(msgspec.json.encode(row) + b"\n" for row in self.rows)
        write_atomically({self.jsonl: lines, self.csv: self._table()})

    def add(self, *rows: Mapping[str, Any]) -> None:
        """Write rows."""
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        self.rows += plain
        with self.jsonl.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in plain))
        names = dict.fromkeys(name for row in plain for name in row)
        new = [name for name in names if name not in self._columns]
        if new:  # the heading changes, and so does each line
            self._columns += new
            write_atomically({self.csv: self._table()})
        else:
            with self.csv.open("ab") as file:
                file.write(self._lines(plain))

    def _stored(self) -> list[dict[str, Any]]:
        try:
            lines = self.jsonl.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = []
        for number, line in enumerate(lines[:-1], start=1):  # the last one has no end
            try:
                row = msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise SchemaError(
                    f"expected a row as JSON, got: {error}", f"{self.jsonl} line {number}"
                ) from None
            found.append({name: math.nan if v is None else v for name, v in row.items()})
        return found

    def _table(self) -> bytes:
        if not self._columns:
            return b""
        return self._lines([dict(zip(self._columns, self._columns, strict=True)), *self.rows])

    def _lines(self, rows: list[dict[str, Any]]) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        writer.writerows(rows)
        return text.getvalue().encode()


def _plain(value: Any) -> Any:
    """Return a value as both formats hold it; numbers of NumPy and torch are made Python's."""
    if isinstance(value, (str, bool)):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)
