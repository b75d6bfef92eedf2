from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError, ShapeError
from snellen.readers.labels import ReadLabels, read_labels

TRUTH = "id,label\na.png,cat\nb.png,dog\nc.png,cat\nd.png,ape\n"


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".npy"):
        np.save(path, content)
    elif name.endswith(".npz"):
        np.savez(path, **content)
    elif name.endswith((".json", ".jsonl")) and not isinstance(content, str):
        lines = content if name.endswith("l") else [content]
        path.write_text("\n".join(json.dumps(line) for line in lines))
    else:
        path.write_text(content)
    return path


def names_of(side: Any) -> list[str]:
    names = side.classes.display_names()
    return [names[code] for code in side.code]


def sets_of(side: Any) -> list[set[str]]:
    names = side.classes.display_names()
    return [{names[k] for k in np.flatnonzero(row)} for row in side.member]


def read(folder: Path, truth: str, pred: str, **options: Any) -> ReadLabels:
    return read_labels(put(folder, "t.csv", truth), put(folder, "p.csv", pred), **options)


# ---- Labels -------------------------------------------------------------------------------------


def test_whole_numbers_are_one_id_however_written(tmp_path: Path) -> None:
    # As pandas writes whole numbers that were joined with others.
    truth = "id,label\n1,cat\n2,dog\n30,ape\n"
    found = read(tmp_path, truth, "id,pred\n30.0,ape\n1.0,cat\n2.0,cat\n")
    assert found.truth.sample_id.tolist() == [1, 2, 30]
    assert names_of(found.pred) == ["cat", "cat", "ape"]
    # Beside texts they are what is written.
    with pytest.warns(DataWarning, match=r"no prediction \(b\)"):
        found = read(
            tmp_path, "id,label\n1.0,cat\nb,dog\n", "id,pred\n1.0,cat\n2.0,x\n", missing="ignore"
        )
    assert found.truth.sample_id.tolist() == ["1.0"]
    with pytest.raises(IdError, match=r"each id once in .*p\.csv.*, got 1 in two rows"):
        read(tmp_path, truth, "id,pred\n1.0,ape\n1,cat\n2.0,cat\n")
    found = read(tmp_path, "id,label\n1.5,cat\n2,dog\n", "id,pred\n2,dog\n1.5,ape\n")
    assert found.truth.sample_id.tolist() == ["1.5", "2"]
    assert names_of(found.pred) == ["ape", "dog"]


def test_rows_are_joined_by_id(tmp_path: Path) -> None:
    found = read(tmp_path, TRUTH, "image,prediction\nd.png,cat\nb.png,dog\na.png,cow\nc.png,cat\n")
    assert names_of(found.truth) == ["cat", "dog", "cat", "ape"]
    assert names_of(found.pred) == ["cow", "dog", "cat", "cat"]
    # The union of the classes of both sides, in order.
    assert found.pred.classes is found.truth.classes
    assert found.truth.classes.keys.ids.tolist() == ["ape", "cat", "cow", "dog"]
    assert found.truth.sample_id.tolist() == ["a.png", "b.png", "c.png", "d.png"]
    assert found.truth.code.dtype == np.int32
    assert any('column "image"' in note for note in found.notes)
    assert any("1 class is in the predictions only: cow" in note for note in found.notes)


@pytest.mark.parametrize(
    ("truth", "pred"),
    [
        ("7,1\n8,0\n", "8,0\n7,1\n"),  # no line of names
        ("key,y_true\n7,1\n8,0\n", "y_pred,key\n0,8\n1,7\n"),
        (
            "photo;species\n7;1\n8;0\n",
            "photo\tspecies\n8\t0\n7\t1\n",
        ),  # the first column, the other
        ("id,label\n7,1.0\n8,0.0\n", "id,label\n8,0\n7,1\n"),  # as pandas writes whole numbers
        ("id,label\n007,1\n8,0\n", "id,label\n8,0\n7,1\n"),
        ("id,label\nx7,1\nx8,0\n", "id,label\nx8,0\nx7,1\n"),
    ],
)
def test_columns_are_found(tmp_path: Path, truth: str, pred: str) -> None:
    found = read(tmp_path, truth, pred)
    assert found.truth.classes.keys.ids.tolist() == [0, 1]
    assert found.truth.code.tolist() == found.pred.code.tolist() == [1, 0]


def test_columns_are_named(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "id,label,fine,site,w\n1,x,cat,A,2\n2,x,dog,B,0.5\n",
        "id,label,mine\n1,x,cat\n2,x,cat\n",
        label_column="fine",
        pred_column="mine",
        weight_column="w",
        group_column="site",
    )
    assert names_of(found.truth) == ["cat", "dog"]
    assert names_of(found.pred) == ["cat", "cat"]
    assert found.truth.weight.tolist() == [2.0, 0.5]
    assert found.truth.group.tolist() == ["A", "B"]


def test_one_file(tmp_path: Path) -> None:
    path = put(tmp_path, "both.csv", "true_label,pred_label,confidence\n0,3,0.5\n3,3,1\n")
    for found in (read_labels(path), read_labels(path, path)):
        assert found.truth.classes.keys.ids.tolist() == [0, 3]
        assert found.truth.code.tolist() == [0, 1]
        assert found.pred.code.tolist() == [1, 1]
        assert found.pred.confidence.tolist() == [0.5, 1.0]
        assert found.truth.sample_id is None


def test_one_file_with_ids_and_scores(tmp_path: Path) -> None:
    path = put(tmp_path, "both.csv", "id,label,dog,cat\nu,cat,0.25,0.75\nv,dog,1,0\n")
    found = read_labels(path)
    assert names_of(found.truth) == ["cat", "dog"]
    assert found.pred.score.tolist() == [[0.75, 0.25], [0, 1]]
    assert found.pred.sample_id.tolist() == ["u", "v"]


def test_arrays_go_by_position(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.npy", np.array([2, 0, 1], np.uint16))
    pred = put(tmp_path, "p.npy", np.array([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]], np.float32))
    found = read_labels(truth, pred)
    assert found.truth.code.tolist() == [2, 0, 1]
    assert found.pred.score.tolist() == [[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]]
    assert any("by their position" in note for note in found.notes)
    # Ids of a table stay with its rows.
    found = read_labels(put(tmp_path, "t.csv", "id,label\nx,2\ny,0\nz,1\n"), pred)
    assert found.truth.sample_id.tolist() == ["x", "y", "z"]
    with pytest.raises(ShapeError, match=r"got 2 in .*q.npy and 3 in .*t.npy"):
        read_labels(truth, put(tmp_path, "q.npy", np.array([1, 2])))


def test_arrays_of_one_file(tmp_path: Path) -> None:
    content = {
        "ground_truth": np.array([1, 0]),
        "predictions": np.array([[0.25, 0.75], [1, 0]], np.float32),
    }
    found = read_labels(put(tmp_path, "both.npz", content))
    assert found.truth.code.tolist() == [1, 0]
    assert found.pred.score.tolist() == [[0.25, 0.75], [1, 0]]


def test_json_lines(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.jsonl", [{"id": 1, "label": "cat"}, {"id": 2, "label": "dog"}])
    pred = put(
        tmp_path,
        "p.jsonl",
        [
            {"id": 2, "label": "dog", "scores": {"cat": 0.25, "dog": 0.75}},
            {"id": 1, "label": "dog", "scores": {"dog": 0.5, "cat": 0.5}},
        ],
    )
    found = read_labels(truth, pred)
    assert names_of(found.pred) == ["dog", "dog"]
    assert found.pred.score.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    listed = put(
        tmp_path, "l.jsonl", [{"id": 2, "scores": [0.25, 0.75]}, {"id": 1, "scores": [1, 0.0]}]
    )
    found = read_labels(truth, listed, classes=["cat", "dog"])
    assert found.pred.score.tolist() == [[1, 0], [0.25, 0.75]]


# ---- What is missing, twice, or of another kind --------------------------------------------------


def test_missing_rows(tmp_path: Path) -> None:
    pred = "id,label\na.png,cat\nz.png,dog\nc.png,dog\n"
    with pytest.raises(IdError) as caught:
        read(tmp_path, TRUTH, pred)
    assert str(caught.value) == (
        "expected one prediction for each sample, but 2 samples have no prediction (b.png, d.png) "
        'and 1 prediction belongs to no sample (z.png): leave them out with missing="ignore" - at '
        f'{tmp_path}/t.csv column "id" and {tmp_path}/p.csv column "id"'
    )
    with pytest.warns(DataWarning, match="2 samples have no prediction .b.png, d.png. and 1 predi"):
        found = read(tmp_path, TRUTH, pred, missing="ignore")
    assert names_of(found.truth) == ["cat", "cat"]
    assert names_of(found.pred) == ["cat", "dog"]
    # A class of truth stays one without samples.
    assert found.truth.classes.keys.ids.tolist() == ["ape", "cat", "dog"]
    with pytest.raises(InputError, match='expected missing="error" or "ignore", got "drop"'):
        read(tmp_path, TRUTH, pred, missing="drop")


def test_no_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected samples with truth, got no rows - at .*t.csv"):
        read(tmp_path, "id,label\n", "id,label\n1,cat\n")
    with pytest.raises(
        IdError, match=r'ids that both sides have, got none: .* column "id" has no r'
    ):
        read(tmp_path, "id,label\n1,cat\n", "id,label\n")


def test_no_id_in_common(tmp_path: Path) -> None:
    with pytest.raises(IdError, match=r"expected ids that both sides have, got none: .* has a.png"):
        read(tmp_path, TRUTH, "id,label\nx/a.png,cat\n", missing="ignore")


@pytest.mark.parametrize("ids", ["a.png", "7"])
@pytest.mark.parametrize("side", [0, 1])
def test_ids_that_come_twice(tmp_path: Path, ids: str, side: int) -> None:
    tables = [f"id,label\n{ids},cat\n9,dog\n", f"id,label\n{ids},cat\n9,dog\n"]
    tables[side] = f"id,label\n9,dog\n{ids},cat\n{ids},cat\n9,dog\n"
    name = "tp"[side]
    with pytest.raises(IdError) as caught:
        read(tmp_path, *tables)
    assert str(caught.value) == (
        f'expected each id once in {tmp_path}/{name}.csv column "id", got {ids} in two rows, at '
        f"{tmp_path}/{name}.csv line 3 - at {tmp_path}/{name}.csv line 4"
    )


def test_ids_on_one_side(tmp_path: Path) -> None:
    with pytest.raises(IdError, match=r"ids on both sides or on neither, .* none in .*p.csv: name"):
        read(tmp_path, TRUTH, "pred,confidence\ncat,1\ndog,1\ncat,1\ncat,1\n")


def test_labels_of_two_kinds(tmp_path: Path) -> None:
    with pytest.raises(ClassError) as caught:
        read(tmp_path, TRUTH, "id,pred\na.png,0\nb.png,1\nc.png,0\nd.png,2\n")
    assert str(caught.value) == (
        f'expected labels of one kind, got texts (such as "cat") in {tmp_path}/t.csv column '
        f'"label" and whole numbers (such as 0) in {tmp_path}/p.csv column "pred": say which '
        "number is which class with classes="
    )
    # Texts that are whole numbers are numbers, and numbers are found among texts as they are
    # written.
    truth = put(tmp_path, "t.json", [{"id": 1, "label": "10"}, {"id": 2, "label": "2"}])
    pred = put(tmp_path, "p.csv", "id,pred\n1,2\n2,2\n")
    assert read_labels(truth, pred).truth.classes.keys.ids.tolist() == [2, 10]
    found = read(tmp_path, "id,label\n1,n01\n2,007\n", "id,pred\n1,007\n2,007\n")
    assert found.truth.classes.keys.ids.tolist() == ["007", "n01"]
    assert names_of(found.pred) == ["007", "007"]


def test_messages_are_one_line(tmp_path: Path) -> None:
    table = 'id,label\n"a\nb",cat\n"\x1b[2J",dog\n'
    with pytest.raises(IdError) as caught:
        read(tmp_path, table, "id,label\nx,cat\n")
    assert '.csv column "id" has a\\nb, \\x1b[2J, ' in str(caught.value)
    assert str(caught.value).isprintable()


def test_labels_that_look_like_ids(tmp_path: Path) -> None:
    rows = range(1200)
    truth = "label,class_name\n" + "".join(f"{k},cat\n" for k in rows)
    with pytest.raises(InputError) as caught:
        read(tmp_path, truth, truth)
    assert str(caught.value) == (
        'expected labels in column "label", got 1,200 different ones in 1,200 rows: it looks like '
        f"an id column; name the column of labels with label_column - at {tmp_path}/t.csv"
    )
    found = read(
        tmp_path, truth, truth, label_column="class_name", pred_column="class_name",
        id_column="label",
    )  # fmt: skip
    assert len(found.truth) == 1200


@pytest.mark.parametrize(
    ("truth", "pred", "options", "kind", "message"),
    [
        (
            "id,label\n1,cat\n2,\n",
            "id,pred\n1,cat\n2,cat\n",
            {},
            SchemaError,
            'expected a label in column "label", got an empty cell - at {t} line 3',
        ),
        (
            "id,label\n1,0\n2,1\n",
            "id,pred\n1,0.25\n2,1\n",
            {},
            InputError,
            'expected whole numbers or texts as labels in column "pred", got 0.25: are these '
            "scores? - at {p} line 2",
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,cat,dog\n1,0,1\n2,nan,0\n",
            {},
            InputError,
            'expected scores that are finite numbers, got nan in column "cat" - at {p} line 3',
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,cat,dog\n1,0,-inf\n2,0,0\n",
            {},
            InputError,
            'expected scores that are finite numbers, got -inf in column "dog" - at {p} line 2',
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,cat,dog\n1,0,\n2,0,0\n",
            {},
            SchemaError,
            'expected numbers in column "dog", got "" - at {p} line 2',
        ),
        (
            "id,label,w\n1,cat,1\n2,dog,-1\n",
            "id,pred\n1,cat\n2,cat\n",
            {"weight_column": "w"},
            InputError,
            'expected weights that are not negative, got -1.0 in column "w" - at {t} line 3',
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,pred\n1,cat\n2,dgo\n",
            {"classes": ["cat", "dog"]},
            ClassError,
            'expected labels of 2 classes (cat, dog), got "dgo". Did you mean "dog"? - at {p} line '
            "3",
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,pred\n1,cat\n2,cat\n",
            {"label_column": "lable"},
            SchemaError,
            'expected a column "lable", got id, label. Did you mean "label"? - at {t}',
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,comment,note\n1,x,y\n2,z,y\n",
            {},
            SchemaError,
            "expected a column of predicted labels (called prediction, pred_label, …) or columns "
            "of scores called like the classes, got id, comment, note: name them with pred_column "
            "or score_columns - at {p}",
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,Cat,Dog\n1,0.5,0.5\n2,0.5,0.5\n",
            {},
            ClassError,
            'expected columns of scores called like the classes (cat, dog), got Cat, Dog. Did you '
            'mean "cat"? - at {p}',
        ),
        (
            "id,label\n1,cat\n2,dog\n3,cow\n",
            "id,cat,dog\n1,0.5,0.5\n2,0.5,0.5\n3,0.5,0.5\n",
            {},
            ClassError,
            "expected a column for each class, got none for cow: rename the columns - at the "
            "columns of {p} (cat, dog)",
        ),
        (
            "id,label\n1,cat\n2,dog\n",
            "id,cat,dog,width\n1,0.5,0.5,640\n2,0.5,0.5,480\n",
            {},
            ClassError,
            'expected columns of scores between 0 and 1, got others in "width", which is called '
            "like no class of truth: say which columns are scores with score_columns - at {p}",
        ),
        (
            "id,label,pred,confidence\n1,cat,cat,1.5\n",
            None,
            {},
            InputError,
            'expected confidences between 0 and 1 in column "confidence", got 1.5 - at {t} line 2',
        ),
    ],
)  # fmt: skip
def test_refused(
    tmp_path: Path,
    truth: str,
    pred: str | None,
    options: dict[str, Any],
    kind: type[Exception],
    message: str,
) -> None:
    t = put(tmp_path, "t.csv", truth)
    p = t if pred is None else put(tmp_path, "p.csv", pred)
    with pytest.raises(kind) as caught:
        read_labels(t, p, **options)
    assert type(caught.value) is kind
    assert str(caught.value) == message.format(t=t, p=p)


def test_predictions_of_other_classes_only(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="no predicted label is one of truth, which has cat, dog"):
        read(tmp_path, "id,label\n1,cat\n2,dog\n", "id,pred\n1,Cat\n2,Dog\n")


# ---- Scores -------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "score_", "prob_", "p_", "logit_", "Scores."])
def test_columns_of_scores_in_any_order(tmp_path: Path, prefix: str) -> None:
    # The columns are called like the classes; "cow" is one that truth does not have.
    header = ",".join(f"{prefix}{name}" for name in ("dog", "cow", "cat"))
    found = read(
        tmp_path,
        "id,label\n1,cat\n2,dog\n",
        f"{header},id,confidence\n0.5,0.25,0.125,2,1\n1,2,3,1,1\n",
    )
    assert found.truth.classes.keys.ids.tolist() == ["cat", "cow", "dog"]
    assert found.pred.score.tolist() == [[3, 2, 1], [0.125, 0.25, 0.5]]
    assert found.pred.score.flags.c_contiguous
    assert found.pred.code is None


def test_scores_and_labels(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "id,label\n1,cat\n2,dog\n",
        "id,label,cat,dog\n1,dog,0.75,0.25\n2,dog,0.5,0.5\n",
    )
    assert names_of(found.pred) == ["dog", "dog"]
    assert found.pred.score.tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_columns_beside_labels_that_look_like_scores(tmp_path: Path) -> None:
    table = "id,label,p_value,p_adj\n1,cat,0.5,0.25\n2,dog,0.5,0.25\n"
    assert read(tmp_path, table, table).pred.score is None


def test_scores_of_numbered_classes(tmp_path: Path) -> None:
    truth = "id,label\n1,10\n2,2\n"
    found = read(tmp_path, truth, "id,10,2\n1,0.5,1.5\n2,2.5,3.5\n")
    assert found.truth.classes.keys.ids.tolist() == [2, 10]
    assert found.pred.score.tolist() == [[1.5, 0.5], [3.5, 2.5]]


def test_scores_without_names_go_by_position(tmp_path: Path) -> None:
    pred = "a.png,0.5,0.25,0.25\nb.png,0,0.5,0.5\n"
    found = read(tmp_path, "id,label\na.png,2\nb.png,1\n", pred)
    assert found.truth.classes.keys.ids.tolist() == [0, 1, 2]
    assert found.truth.code.tolist() == [2, 1]
    texts = "id,label\na.png,cat\nb.png,dog\n"
    with pytest.raises(ClassError, match=r'texts \(such as "cat"\) .*: say which number is which'):
        read(tmp_path, texts, pred)
    found = read(tmp_path, texts, pred, classes=["dog", "cat", "ape"])
    assert found.truth.code.tolist() == [1, 0]
    assert found.pred.score.tolist() == [[0.5, 0.25, 0.25], [0, 0.5, 0.5]]
    with pytest.raises(ClassError, match="expected a column for each of 2 classes, got 3"):
        read(tmp_path, texts, pred, classes=["dog", "cat"])
    with pytest.raises(
        ClassError, match=r"none for 3: columns are the classes 0 … 2; are labels co"
    ):
        read(tmp_path, "id,label\na.png,3\nb.png,1\n", pred)


def test_names_of_classes_in_the_file_of_scores(tmp_path: Path) -> None:
    pred = put(
        tmp_path, "p.npz", {"scores": np.array([[0.25, 0.75]]), "classes": np.array(["dog", "cat"])}
    )
    found = read_labels(put(tmp_path, "t.csv", "id,label\n1,cat\n"), pred)
    assert found.pred.score.tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize(
    ("labels", "options", "want"),
    [
        ("0 1", {}, [[0.75, 0.25], [0.5, 0.5]]),
        ("1 1", {}, [[0.75, 0.25], [0.5, 0.5]]),  # one class only: the score still speaks of two
        ("no yes", {}, [[0.75, 0.25], [0.5, 0.5]]),
        ("positive negative", {}, [[0.75, 0.25], [0.5, 0.5]]),  # ids ascend: negative comes first
        ("cat dog", {"positive": "cat"}, [[0.25, 0.75], [0.5, 0.5]]),
        ("0 1", {"scores": "any"}, [[0, 0.25], [0, 0.5]]),
        ("0 1", {"scores": "logits", "positive": 0}, [[0.25, 0], [0.5, 0]]),
    ],
)
def test_one_score_of_two_classes(
    tmp_path: Path, labels: str, options: dict[str, Any], want: list[list[float]]
) -> None:
    first, second = labels.split()
    truth = f"id,label\n1,{first}\n2,{second}\n"
    found = read(tmp_path, truth, "id,score\n1,0.25\n2,0.5\n", **options)
    assert len(found.truth.classes) == 2
    assert found.pred.score.tolist() == want
    logits = read(tmp_path, truth, "id,score\n1,0.25\n2,-0.5\n", **options)
    assert logits.pred.score.min() == -0.5


def test_one_score_of_two_classes_is_ambiguous(tmp_path: Path) -> None:
    truth, pred = "id,label\n1,cat\n2,dog\n", "id,score\n1,0.25\n2,0.5\n"
    with pytest.raises(ClassError, match=r"expected to know of which class \(cat or dog\)"):
        read(tmp_path, truth, pred)
    with pytest.raises(ClassError, match=r'cat and dog as positive, got dgo\. Did you mean "dog"'):
        read(tmp_path, truth, pred, positive="dgo")
    # A name says it.
    found = read(tmp_path, truth, "id,score_cat\n1,0.25\n2,0.5\n", score_columns=["score_cat"],
                 positive="cat")  # fmt: skip
    assert found.pred.score.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    found = read(tmp_path, truth, "id,cat\n1,0.25\n2,0.5\n")
    assert found.pred.score.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    with pytest.raises(
        ClassError, match='a column of scores for each of 3 classes, got only "score"'
    ):
        read(tmp_path, "id,label\n1,0\n2,1\n3,2\n", "id,score\n1,0.25\n2,0.5\n3,1\n")


# ---- Lists of classes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [
        ["cat", "dog", "ape"],
        {0: "cat", 1: "dog", 2: "ape"},
        {"cat": 0, "dog": 1, "ape": 2},
        {"0": ["n1", "cat"], "2": ["n3", "ape"], "1": ["n2", "dog"]},
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_lists_of_classes(tmp_path: Path, classes: Any, stored: bool) -> None:
    source = put(tmp_path, "c.json", classes) if stored else classes
    found = read(tmp_path, "id,label\n1,cat\n2,dog\n", "id,pred\n1,1\n2,1\n", classes=source)
    assert found.truth.classes.keys.ids.tolist() == [0, 1, 2]
    assert found.truth.classes.names == ("cat", "dog", "ape")
    assert found.truth.code.tolist() == [0, 1]
    assert found.pred.code.tolist() == [1, 1]
    scores = read(tmp_path, "id,label\n1,cat\n2,dog\n", "1,1,2,3\n2,4,5,6\n", classes=source)
    assert scores.pred.score.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_text_of_class_names(tmp_path: Path) -> None:
    path = put(tmp_path, "names.txt", "hot dog\nice cream\n\n")
    found = read(tmp_path, "id,label\n1,ice cream\n2,0\n", "id,pred\n1,1\n2,0\n", classes=path)
    assert found.truth.code.tolist() == found.pred.code.tolist() == [1, 0]
    with pytest.raises(SchemaError, match=r"name of a class, got an empty line - at .* line 2"):
        read(tmp_path, TRUTH, TRUTH, classes=put(tmp_path, "n.txt", "a\n\nb\n"))


def test_a_name_of_two_classes(tmp_path: Path) -> None:
    # ImageNet has two cranes.
    classes = {0: ["n1", "crane"], 1: ["n2", "crane"]}
    with pytest.raises(ClassError, match=r'got "crane", the name of 2 classes \(0, 1\): use ids'):
        read(tmp_path, "id,label\n1,crane\n", "id,pred\n1,n2\n", classes=classes)
    found = read(tmp_path, "id,label\n1,n1\n", "id,pred\n1,n2\n", classes=classes)
    assert found.truth.classes.names == ("crane (n1)", "crane (n2)")
    assert found.pred.code.tolist() == [1]


@pytest.mark.parametrize("labels", ["id,label\n1,1\n", "id,label\n1,1\n2,x\n"])
def test_an_id_that_is_the_name_of_another_class(tmp_path: Path, labels: str) -> None:
    classes = ["1", "0", "x", "7"]
    with pytest.raises(ClassError, match=r'got "1", .* of another \(class 0\).*t\.csv line 2'):
        read(tmp_path, labels, labels, classes=classes)
    # Others are not in doubt.
    found = read(tmp_path, "id,label\n1,2\n2,7\n", "id,pred\n1,x\n2,3\n", classes=classes)
    assert found.truth.code.tolist() == found.pred.code.tolist() == [2, 3]


def test_lists_that_are_refused() -> None:
    with pytest.raises(ClassError, match="expected a list of classes, it is empty"):
        read_labels("no", "no", classes=[])
    with pytest.raises(ClassError, match=r"expected a name for class 0, got 3\.5"):
        read_labels("no", "no", classes={0: 3.5})
    with pytest.raises(ClassError, match="a list of names, or a mapping of id to name, got 5"):
        read_labels("no", "no", classes=5)
    with pytest.raises(ClassError, match=r"a list of names, or a mapping of id to name, got \{"):
        read_labels("no", "no", classes={"cat", "dog"})  # which comes first, nobody knows
    with pytest.raises(
        InputError, match=r'scores="probabilities", "logits" or "any", got \'prob\''
    ):
        read_labels("no", "no", scores="prob")  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # COCO's categories: their ids would be others.
        ([{"id": 7, "name": "cat"}], r"names of classes in the list, got {'id': 7, .*c\.json"),
        ([None, "cat"], r"names of classes in the list, got None: .*c\.json"),
        (3, r"a mapping of id to name, got 3 - at .*c\.json"),
        (
            {"images": [{"id": k} for k in range(99)]},
            r"for class images, got .{59}… - at .*c\.json",
        ),
    ],
)
def test_json_that_lists_no_names(tmp_path: Path, content: Any, message: str) -> None:
    classes = put(tmp_path, "c.json", content)
    with pytest.raises(ClassError, match=message):
        read(tmp_path, TRUTH, TRUTH, classes=classes)


@pytest.mark.parametrize("header", ["", "id,name\n", "class_index,class\n"])
@pytest.mark.parametrize("more", ["", ",12"])
def test_a_table_of_classes(tmp_path: Path, header: str, more: str) -> None:
    if more:
        header = header.replace("\n", ",count\n")
    path = put(tmp_path, "c.csv", f"{header}2,cat{more}\n5,dog{more}\n")
    found = read(tmp_path, "id,label\n1,cat\n2,5\n", "id,pred\n1,2\n2,dog\n", classes=path)
    assert found.truth.classes.keys.ids.tolist() == [2, 5]
    assert found.truth.classes.names == ("cat", "dog")
    assert found.truth.code.tolist() == found.pred.code.tolist() == [0, 1]


def test_a_table_of_more_than_classes(tmp_path: Path) -> None:
    # As CamVid's colours are passed on.
    path = put(tmp_path, "class_dict.csv", "name,r,g,b\nAnimal,64,128,64\nArchway,192,0,128\n")
    with pytest.raises(SchemaError, match=r"its id and its name, got 4 cells - at .* line 2"):
        read(tmp_path, TRUTH, TRUTH, classes=path)
    # Names may have commas, in quotes or not all.
    for dog in ("dog, tame, large", '"dog, tame, large"'):
        path = put(tmp_path, "c.csv", f"cat\n{dog}\n")
        found = read(tmp_path, "id,label\n1,cat\n", "id,pred\n1,cat\n", classes=path)
        assert found.truth.classes.names == ("cat", "dog, tame, large")


def test_several_names_of_one_number(tmp_path: Path) -> None:
    classes = {"cat": 0, "kitten": 0, "dog": 1}
    found = read(tmp_path, "id,label\n1,cat\n2,dog\n", "id,pred\n1,kitten\n2,0\n", classes=classes)
    assert found.truth.code.tolist() == [0, 1]
    assert found.pred.code.tolist() == [0, 0]


# ---- Folders ------------------------------------------------------------------------------------


def image_folder(folder: Path, *files: str) -> Path:
    root = folder / "val"
    for file in files:
        put(root, file, "")
    return root


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("their path within the folder", ("cat/1.jpg", "dog/2.png")),
        ("their path within the folder", ("./cat/1.jpg", "dog\\2.png")),
        ("the end of their path", ("/data/val/cat/1.jpg", "/data/val/dog/2.png")),
        ("their file name", ("1.jpg", "2.png")),
        ("their file name without its ending", ("1", "2")),
    ],
)
def test_image_folders(tmp_path: Path, rule: str, names: tuple[str, str]) -> None:
    root = image_folder(tmp_path, "dog/2.png", "cat/1.jpg", ".git/x/1.jpg", "cat/.1.jpg", "readme")
    (root / "ape").mkdir()
    pred = put(tmp_path, "p.csv", f"file,pred\n{names[1]},cat\n{names[0]},cat\n")
    with pytest.warns(DataWarning, match=r"1 class folder has no images \(ape\): a class without"):
        found = read_labels(root, pred)
    # An empty folder is a class; a hidden one is none.
    assert found.truth.classes.keys.ids.tolist() == ["ape", "cat", "dog"]
    assert names_of(found.truth) == ["cat", "dog"]
    assert found.truth.sample_id.tolist() == ["cat/1.jpg", "dog/2.png"]
    assert any(note.endswith(rule) for note in found.notes)
    assert any("2 images in 3 class folders, 1 other files not" in note for note in found.notes)


def test_image_folders_with_ambiguous_names(tmp_path: Path) -> None:
    root = image_folder(tmp_path, "dog/1.png", "cat/1.png", "cat/2.png")
    with pytest.raises(
        IdError, match=r'got "1.png", which is cat/1.png, dog/1.png: name the images'
    ):
        read_labels(root, put(tmp_path, "p.csv", "file,pred\n1.png,cat\n2.png,cat\n"))
    # Where it is not asked for, it is only missing.
    with pytest.warns(DataWarning, match=r"2 samples have no prediction .cat/1.png, dog/1.png"):
        found = read_labels(
            root, put(tmp_path, "p.csv", "file,pred\n2.png,cat\n"), missing="ignore"
        )
    assert found.truth.sample_id.tolist() == ["cat/2.png"]


def test_image_folders_with_a_list_of_classes(tmp_path: Path) -> None:
    root = image_folder(tmp_path, "n2/1.png", "n1/2.png")
    classes = {"0": ["n1", "tench"], "1": ["n2", "shark"], "2": ["n3", "cock"]}
    pred = put(tmp_path, "p.csv", "n2/1.png,shark\nn1/2.png,2\n")
    found = read_labels(root, pred, classes=classes)
    assert names_of(found.truth) == ["tench", "shark"]
    assert names_of(found.pred) == ["cock", "shark"]


def test_image_folders_that_are_refused(tmp_path: Path) -> None:
    root = image_folder(tmp_path, "1.png")
    pred = put(tmp_path, "p.csv", "id,label\n1,cat\n")
    with pytest.raises(SchemaError, match="a folder of images for each class, got one without"):
        read_labels(root, pred)
    root = image_folder(tmp_path, "cat/1.png")
    for options, message in (
        ({"weight_column": "w"}, 'expected no weight_column, because truth is a folder, got "w"'),
        ({"multilabel": True}, "expected one label a sample of a folder, got multilabel"),
    ):
        with pytest.raises(InputError, match=message):
            read_labels(root, pred, **options)
    with pytest.raises(InputError, match="expected predictions for the images of this folder"):
        read_labels(root)
    with pytest.raises(IdError, match="expected predictions with the files' names, because"):
        read_labels(root, put(tmp_path, "p.npy", np.array([0])))


# ---- Multilabel ---------------------------------------------------------------------------------

SETS = [{"cat", "dog"}, set(), {"dog"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "id,labels\n1,cat|dog\n2,\n3,dog\n"),
        ("t.csv", "id,labels\n1,cat; dog\n2,\n3,dog;\n"),
        ("t.csv", 'id,labels\n1,"[""dog"", ""cat""]"\n2,[]\n3,"[""dog""]"\n'),
        (
            "t.jsonl",
            '{"id":1,"labels":["cat","dog"]}\n{"id":2,"labels":[]}\n{"id":3,"labels":["dog"]}',
        ),
        ("t.csv", "id,dog,cat\n1,1,1\n2,0,0\n3,1,0\n"),
        ("t.csv", "id,label_dog,label_cat\n1,1,1\n2,0,0\n3,1,0\n"),
    ],
)
def test_sets_of_labels(tmp_path: Path, name: str, content: str) -> None:
    truth = put(tmp_path, name, content)
    found = read_labels(truth, put(tmp_path, "p.csv", "id,pred\n3,cat|cow\n2,dog\n1,\n"))
    assert sets_of(found.truth) == SETS
    assert sets_of(found.pred) == [set(), {"dog"}, {"cat", "cow"}]
    assert found.truth.member.dtype == np.uint8
    assert found.truth.code is None
    scores = put(tmp_path, "s.csv", "id,dog,cat\n3,0.5,0\n2,1,0\n1,0,0.25\n")
    found = read_labels(truth, scores)
    assert found.pred.score.tolist() == [[0.25, 0], [0, 1], [0, 0.5]]
    flags = read_labels(truth, put(tmp_path, "f.csv", "id,dog,cat\n3,1,0\n2,1,0\n1,0,1\n"))
    assert sets_of(flags.pred) == [{"cat"}, {"dog"}, {"dog"}]


def test_arrays_of_flags(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.npz", {"labels": np.array([[1, 1, 0], [0, 0, 0]], np.uint8)})
    pred = put(tmp_path, "p.npz", {"scores": np.array([[0.5, 1, 0], [0, 0, 0.25]])})
    found = read_labels(truth, pred)
    assert found.truth.member.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert found.pred.score.tolist() == [[0.5, 1, 0], [0, 0, 0.25]]
    assert found.truth.classes.keys.ids.tolist() == [0, 1, 2]
    named = read_labels(truth, pred, classes=["a", "b", "c"])
    assert named.truth.classes.names == ("a", "b", "c")


def test_one_of_several_columns(tmp_path: Path) -> None:
    truth = put(tmp_path, "t.csv", "id,cat,dog\n1,1,0\n2,0,1\n")
    pred = put(tmp_path, "p.csv", "id,cat,dog\n1,1.0,0.5\n2,0,1\n")
    assert names_of(read_labels(truth, pred, multilabel=False).truth) == ["cat", "dog"]
    bad = put(tmp_path, "b.csv", "id,cat,dog\n1,1,0\n2,1,1\n")
    with pytest.raises(
        InputError, match=r"expected one class for each sample, got 2 - at .* line 3"
    ):
        read_labels(bad, pred, multilabel=False)
    wrong = put(tmp_path, "w.csv", "id,cat,dog\n1,1,0\n2,2,0\n")
    with pytest.raises(SchemaError, match=r'columns of 0 and 1, .* got 2 in column "cat": name'):
        read_labels(wrong, pred)


def test_separators_may_be_parts_of_names(tmp_path: Path) -> None:
    table = "id,label\n1,a|b\n2,c\n"
    assert names_of(read(tmp_path, table, table, multilabel=False).truth) == ["a|b", "c"]
    with pytest.raises(
        SchemaError, match=r'one separator of labels in column "label", got "\|" and'
    ):
        read(tmp_path, "id,label\n1,a|b\n2,c;d\n", table)
    with pytest.raises(
        SchemaError, match=r"expected a JSON list of texts or whole numbers in column"
    ):
        read(tmp_path, "id,label\n1,[a]\n2,[1.5]\n", table)


def test_reading_is_quiet(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path, TRUTH, TRUTH)


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_an_index_is_no_class(tmp_path: Path, name: str) -> None:
    # As pandas writes it, and reads and writes it again.
    truth = f"{name},id,species\n0,a,cat\n1,b,dog\n"
    pred = f"{name},id,dog,cat\n1,b,0.75,0.25\n0,a,0.5,0.5\n"
    found = read(tmp_path, truth, pred)
    assert found.truth.classes.keys.ids.tolist() == ["cat", "dog"]
    assert found.truth.code.tolist() == [0, 1]
    assert found.pred.score.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    flags = f"{name},id,cat,dog\n0,a,1,0\n1,b,0,1\n"
    assert read(tmp_path, flags, pred).truth.member.tolist() == [[1, 0], [0, 1]]
