from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from snellen.errors import InputError, SchemaError
from snellen.readers.table import Column, read_table


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def cells(column: Column) -> list[object]:
    return column.array().tolist()


# ---- What is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.csv.gz", "T.CSV"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_delimited_text(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [["id", "label", "score"], ["007", "cat", "0.5"], ["8", 'a "dog"', "nan"]]
    text = "".join(
        delimiter.join(f'"{c}"'.replace('"dog"', '""dog""') if "dog" in c else c for c in row)
        + "\n"
        for row in rows
    )
    table = read_table(written(tmp_path, text, name))
    assert table.names == ("id", "label", "score")
    assert table.n_rows == 2
    assert [table[each].kind for each in table.names] == ["integer", "text", "number"]
    assert cells(table["id"]) == [7, 8]
    assert cells(table["id"].text()) == ["007", "8"]
    assert cells(table["label"]) == ["cat", 'a "dog"']
    np.testing.assert_array_equal(table["score"].array(), [0.5, np.nan])
    assert {"\t": "tabs", ",": "commas", ";": "semicolons"}[delimiter] in table.notes[0]


def test_lists_of_files_with_spaces_are_txt_only(tmp_path: Path) -> None:
    text = "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n"
    table = read_table(written(tmp_path, text, "val.txt"))
    assert table.names == ("1", "2")
    assert cells(table["2"]) == [65, 970]
    assert read_table(written(tmp_path, text, "val.csv"), header=False).names == ("1",)


def test_distinct_texts_by_first_appearance(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,label\n1,dog\n2,cat\n3,dog\n4,ape\n"))
    assert table["label"].values.tolist() == ["dog", "cat", "ape"]
    assert table["label"].codes.tolist() == [0, 1, 0, 2]
    assert table["label"].codes.dtype == np.int32
    numbers = Column.of(np.array([30, 10, 30, 20]))
    assert numbers.values.tolist() == [30, 10, 20]
    assert numbers.codes.tolist() == [0, 1, 0, 2]
    assert cells(numbers.text()) == ["30", "10", "30", "20"]


def test_lines_count_line_ends_in_quotes_and_empty_lines(tmp_path: Path) -> None:
    text = '# {"seed": 1}\nid,label\n\na,"two\nlines"\n  \nb,"x\r\ny"\r\nc,z'
    table = read_table(written(tmp_path, text))
    assert table.comment == '{"seed": 1}'
    assert cells(table["label"]) == ["two\nlines", "x\r\ny", "z"]
    # The records begin in lines 4, 7 and 9; a row that is not there has no line.
    assert [table.place(row).rsplit(" ", 1)[1] for row in range(3)] == ["4", "7", "9"]
    assert table.place(0) == f"{tmp_path / 'table.csv'} line 4"


def test_a_long_comment(tmp_path: Path) -> None:
    header = json.dumps({"name": "x" * 200_000})
    table = read_table(written(tmp_path, f"# {header}\nid,part\n1,train\n"))
    assert table.comment == header
    assert cells(table["part"]) == ["train"]


def test_line_ends_of_old_systems(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,label\r1,cat\r2,dog"))
    assert cells(table["label"]) == ["cat", "dog"]
    assert table.place(1).endswith("line 3")


def test_blanks_around_cells_are_dropped(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'id , label\n1 ,  cat \n 2,\t" dog "  \n'))
    assert table.names == ("id", "label")
    assert cells(table["id"]) == [1, 2]
    assert cells(table["label"]) == ["cat", " dog "]


def test_an_index_without_a_name(tmp_path: Path) -> None:
    # As pandas writes one.
    table = read_table(written(tmp_path, ",label\n0,cat\n1,dog\n"))
    assert table.names == ("1", "label")
    # Beside ids it says nothing.
    path = written(tmp_path, ",id,cat\n4,a.png,0.5\n2,b.png,0.25\n")
    table = read_table(path)
    assert table.names == ("id", "cat")
    assert cells(table["cat"]) == [0.5, 0.25]
    assert any('left out beside "id"' in note for note in table.notes)
    assert read_table(path, columns=["1", "cat"]).names == ("1", "cat")
    # Texts may be what the rows are called.
    assert read_table(written(tmp_path, ",id\nx,1\ny,2\n")).names == ("1", "id")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id,x\n1,2\n", True),  # a usual name
        ("a,video\nb,dog\nc,video\n", False),  # a label that is also a usual name
        ("a,video\nb,dog\n", True),
        ("id,label\n17,label\n18,cat\n", True),  # "id" is no id
        ("id,label\na,cat\nid,label\nb,dog\n", True),  # two files, one behind the other
        ("photo,share\na,0.5\n", True),  # texts over numbers
        ("photo,species\na,cat\nb,species\n", False),  # what recurs is data
        ("a.png,cat\nb.png,dog\n", False),  # a file
        ("cats/1,x\ncats/2,y\n", False),  # a path
        ("1,cat\n2,dog\n", False),  # a number
        ("x,\ny,cat\n", False),  # an empty cell
        (",cat,dog\na.png,0.5,0.25\n", True),  # an index without a name
        (",0.5\na,0.25\n", False),
        ("12,scene\n13,scene\n", False),  # a usual name that is a class here
        ("a.png,video\nb.png,cat\n", False),
        ("clip a,video\nclip b,video\n", False),
        ("clip a,video\nclip b,x\n", True),  # nothing speaks against the usual name
        ("name,0,1\na,2,3\n", True),  # ids in front
        ("0,1,label\n2,3,a\n", True),
        ("x,image\ny,frame\n", True),
    ],
)
def test_header(tmp_path: Path, text: str, named: bool) -> None:
    path = written(tmp_path, text)
    table = read_table(path)
    n_lines = text.count("\n")
    assert table.n_rows == n_lines - named
    assert (table.names[:2] == ("1", "2")) != named
    assert any("no line of column names" in note for note in table.notes) != named
    for told in (False, True):
        assert read_table(path, header=told).n_rows == n_lines - told


def test_chosen_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "id,label,score\n1,cat,0.5\n")
    table = read_table(path, columns=["score", "id"])
    assert table.names == ("id", "score")
    assert "label" not in table
    with pytest.raises(SchemaError, match=r'expected a column "lable", got id, label, score\. Did'):
        read_table(path, columns=["lable"])


def test_matrix_of_columns(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,a,b,c\nx,0.5,1,2.5\ny,1.5,2,inf\n"))
    assert table.matrix(["c", "b", "a"]).tolist() == [[2.5, 1.0, 0.5], [np.inf, 2.0, 1.5]]
    with pytest.raises(SchemaError, match=r'numbers in column "id", got "x" - at .* line 2$'):
        table.matrix(["a", "id"])
    # Columns that lie together are not copied.
    table = read_table(written(tmp_path, "id,a,b\nx,0.5,1.5\ny,1.5,2\n"))
    assert table.matrix(["a", "b"]).base is not None
    assert table.matrix(["b", "a"]).tolist() == [[1.5, 0.5], [2.0, 1.5]]


def test_json_lines(tmp_path: Path) -> None:
    text = (
        '{"id": 1, "label": ["cat", "dog"], "scores": {"cat": 1, "dog": 0.5}, "box": [1.0, 2]}\n\n'
        '{"label": [], "id": 2, "scores": {"dog": 0.25, "cat": 0}, "box": [3, 4.5]}\n'
    )
    table = read_table(written(tmp_path, text, "t.jsonl"))
    assert table.names == ("id", "label", "scores.cat", "scores.dog", "box.0", "box.1")
    assert cells(table["label"]) == ['["cat","dog"]', "[]"]
    assert cells(table["scores.dog"]) == [0.5, 0.25]
    assert cells(table["box.1"]) == [2, 4.5]
    assert table.place(1).endswith("line 3")
    rows = [json.loads(line) for line in text.split("\n") if line]
    same = read_table(written(tmp_path, json.dumps(rows), "t.json.gz"))
    assert same.names == table.names
    assert same.place(1).endswith("row 2")


def test_sets_of_whole_numbers_stay_together(tmp_path: Path) -> None:
    text = '{"id": 1, "labels": [3, 5], "hot": [0, 1]}\n{"id": 2, "labels": [3, 4], "hot": [1, 0]}'
    table = read_table(written(tmp_path, text, "t.ndjson"))
    assert table.names == ("id", "labels", "hot.0", "hot.1")
    assert cells(table["labels"]) == ["[3,5]", "[3,4]"]


def test_arrays(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "t.npz",
        label=np.array(["cat", "dog"]),
        scores=np.array([[1, 2], [3, 4]], np.float32),
        flag=np.array([True, False]),
        classes=np.array(["cat", "dog", "ape"]),
    )
    table = read_table(tmp_path / "t.npz")
    assert table.names == ("label", "scores.0", "scores.1", "flag")
    assert table.class_names == ("cat", "dog", "ape")
    assert table.matrix(["scores.0", "scores.1"]).tolist() == [[1, 2], [3, 4]]
    assert cells(table["flag"]) == [1, 0]
    np.save(tmp_path / "t.npy", np.array([[1, 2, 3]]))
    assert read_table(tmp_path / "t.npy").names == ("0", "1", "2")
    np.save(tmp_path / "u.npy", np.array([4, 5]))
    assert cells(read_table(tmp_path / "u.npy")["1"]) == [4, 5]


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    stored = pa.table(
        {
            "id": ["b", "a", "b"],
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "label": pa.array([1, 2, 3], pa.int16()),
            "score": pa.array([0.5, 1.5, 2.5], pa.float32()),
            "tags": [["cat"], [], ["cat", "dog"]],
        }
    )
    parquet.write_table(stored, tmp_path / "t.parquet", row_group_size=2)
    table = read_table(tmp_path / "t.parquet")
    assert table.names == ("id", "kind", "label", "score", "tags")
    assert table["id"].values.tolist() == ["b", "a"]
    assert cells(table["kind"]) == ["x", "y", "x"]
    assert cells(table["label"]) == [1, 2, 3]
    assert cells(table["score"]) == [0.5, 1.5, 2.5]
    assert cells(table["tags"]) == ['["cat"]', "[]", '["cat","dog"]']
    parquet.write_table(pa.table({"id": ["a", None]}), tmp_path / "n.parquet")
    with pytest.raises(SchemaError, match=r'expected a value in "id", got null - at .* row 2$'):
        read_table(tmp_path / "n.parquet")
    with pytest.raises(SchemaError, match="expected a Parquet file"):
        read_table(written(tmp_path, b"no", "x.parquet"))


# ---- What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected a table, the file is empty - at {path}"),
        (b" \n\r\n", "expected a table, the file is empty - at {path}"),
        (
            b"id,label\n1,cat\n2\n",
            "expected 2 cells, as in the first line, got 1 - at {path} line 3",
        ),
        (
            b"id,label\n1,a,b,c\n",
            "expected 2 cells, as in the first line, got 4 - at {path} line 2",
        ),
        (
            b'id,label\n1,"cat\n2,dog\n',
            "expected a closing quote, got the end of the file - at {path} line 2",
        ),
        (
            b'id,label\n1,"cat"s\n',
            'expected a delimiter or the end of the line after a quoted cell, got "s": a quote '
            "inside a cell is written as two - at {path} line 2",
        ),
        (
            b"id,label\n1,caf\xe9\n",
            "expected UTF-8 text, got the byte 0xe9: save the file as UTF-8 - at {path} line 2",
        ),
        (
            b"id,label\n1,\xed\xa0\x80\n",  # a surrogate
            "expected UTF-8 text, got the byte 0xed: save the file as UTF-8 - at {path} line 2",
        ),
        (
            "id,label\n1,cat\n".encode("utf-16"),
            "expected UTF-8 text, got UTF-16: save the file as UTF-8 - at {path} line 1",
        ),
        (
            b"id,label\n1,\0\n",
            "expected text, got a NUL byte: is this a text file in UTF-8? - at {path} line 2",
        ),
        (
            b"id,label,id\n1,2,3\n",
            'expected each column name once, got "id" in columns 1 and 3 - at {path} line 1',
        ),
        (
            b"\n\ni\x1b,j\nk,l\n",
            "expected a line of column names that has a usual one (id, label, …), got "
            '"i\\x1b, j", which may be names or a row: say which (header=True or '
            "header=False) - at {path} line 3",
        ),
        (
            b"\n\nid,id\n1,2\n",
            'expected each column name once, got "id" in columns 1 and 2 - at {path} line 3',
        ),
        (
            b"foo,bar\nspam,eggs\n",
            "expected a line of column names that has a usual one (id, label, …), got "
            '"foo, bar", which may be names or a row: say which (header=True or header=False) '
            "- at {path} line 1",
        ),
    ],
)
def test_refused_text(tmp_path: Path, text: bytes, message: str) -> None:
    for name in ("bad.csv", "bad.csv.gz"):
        path = written(tmp_path, text, name)
        with pytest.raises(SchemaError) as caught:
            read_table(path)
        assert str(caught.value) == message.format(path=path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.jsonl", "", "expected a table, the file is empty - at {path}"),
        ("t.jsonl", '{"a": 1}\n[]\n', "expected an object, got a list - at {path} line 2"),
        (
            "t.jsonl",
            '{"a": 1}\n{"b": 1}\n',
            'expected the same keys in all rows (a), got no "a" - at {path} line 2',
        ),
        (
            "t.jsonl",
            '{"a": 1}\n\n{"a": "x"}\n',
            'expected a number (1) in "a", as in other rows, got a text ("x") - at {path} line 3',
        ),
        (
            "t.jsonl",
            '{"a": null}\n{"a": 1}\n',
            'expected a number (1) in "a", as in other rows, got null - at {path} line 1',
        ),
        (
            "t.jsonl",
            '{"a": {"b": 1}, "a.b": 2}',
            'expected each column name once, got "a.b" twice - at {path} line 1',
        ),
        (
            "t.jsonl",
            '{"a.1": 2, "a": [1, 2.5]}',
            'expected each column name once, got "a.1" twice - at {path} line 1',
        ),
        (
            "t.json",
            '[{"s": {"x": 1}}, {"s": {"y": 1}}]',
            'expected the same keys in "s" of all rows, got others: x, y - at {path} row 2',
        ),
        (
            "t.json",
            '[{"s": [0.5, 1]}, {"s": [1]}]',
            'expected 2 numbers in "s", as in the first row, got 1 - at {path} row 2',
        ),
        (
            "t.json",
            '[{"s": 9223372036854775808}]',
            'expected whole numbers of 64 bits in "s", got 9223372036854775808 - at {path} row 1',
        ),
        ("t.json", "{}", "expected a list of objects, got an object - at {path}"),
        ("t.xls", "", "expected a table (.csv, .tsv, .txt, "),
        ("t.npy", "x", "expected arrays of numbers or texts: "),
        ("t.npz", "PK", "expected arrays of numbers or texts: "),
    ],
)
def test_refused_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert str(caught.value).startswith(message.format(path=path))


def test_refused_json_names_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": 1}\n{"a": }\n', "t.jsonl")
    with pytest.raises(SchemaError, match=r"expected JSON: .* - at .*t.jsonl line 2$"):
        read_table(path)


def test_refused_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.zeros(2), b=np.zeros(3))
    with pytest.raises(SchemaError, match="arrays of one length, got 2 rows and 3 of b"):
        read_table(tmp_path / "t.npz")
    np.save(tmp_path / "t.npy", np.zeros((2, 2, 2)))
    with pytest.raises(SchemaError, match=r"one or two axes, got float64 \(2, 2, 2\)"):
        read_table(tmp_path / "t.npy")
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(SchemaError, match="expected arrays of numbers or texts"):
        read_table(tmp_path / "o.npy")


@pytest.mark.parametrize("name", ["no.csv", "no.csv.gz", "no.json", "no.npz"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"expected a readable file, got: .*{name}"):
        read_table(tmp_path / name)


def test_a_file_that_is_not_gzip(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_text("id,label\n")
    with pytest.raises(InputError, match="expected a gzip file, as its name says"):
        read_table(path)


@pytest.mark.parametrize("names", [("a", "a.0"), ("a.0", "a")])
def test_arrays_whose_columns_have_one_name(tmp_path: Path, names: tuple[str, str]) -> None:
    arrays = {"a": np.ones((2, 2)), "a.0": np.zeros(2)}
    np.savez(tmp_path / "t.npz", **{name: arrays[name] for name in names})
    with pytest.raises(SchemaError, match=r'each column name once, got "a\.0" twice - at .*npz'):
        read_table(tmp_path / "t.npz")
