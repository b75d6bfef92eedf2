"""`read_table` against Python's csv module and float()."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import _core
from snellen.readers.table import read_table

# What CSV trips over, and characters of every length in UTF-8.
LETTERS = 'ab,;\t"\n\r 0.é€𝄞'
CELLS = st.one_of(
    st.text(LETTERS, max_size=6),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.sampled_from(["", "007", "+1.5", ".5", "5.", "1e400", "1e-400", "-0", "1_000", "0x1p3"]),
    st.sampled_from(
        ["NaN", "INF", "-Infinity", "+-1", "-+1", "1e", "e5", "1.5.2", "++1", "nan(1)"]
    ),
)


def is_number(text: str) -> bool:
    """Whether float() reads it; underscores, which it takes too, are Python's own."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.isascii() and text.strip() == text


def expected_kind(texts: list[str]) -> str:
    if not texts or not all(map(is_number, texts)):
        return "text"
    whole = all(text.lstrip("+-").isdigit() and -(2**63) <= int(text) < 2**63 for text in texts)
    return "integer" if whole else "number"


@settings(max_examples=400, deadline=None)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELLS, min_size=width, max_size=width), min_size=0, max_size=8
        )
    ),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    last_line_end=st.booleans(),
)
def test_cells_and_kinds(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    delimiter: str,
    quoting: int,
    line_end: str,
    mark: bool,
    last_line_end: bool,
) -> None:
    if quoting == csv.QUOTE_MINIMAL:
        # Blanks around a cell without quotes are dropped, and csv leaves a "\r" without quotes,
        # which it then reads as the end of a line.
        rows = [[cell.replace("\r", "").strip(" \t") for cell in row] for row in rows]
    width = len(rows[0]) if rows else 2
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    names = ["id", *(f"c{k}" for k in range(1, width))]
    writer.writerow(names)
    writer.writerows(rows)
    text = out.getvalue()
    if not last_line_end:
        text = text.removesuffix(line_end)
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_bytes((b"\xef\xbb\xbf" if mark else b"") + text.encode())

    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    kept = [row for row in read if row]
    table = read_table(path)
    assert table.names == tuple(names)
    assert table.n_rows == len(kept)
    for k, name in enumerate(names):
        cells = [row[k] for row in kept]
        column = table[name]
        assert column.text().values[column.text().codes].tolist() == cells
        assert column.kind == expected_kind(cells)
        if column.kind != "text":
            want = np.array([int(c) if column.kind == "integer" else float(c) for c in cells])
            assert column.array().tobytes() == want.astype(column.array().dtype).tobytes() or (
                np.isnan(want).any() and np.array_equal(column.array(), want, equal_nan=True)
            )


@settings(max_examples=500, deadline=None)
@given(st.one_of(CELLS, st.text("0123456789.eE+-naif ", max_size=9)))
def test_what_a_number_is(text: str) -> None:
    assert _core.is_number(text) == is_number(text)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False), min_size=1), spelling=st.sampled_from("rgef"))
def test_doubles_are_rounded_as_by_float(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], spelling: str
) -> None:
    texts = [
        repr(value) if spelling == "r" or math.isinf(value) else format(value, f".17{spelling}")
        for value in values
    ]
    path = tmp_path_factory.mktemp("csv") / "numbers.csv"
    path.write_text("id,score\n" + "".join(f"a,{text}\n" for text in [*texts, "0.5"]))
    got = read_table(path)["score"].array()
    assert got.tolist() == [*map(float, texts), 0.5]


def test_any_block_gives_the_same(tmp_path: Path) -> None:
    # A megabyte is a block: kinds that change in the second, texts that come back.
    path = tmp_path / "long.csv"
    rows = [[f"key {k % 70000}", str(k), str(k) if k < 90000 else f"{k}.5"] for k in range(100000)]
    rows[99999][1] = "no number"
    path.write_text("id,late,score\n" + "".join(",".join(row) + "\n" for row in rows))
    for n_threads in (1, 2, 3):
        _core.set_thread_count(n_threads)
        try:
            table = read_table(path)
        finally:
            _core.set_thread_count(0)
        assert [table[name].kind for name in table.names] == ["text", "text", "number"]
        assert table["id"].values.tolist() == [f"key {k}" for k in range(70000)]
        assert table["id"].codes.tolist() == [k % 70000 for k in range(100000)]
        assert table["late"].array().tolist() == [row[1] for row in rows]
        assert table["score"].array().tolist() == [float(row[2]) for row in rows]
