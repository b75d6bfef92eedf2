from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen.errors import DataWarning, IdError, InputError, SchemaError, ShapeError
from snellen.readers.targets import read_targets


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("truth", "pred"),
    [
        ("id,target\na,1\nb,2.5\n", "id,prediction\nb,3\na,1.5\n"),
        ("id,depth\na,1\nb,2.5\n", "id,depth\nb,3\na,1.5\n"),
        ("id,depth\na,1\nb,2.5\n", "id,pred_depth,comment\nb,3,x\na,1.5,y\n"),
        ("file,y\na.png,1\nb.png,2.5\n", "file,depth_pred,y_pred\nb.png,9,3\na.png,9,1.5\n"),
        ("a,1\nb,2.5\n", "b,3\na,1.5\n"),
    ],
)
def test_columns_are_found(tmp_path: Path, truth: str, pred: str) -> None:
    found = read_targets(put(tmp_path, "t.csv", truth), put(tmp_path, "p.csv", pred))
    assert found.truth.tolist() == [[1], [2.5]]
    assert found.pred.tolist() == [[1.5], [3]]
    assert found.truth.dtype == np.float64
    assert found.sample_id is not None
    assert [text[0] for text in found.sample_id] == ["a", "b"]


def test_several_targets(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.csv", "id,x,y2,w,site\n1,1,2,0.5,A\n2,3,4,1,B\n")
    pred = put(tmp_path, "p.csv", "id,y2,x\n2,40,30\n1,20,10\n")
    found = read_targets(truth, pred, weight_column="w", group_column="site")
    assert found.names == ("x", "y2")
    assert found.truth.tolist() == [[1, 2], [3, 4]]
    assert found.pred.tolist() == [[10, 20], [30, 40]]
    assert found.weight is not None
    assert found.weight.tolist() == [0.5, 1]
    assert found.group is not None
    assert found.group.tolist() == ["A", "B"]
    named = read_targets(truth, pred, target_columns=["y2"], pred_columns=["x"])
    assert named.truth.tolist() == [[2], [4]]
    assert named.pred.tolist() == [[10], [30]]
    with pytest.raises(ShapeError, match=r"of 1 targets \(x\), got 2 columns \(x, y2\)"):
        read_targets(truth, pred, target_columns=["x"], pred_columns=["x", "y2"])


def test_coordinates_are_two_targets(tmp_path: Path) -> None:
    table = put(tmp_path, "t.csv", "id,x,y\n1,2,3\n")
    assert read_targets(table, put(tmp_path, "p.csv", "id,y,x\n1,5,4\n")).pred.tolist() == [[4, 5]]


def test_a_bad_cell_does_not_make_a_target_disappear(tmp_path: Path) -> None:
    table = put(
        tmp_path, "t.csv", "id,u,v,note\n1,2,3,x\n2,4,oops\n3,5,6,y\n".replace("oops", "o,z")
    )
    with pytest.raises(
        SchemaError, match=r'expected numbers in column "v", got "o" - at .* line 3'
    ):
        read_targets(table, put(tmp_path, "p.csv", "id,u,v\n1,5,4\n2,1,1\n3,1,1\n"))


def test_one_file(tmp_path: Path) -> None:
    path = put(tmp_path, "b.csv", "id,x,pred_x,y2,y2_pred\nu,1,2,3,4\n")
    found = read_targets(path)
    assert found.names == ("x", "y2")
    assert found.truth.tolist() == [[1, 3]]
    assert found.pred.tolist() == [[2, 4]]
    path = put(tmp_path, "c.csv", "y_true,y_pred\n1,2\n3,4\n")
    assert read_targets(path, path).pred.tolist() == [[2], [4]]


@pytest.mark.parametrize(
    ("truth", "pred"),
    [
        ("id,target\na,1\nb,2.5\n", "id,target,prediction\nb,2.5,3\na,1,1.5\n"),
        ("id,depth\na,1\nb,2.5\n", "id,depth,y_pred\nb,2.5,3\na,1,1.5\n"),
        ("id,depth\na,1\nb,2.5\n", "id,depth,Pred_depth\nb,2.5,3\na,1,1.5\n"),
        ("id,u,v\na,1,9\nb,2.5,9\n", "id,u,v,u_pred,v_pred\nb,2.5,9,3,8\na,1,9,1.5,7\n"),
    ],
)
def test_a_copy_of_truth_is_no_prediction(tmp_path: Path, truth: str, pred: str) -> None:
    # As a table is that a column of predictions was added to.
    found = read_targets(put(tmp_path, "t.csv", truth), put(tmp_path, "p.csv", pred))
    assert found.truth[:, 0].tolist() == [1, 2.5]
    assert found.pred[:, 0].tolist() == [1.5, 3]


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_an_index_is_no_target(tmp_path: Path, name: str) -> None:
    truth = put(tmp_path, "t.csv", f"{name},id,depth\n3,a,1\n5,b,2.5\n")
    pred = put(tmp_path, "p.csv", f"{name},id,depth\n3,b,3\n5,a,1.5\n")
    found = read_targets(truth, pred)
    assert found.names == ("depth",)
    assert found.pred.tolist() == [[1.5], [3]]


def test_an_index_in_parquet_is_no_target(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for name, depth in (("t", [1.0, 2.5]), ("p", [1.5, 3.0])):
        # So pandas stores what is left of a table: with the numbers that its rows had.
        table = pa.table({"depth": depth, "__index_level_0__": [3, 5]})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    found = read_targets(tmp_path / "t.parquet", tmp_path / "p.parquet")
    assert found.names == ("depth",)
    assert found.pred.tolist() == [[1.5], [3]]


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.array([[1, 2], [3, 4]]))
    np.save(tmp_path / "p.npy", np.array([[1.5, 2.5], [3.5, 4.5]], np.float32))
    found = read_targets(tmp_path / "t.npy", tmp_path / "p.npy")
    assert found.truth.tolist() == [[1, 2], [3, 4]]
    assert found.pred.tolist() == [[1.5, 2.5], [3.5, 4.5]]


def test_refused(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.csv", "id,y\na,1\nb,nan\n")
    pred = put(tmp_path, "p.csv", "id,y\na,1\nb,2\n")
    with pytest.raises(InputError) as caught:
        read_targets(truth, pred)
    assert str(caught.value) == (
        f'expected targets that are finite numbers, got nan in column "y" - at {truth} line 3'
    )
    truth = put(tmp_path, "t.csv", "id,y\na,1\nb,two\n")
    with pytest.raises(SchemaError) as refused:
        read_targets(truth, pred)
    assert str(refused.value) == f'expected numbers in column "y", got "two" - at {truth} line 3'
    truth = put(tmp_path, "t.csv", "id,y\na,1\nc,2\n")
    with pytest.raises(IdError, match=r"1 sample has no prediction \(c\) and 1 prediction belongs"):
        read_targets(truth, pred)
    with pytest.warns(DataWarning, match="left out: 1 sample has no prediction"):
        assert read_targets(truth, pred, missing="ignore").pred.tolist() == [[1]]
    with pytest.raises(SchemaError, match=r"columns of predictions for y \(called so, or "):
        read_targets(truth, put(tmp_path, "q.csv", "id,a,b\na,1,2\nc,1,2\n"))
    with pytest.raises(SchemaError, match="expected a column of numbers with the truth"):
        read_targets(put(tmp_path, "u.csv", "id,comment\na,x\n"), pred)
